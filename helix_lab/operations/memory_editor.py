"""The editor: turns what a user wants of a memory into an update upon what this node knows."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from helix_lab.domain.memory.record import Record, Update
from helix_lab.domain.model.clock import make_hybrid_time
from helix_lab.domain.model.errors import Unavailable
from helix_lab.projections.runner import ProjectionRunner
from helix_lab.queries.memories import find_memory, read_writers
from helix_lab.record.memories import update_memory
from helix_lab.record.writer import Writer
from helix_lab.records.database import Records
from helix_lab.records.memory_states import load_record

STORE = "memory"
LIMIT_S = 10.0

Row = Mapping[str, Any]
Draft = Callable[[Row | None], Update]
"""From the memory as it is (None: there is none) to what to do; it may refuse by raising."""


class MemoryEditor:
    """Writes one update at a time, each upon all that is in the log. Safe in threads.

    An update says what its writer had seen. So before each one the store is brought level with
    the log, and the next one waits until this one is in the store.
    """

    def __init__(
        self, records: Records, projections: ProjectionRunner, writer: Writer, *, node_id: str
    ) -> None:
        self._records = records
        self._projections = projections
        self._writer = writer
        self._node_id = node_id
        self._lock = threading.Lock()

    def edit(self, memory_id: str, draft: Draft) -> Row:
        """Make one update; gives the memory afterwards.

        Raises:
            Unavailable: the store cannot be brought level with the log.
        """
        with self._lock:
            self._catch_up()
            row = find_memory(self._records, memory_id)
            self._record(draft(row), load_record(row["state"]) if row else Record())
            self._catch_up()
            after = find_memory(self._records, memory_id)
            if after is None:  # pragma: no cover - the update was recorded and applied
                raise self._explain()
            return after

    def _record(self, update: Update, record: Record) -> None:
        seen = read_writers(self._records)
        clock = max(make_hybrid_time(time.time_ns() // 1_000_000), record.floor + 1)
        stamped = update._replace(depth=record.version + 1, clock=clock)
        seq = seen.get(self._node_id, 0) + 1
        self._writer.record([update_memory(stamped, node_id=self._node_id, seq=seq, seen=seen)])

    def _catch_up(self) -> None:
        if not self._projections.catch_up(STORE, timeout_s=LIMIT_S):
            raise self._explain()

    def _explain(self) -> Unavailable:
        message = "the memories are behind the log, and nothing is written blindly; try again"
        return Unavailable(message, service=STORE)
