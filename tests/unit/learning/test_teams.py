"""Who takes which position: by evidence, exploring, the same for the same seed."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helix_lab.domain.learning.teams import Experience, choose_team, has_evidence
from helix_lab.domain.model.errors import InvalidRequest

POSITIONS = ("researcher", "critic", "synthesizer")
NAMES = ("claude", "gemini", "deepseek")
PROVEN = {
    ("claude", "researcher"): Experience(90, 100),
    ("gemini", "critic"): Experience(90, 100),
    ("deepseek", "synthesizer"): Experience(90, 100),
} | {
    (name, position): Experience(10, 100)
    for name, position in (
        ("claude", "critic"),
        ("claude", "synthesizer"),
        ("gemini", "researcher"),
        ("gemini", "synthesizer"),
        ("deepseek", "researcher"),
        ("deepseek", "critic"),
    )
}


def test_each_takes_the_position_that_it_wins() -> None:
    for seed in range(50):
        chosen = choose_team(POSITIONS, NAMES, PROVEN, seed=seed)

        assert NAMES == tuple(choice.provider for choice in chosen)
        assert (90, 100) == (chosen[0].wins, chosen[0].attempts)


def test_the_same_seed_seats_the_same_team_whatever_the_order_of_the_names() -> None:
    for seed in range(20):
        first = choose_team(POSITIONS, NAMES, {}, seed=seed)

        assert first == choose_team(POSITIONS, NAMES, {}, seed=seed)
        assert first == choose_team(POSITIONS, NAMES[::-1], {}, seed=seed)


def test_who_was_never_tried_is_tried_and_who_is_known_to_lose_is_not() -> None:
    known = {("old", "PRO"): Experience(50, 100), ("bad", "PRO"): Experience(1, 200)}

    chosen = Counter(
        choose_team(["PRO"], ["old", "new", "bad"], known, seed=seed)[0].provider
        for seed in range(300)
    )

    assert 100 < chosen["new"] < 200
    assert 0 == chosen["bad"]


def test_exploring_ends_as_evidence_grows() -> None:
    def tried(attempts: int) -> int:
        known = {
            ("good", "PRO"): Experience(attempts * 55 // 100, attempts),
            ("poor", "PRO"): Experience(attempts * 45 // 100, attempts),
        }
        return sum(
            choose_team(["PRO"], ["good", "poor"], known, seed=seed)[0].provider == "poor"
            for seed in range(300)
        )

    assert tried(10) > 20
    assert tried(10) > tried(100) > tried(2000) == 0


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.sampled_from(POSITIONS), min_size=1, max_size=26),
    st.sets(st.sampled_from([*NAMES, "a", "b"]), min_size=1).map(sorted),
    st.integers(0, 2**53),
)
def test_every_seat_is_taken_and_all_are_seated_as_often(
    positions: list[str], names: list[str], seed: int
) -> None:
    chosen = choose_team(positions, names, PROVEN, seed=seed)

    assert positions == [choice.position for choice in chosen]
    counts = Counter(choice.provider for choice in chosen)
    assert max(counts.values()) <= -(-len(positions) // len(names))
    assert all(0 <= choice.draw <= 1 for choice in chosen)


def test_few_debates_are_no_evidence() -> None:
    two = {("claude", "critic"): Experience(2, 2)}
    three = {("claude", "critic"): Experience(0, 3)}

    assert not has_evidence(POSITIONS, NAMES, {})
    assert not has_evidence(POSITIONS, NAMES, two)
    assert has_evidence(POSITIONS, NAMES, three)
    assert not has_evidence(["PRO", "CON"], NAMES, three)
    assert not has_evidence(POSITIONS, ["gemini"], three)


def test_nobody_to_seat_names_given_twice_and_impossible_counts_are_refused() -> None:
    with pytest.raises(InvalidRequest, match="no provider to seat"):
        choose_team(POSITIONS, [], {}, seed=1)
    with pytest.raises(InvalidRequest, match="named once"):
        choose_team(POSITIONS, ["a", "a"], {}, seed=1)
    with pytest.raises(InvalidRequest, match="'a' as 'x' has 3 wins of 2 attempts"):
        choose_team(["x"], ["a"], {("a", "x"): Experience(3, 2)}, seed=1)
    assert () == choose_team([], ["a"], {}, seed=1)
