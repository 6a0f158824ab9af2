"""The keeper: writes snapshots when it is time, and takes one in where a node is far behind."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime

from helix_lab.domain.memory.replica import Replica
from helix_lab.domain.model.errors import NodeIdInUse, NodeRemoved
from helix_lab.exchange.relay import Relay
from helix_lab.exchange.snapshots import Snapshot, Snapshots
from helix_lab.exchange.standing import Pace
from helix_lab.exchange.voice import CATCH_UP_S, STORE
from helix_lab.projections.runner import ProjectionRunner
from helix_lab.queries.memories import count_memories
from helix_lab.records.database import Records

_RANK_SHARE = 0.2
"""Of the interval, by which each node waits longer than the one before it in the alphabet."""


class Keeper:
    """Keeps snapshots in the shared log. Only `write` is safe in threads.

    Attributes:
        problem: why the last snapshot was not written.
    """

    def __init__(
        self,
        relay: Relay,
        snapshots: Snapshots,
        records: Records,
        projections: ProjectionRunner,
        *,
        node_id: str,
        instance: str,
        pace: Pace,
        read_replica: Callable[[], Replica],
    ) -> None:
        self._relay = relay
        self._snapshots = snapshots
        self._records = records
        self._projections = projections
        self._node_id = node_id
        self._instance = instance
        self._pace = pace
        self._read_replica = read_replica
        self._look_at = time.monotonic() + pace.snapshot_s
        self._writing = threading.Lock()

    def write_when_due(self) -> bool:
        """Write a snapshot if the last one is old and enough was written since."""
        if not self._pace.snapshot_s or time.monotonic() < self._look_at:
            return False
        self._look_at = time.monotonic() + self._pace.snapshot_s
        latest = self._snapshots.describe_latest()
        age_s = self._pace.snapshot_s * 2
        if latest is not None:
            age_s = (datetime.now(UTC) - latest.written_at).total_seconds()
        replica = self._read_replica()
        members = [node for node in replica.vector if replica.is_member(node)]
        rank = sum(node < self._node_id for node in members)
        wait_s = self._pace.snapshot_s * (1 + _RANK_SHARE * rank) - age_s
        if wait_s > 0:
            self._look_at = time.monotonic() + wait_s
            return False
        written = sum(replica.vector.values()) - (latest.updates if latest else 0)
        least = max(self._pace.snapshot_updates, count_memories(self._records))
        return written >= least and self.write()

    def write(self) -> bool:
        """Write a snapshot of all that is here; False if that is not possible just now."""
        with self._writing:
            offset = self._relay.taken_to
            if not self._projections.catch_up(STORE, timeout_s=CATCH_UP_S):
                return False
            return self._snapshots.take(self._records, offset=offset, send=self._relay.send)

    def skip(self) -> bool:
        """Take the latest snapshot in where that is shorter than reading on; whether it was.

        Raises:
            NodeIdInUse: another node joined under this name.
            NodeRemoved: this node was declared gone.
        """
        if self._relay.count_waiting_in() < self._pace.skip_from:
            return False
        snapshot = self._snapshots.find_latest(beyond=self._relay.taken_to)
        if snapshot is None or not self._is_worth_it(snapshot):
            return False
        self._check_me(snapshot)
        self._relay.adopt(snapshot.to_entries(), offset=snapshot.offset)
        return True

    def _is_worth_it(self, snapshot: Snapshot) -> bool:
        """Whether it has much more than is here, and lacks nothing but this node's own updates."""
        if not self._projections.catch_up(STORE, timeout_s=CATCH_UP_S):
            return False
        here, there = self._read_replica().vector, snapshot.vector
        others = [node for node in {*here, *there} if node != self._node_id]
        if any(here.get(node, 0) > there.get(node, 0) for node in others):
            return False
        gained = sum(there.get(node, 0) - here.get(node, 0) for node in others)
        return gained >= self._pace.skip_from

    def _check_me(self, snapshot: Snapshot) -> None:
        for node in snapshot.data["nodes"]:
            if node["node_id"] != self._node_id:
                continue
            if node["instance"] not in {None, self._instance}:
                raise NodeIdInUse(self._node_id)
            if node["acknowledged"] is None:
                raise NodeRemoved(self._node_id, removed_by=str(node["removed_by"]))
