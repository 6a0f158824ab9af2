"""Drafts of every event about conversations and debates, with ids that make repeats harmless.

Each function gives one `Draft`. A fact has one id, made from what makes it unique, so that
drafting it again (a second import, a retried request, a resumed debate) gives the same
event. A field that is not known is left out of the data; it is never null, except where
the schema asks for a null (`winner` and `confidence` of a completed debate).
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NotRequired, TypedDict, Unpack

from helix_lab.domain.context.tokens import count_tokens
from helix_lab.domain.model.errors import InvalidRequest
from helix_lab.domain.model.event import (
    BRANCH_SELECTED,
    CONTEXT_COMPRESSED,
    CONVERSATION_COMPLETED,
    CONVERSATION_DESCRIBED,
    CONVERSATION_STARTED,
    DEBATE_COMPLETED,
    DEBATE_STARTED,
    MESSAGE_ADDED,
    PROPOSAL_DECIDED,
    REPLY_FAILED,
    TURN_ANSWERED,
    TURN_FAILED,
    TURN_REQUESTED,
    Draft,
    EventType,
    make_event_id,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def to_utc(time: datetime, *, field: str = "created_at") -> datetime:
    """The same moment in UTC.

    Raises:
        InvalidRequest: the time has no zone, or lies outside of the years 1 to 9999 in UTC.
    """
    if time.tzinfo is UTC:
        return time
    if time.utcoffset() is None:
        message = f"{field} {time.isoformat()} has no time zone"
        raise InvalidRequest(message, field=field)
    try:
        return time.astimezone(UTC)
    except OverflowError:
        message = f"{field} {time.isoformat()} is outside of the years 1 to 9999 in UTC"
        raise InvalidRequest(message, field=field) from None


def to_rfc3339(time: datetime) -> str:
    """RFC 3339 in UTC, always with six digits of a second: as text it sorts as it does in time."""
    return to_utc(time).isoformat(timespec="microseconds").removesuffix("+00:00") + "Z"


# Conversations --------------------------------------------------------------------------


def start_conversation(
    conversation_id: str,
    *,
    user_id: str | None = None,
    source: str,
    created_at: datetime | None = None,
) -> Draft:
    """A conversation began. It begins once: the id of the event is made of its id alone."""
    data = _known(
        conversation_id=conversation_id,
        user_id=user_id,
        source=source,
        created_at=None if created_at is None else to_rfc3339(created_at),
    )
    event_id = make_event_id("conversation.started", conversation_id)
    return _draft(CONVERSATION_STARTED, event_id, conversation_id, data, created_at)


def describe_conversation(
    conversation_id: str,
    *,
    title: str | None = None,
    metadata: Mapping[str, Any] | None = None,
    time: datetime | None = None,
    at: str | None = None,
) -> Draft:
    """What is known about a conversation now.

    The same title and metadata give the same event, others a new one. Pass `at` (a request
    id, a time) where an earlier description may be stated again later: A, then B, then A.
    """
    data = _known(conversation_id=conversation_id, title=title, metadata=metadata)
    event_id = _statement_id("conversation.described", data, at)
    return _draft(CONVERSATION_DESCRIBED, event_id, conversation_id, data, time)


def add_message(  # noqa: PLR0913 - one argument per field of the schema
    conversation_id: str,
    message_id: str,
    *,
    role: str,
    content: str,
    created_at: datetime | None = None,
    parent_id: str | None = None,
    name: str | None = None,
    provider: str | None = None,
    model: str | None = None,
    user_id: str | None = None,
    metadata: Mapping[str, Any] | None = None,
) -> Draft:
    """Somebody said something; counted in model tokens by the lab's own counter."""
    data: dict[str, Any] = {
        "conversation_id": conversation_id,
        "message_id": message_id,
        "role": role,
        "content": content,
        "model_tokens": count_tokens(content),
    }
    if created_at is not None:
        data["created_at"] = to_rfc3339(created_at)
    # Spelled out: this is the path of bulk imports, and a loop costs half as much again.
    if parent_id is not None:
        data["parent_id"] = parent_id
    if name is not None:
        data["name"] = name
    if provider is not None:
        data["provider"] = provider
    if model is not None:
        data["model"] = model
    if user_id is not None:
        data["user_id"] = user_id
    if metadata:
        data["metadata"] = metadata
    event_id = make_event_id("message.added", conversation_id, message_id)
    return _draft(MESSAGE_ADDED, event_id, message_id, data, created_at)


