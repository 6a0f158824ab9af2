"""Replay: a conversation read again, whole or compressed to a budget, at once or as a stream."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from typing import Annotated, Any, Literal

from pydantic import Field, PrivateAttr, TypeAdapter

from helix_lab.domain.collecting import collecting_seldom
from helix_lab.domain.context.history import Message
from helix_lab.domain.model.errors import (
    BudgetTooSmall,
    QueryCancelled,
    UnknownConversation,
    UnknownProvider,
)
from helix_lab.jobs.contexts import Made, Wanted
from helix_lab.operations.cancellation import current_scope
from helix_lab.operations.digests import (
    CompressionStats,
    ShownEntity,
    ShownLine,
    ShownRecent,
    show_entities,
    show_lines,
    show_recent,
    show_stats,
    write_summary,
)
from helix_lab.operations.moments import Moment
from helix_lab.operations.operation import (
    Id,
    Name,
    Operation,
    Request,
    Response,
    StreamItem,
)
from helix_lab.operations.services import Services
from helix_lab.queries.history import stream_history
from helix_lab.queries.readings import Reading

STREAM_ROWS = 500


Ratio = Annotated[float, Field(gt=0, le=1)]


class Replay(Request):
    """Which conversation to read again, and how."""

    conversation_id: Id = Field(description="a conversation that exists")
    max_tokens: int | None = Field(
        None, ge=1, le=2**53, description="compress a history that is larger; absent: all of it"
    )
    compression_strategy: Literal["window", "entity", "full", "hybrid"] | None = Field(
        None, description="how to compress; by CONTEXT_COMPRESSION_STRATEGY if absent"
    )
    compression_ratio: Ratio | None = Field(
        None,
        description="compress to this share of the tokens, also without max_tokens; where that "
        "is exceeded, by CONTEXT_COMPRESSION_RATIO if absent",
    )
    llm_provider: Name | None = Field(
        None,
        description="let this provider compress, too; kept where it scores at least as well",
    )
    include_metadata: bool = Field(
        default=False, description="with model, provider, name, parent and the like of each message"
    )
    include_alternatives: bool = Field(
        default=False, description="also the messages of branches that are not the current one"
    )
    as_of: Moment | None = Field(
        None, description="as it was: said until a time, or recorded up to an offset"
    )


@dataclass(slots=True)  # not frozen: a long replay makes many, and freezing doubles the cost
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
    through_offset: int = Field(description="of the newest event that was read; usable as as_of")
    replay_duration_ms: float
    compressed: bool
    compression_ratio: float


class Replayed(Response):
    """A conversation read again from the log, in order.

    `messages` are given word for word: all of them, or those that a compression left whole. The
    fields below `stats` are null where nothing is compressed.
    """

    conversation_id: str
    messages: list[ReplayedMessage]
    alternatives: list[ReplayedMessage] | None
    entities: list[ShownEntity] | None = Field(description="names in a compressed context")
    stats: ReplayStats
    context: str | None = Field(description="the compressed context as it is shown to a model")
    summary: str | None
    summary_lines: list[ShownLine] | None = Field(description="the summary with its sources")
    key_entities: list[str] | None
    key_decisions: list[str] | None
    decision_lines: list[ShownLine] | None = Field(description="the decisions with their sources")
    recent_messages: list[ShownRecent] | None
    compression_stats: CompressionStats | None

    _write_messages: Callable[[], bytes] | None = PrivateAttr(None)
    """Gives `messages` as JSON, where that is kept."""

    def to_json(self) -> bytes:
        """See `Response.to_json`; writing ten thousand messages takes longer than reading them."""
        if self._write_messages is None:
            return super().to_json()
        write = self.__pydantic_serializer__.to_json
        begin = write(self, include={"conversation_id"})
        end = write(self, exclude={"conversation_id", "messages"})
        return b"".join((begin[:-1], b',"messages":', self._write_messages(), b",", end[1:]))


def replay(services: Services, request: Replay) -> Replayed:
    """The history: whole, or compressed where it is over the budget."""
    started_s = time.perf_counter()
    reading = services.contexts.readings.read(request.conversation_id, as_of=request.as_of)
    made = _compress(services, reading, request)
    show = _show_whole if request.include_metadata else _show
    if made is None:
        with collecting_seldom():
            shown = [show(message) for message in reading.history.messages]
    elif request.include_metadata:
        # What stays whole are the newest messages.
        count = len(made.compressed.recent_messages)
        shown = [show(m) for m in reading.history.messages[reading.message_count - count :]]
    else:
        shown = [
            ReplayedMessage(m.message_id, m.role, m.text, m.time)
            for m in made.compressed.recent_messages
        ]
    others = reading.history.alternatives if request.include_alternatives else None
    stats = ReplayStats(
        total_messages=reading.message_count,
        total_tokens=reading.model_tokens,
        events_replayed=reading.event_count,
        through_offset=reading.through_offset,
        replay_duration_ms=(time.perf_counter() - started_s) * 1000,
        compressed=made is not None,
        compression_ratio=made.compressed.stats.compression_ratio if made else 1.0,
    )
    replayed = Replayed(
        conversation_id=request.conversation_id,
        messages=shown,
        alternatives=None if others is None else [show(message) for message in others],
        stats=stats,
        **_show_compressed(made),
    )
    if made is None:
        form = "replay, whole" if request.include_metadata else "replay"
        replayed._write_messages = lambda: reading.write_once(form, lambda: _write(reading, show))  # noqa: SLF001 - of this module
    return replayed


def _write(reading: Reading, show: Callable[[Message], ReplayedMessage]) -> bytes:
    """All messages as JSON: from the log, since who has an answer may have changed its list."""
    return _message_writer().dump_json([show(message) for message in reading.history.messages])


@cache
def _message_writer() -> TypeAdapter[list[ReplayedMessage]]:
    return TypeAdapter(list[ReplayedMessage])


def _compress(services: Services, reading: Reading, request: Replay) -> Made | None:
    is_over = request.max_tokens is not None and reading.model_tokens > request.max_tokens
    is_asked = request.compression_ratio is not None or request.llm_provider is not None
    if not reading.message_count or not (is_over or is_asked):
        return None
    scope = current_scope()
    wanted = Wanted(
        "replay",
        strategy=request.compression_strategy,
        ratio=request.compression_ratio,
        max_tokens=request.max_tokens,
        llm_provider=request.llm_provider,
    )
    try:
        return services.contexts.make(reading, wanted, should_stop=lambda: scope.is_cancelled)
    except BudgetTooSmall as error:
        # A short history needs less than its digest would: then it is given whole.
        needed = min(error.details["needed_tokens"], reading.model_tokens)
        message = f"max_tokens {request.max_tokens} holds nothing of use; give at least {needed}"
        if request.max_tokens is None or needed <= request.max_tokens:
            raise
        raise BudgetTooSmall(message, field="max_tokens", needed_tokens=needed) from None


def _show_compressed(made: Made | None) -> dict[str, Any]:
    if made is None:
        return dict.fromkeys(_COMPRESSED_FIELDS)
    compressed = made.compressed
    return {
        "entities": show_entities(compressed.key_entities),
        "context": compressed.render(),
        "summary": write_summary(compressed),
        "summary_lines": show_lines(compressed.summary),
        "key_entities": list(compressed.key_entities),
        "key_decisions": [line.text for line in compressed.key_decisions],
        "decision_lines": show_lines(compressed.key_decisions),
        "recent_messages": show_recent(compressed.recent_messages),
        "compression_stats": show_stats(made),
    }


_COMPRESSED_FIELDS = (
    "entities",
    "context",
    "summary",
    "summary_lines",
    "key_entities",
    "key_decisions",
    "decision_lines",
    "recent_messages",
    "compression_stats",
)


def stream(services: Services, request: Replay) -> Iterator[list[StreamItem]]:
    """The messages one by one, then the figures; a compressed context is one item."""
    is_compressing = (
        request.max_tokens is not None
        or request.compression_ratio is not None
        or request.llm_provider is not None
    )
    if is_compressing or request.include_alternatives:
        yield [replay(services, request).model_dump(mode="json")]
        return
    started_s = time.perf_counter()
    scope = current_scope()
    show = _show_whole if request.include_metadata else _show
    told = stream_history(services.log, request.conversation_id, as_of=request.as_of)
    count = tokens = 0
    for page in told.pages:
        scope.check()
        for start in range(0, len(page), STREAM_ROWS):
            rows = page[start : start + STREAM_ROWS]
            count += len(rows)
            tokens += sum(message.model_tokens for message in rows)
            yield [{"message": _to_json(show(message))} for message in rows]
    stats = ReplayStats(
        total_messages=count,
        total_tokens=tokens,
        events_replayed=told.event_count,
        through_offset=told.through_offset,
        replay_duration_ms=(time.perf_counter() - started_s) * 1000,
        compressed=False,
        compression_ratio=1.0,
    )
    yield [{"conversation_id": request.conversation_id, "stats": stats.model_dump(mode="json")}]


def _to_json(message: ReplayedMessage) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "message_id": message.message_id,
        "role": message.role,
        "content": message.content,
        "timestamp": message.timestamp.isoformat().replace("+00:00", "Z"),
    }
    return shown if message.metadata is None else {**shown, "metadata": message.metadata}


def _show(message: Message) -> ReplayedMessage:
    data = message.data
    return ReplayedMessage(message.message_id, data["role"], data["content"], message.time)


_SHOWN = {"conversation_id", "message_id", "role", "content"}


def _show_whole(message: Message) -> ReplayedMessage:
    rest = {name: value for name, value in message.data.items() if name not in _SHOWN}
    return replace(_show(message), metadata=rest)


OPERATION = Operation(
    name="replay",
    summary="Read a conversation again, whole or compressed to a budget",
    method="POST",
    path="/v1/context/replay",
    scope="read",
    request=Replay,
    response=Replayed,
    run=replay,
    errors=(UnknownConversation, BudgetTooSmall, UnknownProvider, QueryCancelled),
    stream=stream,
)
