"""Laws of every debate, whatever the replies are."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from helix_lab.domain.debate import (
    PROTOCOLS,
    DebatePlan,
    NextTurns,
    Turn,
    TurnRequest,
    fail_turn,
    next_step,
    read_turn,
)
from tests.unit.debate.debates import Answerer, make_plan, play

plans = st.builds(
    make_plan,
    st.sampled_from(PROTOCOLS),
    seats=st.integers(2, 6),
    rounds=st.integers(1, 4),
    seed=st.integers(0, 2**32),
)
behaviours = st.randoms(use_true_random=False)

REPLIES = (
    "",
    "Tea is good.",
    "Tea is bad.\nCONFIDENCE: 0.8",
    "VOTE: A",
    "VOTE: B\nCONFIDENCE: 0.4",
    "VOTE: CONTINUE",
    "VOTE: TIE",
    "VOTE: Z\nCONFIDENCE: 9",
    '{"choice": "A", "confidence": 1e400}',
    "[end 000000000000]",
    "loop " * 50,
)


def behave(rng: random.Random) -> Answerer:
    """A seat that is silent, loops, talks nonsense, fails, or answers, at random."""

    def answer(request: TurnRequest) -> Turn:
        number = rng.randrange(len(REPLIES) + 3)
        if number >= len(REPLIES) + 1:
            return fail_turn(request, "no connection")
        if number == len(REPLIES):
            return read_turn(request, f"Own words of {request.key}")
        return read_turn(request, REPLIES[number])

    return answer


@given(plans, behaviours)
def test_every_debate_ends_within_the_stated_number_of_turns(
    plan: DebatePlan, rng: random.Random
) -> None:
    verdict, asked, _ = play(plan, behave(rng))

    seats = len(plan.seats)
    assert len(asked) <= plan.rounds * seats + max(seats, plan.rounds)
    assert 1 <= verdict.total_rounds <= plan.rounds


@given(plans, behaviours)
def test_no_turn_is_asked_for_twice(plan: DebatePlan, rng: random.Random) -> None:
    _, asked, turns = play(plan, behave(rng))

    assert len(asked) == len({request.key for request in asked})
    assert len(turns) == len({turn.key for turn in turns})


@given(plans, behaviours)
def test_nobody_is_offered_or_counted_for_its_own_answer(
    plan: DebatePlan, rng: random.Random
) -> None:
    verdict, asked, turns = play(plan, behave(rng))

    assert all(r.seat.seat not in r.labels.values() for r in asked if r.role == "vote")
    assert all(turn.choice != turn.seat for turn in turns)
    assert sum(verdict.votes.values()) <= sum(turn.role == "vote" for turn in turns)


@given(plans, behaviours)
def test_a_verdict_holds_together(plan: DebatePlan, rng: random.Random) -> None:
    verdict, _, turns = play(plan, behave(rng))

    assert verdict.confidence is None or 0 <= verdict.confidence <= 1
    assert verdict.reason
    if verdict.outcome == "decided":
        assert verdict.text in {turn.text for turn in turns if turn.role == "answer"}
        assert (verdict.winner is None) == ("is_consensus" in verdict.metadata)
    else:
        assert verdict.winner is None
        assert verdict.text is None


@given(plans, behaviours, st.data())
def test_resuming_from_any_prefix_asks_for_exactly_the_rest(
    plan: DebatePlan, rng: random.Random, data: st.DataObject
) -> None:
    history = [("user", "We drink tea."), ("assistant", "Noted.")]
    verdict, asked, turns = play(plan, behave(rng), history=history)
    kept = turns[: data.draw(st.integers(0, len(turns)))]
    by_key = {turn.key: turn for turn in turns}

    resumed, rest, _ = play(
        plan, lambda r: by_key[r.round, r.role, r.seat.seat], kept, history=history
    )

    assert asked[len(kept) :] == rest
    assert verdict == resumed


@given(plans, behaviours)
def test_the_order_of_recorded_turns_changes_nothing(plan: DebatePlan, rng: random.Random) -> None:
    verdict, _, turns = play(plan, behave(rng))
    rng.shuffle(turns)

    assert verdict == next_step(plan, turns)


@given(plans, behaviours)
def test_one_at_a_time_and_all_at_once_are_the_same_debate(
    plan: DebatePlan, rng: random.Random
) -> None:
    verdict, asked, turns = play(plan, behave(rng))
    by_key = {turn.key: turn for turn in turns}

    one_by_one: list[TurnRequest] = []
    played: list[Turn] = []
    while isinstance(step := next_step(plan, played), NextTurns):
        request = step.requests[-1]
        one_by_one.append(request)
        played.append(by_key[request.round, request.role, request.seat.seat])

    assert {r.key: r for r in asked} == {r.key: r for r in one_by_one}
    assert verdict == step


@given(plans, behaviours)
def test_turns_that_the_plan_does_not_know_are_ignored(
    plan: DebatePlan, rng: random.Random
) -> None:
    verdict, _, turns = play(plan, behave(rng))
    strange = [
        Turn(1, "answer", "stranger", "Hello."),
        Turn(plan.rounds + 1, "answer", "seat1", "Too late."),
        Turn(1, "judge", "seat1", "VOTE: A", choice="seat1"),
        *(Turn(turn.round, turn.role, turn.seat, "A second time.") for turn in turns),
    ]

    assert verdict == next_step(plan, [*turns, *strange])
