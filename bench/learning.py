"""Learning: intents and preferences of real messages, what it costs, questions to many rows."""

from __future__ import annotations

import random
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from statistics import fmean, median, quantiles
from typing import TYPE_CHECKING, Any

from bench.evaluations import beam, finding
from helix_lab import open_lab
from helix_lab.domain.context.compression import analyse
from helix_lab.domain.context.recall import recall
from helix_lab.domain.learning.intent import find_intent
from helix_lab.projections.learning_writing import remove_messages
from helix_lab.records.learning_tables import LEARNING_GROUP, PATTERN_COUNT, PATTERN_OBSERVATION
from helix_lab.settings import Settings
from tests.data.intents import keyword_intent, measure_macro_f1, read_labelled
from tests.data.loaders import find_data
from tests.flow.teaching import START, School, talk

if TYPE_CHECKING:
    from bench.harness import Options, Report
    from helix_lab.lab import Lab
    from helix_lab.records.database import Records

OBSERVATIONS = 1_000_000
PATTERNS = 100_000
USERS = 1000
QUESTIONS = 300
DELETIONS = 1000
COUNTED = ("pattern_count", "learning_group", "pattern_observation")
TOOLS = ("Docker", "Redis", "Kafka", "Python", "Rust", "GraphQL", "JWT", "Postgres", "Neo4j")
_BATCH = 20_000
_SHARE = 0.1


def run(report: Report, options: Options) -> None:
    """Intents, extraction, insights, and questions."""
    judge_intents(report)
    judge_preferences(report, options)
    with tempfile.TemporaryDirectory(prefix="helix-bench-") as name:
        time_extraction(report, options, Path(name))
        prove_deletions(report, options, Path(name))
        with open_lab(settings=Settings(Path(name) / "lab", "n", port=0)) as lab:
            time_insights(report, options, lab)
            fill(lab.services.records, options)
            ask(report, options, lab)


def judge_intents(report: Report) -> None:
    """Macro F1 of the rules, beside that of parts of words."""
    data = find_data()
    if data is None:
        print("no data sets: intents are not judged (HELIX_TEST_DATA)", flush=True)
        return
    labelled = read_labelled(data)
    expected = [intent for _, intent in labelled]
    found = [find_intent(text, has_code="```" in text) for text, _ in labelled]
    baseline = measure_macro_f1(expected, [keyword_intent(text) for text, _ in labelled])
    report.add(
        f"intent of {len(labelled)} labelled messages of BEAM and LoCoMo",
        "macro F1",
        measure_macro_f1(expected, found),
        "",
        baseline="parts of words, as in the guide's implementation",
        baseline_value=baseline,
        runs=1,
        targets=(baseline + 0.15, 0.85),
    )


