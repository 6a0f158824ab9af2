"""Drafts of the events about nodes that exchange memories: joining, acknowledging, reporting."""

from __future__ import annotations

from helix_lab.domain.memory.record import Vector
from helix_lab.domain.model.event import (
    NODE_ACKNOWLEDGED,
    NODE_JOINED,
    NODE_REMOVED,
    NODE_REPORTED,
    Draft,
    EventType,
    make_event_id,
)


def join(node_id: str, *, instance: str) -> Draft:
    """A node joins; its id is made of the node alone, so a second one of that name is refused."""
    return _draft(NODE_JOINED, ("node.joined", node_id), node_id, {"instance": instance})


def acknowledge(node_id: str, seen: Vector) -> Draft:
    """A node has so much on its disk, and has sent all of its own that is in it."""
    counts = {node: count for node, count in sorted(seen.items()) if count}
    parts = [f"{node}={count}" for node, count in counts.items()]
    return _draft(
        NODE_ACKNOWLEDGED, ("node.acknowledged", node_id, *parts), node_id, {"seen": counts}
    )


def remove(node_id: str, *, removed_by: str) -> Draft:
    """A node is declared gone, for good."""
    return _draft(NODE_REMOVED, ("node.removed", node_id), node_id, {"removed_by": removed_by})


def report(
    node_id: str, *, instance: str, session: str, number: int, seen: Vector, waiting: int
) -> Draft:
    """A sign of life: the `number`-th of a session."""
    counts = {node: count for node, count in sorted(seen.items()) if count}
    data = {"instance": instance, "session": session, "seen": counts, "waiting": waiting}
    return _draft(NODE_REPORTED, ("node.reported", session, str(number)), node_id, data)


def _draft(
    event_type: EventType, parts: tuple[str, ...], node_id: str, data: dict[str, object]
) -> Draft:
    return Draft(make_event_id(*parts), event_type, node_id, node_id, {"node_id": node_id, **data})