def select_branch(
    conversation_id: str, leaf_message_id: str, *, at: str, time: datetime | None = None
) -> Draft:
    """The branch that ends in a message became the current one.

    `at` (a request id, a time) tells one selection of the same leaf from another.
    """
    data = {"conversation_id": conversation_id, "message_id": leaf_message_id}
    event_id = make_event_id("branch.selected", conversation_id, leaf_message_id, at)
    return _draft(BRANCH_SELECTED, event_id, leaf_message_id, data, time)


def complete_conversation(
    conversation_id: str,
    *,
    outcome: str,
    reason: str | None = None,
    time: datetime | None = None,
    at: str | None = None,
) -> Draft:
    """A conversation ended as `successful`, `abandoned` or `error`.

    The same outcome and reason give the same event; `at` as in `describe_conversation`.
    """
    data = _known(conversation_id=conversation_id, outcome=outcome, reason=reason)
    event_id = _statement_id("conversation.completed", data, at)
    return _draft(CONVERSATION_COMPLETED, event_id, conversation_id, data, time)


def fail_reply(
    conversation_id: str,
    message_id: str,
    *,
    provider: str,
    model: str,
    error_code: str,
    error_message: str,
    at: str,
    prompt: Mapping[str, Any] | None = None,
) -> Draft:
    """A provider gave no usable reply to a message; `at` tells one attempt from another."""
    data = _known(
        conversation_id=conversation_id,
        message_id=message_id,
        provider=provider,
        model=model,
        error_code=error_code,
        error_message=error_message,
        prompt=prompt,
    )
    event_id = make_event_id("reply.failed", conversation_id, message_id, at)
    return _draft(REPLY_FAILED, event_id, message_id, data, None)


def decide_proposal(
    conversation_id: str,
    message_id: str,
    proposal_id: str,
    *,
    decision: str,
    memory_id: str | None = None,
) -> Draft:
    """A proposed fact was accepted or declined; both have one id, so that it is decided once."""
    data = _known(
        conversation_id=conversation_id,
        message_id=message_id,
        proposal_id=proposal_id,
        decision=decision,
        memory_id=memory_id,
    )
    event_id = make_event_id("proposal.decided", proposal_id)
    return _draft(PROPOSAL_DECIDED, event_id, proposal_id, data, None)


class Compression(TypedDict):
    """The figures of one compression; see the schema."""

    purpose: str
    strategy: str
    through_offset: int
    original_messages: int
    recent_messages: int
    original_tokens: int
    compressed_tokens: int
    requested_ratio: float
    ratio: float
    quality_score: float
    quality: Mapping[str, float]
    minimum_quality: float
    meets_minimum: bool
    preserved_entities: int
    key_decisions: int
    tokenizer: str
    duration_ms: float
    notes: Sequence[str]
    max_tokens: NotRequired[int | None]
    llm_provider: NotRequired[str | None]
    llm_model: NotRequired[str | None]
    llm_outcome: NotRequired[str | None]


def compress_context(
    conversation_id: str, compression_id: str, **figures: Unpack[Compression]
) -> Draft:
    """A conversation was compressed anew. Each making is a fact of its own, named by its id."""
    data = _known(conversation_id=conversation_id, compression_id=compression_id, **figures)
    event_id = make_event_id("context.compressed", compression_id)
    return _draft(CONTEXT_COMPRESSED, event_id, compression_id, data, None)


# Debates --------------------------------------------------------------------------------


class Turn(TypedDict):
    """Which turn: the fields that all three turn events have. `role`: answer, vote or judge."""

    conversation_id: str
    round: int
    role: str
    seat: str
    position: str
    provider: str
    model: str


class Answer(Turn):
    """What a seat answered, and what that took; an unknown number is None or left out."""

    text: str
    confidence: NotRequired[float | None]
    response_time_ms: NotRequired[float | None]
    ttft_ms: NotRequired[float | None]
    input_tokens: NotRequired[int | None]
    output_tokens: NotRequired[int | None]
    cost_usd: NotRequired[float | None]
    finish_reason: NotRequired[str | None]
    choice: NotRequired[str | None]
    metadata: NotRequired[Mapping[str, Any] | None]


