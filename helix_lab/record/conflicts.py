"""Drafts of the events about conflicts of memories: that one was found, and that it ended."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from helix_lab.domain.model.event import CONFLICT_ENDED, CONFLICT_FOUND, Draft, make_event_id

_FOUND = (
    "conflict_id", "memory_id", "kind", "writers", "fields", "strategy", "result", "version"
)  # fmt: skip


def find_conflict(row: Mapping[str, Any]) -> Draft:
    """Values of a memory were written side by side, from its row in the list of conflicts."""
    event_id = make_event_id("conflict.found", row["conflict_id"])
    data = {name: row[name] for name in _FOUND}
    return Draft(event_id, CONFLICT_FOUND, row["memory_id"], row["conflict_id"], data)


def end_conflict(row: Mapping[str, Any]) -> Draft:
    """A conflict ended: an update saw its values, or another one came beside them."""
    data = {
        "conflict_id": row["conflict_id"],
        "memory_id": row["memory_id"],
        "state": row["state"],
        "ended_by": row["ended_by"],
        "version": row["ended_version"],
    }
    event_id = make_event_id("conflict.ended", row["conflict_id"])
    return Draft(event_id, CONFLICT_ENDED, row["memory_id"], row["conflict_id"], data)
