"""The protocol `majority`."""

from __future__ import annotations

import pytest

from helix_lab.domain.debate import Turn, TurnRequest, Verdict, fail_turn, read_turn
from tests.unit.debate.debates import answer_own_words, make_plan, make_seat, play, vote_for


def play_votes(votes: dict[str, tuple[str, float | None]], *, seats: int = 3) -> Verdict:
    """The verdict where seats vote as told, with their confidence."""

    def answer(request: TurnRequest) -> Turn:
        if request.role == "answer":
            return answer_own_words(request)
        return vote_for(request, *votes[request.seat.seat])

    return play(make_plan(seats=seats), answer)[0]


def test_the_most_votes_win() -> None:
    verdict = play_votes(
        {"seat1": ("seat2", 0.6), "seat2": ("seat1", 0.9), "seat3": ("seat2", 0.8)}
    )

    assert verdict.outcome == "decided"
    assert make_seat(2) == verdict.winner
    assert {"seat1": 1, "seat2": 2, "seat3": 0} == verdict.votes
    assert verdict.text == "Words of d1/1/answer/seat2."


def test_confidence_is_the_share_of_votes_times_the_mean_confidence_of_the_winners_votes() -> None:
    verdict = play_votes(
        {"seat1": ("seat2", 0.6), "seat2": ("seat1", 0.9), "seat3": ("seat2", 0.8)}
    )

    assert verdict.confidence == pytest.approx(2 / 3 * 0.7)


def test_confidence_is_unknown_where_no_voter_gave_one() -> None:
    verdict = play_votes(
        {"seat1": ("seat2", None), "seat2": ("seat1", 1), "seat3": ("seat2", None)}
    )

    assert make_seat(2) == verdict.winner
    assert verdict.confidence is None


def test_equal_votes_are_broken_by_the_sum_of_confidences() -> None:
    verdict = play_votes({"seat1": ("seat2", 0.4), "seat2": ("seat1", 0.9)}, seats=2)

    assert make_seat(1) == verdict.winner
    assert verdict.reason == "1 of 2 votes, ahead by confidence"


def test_equal_votes_with_equal_confidence_are_a_tie() -> None:
    verdict = play_votes({"seat1": ("seat2", 0.5), "seat2": ("seat1", 0.5)}, seats=2)

    assert verdict.outcome == "tie"
    assert verdict.winner is None
    assert verdict.confidence is None
    assert "seat1" in verdict.reason
    assert "seat2" in verdict.reason


def test_the_same_confidences_in_another_order_are_equal() -> None:
    votes = {
        "seat1": ("seat2", 0.1),
        "seat2": ("seat1", 0.3),
        "seat3": ("seat2", 0.2),
        "seat4": ("seat1", 0.0),
    }

    assert play_votes(dict(votes), seats=4).outcome == "tie"


def test_a_recorded_vote_for_the_own_answer_does_not_count() -> None:
    plan = make_plan(seats=2)
    answers = [Turn(1, "answer", "seat1", "Yes."), Turn(1, "answer", "seat2", "No.")]
    votes = [Turn(1, "vote", "seat1", choice="seat1"), Turn(1, "vote", "seat2", choice="seat1")]

    verdict, _, _ = play(plan, answer_own_words, [*answers, *votes])

    assert {"seat1": 1, "seat2": 0} == verdict.votes
    assert verdict.reason == "1 of 1 votes"


def test_unreadable_votes_give_a_tie_that_says_so() -> None:
    def answer(request: TurnRequest) -> Turn:
        return read_turn(request, "Hm.") if request.options else answer_own_words(request)

    verdict, _, _ = play(make_plan(), answer)

    assert verdict.outcome == "tie"
    assert verdict.reason == "no valid vote; every vote was unreadable"


