"""Traces: the list of them from the records, the spans of one from the log."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from helix_lab.domain.model.event import SPAN_ENDED, TRACES
from helix_lab.ports.event_log import EventLog
from helix_lab.queries.paging import Position, page_after
from helix_lab.records.database import Records
from helix_lab.records.tables import TRACE


def list_traces(
    records: Records, *, limit: int, after: Position | None, conversation_id: str | None
) -> list[Mapping[str, Any]]:
    """Traces, the newest first; of one conversation, if asked."""
    place = (TRACE.c.started_at, TRACE.c.trace_id)
    query = page_after(sa.select(TRACE), place, limit=limit, after=after)
    if conversation_id is not None:
        query = query.where(TRACE.c.conversation_id == conversation_id)
    with records.read() as connection:
        return [dict(row) for row in connection.execute(query).mappings()]


def read_spans(log: EventLog, trace_id: str) -> list[Mapping[str, Any]]:
    """The data of all spans of a trace, in the order in which they were recorded."""
    return [
        entry.event.data
        for entry in log.read_key(TRACES, trace_id)
        if entry.event.type == SPAN_ENDED.name
    ]
