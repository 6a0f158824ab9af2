"""What learning reads of each event: which occasion it belongs to, and what was noticed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import msgspec

from helix_lab.domain.knowledge.evidence import Evidence
from helix_lab.domain.learning.extracting import notice_message
from helix_lab.domain.learning.values import Noticed, Thing
from helix_lab.domain.model.event import (
    CONVERSATION_COMPLETED,
    CONVERSATION_PAUSED,
    CONVERSATION_STARTED,
    DEBATE_COMPLETED,
    DEBATE_STARTED,
    INSIGHT_MADE,
    INSIGHT_SUPERSEDED,
    MESSAGE_ADDED,
    PATTERN_REVIEWED,
    REPLY_FAILED,
    TURN_ANSWERED,
    TURN_FAILED,
    Event,
)
from helix_lab.projections.facts import (
    ConversationCompleted,
    ConversationStarted,
    DebateCompleted,
    DebateStarted,
    MessageAdded,
    ReplyFailed,
    TurnEnded,
    read_fact,
)

VERDICT: Final = "verdict"
CONVERSATION, DEBATE, REVIEW = "conversation", "debate", "review"
_LONGEST_MS: Final = 2**31
_SPEAKING: Final = "answer"
_ENDED: Final = ("decided", "tie")


class PatternReviewed(msgspec.Struct):
    """A person said something of a pattern."""

    pattern_id: str
    action: str
    pattern: dict[str, Any]
    value: str | None = None
    note: str | None = None
    reviewer: str | None = None


class InsightMade(msgspec.Struct):
    """A pattern passed the thresholds."""

    insight_id: str
    pattern_id: str
    user_id: str | None
    insight_type: str
    title: str
    description: str
    confidence: float
    frequency: int
    impact: str
    patterns: list[dict[str, Any]]
    metadata: dict[str, Any]


class InsightSuperseded(msgspec.Struct):
    """An insight no longer holds."""

    insight_id: str
    reason: str
    superseded_by: str | None = None


class Row(msgspec.Struct):
    """What one event says of one occasion, or of insights and patterns."""

    event_id: str
    clock: int
    time: datetime
    occasion_id: str = ""
    kind: str = CONVERSATION
    conversation_id: str = ""
    part_id: str | None = None
    noticed: Noticed | None = None
    user_id: str | None = None
    outcome: str | None = None
    is_end: bool = False
    review: PatternReviewed | None = None
    insight: InsightMade | None = None
    superseded: InsightSuperseded | None = None


def name_occasion(kind: str, identity: str) -> str:
    """The id of an occasion; those of two kinds may bear the same name."""
    return f"{kind}/{identity}"


def read_row(event: Event, evidence: Evidence | None) -> Row | None:
    """What an event says; None if it says nothing to learning.

    Args:
        event: any.
        evidence: of a message: the things that it names.
    """
    if event.type == MESSAGE_ADDED.name:
        return _read_message(event, evidence)
    read = _READERS.get(event.type)
    return None if read is None else read(event)


def _of_conversation(event: Event, **known: Any) -> Row:
    return Row(
        event.event_id,
        event.clock,
        event.time,
        occasion_id=name_occasion(CONVERSATION, event.key),
        conversation_id=event.key,
        **known,
    )


def _of_debate(event: Event, debate_id: str, **known: Any) -> Row:
    return Row(
        event.event_id,
        event.clock,
        event.time,
        occasion_id=name_occasion(DEBATE, debate_id),
        kind=DEBATE,
        conversation_id=event.key,
        **known,
    )


def _read_message(event: Event, evidence: Evidence | None) -> Row:
    said = read_fact(event.data, MessageAdded)
    things = _list_things(evidence)
    noticed = notice_message(
        said.content,
        said.role,
        tokens=said.model_tokens,
        things=things,
        provider=said.provider,
        response_time_ms=_find_response_time(event.data),
        user_id=said.user_id,
    )
    return _of_conversation(event, part_id=said.message_id, noticed=noticed)


def _list_things(evidence: Evidence | None) -> Sequence[Thing]:
    named = () if evidence is None else evidence.named
    return [Thing(one.entity_id, one.name, one.type, one.count) for one in named]


def _find_response_time(data: Mapping[str, Any]) -> float | None:
    metadata = data.get("metadata")
    found = metadata.get("response_time_ms") if isinstance(metadata, Mapping) else None
    if isinstance(found, bool) or not isinstance(found, int | float):
        return None
    return float(found) if 0 <= found < _LONGEST_MS else None


def _read_start(event: Event) -> Row:
    return _of_conversation(event, user_id=read_fact(event.data, ConversationStarted).user_id)


def _read_completion(event: Event) -> Row:
    outcome = read_fact(event.data, ConversationCompleted).outcome
    return _of_conversation(event, outcome=outcome, is_end=True)


def _read_pause(event: Event) -> Row:
    return _of_conversation(event, is_end=True)


def _read_failed_reply(event: Event) -> Row:
    failed = read_fact(event.data, ReplyFailed)
    noticed = Noticed(role="failed", provider=failed.provider, has_failed=True)
    return _of_conversation(event, part_id=f"failed/{event.event_id}", noticed=noticed)


def _read_debate_start(event: Event) -> Row:
    started = read_fact(event.data, DebateStarted)
    return _of_debate(event, started.debate_id, user_id=started.user_id)


def _read_turn(event: Event) -> Row | None:
    turn = read_fact(event.data, TurnEnded)
    if turn.role != _SPEAKING:
        return None
    noticed = Noticed(
        role=_SPEAKING,
        provider=turn.provider,
        position=turn.position,
        response_time_ms=turn.response_time_ms,
        confidence=turn.confidence,
        has_failed=event.type == TURN_FAILED.name,
    )
    part_id = f"{turn.debate_id}:{turn.round}:{turn.seat}"
    return _of_debate(event, turn.debate_id, part_id=part_id, noticed=noticed)


def _read_debate_end(event: Event) -> Row:
    ended = read_fact(event.data, DebateCompleted)
    winner = ended.winner
    verdict = Noticed(
        role=VERDICT,
        provider=winner.provider if winner else None,
        position=winner.position if winner else None,
        confidence=ended.confidence,
        has_failed=ended.outcome not in _ENDED,
    )
    return _of_debate(
        event,
        ended.debate_id,
        part_id=VERDICT,
        noticed=verdict,
        outcome=ended.outcome,
        is_end=True,
    )


def _read_review(event: Event) -> Row:
    review = read_fact(event.data, PatternReviewed)
    return Row(
        event.event_id,
        event.clock,
        event.time,
        occasion_id=name_occasion(REVIEW, event.event_id),
        kind=REVIEW,
        review=review,
    )


def _read_insight(event: Event) -> Row:
    insight = read_fact(event.data, InsightMade)
    return Row(event.event_id, event.clock, event.time, insight=insight)


def _read_superseded(event: Event) -> Row:
    superseded = read_fact(event.data, InsightSuperseded)
    return Row(event.event_id, event.clock, event.time, superseded=superseded)


_READERS: Mapping[str, Callable[[Event], Row | None]] = {
    CONVERSATION_STARTED.name: _read_start,
    CONVERSATION_COMPLETED.name: _read_completion,
    CONVERSATION_PAUSED.name: _read_pause,
    REPLY_FAILED.name: _read_failed_reply,
    DEBATE_STARTED.name: _read_debate_start,
    TURN_ANSWERED.name: _read_turn,
    TURN_FAILED.name: _read_turn,
    DEBATE_COMPLETED.name: _read_debate_end,
    PATTERN_REVIEWED.name: _read_review,
    INSIGHT_MADE.name: _read_insight,
    INSIGHT_SUPERSEDED.name: _read_superseded,
}