def test_equal_answers_end_the_debate_without_a_vote_and_without_a_winner() -> None:
    said = {
        "seat1": "Tea is good.\nCONFIDENCE: 0.8",
        "seat2": "tea  is good",
        "seat3": "**Tea is good!**\n**Confidence:** 60%",
    }

    verdict, asked, _ = play(make_plan(rounds=5), lambda r: read_turn(r, said[r.seat.seat]))

    assert verdict.outcome == "decided"
    assert verdict.winner is None
    assert verdict.metadata == {"is_consensus": True}
    assert verdict.confidence == pytest.approx(0.7)
    assert verdict.text == said["seat1"]
    assert verdict.total_rounds == 1
    assert len(asked) == 3


def test_different_answers_are_asked_for_as_many_rounds_as_planned() -> None:
    verdict, asked, _ = play(make_plan(rounds=3), answer_own_words)

    assert verdict.total_rounds == 3
    assert [(1, "answer")] * 3 + [(2, "answer")] * 3 + [(3, "answer")] * 3 + [(3, "vote")] * 3 == [
        (request.round, request.role) for request in asked
    ]


def test_a_failed_answer_is_skipped_and_its_seat_is_asked_again_in_the_next_round() -> None:
    def answer(request: TurnRequest) -> Turn:
        if (request.round, request.seat.seat) == (1, "seat2"):
            return fail_turn(request, "no connection")
        return answer_own_words(request)

    verdict, asked, _ = play(make_plan(rounds=2), answer)

    assert "d1/2/answer/seat2" in {request.key for request in asked}
    assert verdict.outcome == "decided"


def test_a_seat_that_fails_in_the_last_round_stands_with_its_answer_before() -> None:
    def answer(request: TurnRequest) -> Turn:
        if request.options:
            return vote_for(request, "seat2" if "seat2" in request.labels.values() else "seat1")
        if (request.round, request.seat.seat) == (2, "seat2"):
            return fail_turn(request, "no connection")
        return answer_own_words(request)

    verdict, _, _ = play(make_plan(rounds=2), answer)

    assert make_seat(2) == verdict.winner
    assert verdict.text == "Words of d1/1/answer/seat2."


def test_a_seat_without_any_answer_is_not_asked_to_vote() -> None:
    def answer(request: TurnRequest) -> Turn:
        if request.seat.seat == "seat3":
            return fail_turn(request, "no connection")
        return answer_own_words(request)

    verdict, asked, _ = play(make_plan(), answer)

    assert {"seat1", "seat2"} == {r.seat.seat for r in asked if r.role == "vote"}
    assert {"seat1": 1, "seat2": 1} == verdict.votes


def test_the_only_answer_wins_without_a_vote() -> None:
    def answer(request: TurnRequest) -> Turn:
        if request.seat.seat != "seat2":
            return fail_turn(request, "no connection")
        return read_turn(request, "Yes.\nCONFIDENCE: 0.9")

    verdict, asked, _ = play(make_plan(), answer)

    assert verdict.outcome == "decided"
    assert make_seat(2) == verdict.winner
    assert verdict.confidence == 0.9
    assert "only seat2 gave an answer; seat1: no connection" in verdict.reason
    assert {"answer"} == {request.role for request in asked}


def test_no_answer_at_all_is_a_failure_that_says_why() -> None:
    verdict, asked, _ = play(make_plan(rounds=4), lambda request: fail_turn(request, "no key"))

    assert verdict.outcome == "failed"
    assert verdict.reason == "no seat gave an answer; seat1: no key; seat2: no key; seat3: no key"
    assert len(asked) == 3


def test_empty_answers_count_as_none() -> None:
    verdict, _, _ = play(make_plan(), lambda request: read_turn(request, " \n"))

    assert verdict.outcome == "failed"
    assert verdict.reason == "no seat gave an answer; every reply was empty"


def test_a_round_in_which_nobody_answers_ends_the_rounds() -> None:
    def answer(request: TurnRequest) -> Turn:
        if request.round == 2:
            return fail_turn(request, "no connection")
        return answer_own_words(request)

    verdict, asked, _ = play(make_plan(rounds=9), answer)

    assert verdict.total_rounds == 2
    assert max(request.round for request in asked) == 2
