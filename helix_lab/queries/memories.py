"""Questions to the records about memories."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from helix_lab.queries.paging import Position, page_after
from helix_lab.records.database import Records
from helix_lab.records.tables import MEMORY, MEMORY_TAG, MEMORY_WRITER


@dataclass(frozen=True, slots=True)
class MemoryFilter:
    """Which memories; None: all."""

    words: Sequence[str] = ()
    user_id: str | None = None
    type: str | None = None
    tag: str | None = None


def find_memory(records: Records, memory_id: str) -> Mapping[str, Any] | None:
    """The row of one memory, deleted or not."""
    query = sa.select(MEMORY).where(MEMORY.c.memory_id == memory_id)
    with records.read() as connection:
        row = connection.execute(query).mappings().one_or_none()
    return None if row is None else dict(row)


def list_memories(
    records: Records, wanted: MemoryFilter, *, now: datetime, limit: int, after: Position | None
) -> list[Mapping[str, Any]]:
    """Memories that are neither deleted nor expired, the one that changed last first."""
    place = (MEMORY.c.updated_at, MEMORY.c.memory_id)
    rows = (
        sa.select(MEMORY)
        .where(MEMORY.c.is_alive, *_to_conditions(wanted))
        .where(sa.or_(MEMORY.c.expires_at.is_(None), MEMORY.c.expires_at > now))
    )
    query = page_after(rows, place, limit=limit, after=after)
    with records.read() as connection:
        return [dict(row) for row in connection.execute(query).mappings()]


def read_writers(records: Records) -> dict[str, int]:
    """How many updates of each node are in the store."""
    query = sa.select(MEMORY_WRITER.c.node_id, MEMORY_WRITER.c.seq)
    with records.read() as connection:
        return {row.node_id: row.seq for row in connection.execute(query)}


def count_conflicts(records: Records) -> int:
    """How many memories have values that were written side by side."""
    query = sa.select(sa.func.count()).where(MEMORY.c.has_conflict, MEMORY.c.is_alive)
    with records.read() as connection:
        return int(connection.execute(query).scalar_one())


def _to_conditions(wanted: MemoryFilter) -> list[sa.ColumnElement[bool]]:
    conditions = [MEMORY.c.content.icontains(word, autoescape=True) for word in wanted.words]
    if wanted.user_id is not None:
        conditions.append(MEMORY.c.user_id == wanted.user_id)
    if wanted.type is not None:
        conditions.append(MEMORY.c.type == wanted.type)
    if wanted.tag is not None:
        tagged = sa.select(MEMORY_TAG.c.memory_id).where(MEMORY_TAG.c.tag == wanted.tag)
        conditions.append(MEMORY.c.memory_id.in_(tagged))
    return conditions
