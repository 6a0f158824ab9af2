"""The operation that tells what became of a memory: the updates of every node."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import Field

from helix_lab.domain.model.errors import UnknownMemory
from helix_lab.domain.model.event import (
    MEMORY_CREATED,
    MEMORY_DELETED,
    MEMORY_ERASED,
    MEMORY_EVENTS,
    MEMORY_UPDATED,
    Event,
)
from helix_lab.operations.operation import Id, Operation, Request, Response
from helix_lab.operations.services import Services
from helix_lab.queries.memories import find_memory

_UPDATES = frozenset(
    kind.name for kind in (MEMORY_CREATED, MEMORY_UPDATED, MEMORY_DELETED, MEMORY_ERASED)
)


class GetMemoryHistory(Request):
    """Which memory."""

    memory_id: Id = Field(description="a memory, also a deleted one")


class MemoryUpdate(Response):
    """One update as its node made it; `seen` tells what that node knew of the others."""

    event_id: str
    action: str
    node_id: str
    version: int
    time: datetime
    seen: dict[str, int]
    changes: dict[str, Any]
    tags_added: list[str]
    tags_removed: list[str]


class MemoryHistory(Response):
    """The updates of a memory that are in the log of this node, in the order of their clocks.

    A node that began with a snapshot has none of those before it.
    """

    memory_id: str
    updates: list[MemoryUpdate]


def get_history(services: Services, request: GetMemoryHistory) -> MemoryHistory:
    """The updates of a memory, read from the log; none where all are older than a snapshot."""
    entries = services.log.read_key(MEMORY_EVENTS, request.memory_id)
    events = [entry.event for entry in entries if entry.event.type in _UPDATES]
    if not events and find_memory(services.records, request.memory_id) is None:
        raise UnknownMemory(request.memory_id)
    events.sort(key=lambda event: int(event.data["clock"]))
    return MemoryHistory(
        memory_id=request.memory_id, updates=[_show_update(event) for event in events]
    )


def _show_update(event: Event) -> MemoryUpdate:
    data = event.data
    return MemoryUpdate(
        event_id=event.event_id,
        action=event.type.removeprefix("helixagent.memory."),
        node_id=event.node_id,
        version=data["depth"],
        time=event.time,
        seen=data.get("seen", {}),
        changes=data.get("changes", {}),
        tags_added=data.get("tags_added", []),
        tags_removed=data.get("tags_removed", []),
    )


OPERATIONS = (
    Operation(
        name="get_memory_history",
        summary="List all updates of a memory, by every node",
        method="GET",
        path="/v1/memory/{memory_id}/history",
        scope="read",
        request=GetMemoryHistory,
        response=MemoryHistory,
        run=get_history,
        errors=(UnknownMemory,),
    ),
)
