"""Memories between their tables and the replica: loaded, noted, written, compacted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from helix_lab.domain.memory.record import Kind, Record, Update
from helix_lab.domain.memory.replica import Replica
from helix_lab.domain.model.clock import to_micros
from helix_lab.domain.model.event import from_micros
from helix_lab.projections.memory_strategies import Shown
from helix_lab.records.database import Records, take_new
from helix_lab.records.memory_states import dump_record, load_record
from helix_lab.records.memory_words import replace_words
from helix_lab.records.tables import MEMORY, MEMORY_TAG

_SHOWN_AS_THEY_ARE = ("user_id", "type", "category", "importance")
_NEW = {column.name: take_new for column in MEMORY.columns if column.name != "memory_id"}
_CHUNK = 1000


@dataclass(slots=True)
class Kept:
    """A record with what is kept beside it. `former`: the change that its words stand under."""

    record: Record
    change: int
    created_at: datetime
    updated_at: datetime
    updated_by: str
    former: int | None = None


class MemoryStore:
    """The memories that one batch touches, in one transaction.

    Args:
        replica: takes the records in, and changes them.
    """

    def __init__(
        self, records: Records, connection: sa.Connection, replica: Replica, shown: Shown
    ) -> None:
        self.kept: dict[str, Kept] = {}
        self._records = records
        self._connection = connection
        self._replica = replica
        self._shown = shown
        self._changed: set[str] = set()

    def put(self, memory_id: str, kept: Kept) -> None:
        """Keep a record that comes from elsewhere."""
        self.kept[memory_id] = kept
        self._changed.add(memory_id)

    def note(self, update: Update, change: int, node_id: str) -> Record:
        """Keep beside a record when it was made, and by whom it was changed last."""
        record = self._replica.records[update.memory_id]
        self._changed.add(update.memory_id)
        time = to_moment(update.clock)
        kept = self.kept.get(update.memory_id)
        if kept is None:
            kept = self.kept[update.memory_id] = Kept(record, change, time, time, node_id)
        kept.record, kept.change = record, max(kept.change, change)
        is_alone = [head.clock for head in record.heads] == [update.clock]
        is_made = is_alone and update.kind is Kind.CREATE
        kept.created_at = time if is_made else min(kept.created_at, time)
        kept.updated_at, kept.updated_by = time, node_id
        if record.heads and record.heads[-1].node:
            kept.updated_at = to_moment(record.heads[-1].clock)
            kept.updated_by = record.heads[-1].node
        return record

    def load(self, memory_ids: Sequence[str]) -> None:
        """Bring memories out of the tables, into the replica."""
        for first in range(0, len(memory_ids), _CHUNK):
            some = memory_ids[first : first + _CHUNK]
            query = sa.select(MEMORY).where(MEMORY.c.memory_id.in_(some))
            for row in self._connection.execute(query).mappings():
                self._keep(row)

    def _keep(self, row: sa.RowMapping) -> None:
        record = load_record(row["state"])
        self._replica.records[row["memory_id"]] = record
        self.kept[row["memory_id"]] = Kept(
            record,
            row["change"],
            row["created_at"],
            row["updated_at"],
            row["updated_by"],
            former=row["change"],
        )

    def write(self) -> None:
        """Write what has changed."""
        changed = {key: self.kept[key] for key in sorted(self._changed)}
        self._changed.clear()
        if not changed:
            return
        rows = [self._to_row(memory_id, kept) for memory_id, kept in changed.items()]
        self._records.upsert(self._connection, MEMORY, rows, merge=_NEW)
        _replace_tags(self._connection, rows)
        replace_words(
            self._connection,
            old=[kept.former for kept in changed.values() if kept.former is not None],
            new={row["change"]: row["content"] for row in rows if row["is_alive"]},
        )
        for kept in changed.values():
            kept.former = kept.change

    def _to_row(self, memory_id: str, kept: Kept) -> dict[str, Any]:
        memory = self._shown.show(memory_id, kept.record)
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
            "change": kept.change,
            "is_settled": kept.record.is_settled,
            "state": dump_record(kept.record),
        }

    def compact(self) -> None:
        """Compact what has dots, a part at a time; what is deleted everywhere is forgotten."""
        last = ""
        while True:
            self.kept.clear()
            self._replica.records = {}
            query = (
                sa.select(MEMORY)
                .where(~MEMORY.c.is_settled, MEMORY.c.memory_id > last)
                .order_by(MEMORY.c.memory_id)
                .limit(_CHUNK)
            )
            rows = self._connection.execute(query).mappings().all()
            if not rows:
                return
            last = rows[-1]["memory_id"]
            for row in rows:
                self._keep(row)
            before = {key: dump_record(kept.record) for key, kept in self.kept.items()}
            self._replica.compact()
            self._write_compacted(before)

    def _write_compacted(self, before: dict[str, dict[str, Any]]) -> None:
        forgotten = [key for key in self.kept if key not in self._replica.records]
        if forgotten:
            for table in (MEMORY, MEMORY_TAG):
                self._connection.execute(table.delete().where(table.c.memory_id.in_(forgotten)))
            changes = [self.kept[key].change for key in forgotten]
            replace_words(self._connection, old=changes, new={})
        rows = [
            {"key": key, "state": state, "is_settled": record.is_settled}
            for key, record in self._replica.records.items()
            if (state := dump_record(record)) != before[key]
        ]
        if rows:
            statement = MEMORY.update().where(MEMORY.c.memory_id == sa.bindparam("key"))
            self._connection.execute(
                statement.values(
                    state=sa.bindparam("state"), is_settled=sa.bindparam("is_settled")
                ),
                rows,
            )


def to_moment(clock: int) -> datetime:
    """When a hybrid time was."""
    return from_micros(to_micros(clock))


def _replace_tags(connection: sa.Connection, shown: Sequence[dict[str, Any]]) -> None:
    ids = [row["memory_id"] for row in shown]
    for first in range(0, len(ids), _CHUNK):
        some = ids[first : first + _CHUNK]
        connection.execute(MEMORY_TAG.delete().where(MEMORY_TAG.c.memory_id.in_(some)))
    tags = [
        {"tag": tag, "memory_id": row["memory_id"]}
        for row in shown
        if row["is_alive"]
        for tag in row["tags"]
    ]
    if tags:
        connection.execute(MEMORY_TAG.insert(), tags)
