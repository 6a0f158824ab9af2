"""Operations on context: replay, and what a conversation weighs."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Literal

from pydantic import Field

from helix_lab.domain.context.history import Message
from helix_lab.domain.model.errors import BudgetTooSmall, UnknownConversation
from helix_lab.operations.operation import Id, Operation, Request, Response
from helix_lab.operations.services import Services
from helix_lab.queries import conversations as questions
from helix_lab.queries.history import replay as read_history


class Replay(Request):
    """Which conversation to read again, and how."""

    conversation_id: Id = Field(description="a conversation that exists")
    max_tokens: int | None = Field(
        None, ge=1, le=2**53, description="refuse a history that is larger; absent: all of it"
    )
    compression_strategy: Literal["window", "entity", "full", "hybrid"] = Field(
        "hybrid", description="how to compress a history that is over max_tokens"
    )
    include_metadata: bool = Field(
        default=False, description="with model, provider, name, parent and the like of each message"
    )
    include_alternatives: bool = Field(
        default=False, description="also the messages of branches that are not the current one"
    )


@dataclass(frozen=True, slots=True)
class ReplayedMessage:
    """A message as it was recorded, unaltered."""

    message_id: str
    role: str
    content: str
    timestamp: datetime
    metadata: dict[str, Any] | None = None


class ReplayStats(Response):
    """What the replay took. `compression_ratio` is 1 where nothing is compressed."""

    total_messages: int
    total_tokens: int
    events_replayed: int
    replay_duration_ms: float
    compressed: bool
    compression_ratio: float


class Replayed(Response):
    """A conversation read again from the log, in order."""

    conversation_id: str
    messages: list[ReplayedMessage]
    alternatives: list[ReplayedMessage] | None
    stats: ReplayStats


class GetContextStats(Request):
    """Which conversation."""

    conversation_id: Id = Field(description="a conversation that exists")


class ContextStats(Response):
    """What a conversation weighs."""

    conversation_id: str
    message_count: int
    total_tokens: int
    debate_count: int
    compressed: bool
    timestamp: datetime


def replay(services: Services, request: Replay) -> Replayed:
    """The whole history, read from the log."""
    started = time.perf_counter()
    history, events = read_history(services.log, request.conversation_id)
    tokens = history.model_tokens
    if request.max_tokens is not None and tokens > request.max_tokens:
        message = (
            f"the history has {tokens} tokens, more than max_tokens {request.max_tokens}; "
            "compression is not built yet, so ask for at least "
            f"{tokens} tokens, or leave max_tokens out to get all of it"
        )
        raise BudgetTooSmall(message, field="max_tokens", needed_tokens=tokens)
    show = _show_whole if request.include_metadata else _show
    messages = [show(message) for message in history.messages]
    others = history.alternatives if request.include_alternatives else None
    stats = ReplayStats(
        total_messages=len(messages),
        total_tokens=tokens,
        events_replayed=events,
        replay_duration_ms=(time.perf_counter() - started) * 1000,
        compressed=False,
        compression_ratio=1.0,
    )
    return Replayed(
        conversation_id=request.conversation_id,
        messages=messages,
        alternatives=None if others is None else [show(message) for message in others],
        stats=stats,
    )


def _show(message: Message) -> ReplayedMessage:
    data = message.data
    return ReplayedMessage(message.message_id, data["role"], data["content"], message.time)


_SHOWN = {"conversation_id", "message_id", "role", "content"}


def _show_whole(message: Message) -> ReplayedMessage:
    rest = {name: value for name, value in message.data.items() if name not in _SHOWN}
    return replace(_show(message), metadata=rest)


def get_stats(services: Services, request: GetContextStats) -> ContextStats:
    """Counts of one conversation."""
    row = services.find(
        "conversations",
        lambda: questions.find_conversation(services.records, request.conversation_id),
        otherwise=UnknownConversation(request.conversation_id),
    )
    return ContextStats(
        conversation_id=request.conversation_id,
        message_count=row["message_count"],
        total_tokens=row["token_count"],
        debate_count=row["debate_count"],
        compressed=False,
        timestamp=datetime.now(UTC),
    )


OPERATIONS = (
    Operation(
        name="replay",
        summary="Read a conversation again, in full",
        method="POST",
        path="/v1/context/replay",
        scope="read",
        request=Replay,
        response=Replayed,
        run=replay,
        errors=(UnknownConversation, BudgetTooSmall),
    ),
    Operation(
        name="get_context_stats",
        summary="Count the messages and tokens of a conversation",
        method="GET",
        path="/v1/context/stats/{conversation_id}",
        scope="read",
        request=GetContextStats,
        response=ContextStats,
        run=get_stats,
        errors=(UnknownConversation,),
    ),
)
