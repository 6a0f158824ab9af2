"""Events as rows, rows as entries."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from helix_lab.adapters.log_sqlite import statements
from helix_lab.domain.model.event import Entry, Event, from_micros, to_micros
from helix_lab.domain.model.event_json import check_fields, decode_data, encode_data

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence


def to_row(event: Event) -> tuple[str | int, ...]:
    """The parameters of a row of `add_entries` after the id and the topic.

    Raises:
        InvalidEvent: the log could not give the event back as it is.
    """
    check_fields(event)
    return (
        event.event_id,
        event.type,
        event.node_id,
        event.subject,
        to_micros(event.time),
        event.clock,
        event.version,
        encode_data(event).decode(),
    )


def to_entry(topic: str, key: str, row: Sequence[Any]) -> Entry:
    """The entry of a row of `READ_KEY`."""
    offset, event_id, type_, node_id, subject, micros, clock, version, data = row
    time = from_micros(micros)
    event = Event(event_id, type_, node_id, key, subject, time, clock, decode_data(data), version)
    return Entry(topic, 0, offset, event)


def find_entry(connection: sqlite3.Connection, event_id: str) -> Entry:
    """The entry with an event id that the log has."""
    topic, key, *row = connection.execute(statements.FIND_ENTRY, (event_id,)).fetchone()
    return to_entry(topic, key, row)
