"""Analytics: messages, turns, winners and compressions as rows of the analytics store."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import UTC
from typing import Any

import pyarrow as pa

from helix_lab.domain.model.event import (
    COMPRESSIONS,
    CONTEXT_COMPRESSED,
    CONVERSATIONS,
    DEBATE_COMPLETED,
    DEBATES,
    MESSAGE_ADDED,
    TURN_ANSWERED,
    TURN_FAILED,
    Entry,
    Event,
)
from helix_lab.ports.analytics import AnalyticsStore
from helix_lab.projections.facts import (
    ContextCompressed,
    DebateCompleted,
    MessageAdded,
    TurnEnded,
    read_fact,
)
from helix_lab.projections.projection import Checkpoint, Projection, check_is_known

_MOMENT = pa.timestamp("us")
_MESSAGE = pa.schema(
    [
        ("timestamp", _MOMENT),
        ("conversation_id", pa.string()),
        ("message_id", pa.string()),
        ("user_id", pa.string()),
        ("role", pa.string()),
        ("provider", pa.string()),
        ("model", pa.string()),
        ("tokens", pa.int64()),
        ("characters", pa.int64()),
    ]
)
_TURN = pa.schema(
    [
        ("timestamp", _MOMENT),
        ("debate_id", pa.string()),
        ("conversation_id", pa.string()),
        ("round", pa.int32()),
        ("role", pa.string()),
        ("seat", pa.string()),
        ("position", pa.string()),
        ("provider", pa.string()),
        ("model", pa.string()),
        ("response_time_ms", pa.float64()),
        ("tokens_used", pa.int64()),
        ("confidence_score", pa.float64()),
        ("cost_usd", pa.float64()),
        ("error_count", pa.int32()),
    ]
)
_WINNER = pa.schema(
    [
        ("timestamp", _MOMENT),
        ("debate_id", pa.string()),
        ("conversation_id", pa.string()),
        ("outcome", pa.string()),
        ("winner_provider", pa.string()),
        ("winner_model", pa.string()),
        ("winner_position", pa.string()),
        ("total_rounds", pa.int32()),
        ("final_confidence", pa.float64()),
        ("debate_duration_ms", pa.float64()),
    ]
)
_COMPRESSION = pa.schema(
    [
        ("timestamp", _MOMENT),
        ("compression_id", pa.string()),
        ("conversation_id", pa.string()),
        ("purpose", pa.string()),
        ("strategy", pa.string()),
        ("original_messages", pa.int64()),
        ("original_tokens", pa.int64()),
        ("compressed_tokens", pa.int64()),
        ("max_tokens", pa.int64()),
        ("requested_ratio", pa.float64()),
        ("ratio", pa.float64()),
        ("quality_score", pa.float64()),
        ("meets_minimum", pa.bool_()),
        ("preserved_entities", pa.int64()),
        ("duration_ms", pa.float64()),
        ("llm_provider", pa.string()),
        ("llm_model", pa.string()),
    ]
)
_SCHEMAS = {
    "message_metrics": _MESSAGE,
    "debate_metrics": _TURN,
    "debate_winners": _WINNER,
    "compression_metrics": _COMPRESSION,
}

Row = tuple[str, tuple[Any, ...]]
"""Table name, and the values of its columns in order."""


class AnalyticsProjection(Projection[Row]):
    """Fills `message_metrics`, `debate_metrics`, `debate_winners`, `compression_metrics`."""

    name = "analytics"
    topics = (CONVERSATIONS, DEBATES, COMPRESSIONS)

    def __init__(self, store: AnalyticsStore) -> None:
        self._store = store

    def project(self, entry: Entry) -> Row | None:
        """See `Projection.project`."""
        check_is_known(entry)
        read = _READERS.get(entry.event.type)
        return None if read is None else read(entry.event)

    def write(self, rows: Sequence[Row], checkpoint: Checkpoint) -> None:
        """See `Projection.write`; a batch is ordered by time, so that windows scan little."""
        by_table: dict[str, list[tuple[Any, ...]]] = defaultdict(list)
        for table, values in rows:
            by_table[table].append(values)
        batch = {name: _to_arrow(_SCHEMAS[name], values) for name, values in by_table.items()}
        self._store.write(self.name, batch, checkpoint=checkpoint)

    def read_checkpoint(self) -> dict[tuple[str, int], int]:
        """See `Projection.read_checkpoint`."""
        return self._store.read_checkpoint(self.name)

    def clear(self) -> None:
        """See `Projection.clear`."""
        self._store.clear()


def _to_arrow(schema: pa.Schema, rows: list[tuple[Any, ...]]) -> pa.Table:
    rows.sort(key=lambda row: row[0])
    columns = zip(*rows, strict=True)
    arrays = [pa.array(column, field.type) for column, field in zip(columns, schema, strict=True)]
    return pa.Table.from_arrays(arrays, schema=schema)


def _time_of(event: Event) -> Any:
    return event.time.astimezone(UTC).replace(tzinfo=None)


def _read_message(event: Event) -> Row:
    said = read_fact(event.data, MessageAdded)
    return "message_metrics", (
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


def _read_turn(event: Event) -> Row:
    turn = read_fact(event.data, TurnEnded)
    return "debate_metrics", (
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


def _add(first: int | None, second: int | None) -> int | None:
    """The sum of what is known; None if nothing is."""
    known = [count for count in (first, second) if count is not None]
    return sum(known) if known else None


def _read_winner(event: Event) -> Row:
    end = read_fact(event.data, DebateCompleted)
    winner = end.winner
    return "debate_winners", (
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


def _read_compression(event: Event) -> Row:
    made = read_fact(event.data, ContextCompressed)
    return "compression_metrics", (
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


_READERS: dict[str, Callable[[Event], Row]] = {
    MESSAGE_ADDED.name: _read_message,
    TURN_ANSWERED.name: _read_turn,
    TURN_FAILED.name: _read_turn,
    DEBATE_COMPLETED.name: _read_winner,
    CONTEXT_COMPRESSED.name: _read_compression,
}
