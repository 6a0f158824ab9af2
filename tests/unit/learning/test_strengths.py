"""Strengths of debaters: who wins before anything is judged."""

from __future__ import annotations

import pytest

from helix_lab.domain.learning.strengths import (
    Match,
    Strengths,
    learn_strengths,
    share_of_margin,
)
from helix_lab.domain.model.errors import InvalidRequest


def test_who_wins_is_foretold_to_win_and_strength_passes_on() -> None:
    results = [Match("a", "b", 0.9), Match("b", "c", 0.9), Match("b", "a", 0.1)] * 10

    learned = learn_strengths(results)

    assert learned.by_name["a"] > learned.by_name["b"] > learned.by_name["c"]
    assert learned.predict("a", "c") > learned.predict("a", "b") > 0.5


def test_the_side_counts_where_the_first_wins_whoever_it_is() -> None:
    learned = learn_strengths([Match("a", "b", 1.0), Match("b", "a", 1.0)] * 10)

    assert learned.side > 1
    assert pytest.approx(learned.predict("a", "b")) == learned.predict("b", "a")


def test_a_debate_with_oneself_tells_of_the_side_alone() -> None:
    learned = learn_strengths([Match("a", "a", 1.0)] * 10)

    assert 0 == learned.by_name["a"]
    assert learned.predict("x", "y") > 0.5


def test_nothing_learned_means_an_even_chance_and_a_newcomer_is_average() -> None:
    assert 0.5 == Strengths().predict("x", "y")
    assert Strengths() == learn_strengths([])
    learned = learn_strengths([Match("a", "b", 0.5)] * 5)
    assert pytest.approx(0.5) == learned.predict("newcomer", "a")


def test_one_win_says_little() -> None:
    learned = learn_strengths([Match("a", "b", 1.0)])

    assert 0.5 < learned.predict("a", "b") < 0.8
    often = learn_strengths([Match("a", "b", 1.0)] * 10)
    assert often.predict("a", "b") > learned.predict("a", "b") + 0.1


def test_margins_become_shares_around_a_tie() -> None:
    assert 0.5 == share_of_margin(0)
    assert share_of_margin(1.5) > 0.9
    assert pytest.approx(1) == share_of_margin(2.5) + share_of_margin(-2.5)


def test_nonsense_is_refused() -> None:
    with pytest.raises(InvalidRequest, match=r"share of 'a' must be from 0 to 1, not 1\.5"):
        learn_strengths([Match("a", "b", 1.5)])
    with pytest.raises(InvalidRequest, match="a debater needs a name"):
        learn_strengths([Match("", "b", 1)])
    with pytest.raises(InvalidRequest, match="ridge must be over 0"):
        learn_strengths([Match("a", "b", 1)], ridge=0)
