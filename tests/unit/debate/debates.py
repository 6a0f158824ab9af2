"""Plans, replies and a player that tests of debates share."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from helix_lab.domain.debate import (
    DebatePlan,
    NextTurns,
    Seat,
    Turn,
    TurnRequest,
    Verdict,
    next_step,
    read_turn,
)

Answerer = Callable[[TurnRequest], Turn]


def make_seat(number: int) -> Seat:
    return Seat(f"seat{number}", f"position{number}", f"provider{number}", f"model{number}")


JUDGE = Seat("chair", "moderator", "provider99", "model99")


def make_plan(
    protocol: str = "majority",
    *,
    seats: int = 3,
    rounds: int = 1,
    seed: int = 7,
    topic: str = "Is tea good?",
) -> DebatePlan:
    judge = JUDGE if protocol == "moderated" else None
    places = tuple(make_seat(number) for number in range(1, seats + 1))
    return DebatePlan("d1", "c1", topic, protocol, rounds, seed, places, judge)


def play(
    plan: DebatePlan,
    answer: Answerer,
    turns: Sequence[Turn] = (),
    history: Sequence[tuple[str, str]] = (),
) -> tuple[Verdict, list[TurnRequest], list[Turn]]:
    """Play to the end: the verdict, every request, every turn."""
    asked: list[TurnRequest] = []
    played = list(turns)
    while isinstance(step := next_step(plan, played, history), NextTurns):
        assert step.requests
        asked += step.requests
        played += [answer(request) for request in step.requests]
    return step, asked, played


def vote_for(request: TurnRequest, seat: str, confidence: float | None = None) -> Turn:
    """A vote or decision for a seat, by the label that the request gives it."""
    label = next(label for label, name in request.labels.items() if name == seat)
    said = "" if confidence is None else f"\nCONFIDENCE: {confidence}"
    return read_turn(request, f"VOTE: {label}{said}")


def answer_own_words(request: TurnRequest) -> Turn:
    """An answer that no other seat and no other round gives; a vote for the first label."""
    if request.options:
        return read_turn(request, f"VOTE: {request.options[0]}\nCONFIDENCE: 0.5")
    return read_turn(request, f"Words of {request.key}.")
