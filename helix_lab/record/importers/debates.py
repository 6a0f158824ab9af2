"""Debates as JSON Lines, one debate a line; the format is described in docs/import.md.

Fields that the format does not know are refused, so that a misspelt one is not lost.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any, Literal

import msgspec

from helix_lab.domain.context.tokens import count_tokens
from helix_lab.domain.model.errors import InvalidRequest
from helix_lab.record.drafts import (
    add_message,
    answer_turn,
    complete_debate,
    start_conversation,
    start_debate,
)
from helix_lab.record.importers.fields import read_time, require_id
from helix_lab.record.importers.items import Item, make_item

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from helix_lab.domain.model.event import Draft

Share = Annotated[float, msgspec.Meta(ge=0, le=1)]
Duration = Annotated[float, msgspec.Meta(ge=0)]
Count = Annotated[int, msgspec.Meta(ge=0)]
Word = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
Time = str | int | float | None

_MAX_SEATS = 26


class _Participant(msgspec.Struct, forbid_unknown_fields=True):
    position: Word
    provider: Word
    model: Word
    seat: Word | None = None


class _Judge(msgspec.Struct, forbid_unknown_fields=True):
    provider: Word
    model: Word
    seat: Word = "judge"
    position: Word = "judge"


class _Turn(msgspec.Struct, forbid_unknown_fields=True):
    round: Annotated[int, msgspec.Meta(ge=1)]
    text: str
    seat: Word | None = None
    position: Word | None = None
    role: Literal["answer", "vote", "judge"] = "answer"
    choice: Word | None = None
    confidence: Share | None = None
    response_time_ms: Duration | None = None
    ttft_ms: Duration | None = None
    input_tokens: Count | None = None
    output_tokens: Count | None = None
    cost_usd: Duration | None = None
    finish_reason: str | None = None
    created_at: Time = None
    metadata: dict[str, Any] | None = None


class _Judgment(msgspec.Struct, forbid_unknown_fields=True):
    judge: Word
    winner: Word | None = None
    margin: float | None = None
    note: str | None = None


class _Debate(msgspec.Struct, forbid_unknown_fields=True):
    debate_id: str | int
    topic: Annotated[str, msgspec.Meta(min_length=1)]
    protocol: Word
    participants: Annotated[list[_Participant], msgspec.Meta(min_length=1, max_length=_MAX_SEATS)]
    turns: list[_Turn]
    conversation_id: str | int | None = None
    user_id: str | None = None
    started_at: Time = None
    completed_at: Time = None
    rounds: int | None = None
    seed: Count = 0
    judge: _Judge | None = None
    winner: Word | msgspec.UnsetType | None = msgspec.UNSET
    outcome: Literal["decided", "tie", "failed", "cancelled"] | None = None
    confidence: Share | None = None
    verdict: str | None = None
    reason: str | None = None
    duration_ms: Duration | None = None
    judgments: list[_Judgment] = []
    metadata: dict[str, Any] | None = None


def is_debate(value: Mapping[str, Any]) -> bool:
    """Whether a JSON object has the shape of a debate."""
    return "participants" in value and "turns" in value


def read_debate(value: Mapping[str, Any], name: str) -> Item:
    """One debate with all its events.

    Raises:
        InvalidRequest: a field is missing, unknown or not what it should be.
    """
    try:
        debate = msgspec.convert(value, _Debate)
    except msgspec.ValidationError as error:
        raise InvalidRequest(str(error)) from None
    return make_item(name, list(_Reader(debate).read()))


class _Reader:
    def __init__(self, debate: _Debate) -> None:
        self._debate = debate
        self._debate_id = require_id(debate.debate_id, "debate_id")
        self._conversation_id = require_id(
            debate.conversation_id or self._debate_id, "conversation_id"
        )
        self._started_at = read_time(debate.started_at, "started_at")
        self._completed_at = read_time(debate.completed_at, "completed_at")
        self._seats = _name_seats(debate)
        self._by_name = _index_seats(self._seats, debate.judge)

    def read(self) -> Iterator[Draft]:
        debate, started_at = self._debate, self._started_at
        # Without a time: several debates of one conversation must state the same fact.
        start = start_conversation(self._conversation_id, user_id=debate.user_id, source="debate")
        yield replace(start, time=started_at)
        yield add_message(
            self._conversation_id,
            require_id(f"{self._debate_id}/topic", "debate_id"),
            role="user",
            content=debate.topic,
            created_at=started_at,
            user_id=debate.user_id,
        )
        yield self._start()
        yield from map(self._answer, debate.turns)
        if debate.verdict:
            yield self._say_verdict(debate.verdict)
        yield self._complete()

    def _start(self) -> Draft:
        debate = self._debate
        last_round = max((turn.round for turn in debate.turns), default=1)
        return start_debate(
            self._debate_id,
            conversation_id=self._conversation_id,
            topic=debate.topic,
            protocol=debate.protocol,
            rounds=debate.rounds or last_round,
            seed=debate.seed,
            seats=self._seats,
            judge=None if debate.judge is None else self._find("judge", debate.judge.seat),
            user_id=debate.user_id,
            source="debates_jsonl",
            metadata=debate.metadata,
            created_at=self._started_at,
        )

    def _answer(self, turn: _Turn) -> Draft:
        where = f"round {turn.round}"
        seat = self._find(where, turn.seat or turn.position or turn.role)
        choice = turn.choice and self._find(f"{where}, choice", turn.choice)["seat"]
        metadata = turn.metadata
        if turn.output_tokens is None:
            metadata = {**(metadata or {}), "tokens_counted_by": "helix"}
        counted = count_tokens(turn.text) if turn.output_tokens is None else turn.output_tokens
        return answer_turn(
            self._debate_id,
            conversation_id=self._conversation_id,
            round=turn.round,
            role=turn.role,
            text=turn.text,
            confidence=turn.confidence,
            response_time_ms=turn.response_time_ms,
            ttft_ms=turn.ttft_ms,
            input_tokens=turn.input_tokens,
            output_tokens=counted,
            cost_usd=turn.cost_usd,
            finish_reason=turn.finish_reason,
            choice=choice,
            metadata=metadata,
            time=read_time(turn.created_at, f"{where}: created_at"),
            seat=seat["seat"],
            position=seat["position"],
            provider=seat["provider"],
            model=seat["model"],
        )

    def _say_verdict(self, verdict: str) -> Draft:
        judge = self._debate.judge
        return add_message(
            self._conversation_id,
            require_id(f"{self._debate_id}/verdict", "debate_id"),
            role="assistant",
            content=verdict,
            created_at=self._completed_at,
            provider=judge.provider if judge else None,
            model=judge.model if judge else None,
        )

    def _complete(self) -> Draft:
        debate = self._debate
        is_told = debate.winner is not msgspec.UNSET
        winner = self._find("winner", debate.winner) if debate.winner else None
        judgments = [self._read_judgment(judgment) for judgment in debate.judgments]
        votes = Counter(j["winner_seat"] for j in judgments if j.get("winner_seat"))
        is_judged = is_told or bool(debate.judgments or debate.outcome)
        outcome = debate.outcome or ("decided" if winner else "tie")
        return complete_debate(
            self._debate_id,
            conversation_id=self._conversation_id,
            outcome=outcome if is_judged else "cancelled",
            winner=winner,
            confidence=debate.confidence,
            total_rounds=max((turn.round for turn in debate.turns), default=0),
            verdict=debate.verdict,
            reason=debate.reason if is_judged else debate.reason or "it was not judged",
            duration_ms=self._measure_ms(),
            votes=dict(votes) or None,
            judgments=judgments or None,
            metadata=None if is_judged else {"judged": False},
            time=self._completed_at,
        )

    def _read_judgment(self, judgment: _Judgment) -> dict[str, Any]:
        winner = judgment.winner and self._find(f"judge {judgment.judge}", judgment.winner)["seat"]
        stated = {"winner_seat": winner, "margin": judgment.margin, "note": judgment.note}
        return {"judge": judgment.judge, **{k: v for k, v in stated.items() if v is not None}}

    def _measure_ms(self) -> float | None:
        if self._debate.duration_ms is not None or not (self._started_at and self._completed_at):
            return self._debate.duration_ms
        return max((self._completed_at - self._started_at).total_seconds() * 1000, 0.0)

    def _find(self, where: str, name: str) -> Mapping[str, str]:
        """A seat by its name, or by its position where only one seat has it."""
        seat = self._by_name.get(name)
        if seat is None:
            message = f"{where}: no seat and no position is called {name!r}; there are "
            raise InvalidRequest(message + ", ".join(sorted(self._by_name)), value=name)
        return seat


def _name_seats(debate: _Debate) -> list[dict[str, str]]:
    seats = [
        {
            "seat": participant.seat or chr(ord("A") + number),
            "position": participant.position,
            "provider": participant.provider,
            "model": participant.model,
        }
        for number, participant in enumerate(debate.participants)
    ]
    names = [seat["seat"] for seat in seats] + ([debate.judge.seat] if debate.judge else [])
    if len(set(names)) < len(names):
        message = f"seats are named alike: {', '.join(names)}"
        raise InvalidRequest(message, field="participants")
    return seats


def _index_seats(seats: list[dict[str, str]], judge: _Judge | None) -> dict[str, Mapping[str, str]]:
    if judge is not None:
        seats = [*seats, msgspec.to_builtins(judge)]
    positions = Counter(seat["position"] for seat in seats)
    unique = {seat["position"]: seat for seat in seats if positions[seat["position"]] == 1}
    return {**unique, **{seat["seat"]: seat for seat in seats}}
