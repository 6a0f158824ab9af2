"""What is learned from real conversations and debates, beside counts made without the lab."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from helix_lab import Lab, open_lab
from tests.data.loaders import write_debates_jsonl, write_sittings_jsonl
from tests.flow.labs import PATIENCE_S

SAMPLES = Path(__file__).parents[2] / "notebooks/samples/conversations.jsonl"
"""Our own: the times of the real ones are those of their sessions, so they tell of no pace."""

pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
def folder(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The real data as files of JSON Lines."""
    folder = tmp_path_factory.mktemp("real")
    write_sittings_jsonl(data, folder / "sittings.jsonl")
    write_debates_jsonl(data, folder / "debates.jsonl")
    (folder / "samples.jsonl").write_bytes(SAMPLES.read_bytes())
    return folder


@pytest.fixture(scope="module")
def lab(folder: Path) -> Iterator[Lab]:
    """A lab that has learned from all of it."""
    with open_lab(folder / "lab") as opened:
        learn(opened, folder)
        yield opened


def learn(lab: Lab, folder: Path) -> None:
    """Import everything, end what is no debate, and wait until all is learned and told."""
    for path in sorted(folder.glob("*.jsonl")):
        assert "succeeded" == lab.start_import(str(path), wait_s=120).state
    for one in lab.list_conversations(limit=1000).conversations:
        if one.source != "debate" and one.completed_at is None:
            lab.complete_conversation(one.conversation_id)
    while lab.services.projections.catch_up("learning", timeout_s=PATIENCE_S):
        if not lab.services.learner.look():
            break


def read_lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def test_there_are_patterns_of_all_types_and_as_many_as_promised(lab: Lab) -> None:
    stats = lab.get_learning_stats()
    insights = lab.list_insights(limit=100).insights
    tracked = lab.get_preferences(user_id="locomo-conv-26").preferences

    assert all(stats.patterns_by_type.values())
    assert stats.total_patterns >= 15
    assert stats.entity_relationships >= 12
    assert stats.patterns_by_type["debate_strategy"] >= 5
    assert stats.patterns_by_type["conversation_flow"] >= 4
    assert 8 <= sum(one.confidence >= 0.7 for one in insights)
    assert 3 <= len(tracked)


def test_conversations_and_debates_are_counted_as_in_the_files(lab: Lab, folder: Path) -> None:
    told = [*read_lines(folder / "sittings.jsonl"), *read_lines(folder / "samples.jsonl")]

    stats = lab.get_learning_stats()

    assert len({line["conversation_id"] for line in told}) == stats.conversations_learned
    assert 375 == stats.debates_learned


def test_each_strategy_has_the_debates_and_wins_of_the_files(lab: Lab, folder: Path) -> None:
    debates = read_lines(folder / "debates.jsonl")
    judged = [debate for debate in debates if "winner" in debate]  # a draw has none
    seats = [(debate, seat) for debate in judged for seat in debate["participants"]]
    seated = Counter((seat["provider"], seat["position"]) for _, seat in seats)
    won = Counter(
        (seat["provider"], seat["position"])
        for debate, seat in seats
        if seat["seat"] == debate["winner"]
    )

    found = lab.list_top_patterns(pattern_type="debate_strategy", limit=100).patterns

    assert {(name, side): (won[name, side], n) for (name, side), n in seated.items()} == {
        (one.description.split()[0], one.description.split()[2]): (one.support, one.trials)
        for one in found
    }


def test_a_language_is_counted_once_a_conversation_of_its_user(lab: Lab, folder: Path) -> None:
    told = read_lines(folder / "sittings.jsonl")
    sittings = {(line["user_id"], line["conversation_id"]) for line in told}

    for user, count in Counter(user for user, _ in sittings).items():
        found = {one.type: one for one in lab.get_preferences(user_id=user).preferences}
        assert (count, "en") == (found["language"].frequency, found["language"].value)


def test_to_import_it_again_changes_nothing(lab: Lab, folder: Path) -> None:
    before = lab.get_learning_stats()

    learn(lab, folder)

    assert before == lab.get_learning_stats()
