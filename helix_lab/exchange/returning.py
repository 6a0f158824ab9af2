"""Coming back under a new name: what a node wrote and never sent is written again.

A node that was declared gone is heard no more, and its folder holds updates that no other node
will ever take. So a folder that is opened under another name takes the state of the shared log in
place of its own, and writes those updates again, beside whatever the others did meanwhile.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from helix_lab.domain.memory.record import Kind, Update
from helix_lab.domain.memory.replica import write_again
from helix_lab.domain.memory.snapshots import count_updates
from helix_lab.domain.model.errors import Unavailable
from helix_lab.domain.model.event import (
    MEMORY_CREATED,
    MEMORY_DELETED,
    MEMORY_ERASED,
    MEMORY_EVENTS,
    MEMORY_UPDATED,
    SNAPSHOT_COMPLETED,
    Entry,
    Event,
)
from helix_lab.exchange.relay import Relay
from helix_lab.exchange.snapshots import make_drafts
from helix_lab.exchange.voice import CATCH_UP_S, STORE
from helix_lab.ports.event_log import EventLog
from helix_lab.projections.memory import MemoryProjection
from helix_lab.projections.memory_batch import Row
from helix_lab.projections.memory_strategies import read_shown
from helix_lab.projections.runner import ProjectionRunner
from helix_lab.queries.memories import read_replica
from helix_lab.queries.memory_snapshots import read_state
from helix_lab.record.memories import update_memory
from helix_lab.record.snapshots import SNAPSHOTS_KEY
from helix_lab.record.writer import Writer
from helix_lab.records.database import Records

_PAGE = 2000
_KINDS = {
    MEMORY_CREATED.name: Kind.CREATE,
    MEMORY_UPDATED.name: Kind.EDIT,
    MEMORY_DELETED.name: Kind.DELETE,
    MEMORY_ERASED.name: Kind.ERASE,
}


class Return:
    """Brings a folder back that wrote under other names before.

    Args:
        former: those names; none: there is nothing to do.
    """

    def __init__(
        self,
        local: EventLog,
        records: Records,
        writer: Writer,
        projections: ProjectionRunner,
        *,
        node_id: str,
        former: Sequence[str],
    ) -> None:
        self._local = local
        self._records = records
        self._writer = writer
        self._projections = projections
        self._node_id = node_id
        self._former = former

    def is_pending(self) -> bool:
        """Whether it is still to be done. Until then this node writes nothing."""
        if not self._former:
            return False
        if read_replica(self._records, self._node_id).vector.get(self._node_id, 0):
            return False
        base = self._find_base()
        return base is None or bool(self._list_unsent(base))

    def carry_out(self, shared: EventLog, relay: Relay) -> None:
        """Take the state of the shared log, and write again what was not sent.

        Cut off anywhere, it is begun again: what was not sent is written at once, or not at all.
        """
        base = self._find_base() or self._adopt(shared, relay)
        if not self._projections.catch_up(STORE, timeout_s=CATCH_UP_S):
            message = "the store of memories is behind its log"
            raise Unavailable(message, service="memory log")
        self._write_again(self._list_unsent(base))

    def _adopt(self, shared: EventLog, relay: Relay) -> dict[str, int]:
        with tempfile.TemporaryDirectory(prefix="helix-return-") as folder:
            records = Records.embedded(Path(folder) / "memories.sqlite")
            try:
                end = self._read_all(shared, records)
                with read_state(records) as state:
                    base = {node["node_id"]: node["seq"] for node in state.nodes}
                    drafts = make_drafts(state, node_id=self._node_id, offset=end)
                    relay.adopt(
                        (_to_entry(event) for d in drafts for _, event in self._writer.stamp([d])),
                        offset=end,
                    )
            finally:
                records.close()
        return base

    def _read_all(self, shared: EventLog, records: Records) -> int:
        """The shared log from its beginning into a store of its own; gives where it ended."""
        projection = MemoryProjection(
            records, read_shown("last_write_wins"), node_id=self._node_id, log=shared
        )
        place = (MEMORY_EVENTS, 0)
        end = shared.end_offsets([MEMORY_EVENTS]).get(place, 0)
        at = 0
        while at < end:
            entries = shared.read(*place, start_offset=at, limit=_PAGE)
            at = entries[-1].offset + 1 if entries else end
            projection.write(list(_project(projection, entries)), {place: at})
        return at

    def _find_base(self) -> dict[str, int] | None:
        """How many updates of each node were in the shared log when its state was taken."""
        entries = self._local.read_key(MEMORY_EVENTS, SNAPSHOTS_KEY)
        own = [e for e in entries if e.event.node_id == self._node_id]
        completed = [e for e in own if e.event.type == SNAPSHOT_COMPLETED.name]
        return count_updates(completed[-1].event.data) if completed else None

    def _list_unsent(self, base: dict[str, int]) -> list[Update]:
        found: list[Update] = []
        for (topic, partition), end in self._local.end_offsets([MEMORY_EVENTS]).items():
            at = 0
            while at < end:
                page = self._local.read(topic, partition, start_offset=at, limit=_PAGE)
                at = page[-1].offset + 1 if page else end
                found += [
                    _read_update(entry.event)
                    for entry in page
                    if entry.event.node_id in self._former
                    and entry.event.type in _KINDS
                    and entry.event.data["seq"] > base.get(entry.event.node_id, 0)
                ]
        return found

    def _write_again(self, unsent: Sequence[Update]) -> None:
        if not unsent:
            return
        replica = read_replica(self._records, self._node_id)
        for memory_id in sorted({update.memory_id for update in unsent}):
            known = read_replica(self._records, self._node_id, memory_id)
            replica.records |= known.records
        commits = write_again(replica, unsent, clock=self._writer.tick())
        self._writer.record(
            [
                update_memory(update, node_id=self._node_id, seq=commit.seq, seen=commit.seen)
                for commit in commits
                for update in commit.updates
            ]
        )


def _project(projection: MemoryProjection, entries: Sequence[Entry]) -> Iterator[Row]:
    for entry in entries:
        try:
            row = projection.project(entry)
        except Exception:  # noqa: S112 - refused here as in every other store
            continue
        if row is not None:
            yield row


def _to_entry(event: Event) -> Entry:
    return Entry(MEMORY_EVENTS, 0, 0, event)


def _read_update(event: Event) -> Update:
    data = event.data
    return Update(
        data["memory_id"],
        _KINDS[event.type],
        data["depth"],
        int(data["clock"]),
        data.get("changes", {}),
        tuple(data.get("tags_added", ())),
        tuple(data.get("tags_removed", ())),
    )
