"""Questions to the records about memories."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from helix_lab.domain.memory.replica import Replica
from helix_lab.queries.paging import Position, page_after
from helix_lab.records.database import Records
from helix_lab.records.memory_states import load_record, load_replica
from helix_lab.records.memory_words import find_alive, match
from helix_lab.records.tables import MEMORY, MEMORY_CONFLICT, MEMORY_NODE, MEMORY_TAG


@dataclass(frozen=True, slots=True)
class MemoryFilter:
    """Which memories; None: all."""

    query: str | None = None
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
    with records.read() as connection:
        alive = MEMORY.c.is_alive if not wanted.query else find_alive(connection, wanted.query)
        rows = (
            sa.select(MEMORY)
            .where(alive, *_to_conditions(wanted, connection.dialect))
            .where(sa.or_(MEMORY.c.expires_at.is_(None), MEMORY.c.expires_at > now))
        )
        query = page_after(rows, place, limit=limit, after=after)
        return [dict(row) for row in connection.execute(query).mappings()]


def read_nodes(records: Records) -> list[Mapping[str, Any]]:
    """The nodes that write memories, by name: how far each is, and since when it takes part."""
    query = sa.select(MEMORY_NODE).order_by(MEMORY_NODE.c.node_id)
    with records.read() as connection:
        return [dict(row) for row in connection.execute(query).mappings()]


def read_replica(records: Records, node_id: str, memory_id: str | None = None) -> Replica:
    """What a node knows of the others, and of one memory."""
    with records.read() as connection:
        replica = load_replica(connection, node_id)
        query = sa.select(MEMORY.c.state).where(MEMORY.c.memory_id == memory_id)
        state = connection.execute(query).scalar_one_or_none() if memory_id else None
    if memory_id and state:
        replica.records[memory_id] = load_record(state)
    return replica


def list_conflicts(
    records: Records,
    *,
    state: str | None,
    memory_id: str | None,
    since: datetime | None,
    limit: int,
    after: Position | None,
) -> list[Mapping[str, Any]]:
    """Conflicts, the latest first."""
    rows = sa.select(MEMORY_CONFLICT)
    if state is not None:
        rows = rows.where(MEMORY_CONFLICT.c.state == state)
    if memory_id is not None:
        rows = rows.where(MEMORY_CONFLICT.c.memory_id == memory_id)
    if since is not None:
        rows = rows.where(MEMORY_CONFLICT.c.found_at >= since)
    place = (MEMORY_CONFLICT.c.found_at, MEMORY_CONFLICT.c.conflict_id)
    query = page_after(rows, place, limit=limit, after=after)
    with records.read() as connection:
        return [dict(row) for row in connection.execute(query).mappings()]


def find_conflict(records: Records, conflict_id: str) -> Mapping[str, Any] | None:
    """One conflict."""
    query = sa.select(MEMORY_CONFLICT).where(MEMORY_CONFLICT.c.conflict_id == conflict_id)
    with records.read() as connection:
        row = connection.execute(query).mappings().one_or_none()
    return None if row is None else dict(row)


def count_conflicts_by_state(records: Records) -> dict[str, int]:
    """How many conflicts are open, resolved, grown."""
    query = sa.select(MEMORY_CONFLICT.c.state, sa.func.count()).group_by(MEMORY_CONFLICT.c.state)
    with records.read() as connection:
        return {row[0]: row[1] for row in connection.execute(query)}


def count_conflicts_since(records: Records, moment: datetime) -> int:
    """How many conflicts were found since a moment, however they ended."""
    query = sa.select(sa.func.count()).where(MEMORY_CONFLICT.c.found_at >= moment)
    with records.read() as connection:
        return int(connection.execute(query).scalar_one())


def count_conflicts(records: Records) -> int:
    """How many memories have values that were written side by side."""
    query = sa.select(sa.func.count()).where(MEMORY.c.has_conflict, MEMORY.c.is_alive)
    with records.read() as connection:
        return int(connection.execute(query).scalar_one())


def _to_conditions(wanted: MemoryFilter, dialect: sa.Dialect) -> list[sa.ColumnElement[bool]]:
    conditions: list[sa.ColumnElement[bool]] = []
    if wanted.query is not None:
        conditions.append(match(dialect, wanted.query))
    if wanted.user_id is not None:
        conditions.append(MEMORY.c.user_id == wanted.user_id)
    if wanted.type is not None:
        conditions.append(MEMORY.c.type == wanted.type)
    if wanted.tag is not None:
        tagged = sa.select(MEMORY_TAG.c.memory_id).where(MEMORY_TAG.c.tag == wanted.tag)
        conditions.append(MEMORY.c.memory_id.in_(tagged))
    return conditions
