"""The editor: turns what a user wants of a memory into an update upon what this node knows."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any

from helix_lab.domain.memory.record import Update
from helix_lab.domain.model.errors import Unavailable
from helix_lab.projections.runner import ProjectionRunner
from helix_lab.queries.memories import find_memory, read_replica
from helix_lab.record.memories import update_memory
from helix_lab.record.writer import Writer
from helix_lab.records.database import Records

STORE = "memory"
LIMIT_S = 10.0

Row = Mapping[str, Any]
Draft = Callable[[Row | None], Update]
"""From the memory as it is (None: there is none) to what to do; it may refuse by raising."""


class MemoryEditor:
    """Writes one update at a time, each upon all that is in the log. Safe in threads.

    An update says what its writer had seen. So before each one the store is brought level with
    the log, and the next one waits until this one is in the store.

    Args:
        check: raises if this node may not write now, for what others know of it.
    """

    def __init__(
        self,
        records: Records,
        projections: ProjectionRunner,
        writer: Writer,
        *,
        node_id: str,
        check: Callable[[], None],
    ) -> None:
        self._records = records
        self._projections = projections
        self._writer = writer
        self._node_id = node_id
        self._check = check
        self._lock = threading.Lock()

    def edit(self, memory_id: str, draft: Draft) -> Row:
        """Make one update; gives the memory afterwards.

        Raises:
            Unavailable: the store cannot be brought level with the log, or this node has not yet
                taken in again what it wrote before.
            NodeIdInUse: another node writes under the name of this one.
            NodeRemoved: the others have declared this node gone.
        """
        with self._lock:
            self._check()
            self._catch_up()
            row = find_memory(self._records, memory_id)
            self._record(draft(row))
            self._catch_up()
            after = find_memory(self._records, memory_id)
            if after is None:  # pragma: no cover - the update was recorded and applied
                raise self._explain()
            return after

    def _record(self, update: Update) -> None:
        replica = read_replica(self._records, self._node_id, update.memory_id)
        commit = replica.draft([update], clock=self._writer.tick())
        made = update_memory(
            commit.updates[0], node_id=self._node_id, seq=commit.seq, seen=commit.seen
        )
        self._writer.record([made])

    def _catch_up(self) -> None:
        if not self._projections.catch_up(STORE, timeout_s=LIMIT_S):
            raise self._explain()

    def _explain(self) -> Unavailable:
        message = "the memories are behind the log, and nothing is written blindly; try again"
        return Unavailable(message, service=STORE)
