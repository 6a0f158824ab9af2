"""The protocol `moderated`."""

from __future__ import annotations

from dataclasses import replace

import pytest

from helix_lab.domain.debate import DebatePlan, Turn, TurnRequest, Verdict, fail_turn, read_turn
from helix_lab.domain.debate.prompts import JUDGED_TOKENS
from tests.unit.debate.debates import JUDGE, answer_own_words, make_plan, make_seat, play, vote_for

PLAN = make_plan("moderated", seats=2, rounds=3)


def play_decisions(*decisions: str, plan: DebatePlan = PLAN) -> tuple[Verdict, list[TurnRequest]]:
    """The verdict where the moderator says these, round by round: a seat, or any words."""

    def answer(request: TurnRequest) -> Turn:
        if request.role == "answer":
            return answer_own_words(request)
        words = decisions[request.round - 1]
        return vote_for(request, words, 0.7) if "seat" in words else read_turn(request, words)

    verdict, asked, _ = play(plan, answer)
    return verdict, asked


def test_a_preference_ends_the_debate_at_once() -> None:
    verdict, asked = play_decisions("seat2")

    assert verdict.outcome == "decided"
    assert make_seat(2) == verdict.winner
    assert verdict.confidence == 0.7
    assert verdict.text == "Words of d1/1/answer/seat2."
    assert verdict.total_rounds == 1
    assert len(asked) == 3


def test_continue_asks_for_another_round() -> None:
    verdict, asked = play_decisions("VOTE: CONTINUE", "VOTE: CONTINUE", "seat1")

    assert make_seat(1) == verdict.winner
    assert verdict.total_rounds == 3
    assert len(asked) == 9


def test_an_unreadable_decision_means_continue_before_the_last_round() -> None:
    verdict, _ = play_decisions("Both have a point.", "seat1")

    assert verdict.total_rounds == 2


def test_the_moderator_may_not_continue_after_the_last_round() -> None:
    _, asked = play_decisions("VOTE: CONTINUE", "VOTE: CONTINUE", "VOTE: TIE")

    options = [request.options for request in asked if request.role == "judge"]
    assert [("A", "B", "CONTINUE"), ("A", "B", "CONTINUE"), ("A", "B", "TIE")] == options


def test_a_tie_after_the_last_round_is_a_tie() -> None:
    verdict, _ = play_decisions("VOTE: CONTINUE", "VOTE: CONTINUE", "VOTE: TIE\nEqual.")

    assert verdict.outcome == "tie"
    assert verdict.reason.startswith("no side is better (")
    assert verdict.reason.endswith("): Equal.")


def test_an_unreadable_last_decision_is_a_tie_that_says_so() -> None:
    verdict, _ = play_decisions("VOTE: CONTINUE", "VOTE: CONTINUE", "Who knows.")

    assert verdict.outcome == "tie"
    assert verdict.reason.startswith("the moderator named no side (")


def test_a_moderator_that_fails_after_the_last_round_fails_the_debate() -> None:
    def answer(request: TurnRequest) -> Turn:
        if request.role == "judge":
            return fail_turn(request, "PROVIDER_TIMED_OUT")
        return answer_own_words(request)

    verdict, asked, _ = play(PLAN, answer)

    assert verdict.outcome == "failed"
    assert verdict.reason == "the moderator gave no decision: PROVIDER_TIMED_OUT"
    assert len(asked) == 9


def test_the_reason_says_which_side_had_which_letter() -> None:
    def answer(request: TurnRequest) -> Turn:
        if request.role == "answer":
            return answer_own_words(request)
        label = next(label for label, name in request.labels.items() if name == "seat2")
        return read_turn(request, f"VOTE: {label}\nCONFIDENCE: 0.9\n{label} quotes sources.")

    verdict, asked, _ = play(PLAN, answer)

    label = next(label for label, name in asked[-1].labels.items() if name == "seat2")
    assert verdict.reason.startswith("the moderator chose seat2 (")
    assert f"{label} is seat2" in verdict.reason
    assert verdict.reason.endswith(f": {label} quotes sources.")


def test_a_moderator_that_also_debates_is_flagged() -> None:
    judge = replace(JUDGE, provider="provider1", model="model1")

    verdict, _ = play_decisions("seat2", plan=replace(PLAN, judge=judge))

    assert verdict.metadata == {"judge_is_participant": True}


def test_a_moderator_with_another_model_of_the_same_provider_is_not_flagged() -> None:
    judge = replace(JUDGE, provider="provider1")

    verdict, _ = play_decisions("seat2", plan=replace(PLAN, judge=judge))

    assert verdict.metadata == {}


def test_a_side_that_never_argues_loses_without_a_decision() -> None:
    def answer(request: TurnRequest) -> Turn:
        if request.seat.seat == "seat1":
            return fail_turn(request, "no connection")
        return answer_own_words(request)

    verdict, asked, _ = play(PLAN, answer)

    assert make_seat(2) == verdict.winner
    assert {"answer"} == {request.role for request in asked}


def test_the_moderator_sees_the_arguments_of_all_rounds() -> None:
    _, asked = play_decisions("VOTE: CONTINUE", "seat1")

    prompt = asked[-1].messages[1][1]
    for number in (1, 2):
        for seat in ("seat1", "seat2"):
            assert f"Words of d1/{number}/answer/{seat}." in prompt


@pytest.mark.parametrize(
    ("words", "seen_rounds"),
    [
        ("7 " * (JUDGED_TOKENS // 5), [[1], [1, 2], [2, 3], [3, 4]]),
        ("." * JUDGED_TOKENS, [[1], [2], [3], [4]]),
    ],
)
def test_the_moderator_of_a_long_debate_sees_the_newest_rounds_and_always_the_last(
    words: str, seen_rounds: list[list[int]]
) -> None:
    def answer(request: TurnRequest) -> Turn:
        if request.role == "judge":
            return read_turn(request, "VOTE: CONTINUE")
        return read_turn(request, f"{request.key} {words}")

    plan = make_plan("moderated", seats=2 if words.startswith("7") else 3, rounds=4)
    prompts = [r.messages[1][1] for r in play(plan, answer)[1] if r.role == "judge"]

    assert seen_rounds == [[n for n in range(1, 5) if f"d1/{n}/answer" in p] for p in prompts]
