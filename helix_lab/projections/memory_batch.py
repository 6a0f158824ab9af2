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

from helix_lab.domain.memory.record import Update
from helix_lab.domain.memory.replica import Commit, Replica
from helix_lab.domain.model.event import Entry
from helix_lab.projections.facts import (
    NodeAcknowledged,
    NodeJoined,
    NodeRemoved,
    SnapshotCompleted,
)
from helix_lab.projections.memory_conflicts import Conflicts
from helix_lab.projections.memory_store import MemoryStore
from helix_lab.projections.memory_strategies import Shown
from helix_lab.records.database import Records, take_new
from helix_lab.records.memory_states import (
    dump_update,
    load_replica,
    load_update,
)
from helix_lab.records.tables import (
    DEAD_LETTER,
    MEMORY_EARLY,
    MEMORY_NODE,
)

_NEW_NODE = {column.name: take_new for column in MEMORY_NODE.columns if column.name != "node_id"}
_PARTITION_BITS = 12


class Written(msgspec.Struct):
    """One update, with who made it and what that node had seen."""

    node_id: str
    seq: int
    seen: dict[str, int] | None
    update: Update


Fact = Written | NodeJoined | NodeAcknowledged | NodeRemoved | SnapshotCompleted


class Row(msgspec.Struct):
    """A fact with its entry."""

    entry: Entry
    fact: Fact

    @property
    def change(self) -> int:
        """A number that no other entry has, and that grows with the log."""
        return self.entry.offset << _PARTITION_BITS | self.entry.partition


@dataclass(slots=True)
class Batch:
    """Takes rows in, in one transaction."""

    records: Records
    connection: sa.Connection
    node_id: str
    shown: Shown
    _refused: list[dict[str, Any]] = field(default_factory=list)
    _replica: Replica = field(init=False)
    _nodes: dict[str, dict[str, Any]] = field(init=False)
    _waiting: dict[tuple[str, int], tuple[Written, int]] = field(init=False)
    _conflicts: Conflicts = field(init=False)
    _store: MemoryStore = field(init=False)

    def apply(self, rows: Sequence[Row]) -> None:
        """Take the rows in and write what they change."""
        self._replica = load_replica(self.connection, self.node_id)
        self._nodes = _load_nodes(self.connection)
        self._waiting = _load_waiting(self.connection)
        written = [row.fact for row in rows if isinstance(row.fact, Written)]
        written += [waiting for waiting, _ in self._waiting.values()]
        memory_ids = sorted({fact.update.memory_id for fact in written})
        self._conflicts = Conflicts(self.records, self.connection, self.shown, memory_ids)
        self._store = MemoryStore(self.records, self.connection, self._replica, self.shown)
        self._store.load(memory_ids)
        before = self._replica.cut
        for row in rows:
            self._take(row)
        self._write()
        if self._replica.cut != before:
            self._store.compact()

    def _take(self, row: Row) -> None:
        fact = row.fact
        if isinstance(fact, Written):
            self._take_update(row, fact)
        elif isinstance(fact, NodeJoined):
            self._join(row, fact)
        elif isinstance(fact, NodeAcknowledged):
            self._replica.take_acknowledgement(fact.node_id, fact.seen)
        elif isinstance(fact, NodeRemoved):
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
                record = self._store.note(written.update, change, written.node_id)
                self._conflicts.look_at(written.update.memory_id, record, written)

    def refuse(self, row: Row, reason: str) -> None:
        """Keep a row that is not taken in, with the reason, at once."""
        self._refuse(row, reason)
        self.records.upsert(self.connection, DEAD_LETTER, self._refused)

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

    def _write(self) -> None:
        self._store.write()
        self._conflicts.write()
        nodes = [self._to_node_row(node) for node in self._replica.vector]
        self.records.upsert(self.connection, MEMORY_NODE, nodes, merge=_NEW_NODE)
        self._write_waiting()
        if self._refused:
            self.records.upsert(self.connection, DEAD_LETTER, self._refused)

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
