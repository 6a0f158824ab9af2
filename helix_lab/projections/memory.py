"""Memories as records: what each is now, by the strategy of this lab, with all that is kept."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec

from helix_lab.domain.collecting import collecting_seldom
from helix_lab.domain.memory.record import Kind, Update
from helix_lab.domain.model.event import (
    MEMORY_CREATED,
    MEMORY_DELETED,
    MEMORY_ERASED,
    MEMORY_EVENTS,
    MEMORY_UPDATED,
    NODE_ACKNOWLEDGED,
    NODE_JOINED,
    NODE_REMOVED,
    SNAPSHOT_COMPLETED,
    SNAPSHOT_WRITTEN,
    Entry,
    Event,
    make_event_id,
)
from helix_lab.ports.event_log import EventLog
from helix_lab.projections.facts import (
    MemoryUpdated,
    NodeAcknowledged,
    NodeJoined,
    NodeRemoved,
    SnapshotCompleted,
    read_fact,
)
from helix_lab.projections.memory_adoption import Adoption
from helix_lab.projections.memory_batch import Batch, Fact, Row, Written
from helix_lab.projections.memory_strategies import Shown
from helix_lab.projections.projection import Checkpoint, Projection, Refused, check_is_known
from helix_lab.records.database import Records
from helix_lab.records.memory_words import clear_words
from helix_lab.records.tables import MEMORY_TABLES

if TYPE_CHECKING:
    import sqlalchemy as sa

_KINDS = {
    MEMORY_CREATED.name: Kind.CREATE,
    MEMORY_UPDATED.name: Kind.EDIT,
    MEMORY_DELETED.name: Kind.DELETE,
    MEMORY_ERASED.name: Kind.ERASE,
}
_NodeFact = NodeJoined | NodeAcknowledged | NodeRemoved | SnapshotCompleted
_NODE_FACTS: dict[str, type[_NodeFact]] = {
    NODE_JOINED.name: NodeJoined,
    NODE_ACKNOWLEDGED.name: NodeAcknowledged,
    NODE_REMOVED.name: NodeRemoved,
    SNAPSHOT_COMPLETED.name: SnapshotCompleted,
}
_MAX_CLOCK = 2**63 - 1


class MemoryProjection(Projection[Row]):
    """Fills the tables of memories, as the replica of this node would.

    Args:
        records: the store.
        shown: how values that were written side by side are shown in lists and searches.
        node_id: this node.
        log: of this node; the parts of a snapshot are read from it again.
    """

    name = "memory"
    topics = (MEMORY_EVENTS,)
    gather_s = 0.005

    def __init__(self, records: Records, shown: Shown, *, node_id: str, log: EventLog) -> None:
        self._log = log
        self._records = records
        self._shown = shown
        self._node_id = node_id

    def project(self, entry: Entry) -> Row | None:
        """See `Projection.project`."""
        check_is_known(entry)
        if entry.event.type == SNAPSHOT_WRITTEN.name:
            return None  # the completion, which comes after all parts, takes them in
        return Row(entry, _read(entry.event))

    def write(self, rows: Sequence[Row], checkpoint: Checkpoint) -> None:
        """See `Projection.write`; one transaction."""
        with collecting_seldom(), self._records.write() as connection:
            for some in _split(rows):
                self._apply(connection, some)
            self._records.move_checkpoint(connection, self.name, checkpoint)

    def _apply(self, connection: sa.Connection, rows: Sequence[Row]) -> None:
        fact = rows[0].fact
        if not isinstance(fact, SnapshotCompleted):
            Batch(self._records, connection, self._node_id, self._shown).apply(rows)
            return
        adoption = Adoption(
            self._records,
            connection,
            self._log,
            node_id=self._node_id,
            shown=self._shown,
            read_update=_find_update,
        )
        try:
            adoption.apply(rows[0], fact)
        except Refused as error:
            Batch(self._records, connection, self._node_id, self._shown).refuse(rows[0], str(error))

    def read_checkpoint(self) -> dict[tuple[str, int], int]:
        """See `Projection.read_checkpoint`."""
        return self._records.read_checkpoint(self.name)

    def clear(self) -> None:
        """See `Projection.clear`."""
        with self._records.write() as connection:
            for table in MEMORY_TABLES:
                connection.execute(table.delete())
            clear_words(connection)
            self._records.forget_checkpoint(connection, self.name)


def _split(rows: Sequence[Row]) -> list[list[Row]]:
    """Rows in their order, each snapshot alone."""
    parts: list[list[Row]] = []
    for row in rows:
        is_alone = isinstance(row.fact, SnapshotCompleted)
        if is_alone or not parts or isinstance(parts[-1][0].fact, SnapshotCompleted):
            parts.append([])
        parts[-1].append(row)
    return parts


def _find_update(entry: Entry) -> Written | None:
    return _read_update(entry.event) if entry.event.type in _KINDS else None


def _read(event: Event) -> Fact:
    """The fact, once it is clear that its node can have told it.

    Raises:
        Refused: it bears another name than that of its node, or an impossible clock.
        msgspec.ValidationError: its data do not fit.
    """
    kind = _NODE_FACTS.get(event.type)
    if kind is not None:
        return _check_node(event, read_fact(event.data, kind))
    return _read_update(event)


def _check_node(event: Event, fact: _NodeFact) -> _NodeFact:
    speaks_for = fact.removed_by if isinstance(fact, NodeRemoved) else fact.node_id
    if speaks_for != event.node_id:
        message = f"node {event.node_id!r} speaks for {speaks_for!r}; only that node itself may"
        raise Refused(message)
    return fact


def _read_update(event: Event) -> Written:
    fact = read_fact(event.data, MemoryUpdated)
    if event.event_id != make_event_id("memory.update", event.node_id, str(fact.seq)):
        message = f"node {event.node_id!r} cannot have made update {fact.seq} of this id"
        raise Refused(message)
    clock = int(fact.clock)
    if not 0 <= clock <= _MAX_CLOCK:
        message = f"the clock {fact.clock} is not in 0 … 2^63 - 1"
        raise msgspec.ValidationError(message)
    update = Update(
        fact.memory_id,
        _KINDS[event.type],
        fact.depth,
        clock,
        fact.changes,
        tuple(fact.tags_added),
        tuple(fact.tags_removed),
    )
    return Written(event.node_id, fact.seq, fact.seen, update)
