"""Drafts of the events of a snapshot: all memories as one node held them, in parts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from helix_lab.domain.model.event import (
    SNAPSHOT_COMPLETED,
    SNAPSHOT_WRITTEN,
    Draft,
    make_event_id,
)

SNAPSHOTS_KEY = "helixagent.snapshots"
"""The key of all completions, so that they are found without reading the parts."""

PART_SIZE = 500
"""Memories of a part, at most."""

PART_BYTES = 2**22
"""Of a part; a log takes events of 16 MiB at most."""


def write_part(snapshot_id: str, part: int, memories: Sequence[dict[str, Any]]) -> Draft:
    """The `part`-th part of a snapshot, from 1."""
    event_id = make_event_id("snapshot.written", snapshot_id, str(part))
    data = {"snapshot_id": snapshot_id, "part": part, "memories": list(memories)}
    return Draft(event_id, SNAPSHOT_WRITTEN, snapshot_id, snapshot_id, data)


def complete(
    snapshot_id: str,
    *,
    node_id: str,
    offset: int,
    parts: int,
    memories: int,
    digest: str,
    nodes: Sequence[dict[str, Any]],
) -> Draft:
    """The snapshot is whole; until this is in the log nobody uses its parts.

    Args:
        snapshot_id: that of the parts.
        node_id: who wrote it.
        parts: how many.
        memories: how many in all parts.
        offset: all of the shared log's memory events before it are in the snapshot.
        digest: of the parts, in their order; see `domain.memory.snapshots.Digest`.
        nodes: as rows of the table of nodes, with moments as text.
    """
    data = {
        "snapshot_id": snapshot_id,
        "node_id": node_id,
        "offset": offset,
        "parts": parts,
        "memories": memories,
        "digest": digest,
        "nodes": list(nodes),
    }
    event_id = make_event_id("snapshot.completed", snapshot_id)
    return Draft(event_id, SNAPSHOT_COMPLETED, SNAPSHOTS_KEY, snapshot_id, data)
