"""Counts of what is learned, on real records: exact after replays, two learners and deletions."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from helix_lab.domain.knowledge.extraction import open_extractor
from helix_lab.projections.evidence_reader import EvidenceReader
from helix_lab.projections.learning import LearningProjection
from helix_lab.projections.learning_writing import remove_messages
from tests.flow.teaching import School, talk

WORDS = ("Docker", "Kubernetes", "Python", "Redis", "Kafka", "PostgreSQL", "Helm")
COUNTS = ("pattern_count", "learning_group", "pattern_observation")


@pytest.fixture
def school(tmp_path: Path) -> Iterator[School]:
    school = School(tmp_path / "school")
    yield school
    school.close()


def make_texts(rng: random.Random, messages: int) -> list[str]:
    return [
        f"How do I use {rng.choice(WORDS)} with {rng.choice(WORDS)}? Number {number}."
        for number in range(messages)
    ]


def counts(school: School) -> dict[str, Any]:
    found = school.dump()
    return {name: found[name] for name in COUNTS}


def pattern(school: School, kind: str, user_id: str = "") -> dict[str, Any]:
    rows = school.dump()["pattern_count"]
    (row,) = [row for row in rows if (row["pattern_type"], row["user_id"]) == (kind, user_id)]
    return row


def check_sums(school: School) -> None:
    """What is counted of each pattern is the sum of what its occasions show."""
    found = school.dump()
    sums: dict[str, list[int]] = {}
    for row in found["pattern_observation"]:
        total = sums.setdefault(row["pattern_id"], [0, 0])
        total[0] += 1
        total[1] += row["support"]
    counted = {
        row["pattern_id"]: [row["frequency"], row["support"]] for row in found["pattern_count"]
    }
    assert sums == counted


def test_replays_change_nothing(school: School) -> None:
    entries = school.teach(talk("a", "What is Docker with Helm?", "A tool.", "Why?"))
    entries += school.teach(talk("b", "What is Docker with Helm?", "A tool.", "Why?"))
    once = school.dump()

    school.learn(entries)
    school.learn(entries[3:])

    assert once == school.dump()


def test_the_size_of_batches_changes_nothing(school: School, tmp_path: Path) -> None:
    rng = random.Random(1)
    facts = [
        fact for name in ("a", "b", "c") for fact in talk(name, *make_texts(rng, 6), user_id=name)
    ]
    entries = school.teach(facts)
    other = School(tmp_path / "other")
    for entry in entries:
        other.learn([entry])
    one_by_one = other.dump()
    other.close()

    assert one_by_one == school.dump()


def test_two_learners_count_once(school: School) -> None:
    second = LearningProjection(school.records, EvidenceReader(open_extractor()))
    entries = school.writer.record(talk("a", "What is Docker with Helm?", "A tool.", "Why?"))
    entries += school.writer.record(talk("b", "What is Docker with Helm?", "A tool.", "Why?"))
    for entry in entries:
        for learner in (school.projection, second):
            row = learner.project(entry)
            learner.write([row] if row else [], {})

    assert 2 == pattern(school, "user_intent")["frequency"]
    assert 2 == pattern(school, "user_intent", "ann")["support"]


def test_one_conversation_that_repeats_a_claim_counts_as_one(school: School) -> None:
    school.teach(talk("poison", *["How do I use Docker with Helm?"] * 600, user_id=None))
    school.teach(talk("honest", "How do I use Docker with Helm?", user_id=None))

    pair = pattern(school, "entity_cooccurrence")

    assert (2, 2) == (pair["frequency"], pair["support"])
    shown = [len(row["messages"]) for row in school.dump()["pattern_observation"]]
    assert max(shown) <= 100


def test_after_each_of_300_random_deletions_the_counts_are_those_of_what_is_left(
    school: School, tmp_path: Path
) -> None:
    rng = random.Random(7)
    talks = {
        f"c{number}": (make_texts(rng, 10), rng.choice(["ann", "bob"])) for number in range(32)
    }
    school.teach(
        [fact for name, (texts, user) in talks.items() for fact in talk(name, *texts, user_id=user)]
    )
    doomed = [(name, f"m{number}") for name in talks for number in range(10)]
    rng.shuffle(doomed)

    for done, (name, message_id) in enumerate(doomed[:300], start=1):
        remove_messages(school.records, name, [message_id])
        if done % 100 == 0:
            check_sums(school)
    other = School(tmp_path / "rest")
    gone = set(doomed[:300])
    for name, (texts, user) in talks.items():
        skipped = [f"m{number}" for number in range(10) if (name, f"m{number}") in gone]
        other.teach(talk(name, *texts, user_id=user, skipped=skipped))
    expected = counts(other)
    other.close()

    assert expected == counts(school)
