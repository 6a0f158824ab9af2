"""Operations on what became of memories: the updates of each, and how this node stands."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import Field

from helix_lab.domain.model.errors import UnknownMemory
from helix_lab.domain.model.event import MEMORY_EVENTS, Event
from helix_lab.operations.memory_editor import STORE
from helix_lab.operations.operation import Id, Operation, Request, Response
from helix_lab.operations.services import Services
from helix_lab.queries.memories import count_conflicts, read_writers


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
    """All updates of a memory, in the order of their clocks."""

    memory_id: str
    updates: list[MemoryUpdate]


class GetSyncStatus(Request):
    """How the memories of this node stand."""


class SyncStatus(Response):
    """What this node has written and taken in."""

    node_id: str
    events_published: int
    events_consumed: int
    nodes: dict[str, int]
    memories_in_conflict: int
    projection_lag: int


def get_history(services: Services, request: GetMemoryHistory) -> MemoryHistory:
    """The updates of a memory, read from the log."""
    entries = services.log.read_key(MEMORY_EVENTS, request.memory_id)
    if not entries:
        raise UnknownMemory(request.memory_id)
    events = sorted((entry.event for entry in entries), key=lambda e: int(e.data["clock"]))
    return MemoryHistory(
        memory_id=request.memory_id, updates=[_show_update(event) for event in events]
    )


def get_sync_status(services: Services, _request: GetSyncStatus) -> SyncStatus:
    """How many updates of each node are in the store, and how far it is behind the log."""
    nodes = services.ask(STORE, lambda: read_writers(services.records))
    published = nodes.get(services.node_id, 0)
    return SyncStatus(
        node_id=services.node_id,
        events_published=published,
        events_consumed=sum(nodes.values()) - published,
        nodes=nodes,
        memories_in_conflict=count_conflicts(services.records),
        projection_lag=services.projections.measure_lag()[STORE],
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
        name="get_sync_status",
        summary="Tell what this node has written and taken in",
        method="GET",
        path="/v1/memory/sync/status",
        scope="read",
        request=GetSyncStatus,
        response=SyncStatus,
        run=get_sync_status,
    ),
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
