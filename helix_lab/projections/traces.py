"""Traces as records: when each was, how many spans it has, and what its calls of models used."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from helix_lab.domain.model.event import SPAN_ENDED, TRACES, Entry
from helix_lab.projections.facts import SpanEnded, read_fact
from helix_lab.projections.projection import Checkpoint, Projection, check_is_known
from helix_lab.records.database import (
    Records,
    add_up,
    take_greatest,
    take_least,
    take_new_unless_null,
)
from helix_lab.records.tables import TRACE

_COUNTS = (
    "span_count",
    "request_count",
    "error_count",
    "input_tokens",
    "output_tokens",
    "cost_usd",
)
_NAMES = ("name", "service", "conversation_id")
_MERGE = {
    **dict.fromkeys(_NAMES, take_new_unless_null),
    **dict.fromkeys(_COUNTS, add_up),
    "started_at": take_least,
    "ended_at": take_greatest,
}
_SERVICE = "service.name"

Row = dict[str, Any]


class TracesProjection(Projection[Row]):
    """Fills `trace`; the spans themselves are read from the log, by their trace."""

    name = "traces"
    topics = (TRACES,)

    def __init__(self, records: Records) -> None:
        self._records = records

    def project(self, entry: Entry) -> Row | None:
        """See `Projection.project`."""
        check_is_known(entry)
        if entry.event.type != SPAN_ENDED.name:
            return None
        return _read(read_fact(entry.event.data, SpanEnded), entry)

    def write(self, rows: Sequence[Row], checkpoint: Checkpoint) -> None:
        """See `Projection.write`; one transaction."""
        with self._records.write() as connection:
            self._records.upsert(connection, TRACE, _fold(rows), merge=_MERGE)
            self._records.move_checkpoint(connection, self.name, checkpoint)

    def read_checkpoint(self) -> dict[tuple[str, int], int]:
        """See `Projection.read_checkpoint`."""
        return self._records.read_checkpoint(self.name)

    def clear(self) -> None:
        """See `Projection.clear`."""
        with self._records.write() as connection:
            connection.execute(TRACE.delete())
            self._records.forget_checkpoint(connection, self.name)


def _read(span: SpanEnded, entry: Entry) -> Row:
    call = span.model_call
    is_root = span.parent_span_id is None
    request = call if call is not None and call.is_request else None
    service = span.resource.get(_SERVICE)
    return {
        "trace_id": span.trace_id,
        "name": span.name if is_root else None,
        "service": service if isinstance(service, str) else None,
        "conversation_id": call.conversation_id if call is not None else None,
        "started_at": entry.event.time,
        "ended_at": span.ended_at,
        "span_count": 1,
        "request_count": 1 if request else 0,
        "error_count": 1 if span.status == "error" else 0,
        "input_tokens": request.input_tokens or 0 if request else 0,
        "output_tokens": request.output_tokens or 0 if request else 0,
        "cost_usd": request.cost_usd or 0.0 if request else 0.0,
    }


def _fold(rows: Iterable[Row]) -> list[Row]:
    """One change a trace, by the same rules as `_MERGE`."""
    folded: dict[str, Row] = {}
    for row in rows:
        known = folded.setdefault(row["trace_id"], row)
        if known is not row:
            _merge_into(known, row)
    return list(folded.values())


def _merge_into(known: Row, row: Row) -> None:
    for name in _COUNTS:
        known[name] += row[name]
    for name in _NAMES:
        if row[name] is not None:
            known[name] = row[name]
    known["started_at"] = min(known["started_at"], row["started_at"])
    known["ended_at"] = max(known["ended_at"], row["ended_at"])