def judge_preferences(report: Report, options: Options) -> None:
    """Whether the messages where users said what they prefer are in a tenth of their chat."""
    data = find_data()
    folder = options.beam or (data / "beam-100k" if data else None)
    if folder is None:
        print("no BEAM: preferences are not judged (--beam DIR)", flush=True)
        return
    chats = beam.read_chats(folder)
    # The weights of a recall were tuned on the first half.
    for part, some in {
        "tuned on": chats[: len(chats) // 2],
        "the rest": chats[len(chats) // 2 :],
    }.items():
        found, by_bm25 = [], []
        for chat in some:
            analysis = analyse(chat.messages)
            budget = int(_SHARE * analysis.original_tokens)
            said = {message.message_id: message.content for message in chat.messages}
            for probe in chat.probes:
                if probe.kind == "preference_following":
                    recalled = recall([analysis], probe.text, max_tokens=budget)
                    held = finding.texts_of(recalled)
                    found.append(finding.evidence_recall(probe.evidence, said, held))
                    by_bm25.append(
                        finding.bm25_recall(
                            analysis, chat.messages, probe.text, probe.evidence, budget
                        )
                    )
        report.add(
            f"BEAM, {part}: preferences in {_SHARE:.0%} of a chat, {len(found)} questions",
            "evidence held",
            fmean(found),
            "",
            baseline="BM25",
            baseline_value=fmean(by_bm25),
            runs=1,
            targets=(0.85, 0.95),
        )


def time_extraction(report: Report, options: Options, folder: Path) -> None:
    """A conversation of 100 messages: noticed one by one, and learned from when it ends."""
    rng = random.Random(options.seed)
    school = School(folder / "school")
    try:
        school.teach(talk("warm", *_make_texts(rng, 100)))
        whole, ends = [], []
        for number in range(max(20, options.runs)):
            entries = school.writer.record(talk(f"c{number}", *_make_texts(rng, 100)))
            begin = time.perf_counter()
            school.learn(entries[:-1])
            middle = time.perf_counter()
            school.learn(entries[-1:])
            end = time.perf_counter()
            whole.append((end - begin) * 1000)
            ends.append((end - middle) * 1000)
    finally:
        school.close()
    case = "conversation of 100 messages"
    report.add(
        case, "read, learned, written: p50", median(whole), "ms", runs=len(whole), targets=(100, 20)
    )
    report.add(case, "its end alone: p50", median(ends), "ms", runs=len(ends))


def prove_deletions(report: Report, options: Options, folder: Path) -> None:
    """Support taken out message by message, until the counts are those of what is left.

    Raises:
        AssertionError: a count differs from that of a lab that never saw the messages.
    """
    rng = random.Random(options.seed)
    deletions = options.size(DELETIONS)
    talks = {f"c{number}": _make_texts(rng, 12) for number in range(deletions // 10 + 1)}
    users = {name: rng.choice(["ann", "bob"]) for name in talks}
    said = [(name, f"m{number}") for name in talks for number in range(12)]
    doomed = rng.sample(said, deletions)
    school, rest = School(folder / "deleting"), School(folder / "rest")
    try:
        for name, texts in talks.items():
            school.teach(talk(name, *texts, user_id=users[name]))
            skipped = [message_id for other, message_id in doomed if other == name]
            rest.teach(talk(name, *texts, user_id=users[name], skipped=skipped))
        times = []
        for name, message_id in doomed:
            begin = time.perf_counter()
            remove_messages(school.records, name, [message_id])
            times.append((time.perf_counter() - begin) * 1000)
        left, expected = school.dump(), rest.dump()
    finally:
        school.close()
        rest.close()
    for table in COUNTED:
        assert expected[table] == left[table], f"{table} differs after {deletions} deletions"
    case = f"{deletions:,} random deletions of support, every count exact"
    report.add(case, "a deletion: p50", median(times), "ms", runs=deletions)


def time_insights(report: Report, options: Options, lab: Lab) -> None:
    """From a pattern above the thresholds to its insight in the log."""
    rng = random.Random(options.seed)
    for number in range(12):
        lab.services.writer.record(talk(f"i{number}", *_make_texts(rng, 12)))
    assert lab.services.projections.catch_up("learning", timeout_s=60)
    begin = time.perf_counter()
    told = lab.services.learner.look()
    spent_ms = (time.perf_counter() - begin) * 1000
    report.add(
        f"{told} insights made at once",
        "time an insight",
        spent_ms / max(1, told),
        "ms",
        runs=1,
        targets=(10, 2),
    )


def fill(records: Records, options: Options) -> None:
    """So many observations of so many patterns, half of them of users."""
    rng = random.Random(options.seed)
    patterns, total = options.size(PATTERNS), options.size(OBSERVATIONS)
    each = max(1, total // patterns)
    groups = [
        {
            "group_id": f"g{n}",
            "user_id": _user(n),
            "kind": "bench",
            "subject": str(n),
            "name": "",
            "trials": each * 2,
        }
        for n in range(patterns)
    ]
    rows = [_make_pattern(n, each, rng) for n in range(patterns)]
    for table, made in ((LEARNING_GROUP, groups), (PATTERN_COUNT, rows)):
        for start in range(0, len(made), _BATCH):
            with records.write() as connection:
                connection.execute(table.insert(), made[start : start + _BATCH])
    for batch in _make_observations(patterns, each):
        with records.write() as connection:
            connection.execute(PATTERN_OBSERVATION.insert(), batch)


def ask(report: Report, options: Options, lab: Lab) -> None:
    """The two questions of the guide, through the operation."""
    rng = random.Random(options.seed)
    size = f"{options.size(OBSERVATIONS):,} observations of {options.size(PATTERNS):,} patterns"
    questions: dict[str, Callable[[], Any]] = {
        "preferences of a user": lambda: lab.get_preferences(user_id=f"u{rng.randrange(USERS)}"),
        "patterns/top, all types": lambda: lab.list_top_patterns(limit=10),
        "patterns/top, one type": lambda: lab.list_top_patterns(
            limit=10, pattern_type="entity_cooccurrence"
        ),
    }
    for name, question in questions.items():
        times = []
        for _ in range(QUESTIONS):
            begin = time.perf_counter()
            question()
            times.append((time.perf_counter() - begin) * 1000)
        p99 = quantiles(times, n=100)[98]
        report.add(f"{name}; {size}", "p99", p99, "ms", runs=QUESTIONS, targets=(30, 10))


def _make_texts(rng: random.Random, messages: int) -> list[str]:
    return [
        f"How do I use {rng.choice(TOOLS)} with {rng.choice(TOOLS)} for step {number}? It should "
        "stay simple, run on one machine, and tell what it does in its log."
        for number in range(messages)
    ]


def _user(number: int) -> str:
    return f"u{number % USERS}" if number % 2 else ""


def _make_pattern(number: int, each: int, rng: random.Random) -> dict[str, Any]:
    kind = "user_preference" if number % 2 else "entity_cooccurrence"
    return {
        "pattern_id": f"p{number}",
        "user_id": _user(number),
        "pattern_type": kind,
        "subject": f"s{number % 4}" if number % 2 else f"s{number}",
        "subject_type": None,
        "subject_name": "",
        "object": f"o{number}",
        "object_type": None,
        "object_name": "",
        "description": f"pattern {number}",
        "group_id": f"g{number}",
        "other_group_id": None,
        "prior_support": 1.0,
        "prior_trials": 2.0,
        "frequency": each + rng.randrange(100),
        "support": each,
        "rating_micros": 0,
        "rating_count": 0,
        "time_ms": 0,
        "time_count": 0,
        "first_seen": START,
        "last_seen": START + timedelta(seconds=number),
    }


def _make_observations(patterns: int, each: int) -> Iterator[list[dict[str, Any]]]:
    batch: list[dict[str, Any]] = []
    for number in range(patterns * each):
        batch.append(
            {
                "pattern_id": f"p{number % patterns}",
                "occasion_id": f"conversation/{number // patterns}-{number % 997}",
                "conversation_id": f"{number // patterns}",
                "support": 1,
                "rating_micros": None,
                "time_ms": None,
                "observed_at": START + timedelta(seconds=number),
                "messages": ["m1", "m2"],
            }
        )
        if len(batch) == _BATCH:
            yield batch
            batch = []
    if batch:
        yield batch
