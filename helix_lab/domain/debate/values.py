"""Values of a debate: seats, turns, the plan, what to ask next, the verdict."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from helix_lab.domain.model.errors import InvalidRequest

if TYPE_CHECKING:
    from collections.abc import Mapping

Role = Literal["answer", "vote", "judge"]
"""What a seat is asked for."""

Outcome = Literal["decided", "tie", "failed"]
"""How a debate ended by its rules; `cancelled` is a matter of the job, not of the rules."""

Prompt = tuple[tuple[Literal["system", "user", "assistant"], str], ...]
"""Messages as (role, content)."""

PROTOCOLS: tuple[str, ...] = ("majority", "moderated")
"""Protocols that `next_step` plays."""

CONTINUE = "CONTINUE"
"""What a moderator answers when it wants another round."""

TIE = "TIE"
"""What a moderator answers when, after the last round, no side is better."""

MIN_SEATS = 2

MAX_SEATS = 26
"""One letter of the alphabet a seat."""

MAX_ROUNDS = 100


@dataclass(frozen=True, slots=True)
class Seat:
    """A place in a debate and who sits on it.

    Attributes:
        seat: name, unique in the debate.
        position: what it argues as: researcher, critic, PRO, CON, …
    """

    seat: str
    position: str
    provider: str
    model: str


@dataclass(frozen=True, slots=True)
class Turn:
    """What came back for one request.

    Attributes:
        round: from 1. A vote or a judge's turn has the round of the answers it is about.
        seat: name of the seat.
        text: the reply as it came.
        choice: name of the seat that a vote or a judge chose; None is no (readable) preference.
        confidence: 0 to 1 as the provider said; None where it did not say, or nonsense.
        is_failed: the provider gave no usable answer; `error` says why.
    """

    round: int
    role: Role
    seat: str
    text: str = ""
    choice: str | None = None
    confidence: float | None = None
    is_failed: bool = False
    error: str = ""

    @property
    def key(self) -> tuple[int, Role, str]:
        """Round, role and seat: names the turn in its debate."""
        return (self.round, self.role, self.seat)


@dataclass(frozen=True, slots=True)
class DebatePlan:
    """What was agreed when the debate began; the whole course follows from it and the replies.

    Attributes:
        rounds: at most this many rounds of answers.
        seed: decides all orders and labels.
        judge: the moderator of `moderated`; None for `majority`.

    Raises:
        InvalidRequest: a field is out of its bounds; `details["field"]` names it.
    """

    debate_id: str
    conversation_id: str
    topic: str
    protocol: str
    rounds: int
    seed: int
    seats: tuple[Seat, ...]
    judge: Seat | None = None

    def __post_init__(self) -> None:
        _check(
            self.protocol in PROTOCOLS,
            "protocol",
            f"unknown protocol {self.protocol!r}; choose one of {', '.join(PROTOCOLS)}",
        )
        _check(bool(self.topic.strip()), "topic", "a debate needs a topic; it is empty")
        _check(
            1 <= self.rounds <= MAX_ROUNDS,
            "rounds",
            f"rounds must be 1 to {MAX_ROUNDS}, not {self.rounds}",
        )
        _check(self.seed >= 0, "seed", f"the seed must be 0 or more, not {self.seed}")
        self._check_seats()

    def _check_seats(self) -> None:
        _check(
            MIN_SEATS <= len(self.seats) <= MAX_SEATS,
            "seats",
            f"a debate needs {MIN_SEATS} to {MAX_SEATS} seats, not {len(self.seats)}",
        )
        names = [seat.seat for seat in (*self.seats, *([self.judge] if self.judge else []))]
        _check(all(names), "seats", "a seat needs a name; one is empty")
        twice = sorted({name for name in names if names.count(name) > 1})
        _check(not twice, "seats", f"each seat needs its own name; used twice: {', '.join(twice)}")
        _check(
            self.protocol != "moderated" or self.judge is not None,
            "judge",
            "the protocol 'moderated' needs a judge: a seat with a provider that is no debater",
        )


@dataclass(frozen=True, slots=True)
class TurnRequest:
    """A turn to ask for.

    Attributes:
        key: debate id, round, role and seat joined by "/"; names the turn everywhere.
        messages: the prompt as (role, content).
        options: what a vote or a judge may answer, as shown in the prompt; empty for an answer.
        labels: label in the prompt → name of the seat behind it. Never shown to a provider.
    """

    key: str
    round: int
    role: Role
    seat: Seat
    messages: Prompt
    options: tuple[str, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class NextTurns:
    """Turns to ask for now, in this order or all at once: none depends on another."""

    requests: tuple[TurnRequest, ...]


@dataclass(frozen=True, slots=True)
class Verdict:
    """How the debate ended.

    Attributes:
        winner: None for a tie, a failure, and where all agree (nobody won against anybody).
        confidence: 0 to 1, by the formula of the protocol; None where nobody gave one.
        text: the answer of the debate; None where there is none.
        reason: why this outcome, in words.
        votes: name of the seat → valid votes, for every seat that had an answer; empty
            where there was no vote.
        total_rounds: rounds in which answers were asked for.
        metadata: `is_consensus`, `judge_is_participant`: present where true.
    """

    outcome: Outcome
    winner: Seat | None
    confidence: float | None
    text: str | None
    reason: str
    total_rounds: int
    votes: Mapping[str, int] = field(default_factory=dict)
    metadata: Mapping[str, Any] = field(default_factory=dict)


def _check(is_right: bool, field_name: str, message: str) -> None:  # noqa: FBT001
    if not is_right:
        raise InvalidRequest(message, field=field_name)