class Failure(Turn):
    """Why a seat gave no usable answer."""

    error_code: str
    error_message: str
    response_time_ms: NotRequired[float | None]


def start_debate(  # noqa: PLR0913 - one argument per field of the schema
    debate_id: str,
    *,
    conversation_id: str,
    topic: str,
    protocol: str,
    rounds: int,
    seed: int,
    seats: Sequence[Mapping[str, str]],
    judge: Mapping[str, str] | None = None,
    user_id: str | None = None,
    source: str | None = None,
    metadata: Mapping[str, Any] | None = None,
    created_at: datetime | None = None,
) -> Draft:
    """A debate began. Each seat has `seat`, `position`, `provider`, `model`."""
    data = _known(
        debate_id=debate_id,
        conversation_id=conversation_id,
        topic=topic,
        protocol=protocol,
        rounds=rounds,
        seed=seed,
        seats=[dict(seat) for seat in seats],
        judge=None if judge is None else dict(judge),
        user_id=user_id,
        source=source,
        metadata=metadata,
        created_at=None if created_at is None else to_rfc3339(created_at),
    )
    event_id = make_event_id("debate.started", debate_id)
    return _draft(DEBATE_STARTED, event_id, debate_id, data, created_at)


def request_turn(debate_id: str, *, time: datetime | None = None, **turn: Unpack[Turn]) -> Draft:
    """A seat is about to be asked; recorded before the call, so that no turn is asked twice."""
    return _turn(TURN_REQUESTED, "turn.requested", debate_id, turn, time)


def answer_turn(debate_id: str, *, time: datetime | None = None, **turn: Unpack[Answer]) -> Draft:
    """A seat answered. Its id is that of `fail_turn` for the same turn: a turn ends once."""
    return _turn(TURN_ANSWERED, "turn.ended", debate_id, turn, time)


def fail_turn(debate_id: str, *, time: datetime | None = None, **turn: Unpack[Failure]) -> Draft:
    """A seat gave no usable answer. Its id is that of `answer_turn` for the same turn."""
    return _turn(TURN_FAILED, "turn.ended", debate_id, turn, time)


def complete_debate(  # noqa: PLR0913 - one argument per field of the schema
    debate_id: str,
    *,
    conversation_id: str,
    outcome: str,
    winner: Mapping[str, str] | None,
    confidence: float | None,
    total_rounds: int,
    verdict: str | None = None,
    reason: str | None = None,
    duration_ms: float | None = None,
    votes: Mapping[str, float] | None = None,
    judgments: Sequence[Mapping[str, Any]] | None = None,
    metadata: Mapping[str, Any] | None = None,
    time: datetime | None = None,
) -> Draft:
    """A debate ended as `decided`, `tie`, `failed` or `cancelled`; `winner` is one of its seats."""
    data = _known(
        debate_id=debate_id,
        conversation_id=conversation_id,
        outcome=outcome,
        total_rounds=total_rounds,
        verdict=verdict,
        reason=reason,
        duration_ms=duration_ms,
        votes=votes,
        judgments=None if judgments is None else [dict(judgment) for judgment in judgments],
        metadata=metadata,
    )
    data["winner"] = None if winner is None else dict(winner)
    data["confidence"] = confidence
    event_id = make_event_id("debate.completed", debate_id)
    return _draft(DEBATE_COMPLETED, event_id, debate_id, data, time)


# ----------------------------------------------------------------------------------------


def _turn(
    event_type: EventType, namespace: str, debate_id: str, turn: Turn, time: datetime | None
) -> Draft:
    event_id = make_event_id(namespace, debate_id, str(turn["round"]), turn["role"], turn["seat"])
    return _draft(event_type, event_id, debate_id, _known(debate_id=debate_id, **turn), time)


def _draft(
    event_type: EventType,
    event_id: str,
    subject: str,
    data: Mapping[str, Any],
    time: datetime | None,
) -> Draft:
    utc = None if time is None else to_utc(time, field="time")
    return Draft(event_id, event_type, data["conversation_id"], subject, data, utc)


def _known(**fields: Any) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}


def _statement_id(namespace: str, data: Mapping[str, Any], at: str | None) -> str:
    digest = json.dumps(data, sort_keys=True, separators=(",", ":"))
    moment = () if at is None else (at,)
    return make_event_id(namespace, data["conversation_id"], digest, *moment)
