"""A batch of memory events, taken in by the replica of this node, and what it changes in tables.

The rules are those of `domain.memory.replica`, which the simulator proves; here is only what
brings the replica out of the tables and back.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import msgspec
import sqlalchemy as sa

from helix_lab.domain.memory.record import Record, Update
from helix_lab.domain.memory.replica import Commit, Replica
from helix_lab.domain.memory.strategies import Strategy, show
from helix_lab.domain.model.clock import to_micros
from helix_lab.domain.model.event import Entry, from_micros
from helix_lab.projections.facts import NodeAcknowledged, NodeJoined, NodeRemoved
from helix_lab.projections.memory_conflicts import Conflicts
from helix_lab.records.database import Records, take_new
from helix_lab.records.memory_states import (
    dump_record,
    dump_update,
    load_record,
    load_replica,
    load_update,
)
from helix_lab.records.memory_words import replace_words
from helix_lab.records.tables import (
    DEAD_LETTER,
    MEMORY,
    MEMORY_EARLY,
    MEMORY_NODE,
    MEMORY_TAG,
)

_SHOWN_AS_THEY_ARE = ("user_id", "type", "category", "importance")
_NEW = {column.name: take_new for column in MEMORY.columns if column.name != "memory_id"}
_NEW_NODE = {column.name: take_new for column in MEMORY_NODE.columns if column.name != "node_id"}
_PARTITION_BITS = 12
_CHUNK = 1000


class Written(msgspec.Struct):
    """One update, with who made it and what that node had seen."""

    node_id: str
    seq: int
    seen: dict[str, int] | None
    update: Update


Fact = Written | NodeJoined | NodeAcknowledged | NodeRemoved


class Row(msgspec.Struct):
    """A fact with its entry."""

    entry: Entry
    fact: Fact

    @property
    def change(self) -> int:
        """A number that no other entry has, and that grows with the log."""
        return self.entry.offset << _PARTITION_BITS | self.entry.partition


@dataclass(frozen=True, slots=True)
class Shown:
    """How values that stand side by side are shown."""

    strategy: Strategy
    name: str


@dataclass(slots=True)
class _Kept:
    """A record with what is kept beside it. `former`: the change that its words stand under."""

    record: Record
    change: int
    created_at: datetime
    updated_at: datetime
    updated_by: str
    former: int | None = None


@dataclass(slots=True)
class Batch:
    """Takes rows in, in one transaction."""

    records: Records
    connection: sa.Connection
    node_id: str
    shown: Shown
    _kept: dict[str, _Kept] = field(default_factory=dict)
    _refused: list[dict[str, Any]] = field(default_factory=list)
    _replica: Replica = field(init=False)
    _nodes: dict[str, dict[str, Any]] = field(init=False)
    _waiting: dict[tuple[str, int], tuple[Written, int]] = field(init=False)
    _conflicts: Conflicts = field(init=False)

    def apply(self, rows: Sequence[Row]) -> None:
        """Take the rows in and write what they change."""
        self._replica = load_replica(self.connection, self.node_id)
        self._nodes = _load_nodes(self.connection)
        self._waiting = _load_waiting(self.connection)
        written = [row.fact for row in rows if isinstance(row.fact, Written)]
        written += [waiting for waiting, _ in self._waiting.values()]
        memory_ids = sorted({fact.update.memory_id for fact in written})
        self._conflicts = Conflicts(self.records, self.connection, self.shown, memory_ids)
        self._load(memory_ids)
        before = self._replica.cut
        for row in rows:
            self._take(row)
        self._write()
        if self._replica.cut != before:
            self._compact()

    def _take(self, row: Row) -> None:
        fact = row.fact
        if isinstance(fact, Written):
            self._take_update(row, fact)
        elif isinstance(fact, NodeJoined):
            self._join(row, fact)
        elif isinstance(fact, NodeAcknowledged):
            self._replica.take_acknowledgement(fact.node_id, fact.seen)
        else:
            self._remove(row, fact)

    def _join(self, row: Row, fact: NodeJoined) -> None:
        known = self._nodes.get(fact.node_id, {})
        if known.get("instance") not in {None, fact.instance}:
            self._refuse(row, f"another node named {fact.node_id!r} joined before")
            return
        self._replica.add_member(fact.node_id)
        self._nodes[fact.node_id] = {
            **known, "instance": fact.instance, "joined_at": row.entry.event.time
        }  # fmt: skip

    def _remove(self, row: Row, fact: NodeRemoved) -> None:
        if self._replica.is_member(fact.node_id):
            self._replica.remove_member(fact.node_id)
            known = self._nodes.get(fact.node_id, {})
            event = row.entry.event
            self._nodes[fact.node_id] = {
                **known, "removed_at": event.time, "removed_by": fact.removed_by
            }  # fmt: skip

    def _take_update(self, row: Row, fact: Written) -> None:
        if not self._replica.is_member(fact.node_id):
            self._refuse(row, f"node {fact.node_id!r} has not joined, or was removed before this")
            return
        self._waiting[fact.node_id, fact.seq] = (fact, row.change)
        commit = Commit(fact.node_id, fact.seq, fact.seen, [fact.update])
        changed = self._replica.take(commit)
        applied = [dot for dot in self._waiting if dot not in self._replica.early]
        for dot in sorted(applied):
            written, change = self._waiting.pop(dot)
            if written.update.memory_id in changed:
                self._note(written, change)

    def _note(self, written: Written, change: int) -> None:
        """Keep beside the record when it was made, and by whom it was changed last."""
        memory_id, clock = written.update.memory_id, written.update.clock
        record = self._replica.records[memory_id]
        time = _to_moment(clock)
        kept = self._kept.get(memory_id)
        if kept is None:
            kept = self._kept[memory_id] = _Kept(record, change, time, time, written.node_id)
        kept.record, kept.change = record, max(kept.change, change)
        is_alone = [head.clock for head in record.heads] == [clock]
        is_new = is_alone and record.heads[0].kind == written.update.kind == 0
        kept.created_at = time if is_new else min(kept.created_at, time)
        kept.updated_at, kept.updated_by = time, written.node_id
        if record.heads and record.heads[-1].node:
            kept.updated_at = _to_moment(record.heads[-1].clock)
            kept.updated_by = record.heads[-1].node
        self._conflicts.look_at(memory_id, record, written)

    def _refuse(self, row: Row, reason: str) -> None:
        entry = row.entry
        self._refused.append(
            {
                "projection": "memory",
                "topic": entry.topic,
                "partition": entry.partition,
                "offset": entry.offset,
                "event_id": entry.event.event_id,
                "event_type": entry.event.type,
                "reason": reason,
                "refused_at": datetime.now(UTC),
            }
        )

    # Between tables and replica --------------------------------------------------------------

    def _load(self, memory_ids: Sequence[str]) -> None:
        for first in range(0, len(memory_ids), _CHUNK):
            some = memory_ids[first : first + _CHUNK]
            query = sa.select(MEMORY).where(MEMORY.c.memory_id.in_(some))
            for row in self.connection.execute(query).mappings():
                self._keep(row)

    def _keep(self, row: sa.RowMapping) -> None:
        record = load_record(row["state"])
        self._replica.records[row["memory_id"]] = record
        self._kept[row["memory_id"]] = _Kept(
            record,
            row["change"],
            row["created_at"],
            row["updated_at"],
            row["updated_by"],
            former=row["change"],
        )

    def _write(self) -> None:
        changed = {key: kept for key, kept in self._kept.items() if kept.change != kept.former}
        self._write_memories(changed)
        self._conflicts.write()
        nodes = [self._to_node_row(node) for node in self._replica.vector]
        self.records.upsert(self.connection, MEMORY_NODE, nodes, merge=_NEW_NODE)
        self._write_waiting()
        if self._refused:
            self.records.upsert(self.connection, DEAD_LETTER, self._refused)

    def _write_memories(self, changed: dict[str, _Kept]) -> None:
        if not changed:
            return
        rows = [self._to_row(memory_id, kept) for memory_id, kept in changed.items()]
        self.records.upsert(self.connection, MEMORY, rows, merge=_NEW)
        _replace_tags(self.connection, rows)
        replace_words(
            self.connection,
            old=[kept.former for kept in changed.values() if kept.former is not None],
            new={row["change"]: row["content"] for row in rows if row["is_alive"]},
        )
        for kept in changed.values():
            kept.former = kept.change

    def _to_row(self, memory_id: str, kept: _Kept) -> dict[str, Any]:
        memory = show(memory_id, kept.record, self.shown.strategy)
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

    def _to_node_row(self, node_id: str) -> dict[str, Any]:
        known = self._nodes.get(node_id, {})
        acknowledged = self._replica.acknowledged.get(node_id)
        return {
            "node_id": node_id,
            "seq": self._replica.vector[node_id],
            "is_member": acknowledged is not None,
            "acknowledged": dict(acknowledged or {}),
            **{
                name: known.get(name)
                for name in ("instance", "joined_at", "removed_at", "removed_by")
            },
        }

    def _write_waiting(self) -> None:
        self.connection.execute(MEMORY_EARLY.delete())
        rows = [
            {
                "node_id": node_id,
                "seq": seq,
                "update": {
                    "seen": written.seen, "update": dump_update(written.update), "change": change
                },
            }
            for (node_id, seq), (written, change) in self._waiting.items()
            if (node_id, seq) in self._replica.early
        ]  # fmt: skip
        if rows:
            self.connection.execute(MEMORY_EARLY.insert(), rows)

    # What nobody needs any more --------------------------------------------------------------

    def _compact(self) -> None:
        """Compact what has dots, a part at a time; what is deleted everywhere is forgotten."""
        last = ""
        while True:
            self._kept.clear()
            self._replica.records = {}
            query = (
                sa.select(MEMORY)
                .where(~MEMORY.c.is_settled, MEMORY.c.memory_id > last)
                .order_by(MEMORY.c.memory_id)
                .limit(_CHUNK)
            )
            rows = self.connection.execute(query).mappings().all()
            if not rows:
                return
            last = rows[-1]["memory_id"]
            for row in rows:
                self._keep(row)
            before = {key: dump_record(kept.record) for key, kept in self._kept.items()}
            self._replica.compact()
            self._write_compacted(before)

    def _write_compacted(self, before: dict[str, dict[str, Any]]) -> None:
        forgotten = [key for key in self._kept if key not in self._replica.records]
        if forgotten:
            for table in (MEMORY, MEMORY_TAG):
                self.connection.execute(table.delete().where(table.c.memory_id.in_(forgotten)))
            changes = [self._kept[key].change for key in forgotten]
            replace_words(self.connection, old=changes, new={})
        rows = [
            {"key": key, "state": state, "is_settled": record.is_settled}
            for key, record in self._replica.records.items()
            if (state := dump_record(record)) != before[key]
        ]
        if rows:
            statement = MEMORY.update().where(MEMORY.c.memory_id == sa.bindparam("key"))
            self.connection.execute(
                statement.values(
                    state=sa.bindparam("state"), is_settled=sa.bindparam("is_settled")
                ),
                rows,
            )


def _to_moment(clock: int) -> datetime:
    return from_micros(to_micros(clock))


def _load_nodes(connection: sa.Connection) -> dict[str, dict[str, Any]]:
    rows = connection.execute(sa.select(MEMORY_NODE)).mappings()
    return {row["node_id"]: dict(row) for row in rows}


def _load_waiting(connection: sa.Connection) -> dict[tuple[str, int], tuple[Written, int]]:
    waiting = {}
    for row in connection.execute(sa.select(MEMORY_EARLY)).mappings():
        kept = row["update"]
        written = Written(row["node_id"], row["seq"], kept["seen"], load_update(kept["update"]))
        waiting[row["node_id"], row["seq"]] = (written, kept["change"])
    return waiting


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
