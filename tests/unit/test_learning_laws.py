"""Laws of learning: confidence and interval, pairs in either order, one vote an occasion."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helix_lab.domain.learning.confidence import (
    fade,
    find_prior,
    measure_confidence,
    measure_interval,
)
from helix_lab.domain.learning.entities import MOST_PAIRED, learn_cooccurrences, pair_things
from helix_lab.domain.learning.extracting import learn_conversation, learn_debate, notice_message
from helix_lab.domain.learning.flow import measure_pause_s
from helix_lab.domain.learning.insights import measure_impact
from helix_lab.domain.learning.preferences import find_language, find_wishes
from helix_lab.domain.learning.providers import MOST_CALLS, learn_performance
from helix_lab.domain.learning.reviews import restore_pattern
from helix_lab.domain.learning.values import PATTERN_TYPES, Noticed, Occasion, Part, Thing

START = datetime(2026, 1, 1, tzinfo=UTC)
COUNTS = st.integers(1, 10_000).flatmap(
    lambda trials: st.tuples(st.integers(0, trials), st.just(trials))
)
THINGS = st.lists(
    st.builds(
        lambda number: Thing(f"t{number}", f"Thing {number}", "technology", 1), st.integers(0, 30)
    ),
    max_size=20,
    unique_by=lambda thing: thing.entity_id,
)
ROLES = st.sampled_from(["user", "assistant", "system", "tool"])
TEXTS = st.sampled_from(["How do I use it?", "Be brief.", "```python\nx\n```", "Why?", "ok", ""])


@st.composite
def conversations(draw: st.DrawFn) -> tuple[Part, ...]:
    """Any messages, with clocks that may go back or stand still."""
    return tuple(
        Part(
            f"m{number}",
            START + timedelta(seconds=draw(st.integers(-100, 100))),
            notice_message(
                draw(TEXTS),
                draw(ROLES),
                tokens=draw(st.integers(0, 300)),
                things=draw(THINGS),
                provider=draw(st.sampled_from([None, "a", "b"])),
            ),
        )
        for number in range(draw(st.integers(0, 8)))
    )


@settings(max_examples=60)
@given(COUNTS)
def test_the_interval_holds_the_share_and_confidence_stays_within_0_and_1(
    counts: tuple[int, int],
) -> None:
    support, trials = counts
    low, high = measure_interval(support, trials)

    assert 0 <= low <= support / trials <= high <= 1
    assert high > low
    for pattern_type in PATTERN_TYPES:
        prior = find_prior(pattern_type)
        confidence = measure_confidence(support, trials, prior)
        assert 0 < confidence < 1
        assert measure_confidence(support, trials + 1, prior) < confidence
        assert confidence < measure_confidence(support + 1, trials + 1, prior)


def test_wilson_is_that_of_the_literature() -> None:
    # Newcombe 1998, table I: 15 of 148.
    low, high = measure_interval(15, 148)

    assert (0.0624, 0.1605) == (round(low, 4), round(high, 4))


@settings(max_examples=40)
@given(conversations())
def test_a_conversation_counts_once_for_each_of_its_groups_but_calls(
    parts: tuple[Part, ...],
) -> None:
    lesson = learn_conversation(Occasion(parts, "ann"))

    ids = [one.pattern.identify("ann") for one in lesson.observations]
    assert len(ids) == len(set(ids))
    for one in lesson.observations:
        groups = [one.pattern.group, one.pattern.other_group or one.pattern.group]
        assert 0 <= one.support <= min(lesson.groups[group] for group in groups)
        assert set(one.parts) <= {part.part_id for part in parts}
    assert all(
        trials == 1 or (group.kind == "provider" and trials <= MOST_CALLS)
        for group, trials in lesson.groups.items()
    )


@settings(max_examples=40)
@given(conversations())
def test_saying_it_all_again_shows_the_same_pairs(parts: tuple[Part, ...]) -> None:
    again = parts + tuple(Part(f"x{part.part_id}", part.said_at, part.noticed) for part in parts)

    once = {one.pattern.identify("") for one in learn_cooccurrences(parts).observations}
    twice = {one.pattern.identify("") for one in learn_cooccurrences(again).observations}

    assert once == twice
    assert len(once) <= MOST_PAIRED * (MOST_PAIRED - 1) // 2


def test_a_pair_is_the_same_in_either_order() -> None:
    one, other = Thing("a", "Docker", "technology", 1), Thing("b", "Helm", "technology", 3)

    assert pair_things(one, other) == pair_things(other, one)


def test_a_pattern_is_restored_with_its_id() -> None:
    parts = tuple(
        Part(
            f"m{number}",
            START + timedelta(seconds=number),
            notice_message(
                "How do I use Docker with Helm?",
                ("user", "assistant")[number % 2],
                tokens=9,
                things=(Thing("a", "Docker", "technology", 1), Thing("b", "Helm", "technology", 1)),
                provider="p",
            ),
        )
        for number in range(4)
    )
    turn = Noticed(role="answer", provider="p", position="critic")
    lessons = (
        learn_conversation(Occasion(parts)),
        learn_debate(Occasion((Part("t", START, turn),), winner=("p", "critic"), is_decided=True)),
    )

    seen = set()
    for lesson in lessons:
        for one in lesson.observations:
            pattern = one.pattern
            told = {
                "pattern_type": pattern.type,
                "subject": pattern.subject,
                "object": pattern.object,
            }
            assert pattern.identify("u") == restore_pattern(told).identify("u")
            seen.add(pattern.type)
    assert set(PATTERN_TYPES) == seen


def test_calls_of_one_occasion_are_bounded_and_a_failure_shows() -> None:
    calls = [Part(str(n), START, Noticed(role="answer", provider="p")) for n in range(999)]
    failed = Part("f", START, Noticed(role="answer", provider="p", has_failed=True))

    (one,) = learn_performance([*calls, failed]).observations

    assert MOST_CALLS - 1 == one.support


@pytest.mark.parametrize(
    ("seconds", "pause"),
    [([0, 2, 4, 86_400], 2.0), ([0, 10, 5, 20], 12.5), ([0, 0, 0], None), ([5, 0], None)],
)
def test_the_pause_is_a_median_and_clocks_may_go_back(
    seconds: list[int], pause: float | None
) -> None:
    parts = [
        Part(str(n), START + timedelta(seconds=second), Noticed(role="user"))
        for n, second in enumerate(seconds)
    ]

    assert pause == measure_pause_s(parts)


def test_fading_halves_what_counts_and_nothing_fades_without_a_half_life() -> None:
    later = START + timedelta(days=20)

    assert (1.0, 2.0) == fade(4, 8, last_seen=START, now=later, half_life_days=10)
    assert (4, 8) == fade(4, 8, last_seen=START, now=later, half_life_days=0)


@pytest.mark.parametrize(
    ("frequency", "confidence", "impact"),
    [
        (10, 0.9, "high"),
        (9, 0.95, "medium"),
        (5, 0.7, "medium"),
        (4, 0.99, "low"),
        (50, 0.6, "low"),
    ],
)
def test_impact_is_that_of_the_table(frequency: int, confidence: float, impact: str) -> None:
    assert impact == measure_impact(frequency, confidence)


@pytest.mark.parametrize(
    ("text", "wishes"),
    [
        (
            "Please be concise and answer in Python",
            {"communication_style": "concise", "code_language": "python"},
        ),
        (
            "Explain step by step, as a table",
            {"communication_style": "detailed", "response_format": "table"},
        ),
        ("Let's use Go here", {"code_language": "go"}),
        ("Should I go there?", {}),
    ],
)
def test_wishes_are_found(text: str, wishes: dict[str, str]) -> None:
    assert wishes == find_wishes(text)


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("How can I do this with the API?", "en"),
        ("Wie kann ich das mit der API machen?", "de"),
        ("Comment est-ce que je peux faire cela avec une API dans le code ?", "fr"),
        ("こんにちは、元気ですか", "ja"),
        ("x = 1", None),
    ],
)
def test_languages_are_told_apart(text: str, language: str | None) -> None:
    assert language == find_language(text)
