"""Drafts of the events about memories: one event an update, numbered by its node."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from helix_lab.domain.memory.record import Kind, Update, Vector
from helix_lab.domain.model.event import (
    MEMORY_CREATED,
    MEMORY_DELETED,
    MEMORY_ERASED,
    MEMORY_UPDATED,
    Draft,
    make_event_id,
)

_TYPES = {
    Kind.CREATE: MEMORY_CREATED,
    Kind.EDIT: MEMORY_UPDATED,
    Kind.DELETE: MEMORY_DELETED,
    Kind.ERASE: MEMORY_ERASED,
}


def update_memory(update: Update, *, node_id: str, seq: int, seen: Vector | None) -> Draft:
    """An update of a memory.

    Its id is made of the node and the number alone: where two processes write under one node
    id, the second is refused as a duplicate with other content.

    Args:
        update: with its depth and clock.
        node_id: who writes.
        seq: number of the update among those of the node.
        seen: how many updates of each node the writer has seen; None: it replaces nothing.
    """
    data: dict[str, Any] = {
        "memory_id": update.memory_id,
        "seq": seq,
        **_given(seen=None if seen is None else dict(seen)),
        "depth": update.depth,
        "clock": str(update.clock),
    }
    if update.changes:
        data["changes"] = dict(update.changes)
    if update.tags_added:
        data["tags_added"] = list(update.tags_added)
    if update.tags_removed:
        data["tags_removed"] = list(update.tags_removed)
    event_id = make_event_id("memory.update", node_id, str(seq))
    return Draft(event_id, _TYPES[update.kind], update.memory_id, update.memory_id, data)


def _given(**fields: Mapping[str, int] | None) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}
