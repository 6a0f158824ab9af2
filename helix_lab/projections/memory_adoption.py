"""Taking in a snapshot: the tables become those of another node, and own updates go on top.

A snapshot stands for a place in the shared log, so it holds all that this node had taken in; what
it may lack are updates of this node alone. They are applied again, in their order, as they would
be where they come in after it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
import sqlalchemy as sa

from helix_lab.domain.memory.record import Kind, Record, Update
from helix_lab.domain.memory.replica import Replica
from helix_lab.domain.memory.snapshots import pick_parts
from helix_lab.domain.model.clock import make_hybrid_time
from helix_lab.domain.model.event import MEMORY_EVENTS, Entry, to_micros
from helix_lab.ports.event_log import EventLog
from helix_lab.projections.facts import SnapshotCompleted, SnapshotMemory, SnapshotNode
from helix_lab.projections.memory_batch import Batch, Row, Written
from helix_lab.projections.memory_conflicts import Conflicts
from helix_lab.projections.memory_store import Kept, MemoryStore
from helix_lab.projections.memory_strategies import Shown
from helix_lab.projections.projection import Refused
from helix_lab.records.database import Records, take_new
from helix_lab.records.memory_states import load_record, load_replica
from helix_lab.records.memory_words import clear_words
from helix_lab.records.tables import (
    MEMORY,
    MEMORY_CONFLICT,
    MEMORY_EARLY,
    MEMORY_NODE,
    MEMORY_TAG,
)

_CHANGE_BITS = 12
_NEW_NODE = {column.name: take_new for column in MEMORY_NODE.columns if column.name != "node_id"}
_OPEN = "open"

ReadUpdates = Callable[[Entry], Written | None]
"""The update that an entry tells of, if it tells of one."""


class Adoption:
    """Takes a snapshot in, within one transaction.

    Args:
        log: of this node: it holds the parts, before the completion.
        read_update: see `ReadUpdates`.
    """

    def __init__(
        self,
        records: Records,
        connection: sa.Connection,
        log: EventLog,
        *,
        node_id: str,
        shown: Shown,
        read_update: ReadUpdates,
    ) -> None:
        self._records = records
        self._connection = connection
        self._log = log
        self._node_id = node_id
        self._shown = shown
        self._read_update = read_update

    def apply(self, row: Row, fact: SnapshotCompleted) -> None:
        """Replace the tables.

        Raises:
            Refused: the snapshot lacks a part, or one is not what it should be.
        """
        memories = list(self._read_memories(row.entry, fact))
        before = load_replica(self._connection, self._node_id)
        nodes = {node.node_id: node for node in fact.nodes}
        missing = [
            name
            for name, count in before.vector.items()
            if name != self._node_id and count > (nodes[name].seq if name in nodes else 0)
        ]
        if missing and fact.node_id != self._node_id:
            message = f"the snapshot lacks updates of {', '.join(missing)} that are here"
            raise Refused(message)
        own_seq = nodes[self._node_id].seq if self._node_id in nodes else 0
        own = self._read_own(row.entry, own_seq, before.vector.get(self._node_id, 0))
        self._replace_nodes(nodes, own_seq)
        self._replace_memories(memories)
        if own:
            Batch(self._records, self._connection, self._node_id, self._shown).apply(own)
        self._look_at_conflicts(row.entry.event.time)

    def _read_memories(
        self, entry: Entry, fact: SnapshotCompleted
    ) -> Iterator[tuple[SnapshotMemory, Record, int]]:
        """The memories, each with a number that no other change has."""
        entries = self._log.read_key(MEMORY_EVENTS, fact.snapshot_id)
        parts = pick_parts(entries, parts=fact.parts, digest=fact.digest)
        if parts is None:
            message = f"the snapshot {fact.snapshot_id} of {entry.event.node_id!r} is not whole"
            raise Refused(message)
        for part in parts:
            memories = msgspec.convert(part.event.data["memories"], list[SnapshotMemory])
            for number, memory in enumerate(memories):
                try:
                    record = load_record(memory.state)
                except (KeyError, TypeError, ValueError, AttributeError) as error:
                    message = f"memory {memory.memory_id!r} of the snapshot cannot be read: {error}"
                    raise Refused(message) from error
                yield memory, record, part.offset << _CHANGE_BITS | number

    def _read_own(self, entry: Entry, after_seq: int, last_seq: int) -> list[Row]:
        """Updates of this node that are beyond the snapshot, from the end of the log back."""
        found: list[Row] = []
        end, wanted = entry.offset, last_seq - after_seq
        while end > 0 and len(found) < wanted:
            start = max(0, end - 1000)
            page = self._log.read(entry.topic, entry.partition, start_offset=start, limit=1000)
            own = [
                Row(other, written)
                for other in page
                if other.offset < end and other.event.node_id == self._node_id
                if (written := self._read_update(other)) and written.seq > after_seq
            ]
            found = own + found
            end = start
        return found

    def _replace_nodes(self, nodes: Mapping[str, SnapshotNode], own_seq: int) -> None:
        """The nodes as the snapshot knows them; what this one promised stays promised."""
        self._connection.execute(MEMORY_EARLY.delete())
        query = sa.select(MEMORY_NODE).where(MEMORY_NODE.c.node_id == self._node_id)
        known = self._connection.execute(query).mappings().one_or_none()
        self._connection.execute(MEMORY_NODE.delete())
        rows = [_to_node_row(node) for node in nodes.values() if node.node_id != self._node_id]
        theirs = nodes.get(self._node_id)
        if known is not None:
            promise = dict(known["acknowledged"])
            for name, count in ((theirs and theirs.acknowledged) or {}).items():
                promise[name] = max(count, promise.get(name, 0))
            is_member = theirs is None or theirs.acknowledged is not None
            rows.append({**known, "seq": own_seq, "acknowledged": promise, "is_member": is_member})
        elif theirs is not None:
            rows.append(_to_node_row(theirs))
        self._records.upsert(self._connection, MEMORY_NODE, rows, merge=_NEW_NODE)

    def _replace_memories(self, memories: Sequence[tuple[SnapshotMemory, Record, int]]) -> None:
        for table in (MEMORY, MEMORY_TAG):
            self._connection.execute(table.delete())
        clear_words(self._connection)
        store = MemoryStore(self._records, self._connection, Replica(self._node_id), self._shown)
        for memory, record, change in memories:
            kept = Kept(
                record,
                change,
                datetime.fromisoformat(memory.created_at),
                datetime.fromisoformat(memory.updated_at),
                memory.updated_by,
            )
            store.put(memory.memory_id, kept)
        store.write()

    def _look_at_conflicts(self, now: datetime) -> None:
        """Keep those that the snapshot brought, and end those that it ended."""
        query = sa.select(MEMORY.c.memory_id).where(MEMORY.c.has_conflict)
        concerned = set(self._connection.execute(query).scalars())
        query = sa.select(MEMORY_CONFLICT.c.memory_id).where(MEMORY_CONFLICT.c.state == _OPEN)
        concerned |= set(self._connection.execute(query).scalars())
        replica = Replica(self._node_id)
        store = MemoryStore(self._records, self._connection, replica, self._shown)
        store.load(sorted(concerned))
        conflicts = Conflicts(self._records, self._connection, self._shown, sorted(concerned))
        for memory_id in sorted(concerned):
            record = replica.records.get(memory_id) or Record()
            kept = store.kept.get(memory_id)
            node_id = kept.updated_by if kept else self._node_id
            moment = kept.updated_at if kept else now
            clock = record.floor or make_hybrid_time(to_micros(moment) // 1000)
            update = Update(memory_id, Kind.EDIT, record.version, clock, {})
            conflicts.look_at(memory_id, record, Written(node_id, 0, None, update))
        conflicts.write()


def _to_node_row(node: SnapshotNode) -> dict[str, Any]:
    return {
        "node_id": node.node_id,
        "seq": node.seq,
        "is_member": node.acknowledged is not None,
        "acknowledged": node.acknowledged or {},
        "instance": node.instance,
        "joined_at": node.joined_at and datetime.fromisoformat(node.joined_at),
        "removed_at": node.removed_at and datetime.fromisoformat(node.removed_at),
        "removed_by": node.removed_by,
    }
