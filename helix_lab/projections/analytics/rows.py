"""What each event means to analytics: the rows that it adds."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC
from typing import Any

import msgspec

from helix_lab.domain.model.event import (
    CONTEXT_COMPRESSED,
    DEBATE_COMPLETED,
    MESSAGE_ADDED,
    REPLY_FAILED,
    SPAN_ENDED,
    TURN_ANSWERED,
    TURN_FAILED,
    Event,
)
from helix_lab.projections.facts import (
    ContextCompressed,
    DebateCompleted,
    MessageAdded,
    ReplyFailed,
    ReplyFigures,
    SpanEnded,
    TurnEnded,
    read_fact,
)

Row = tuple[str, tuple[Any, ...]]
"""Table name, and the values of its columns in order."""
Rows = tuple[Row, ...]


def read_rows(event: Event) -> Rows:
    """The rows of one event; none if analytics has no use for it."""
    read = _READERS.get(event.type)
    return () if read is None else read(event)


def _time_of(event: Event) -> Any:
    return event.time.astimezone(UTC).replace(tzinfo=None)


def _read_message(event: Event) -> Rows:
    said = read_fact(event.data, MessageAdded)
    values = (
        _time_of(event),
        event.key,
        said.message_id,
        said.user_id,
        said.role,
        said.provider,
        said.model,
        said.model_tokens,
        len(said.content),
    )
    return ("message_metrics", values), *_read_figures(event, said)


def _read_figures(event: Event, said: MessageAdded) -> Rows:
    """The request that a message answered, if its metadata tell how long that took."""
    metadata = event.data.get("metadata")
    if said.provider is None or metadata is None:
        return ()
    try:
        figures = read_fact(metadata, ReplyFigures)
    except msgspec.ValidationError:
        # Metadata are the caller's own: other things may have these names there.
        return ()
    values = (
        _time_of(event),
        event.key,
        said.message_id,
        said.provider,
        said.model or "",
        figures.response_time_ms,
        figures.ttft_ms,
        figures.input_tokens,
        figures.output_tokens,
        figures.cost_usd,
        None,
    )
    return (("chat_metrics", values),)


def _read_failed_reply(event: Event) -> Rows:
    failed = read_fact(event.data, ReplyFailed)
    unknown = (None,) * 5
    values = (
        _time_of(event),
        event.key,
        failed.message_id,
        failed.provider,
        failed.model,
        *unknown,
        failed.error_code,
    )
    return (("chat_metrics", values),)


def _read_span(event: Event) -> Rows:
    """The request that a span tells of; none where it is about other work."""
    span = read_fact(event.data, SpanEnded)
    call = span.model_call
    if call is None or not call.is_request:
        return ()
    values = (
        _time_of(event),
        call.conversation_id or "",
        span.span_id,
        call.provider or "",
        call.model or "",
        span.duration_ms,
        call.ttft_ms,
        call.input_tokens,
        call.output_tokens,
        call.cost_usd,
        call.error_code,
    )
    return (("chat_metrics", values),)


def _read_turn(event: Event) -> Rows:
    turn = read_fact(event.data, TurnEnded)
    values = (
        _time_of(event),
        turn.debate_id,
        event.key,
        turn.round,
        turn.role,
        turn.seat,
        turn.position,
        turn.provider,
        turn.model,
        turn.response_time_ms,
        _add(turn.input_tokens, turn.output_tokens),
        turn.confidence,
        turn.cost_usd,
        1 if event.type == TURN_FAILED.name else 0,
    )
    return (("debate_metrics", values),)


def _add(first: int | None, second: int | None) -> int | None:
    """The sum of what is known; None if nothing is."""
    known = [count for count in (first, second) if count is not None]
    return sum(known) if known else None


def _read_winner(event: Event) -> Rows:
    end = read_fact(event.data, DebateCompleted)
    winner = end.winner
    values = (
        _time_of(event),
        end.debate_id,
        event.key,
        end.outcome,
        winner.provider if winner else None,
        winner.model if winner else None,
        winner.position if winner else None,
        end.total_rounds,
        end.confidence,
        end.duration_ms,
    )
    return (("debate_winners", values),)


def _read_compression(event: Event) -> Rows:
    made = read_fact(event.data, ContextCompressed)
    values = (
        _time_of(event),
        made.compression_id,
        event.key,
        made.purpose,
        made.strategy,
        made.original_messages,
        made.original_tokens,
        made.compressed_tokens,
        made.max_tokens,
        made.requested_ratio,
        made.ratio,
        made.quality_score,
        made.meets_minimum,
        made.preserved_entities,
        made.duration_ms,
        made.llm_provider,
        made.llm_model,
    )
    return (("compression_metrics", values),)


_READERS: dict[str, Callable[[Event], Rows]] = {
    MESSAGE_ADDED.name: _read_message,
    REPLY_FAILED.name: _read_failed_reply,
    SPAN_ENDED.name: _read_span,
    TURN_ANSWERED.name: _read_turn,
    TURN_FAILED.name: _read_turn,
    DEBATE_COMPLETED.name: _read_winner,
    CONTEXT_COMPRESSED.name: _read_compression,
}
