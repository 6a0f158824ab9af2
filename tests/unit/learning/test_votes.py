"""Votes by learned reliability, the confidence of them, and when asking on is not worth it."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helix_lab.domain.learning.calibration import (
    accuracy_at,
    calibration_error,
    chance_error,
    log_loss,
)
from helix_lab.domain.learning.reliability import Reliability, learn_reliability
from helix_lab.domain.learning.stopping import find_pattern, learn_panel
from helix_lab.domain.learning.votes import Ballot, Case, count_majority
from helix_lab.domain.model.errors import InvalidRequest

RATES = {"good": 0.9, "poor": 0.4, "bad": 0.35}


def make_cases(count: int, seed: int = 1, rates: dict[str, float] | None = None) -> list[Case]:
    """Questions with 20 possible answers; each voter is right at its own rate."""
    draw = random.Random(seed)
    rates = rates or RATES
    cases = []
    for _ in range(count):
        ballots = tuple(
            Ballot(name, "right" if draw.random() < rate else f"wrong-{draw.randrange(20)}")
            for name, rate in rates.items()
        )
        cases.append(Case(ballots, frozenset({"right"})))
    return cases


def ballots(**choices: str | None) -> list[Ballot]:
    return [Ballot(name, choice) for name, choice in choices.items()]


def test_a_reliable_voter_outweighs_two_that_are_often_wrong() -> None:
    learned = learn_reliability(make_cases(400))

    alone = learned.weigh(ballots(good="x", poor="y", bad="z"))

    assert "x" == alone.winner
    assert alone.confidence is not None
    assert alone.confidence > 0.6
    assert "learned from 400 questions" in alone.reason


def test_agreement_of_independent_voters_raises_the_confidence() -> None:
    learned = learn_reliability(make_cases(400))

    apart = learned.weigh(ballots(good="x", poor="y", bad="z")).confidence
    together = learned.weigh(ballots(good="x", poor="x", bad="z")).confidence

    assert apart is not None
    assert together is not None
    assert together > apart


def test_the_learned_vote_beats_the_majority_on_cases_it_has_not_seen() -> None:
    rates = {"good": 0.8, "poor": 0.3, "bad": 0.3, "worse": 0.3}
    learned, tests = learn_reliability(make_cases(600, 1, rates)), make_cases(600, 2, rates)

    ours = sum(learned.weigh(case.ballots).winner in case.right for case in tests)
    majority = sum(count_majority(case.ballots).winner in case.right for case in tests)

    assert ours > majority + 30


def test_the_confidence_is_near_the_truth() -> None:
    learned, tests = learn_reliability(make_cases(2000)), make_cases(2000, 2)
    decisions = [learned.weigh(case.ballots) for case in tests]
    said = [decision.confidence or 0.0 for decision in decisions]
    right = [d.winner in case.right for d, case in zip(decisions, tests, strict=True)]

    assert calibration_error(said, right) < 0.03


def test_without_evidence_the_majority_counts_and_no_confidence_is_claimed() -> None:
    decision = Reliability().weigh(ballots(a="x", b="x", c="y"))

    assert "x" == decision.winner
    assert decision.confidence is None
    assert {"x": 2 / 3, "y": 1 / 3} == decision.chances


def test_a_voter_never_seen_counts_and_is_named() -> None:
    learned = learn_reliability(make_cases(300))

    decision = learned.weigh(ballots(stranger="x", other="x", third="y"))

    assert "x" == decision.winner
    assert "never seen before, so counted as average: other, stranger, third" in decision.reason


@pytest.mark.parametrize(
    ("said", "reason"),
    [({}, "there is no voter"), ({"good": None, "bad": None}, "all 2 voters abstained")],
)
def test_a_vote_without_any_choice_has_no_winner(said: dict[str, str | None], reason: str) -> None:
    for learned in (Reliability(), learn_reliability(make_cases(100))):
        decision = learned.weigh(ballots(**said))

        assert (None, None) == (decision.winner, decision.confidence)
        assert reason in decision.reason


def test_a_team_of_one_gets_the_rate_of_its_voter_as_confidence() -> None:
    cases = [
        Case((Ballot("only", "right" if number % 4 else "wrong"),), frozenset({"right"}))
        for number in range(400)
    ]

    decision = learn_reliability(cases).weigh(ballots(only="x"))

    assert "x" == decision.winner
    assert pytest.approx(0.75, abs=0.02) == decision.confidence


def test_equal_votes_are_a_tie_and_nobody_wins_by_the_alphabet() -> None:
    decision = count_majority(ballots(a="x", b="y"))

    assert decision.winner is None
    assert "a tie of 2 options" in decision.reason


def test_voting_twice_and_voters_without_a_name_are_refused() -> None:
    with pytest.raises(InvalidRequest, match="voted more than once: a"):
        count_majority([Ballot("a", "x"), Ballot("a", "y")])
    with pytest.raises(InvalidRequest, match="a voter needs a name"):
        learn_reliability([Case((Ballot("", "x"),), frozenset())])
    with pytest.raises(InvalidRequest, match="ridge must be over 0"):
        learn_reliability([], ridge=0)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from("abcd"), st.sampled_from(["x", "y", "z", None])),
        unique_by=lambda pair: pair[0],
    )
)
def test_chances_are_probabilities_and_the_order_of_ballots_changes_nothing(
    pairs: list[tuple[str, str | None]],
) -> None:
    learned = learn_reliability(make_cases(60, 3, {"a": 0.9, "b": 0.6, "c": 0.2}))
    given_order = learned.weigh([Ballot(*pair) for pair in pairs])
    turned = learned.weigh([Ballot(*pair) for pair in reversed(pairs)])

    assert given_order.winner == turned.winner
    assert sum(given_order.chances.values()) < 1 + 1e-9 if pairs else not given_order.chances
    assert all(0 <= chance <= 1 for chance in given_order.chances.values())


def test_names_may_sound_like_the_weights_that_all_share() -> None:
    cases = make_cases(200, 1, {"rivals": 0.9, "backed by anyone": 0.2, "b": 0.2})

    decision = learn_reliability(cases).weigh(
        ballots(**{"rivals": "x", "backed by anyone": "y", "b": "z"})
    )

    assert "x" == decision.winner


def test_records_count_each_voter_with_an_interval() -> None:
    learned = learn_reliability(
        [
            Case((Ballot("a", "x"), Ballot("b", "y")), frozenset({"x"})),
            Case((Ballot("a", "x"), Ballot("b", None)), frozenset()),
        ]
    )

    assert (1, 2) == (learned.records["a"].right, learned.records["a"].total)
    assert (0, 1) == (learned.records["b"].right, learned.records["b"].total)
    a = learned.records["a"]
    assert pytest.approx((0.0945, 0.9055), abs=1e-4) == (a.low, a.high)


# when to stop ---------------------------------------------------------------------------


def test_a_panel_asks_the_most_reliable_first_and_stops_where_the_rest_adds_nothing() -> None:
    panel = learn_panel(make_cases(600, 1, {"good": 0.95, "poor": 0.1, "bad": 0.05}))

    assert "good" == panel.order[0]
    assert panel.is_settled([Ballot("good", "x")])


def test_a_panel_asks_on_where_the_first_is_often_corrected() -> None:
    panel = learn_panel(make_cases(600, 1, {"a": 0.5, "b": 0.5, "c": 0.5, "d": 0.5}))
    first, second = (Ballot(name, "x") for name in panel.order[:2])
    third = Ballot(panel.order[2], "y")

    assert not panel.is_settled([first, Ballot(second.voter, "y")])
    assert panel.is_settled([first, second], tolerance=0.05)
    assert panel.is_settled([first, second, third, Ballot(panel.order[3], "y")])


def test_a_panel_with_few_cases_never_stops_early() -> None:
    panel = learn_panel(make_cases(5))

    assert not panel.is_settled([Ballot(panel.order[0], "x")])


def test_a_panel_needs_its_voters_in_order_and_every_ballot_to_learn_from() -> None:
    panel = learn_panel(make_cases(50))

    with pytest.raises(InvalidRequest, match="asked in the order good"):
        panel.is_settled([Ballot("bad", "x")])
    with pytest.raises(InvalidRequest, match="of nobody"):
        panel.weigh([])
    with pytest.raises(InvalidRequest, match="no ballot of new"):
        learn_panel(make_cases(5), ["good", "new"])
    with pytest.raises(InvalidRequest, match="no case to learn from"):
        learn_panel([])


def test_a_pattern_says_who_agrees_and_not_on_what() -> None:
    assert (0, 1, 0, -1) == find_pattern(ballots(a="5", b="7", c="5", d=None))


# confidence -----------------------------------------------------------------------------


def test_the_calibration_error_is_the_gap_of_what_was_said_and_what_came_true() -> None:
    assert pytest.approx(0) == calibration_error([0.75] * 4, [True, True, True, False])
    assert pytest.approx(0.4) == calibration_error([0.9, 0.9], [True, False])
    assert 1 == calibration_error([1.0], [False])


def test_true_confidence_shows_some_error_by_chance_and_less_with_more_cases() -> None:
    few, many = (chance_error([0.7, 0.4] * count, seed=1) for count in (10, 1000))

    assert few > 0.05 > many > 0


def test_accuracy_at_a_coverage_takes_the_most_confident_and_shares_equal_ones() -> None:
    said, right = [0.9, 0.9, 0.5, 0.5], [True, False, True, True]

    assert 0.5 == accuracy_at(said, right, coverage=0.25)
    assert pytest.approx(2 / 3) == accuracy_at(said, right, coverage=0.75)
    assert 0.75 == accuracy_at(said, right, coverage=1)


def test_log_loss_of_a_coin_is_ln_2_and_of_a_sure_error_finite() -> None:
    assert pytest.approx(0.6931, abs=1e-4) == log_loss([0.5, 0.5], [True, False])
    assert 20 < log_loss([1.0], [False]) < 100


@pytest.mark.parametrize("measure", [calibration_error, log_loss])
def test_measures_refuse_nothing_uneven_lists_and_nonsense(
    measure: Callable[[list[float], list[bool]], float],
) -> None:
    uneven: list[tuple[list[float], list[bool]]] = [([], []), ([0.5], [])]
    for said, right in uneven:
        with pytest.raises(InvalidRequest, match="one outcome for each confidence"):
            measure(said, right)
    for nonsense in (1.5, -0.1, float("nan")):
        with pytest.raises(InvalidRequest, match="from 0 to 1"):
            measure([nonsense], [True])
    with pytest.raises(InvalidRequest, match="coverage must be over 0"):
        accuracy_at([0.5], [True], coverage=0)
