"""Memories as records: what each is now, by the strategy of this lab, with all that is kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
import sqlalchemy as sa

from helix_lab.domain.memory.record import DETACHED, Kind, Reader, Record, Update, Vector
from helix_lab.domain.memory.strategies import Strategy, show
from helix_lab.domain.model.event import (
    MEMORY_CREATED,
    MEMORY_DELETED,
    MEMORY_ERASED,
    MEMORY_EVENTS,
    MEMORY_UPDATED,
    Entry,
    Event,
)
from helix_lab.projections.facts import MemoryUpdated, read_fact
from helix_lab.projections.projection import Checkpoint, Projection, check_is_known
from helix_lab.records.database import Records, take_new
from helix_lab.records.memory_states import dump_record, load_record
from helix_lab.records.tables import MEMORY, MEMORY_TAG, MEMORY_WRITER

_KINDS = {
    MEMORY_CREATED.name: Kind.CREATE,
    MEMORY_UPDATED.name: Kind.EDIT,
    MEMORY_DELETED.name: Kind.DELETE,
    MEMORY_ERASED.name: Kind.ERASE,
}
_SHOWN_AS_THEY_ARE = ("user_id", "type", "category", "importance")
_NEW = {column.name: take_new for column in MEMORY.columns if column.name != "memory_id"}


class Row(msgspec.Struct):
    """One update, with who made it and when."""

    update: Update
    node_id: str
    seq: int
    seen: Mapping[str, int] | None
    time: datetime


class MemoryProjection(Projection[Row]):
    """Fills `memory`, `memory_tag` and `memory_writer`.

    Args:
        records: the store.
        strategy: how values that were written side by side are shown in lists and searches.
    """

    name = "memory"
    topics = (MEMORY_EVENTS,)

    def __init__(self, records: Records, strategy: Strategy) -> None:
        self._records = records
        self._strategy = strategy

    def project(self, entry: Entry) -> Row | None:
        """See `Projection.project`."""
        check_is_known(entry)
        return _read(entry.event)

    def write(self, rows: Sequence[Row], checkpoint: Checkpoint) -> None:
        """See `Projection.write`; one transaction."""
        with self._records.write() as connection:
            if rows:
                self._apply(connection, rows)
            self._records.move_checkpoint(connection, self.name, checkpoint)

    def read_checkpoint(self) -> dict[tuple[str, int], int]:
        """See `Projection.read_checkpoint`."""
        return self._records.read_checkpoint(self.name)

    def clear(self) -> None:
        """See `Projection.clear`."""
        with self._records.write() as connection:
            for table in (MEMORY, MEMORY_TAG, MEMORY_WRITER):
                connection.execute(table.delete())
            self._records.forget_checkpoint(connection, self.name)

    def _apply(self, connection: sa.Connection, rows: Sequence[Row]) -> None:
        writers = _Writers(connection)
        known = _load(connection, {row.update.memory_id for row in rows})
        for row in rows:
            memory = known.setdefault(row.update.memory_id, _Kept(Record(), row.time))
            if writers.count(row.node_id, row.seq):
                reader = Reader(writers.place(row.node_id), writers.to_vector(row.seen))
                memory.record.apply(row.update, row.seq, reader)
                memory.updated_at, memory.updated_by = row.time, row.node_id
        shown = [self._show(memory_id, kept) for memory_id, kept in known.items()]
        self._records.upsert(connection, MEMORY, shown, merge=_NEW)
        _replace_tags(connection, shown)
        self._records.upsert(connection, MEMORY_WRITER, writers.rows(), merge={"seq": take_new})

    def _show(self, memory_id: str, kept: _Kept) -> dict[str, Any]:
        memory = show(memory_id, kept.record, self._strategy)
        fields = memory.fields
        expires_at = fields.get("expires_at")
        return {
            "memory_id": memory_id,
            **{name: fields.get(name) for name in _SHOWN_AS_THEY_ARE},
            "content": fields.get("content") or "",
            "tags": list(memory.tags),
            "metadata": memory.metadata,
            "expires_at": datetime.fromisoformat(expires_at) if expires_at else None,
            "version": memory.version,
            "has_conflict": memory.has_conflict,
            "is_alive": kept.record.is_alive,
            "created_at": kept.created_at,
            "updated_at": kept.updated_at,
            "updated_by": kept.updated_by,
            "state": dump_record(kept.record),
        }


class _Kept:
    """A record with the times that are shown beside it."""

    def __init__(self, record: Record, created_at: datetime, updated_by: str = "") -> None:
        self.record = record
        self.created_at = self.updated_at = created_at
        self.updated_by = updated_by


class _Writers:
    """The places of the nodes, and how many updates of each were taken in."""

    def __init__(self, connection: sa.Connection) -> None:
        query = sa.select(MEMORY_WRITER).order_by(MEMORY_WRITER.c.place)
        self._rows = [dict(row) for row in connection.execute(query).mappings()]
        self._places = {row["node_id"]: row["place"] for row in self._rows}

    def place(self, node_id: str) -> int:
        if node_id not in self._places:
            self._places[node_id] = len(self._rows)
            self._rows.append({"place": len(self._rows), "node_id": node_id, "seq": 0})
        place: int = self._places[node_id]
        return place

    def count(self, node_id: str, seq: int) -> bool:
        """Count an update; False: it was taken in before."""
        row = self._rows[self.place(node_id)]
        is_new = bool(seq > row["seq"])
        row["seq"] = max(seq, row["seq"])
        return is_new

    def to_vector(self, seen: Mapping[str, int] | None) -> Vector:
        if seen is None:
            return DETACHED
        for node_id in seen:
            self.place(node_id)
        return tuple(seen.get(row["node_id"], 0) for row in self._rows)

    def rows(self) -> list[dict[str, Any]]:
        return self._rows


def _read(event: Event) -> Row:
    fact = read_fact(event.data, MemoryUpdated)
    update = Update(
        fact.memory_id,
        _KINDS[event.type],
        fact.depth,
        int(fact.clock),
        fact.changes,
        tuple(fact.tags_added),
        tuple(fact.tags_removed),
    )
    return Row(update, event.node_id, fact.seq, fact.seen, event.time)


def _load(connection: sa.Connection, memory_ids: set[str]) -> dict[str, _Kept]:
    query = sa.select(MEMORY).where(MEMORY.c.memory_id.in_(sorted(memory_ids)))
    known = {}
    for row in connection.execute(query).mappings():
        kept = _Kept(load_record(row["state"]), row["created_at"], row["updated_by"])
        kept.updated_at = row["updated_at"]
        known[row["memory_id"]] = kept
    return known


def _replace_tags(connection: sa.Connection, shown: Sequence[Mapping[str, Any]]) -> None:
    ids = [row["memory_id"] for row in shown]
    connection.execute(MEMORY_TAG.delete().where(MEMORY_TAG.c.memory_id.in_(ids)))
    tags = [
        {"tag": tag, "memory_id": row["memory_id"]}
        for row in shown
        if row["is_alive"]
        for tag in row["tags"]
    ]
    if tags:
        connection.execute(MEMORY_TAG.insert(), tags)
