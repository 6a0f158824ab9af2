"""All memories as this node holds them at one moment, for a snapshot."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from helix_lab.records.database import Records
from helix_lab.records.tables import MEMORY, MEMORY_EARLY, MEMORY_NODE

_COLUMNS = (
    MEMORY.c.memory_id,
    MEMORY.c.state,
    MEMORY.c.created_at,
    MEMORY.c.updated_at,
    MEMORY.c.updated_by,
)
_MOMENTS = ("joined_at", "removed_at")


@dataclass(frozen=True, slots=True)
class MemoryState:
    """What the store holds, for as long as the reading lasts.

    Attributes:
        nodes: the rows of nodes; a node that was removed has acknowledged None.
        waiting: updates that came before what their writers had seen.
    """

    nodes: list[dict[str, Any]]
    waiting: int
    _connection: sa.Connection

    def read_parts(self, size: int) -> Iterator[list[dict[str, Any]]]:
        """All memories, so many at once, as JSON values."""
        query = sa.select(*_COLUMNS).order_by(MEMORY.c.memory_id)
        rows = self._connection.execution_options(yield_per=size).execute(query).mappings()
        for part in rows.partitions(size):
            yield [_to_values(row) for row in part]


@contextmanager
def read_state(records: Records) -> Iterator[MemoryState]:
    """The memories and the nodes of one moment, whatever is written meanwhile."""
    with records.read_at_once() as connection:
        rows = connection.execute(sa.select(MEMORY_NODE).order_by(MEMORY_NODE.c.node_id))
        nodes = [_to_node(row) for row in rows.mappings()]
        query = sa.select(sa.func.count()).select_from(MEMORY_EARLY)
        yield MemoryState(nodes, connection.execute(query).scalar_one(), connection)


def _to_node(row: sa.RowMapping) -> dict[str, Any]:
    node = _to_values(row)
    return node if node.pop("is_member") else {**node, "acknowledged": None}


def _to_values(row: sa.RowMapping) -> dict[str, Any]:
    """As JSON would give it back; the names of columns are no plain texts."""
    return {
        str(name): value.isoformat() if isinstance(value, datetime) else value
        for name, value in row.items()
    }
