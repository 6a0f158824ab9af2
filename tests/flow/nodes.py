"""Labs that exchange memories, and events of nodes that are not there."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from helix_lab.adapters.log_sqlite import SqliteEventLog
from helix_lab.domain.memory.record import Kind, Update
from helix_lab.domain.model.clock import make_hybrid_time
from helix_lab.lab import Lab
from helix_lab.record.memories import update_memory
from helix_lab.record.nodes import join
from helix_lab.record.writer import Writer
from helix_lab.records.tables import DEAD_LETTER, MEMORY, MEMORY_CONFLICT
from tests.flow.labs import catch_up

OpenNode = Callable[..., Lab]
DAY_MS = 86_400_000


def settle(*labs: Lab) -> None:
    """Let all nodes take in and acknowledge all."""
    for _ in range(2):
        for lab in labs:
            lab.force_sync()


def pause(*labs: Lab) -> None:
    """Let nothing be carried but by `settle`."""
    for lab in labs:
        lab.services.exchange.pause()


def show(lab: Lab) -> list[dict[str, Any]]:
    """All memories as this node shows them."""
    return [memory.model_dump() for memory in lab.list_memories(limit=1000).memories]


def read_rows(lab: Lab, *, without: tuple[str, ...] = ()) -> list[list[Any]]:
    """Memories and conflicts as they lie in the records."""
    catch_up(lab)
    with lab.services.records.read() as connection:
        return [
            [
                {key: value for key, value in row.items() if key not in without}
                for row in connection.execute(
                    sa.select(table).order_by(*table.primary_key)
                ).mappings()
            ]
            for table in (MEMORY, MEMORY_CONFLICT)
        ]


def read_refusals(lab: Lab) -> list[str]:
    """Why events were refused."""
    catch_up(lab)
    with lab.services.records.read() as connection:
        return [row.reason for row in connection.execute(sa.select(DEAD_LETTER))]


class Stranger:
    """A node that is nothing but what it writes into the shared log."""

    def __init__(self, path: Path, node_id: str) -> None:
        self._log = SqliteEventLog(path)
        self._node_id = node_id
        self._writer = Writer(self._log, node_id=node_id)
        self._seq = 0

    def join(self) -> None:
        """Take part."""
        self._writer.record([join(self._node_id, instance="stranger")])

    def write(
        self,
        memory_id: str,
        *,
        ahead_ms: int = 0,
        seen: Mapping[str, int] | None = None,
        node_id: str | None = None,
        **changes: Any,
    ) -> None:
        """Make a memory, by a clock that may run ahead, and perhaps in the name of another."""
        self._seq += 1
        clock = make_hybrid_time(time.time_ns() // 1_000_000 + ahead_ms)
        kind = Kind.EDIT if seen else Kind.CREATE
        draft = update_memory(
            Update(memory_id, kind, 1 + bool(seen), clock, changes),
            node_id=node_id or self._node_id,
            seq=self._seq,
            seen=seen or {},
        )
        self._writer.record([draft])

    def close(self) -> None:
        """Leave."""
        self._log.close()
