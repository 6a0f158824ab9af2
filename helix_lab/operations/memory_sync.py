"""Operations on the exchange of memories: how this node and the others stand, and a push."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from pydantic import Field

from helix_lab.domain.model.errors import (
    NodeAlone,
    NodeIdInUse,
    NodeRemoved,
    Unavailable,
    UnknownNode,
)
from helix_lab.exchange.peers import Peer
from helix_lab.exchange.standing import Standing
from helix_lab.operations.memory_editor import STORE
from helix_lab.operations.operation import Id, Operation, Request, Response
from helix_lab.operations.services import Services
from helix_lab.queries.memories import count_conflicts, count_conflicts_by_state, read_nodes

REPORTS_MISSED = 3
"""A node that is silent for so many reports is shown as silent."""


class GetSyncStatus(Request):
    """How the memories of this node stand."""


class ForceSync(Request):
    """Carry what waits, both ways, now."""


class ListSyncPeers(Request):
    """The other nodes."""


class RemoveSyncPeer(Request):
    """Which node is gone for good."""

    node_id: Id = Field(description="a node that takes part; its name is never used again")


class SyncPeer(Response):
    """Another node, as it reported last."""

    node_id: str
    status: Literal["active", "silent", "removed", "unknown"] = Field(
        description="unknown: it has not reported since this node started"
    )
    last_heartbeat: datetime | None = Field(description="by the clock of that node")
    updates: int = Field(description="updates of that node that are here")
    behind: int | None = Field(description="updates that are here and not yet there")
    waiting_to_send: int | None = Field(
        description="what it had still to look through when it reported; 0: it had sent all"
    )
    clock_ahead_ms: int | None = Field(
        description="how far its clock ran ahead of ours, where that was over five minutes; it "
        "moves no clock here"
    )
    joined_at: datetime | None
    removed_by: str | None


class SyncPeers(Response):
    """The other nodes, by name."""

    peers: list[SyncPeer]


class SyncSnapshot(Response):
    """The latest snapshot in the shared log, whoever wrote it."""

    written_at: datetime
    node_id: str
    memories: int
    updates: int = Field(description="updates that are in it")


class SyncStatus(Response):
    """What this node has written and taken in, and how the exchange stands."""

    node_id: str
    status: Literal["active", "unreachable", "refused", "alone"] = Field(
        description="alone: no log to meet at is configured"
    )
    problem: str | None
    memory_log: str | None
    events_published: int = Field(description="updates that this node wrote")
    events_consumed: int = Field(description="updates of other nodes that are here")
    conflicts_resolved: int
    last_sync_timestamp: datetime | None = Field(
        description="when this node last had all that the shared log had"
    )
    sync_lag_ms: int = Field(
        description="how long the latest event of another node took to come here; where some "
        "wait, the time since none did"
    )
    peers: list[SyncPeer]
    nodes: dict[str, int] = Field(description="updates of each node that are here")
    memories_in_conflict: int
    projection_lag: int
    last_snapshot: SyncSnapshot | None


def get_sync_status(services: Services, _request: GetSyncStatus) -> SyncStatus:
    """How many updates of each node are in the store, how far it is behind, who else is there."""
    rows = services.ask(STORE, lambda: read_nodes(services.records))
    standing = services.exchange.stand()
    nodes = {row["node_id"]: row["seq"] for row in rows}
    published = nodes.get(services.node_id, 0)
    return SyncStatus(
        node_id=services.node_id,
        status=standing.state,
        problem=standing.problem or None,
        memory_log=services.exchange.address or None,
        events_published=published,
        events_consumed=sum(nodes.values()) - published,
        conflicts_resolved=count_conflicts_by_state(services.records).get("resolved", 0),
        last_sync_timestamp=standing.level_at,
        sync_lag_ms=standing.lag_ms,
        peers=_show_peers(services, rows, standing),
        nodes=nodes,
        memories_in_conflict=count_conflicts(services.records),
        projection_lag=services.projections.measure_lag()[STORE],
        last_snapshot=_show_snapshot(standing),
    )


def force_sync(services: Services, _request: ForceSync) -> SyncStatus:
    """Send, take in and acknowledge at once, and tell how it stands then."""
    services.exchange.sync()
    return get_sync_status(services, GetSyncStatus())


def list_peers(services: Services, _request: ListSyncPeers) -> SyncPeers:
    """The other nodes, with their last signs of life."""
    rows = services.ask(STORE, lambda: read_nodes(services.records))
    return SyncPeers(peers=_show_peers(services, rows, services.exchange.stand()))


def remove_peer(services: Services, request: RemoveSyncPeer) -> SyncPeers:
    """Declare a node gone, so that nobody waits for it."""
    services.exchange.remove(request.node_id)
    return list_peers(services, ListSyncPeers())


def _show_snapshot(standing: Standing) -> SyncSnapshot | None:
    found = standing.snapshot
    return None if found is None else SyncSnapshot(**asdict(found))


def _show_peers(
    services: Services, rows: list[Mapping[str, Any]], standing: Standing
) -> list[SyncPeer]:
    here = {row["node_id"]: row["seq"] for row in rows}
    return [
        _show_peer(row, standing.peers.get(row["node_id"]), here, standing, services)
        for row in rows
        if row["node_id"] != services.node_id
    ]


def _show_peer(
    row: Mapping[str, Any],
    report: Peer | None,
    here: Mapping[str, int],
    standing: Standing,
    services: Services,
) -> SyncPeer:
    behind = report and sum(max(0, n - report.seen.get(node, 0)) for node, n in here.items())
    return SyncPeer(
        node_id=row["node_id"],
        status=_tell_status(row, report, services.exchange.report_s),
        last_heartbeat=report and report.reported_at,
        updates=row["seq"],
        behind=behind,
        waiting_to_send=report and report.waiting,
        clock_ahead_ms=standing.ahead_ms.get(row["node_id"]),
        joined_at=row["joined_at"],
        removed_by=row["removed_by"],
    )


def _tell_status(
    row: Mapping[str, Any], report: Peer | None, report_s: float
) -> Literal["active", "silent", "removed", "unknown"]:
    if not row["is_member"]:
        return "removed"
    if report is None:
        return "unknown"
    age = datetime.now(UTC) - report.heard_at
    return "active" if age < timedelta(seconds=REPORTS_MISSED * report_s) else "silent"


OPERATIONS = (
    Operation(
        name="get_sync_status",
        summary="Tell what this node has written and taken in, and how the exchange stands",
        method="GET",
        path="/v1/memory/sync/status",
        scope="read",
        request=GetSyncStatus,
        response=SyncStatus,
        run=get_sync_status,
    ),
    Operation(
        name="force_sync",
        summary="Exchange memories with the other nodes now",
        method="POST",
        path="/v1/memory/sync/force",
        scope="write",
        request=ForceSync,
        response=SyncStatus,
        run=force_sync,
        errors=(Unavailable, NodeAlone, NodeIdInUse, NodeRemoved),
    ),
    Operation(
        name="list_sync_peers",
        summary="List the other nodes, with their last signs of life",
        method="GET",
        path="/v1/memory/sync/peers",
        scope="read",
        request=ListSyncPeers,
        response=SyncPeers,
        run=list_peers,
    ),
    Operation(
        name="remove_sync_peer",
        summary="Declare a node gone for good; nobody waits for it any more",
        method="DELETE",
        path="/v1/memory/sync/peers/{node_id}",
        scope="admin",
        request=RemoveSyncPeer,
        response=SyncPeers,
        run=remove_peer,
        errors=(Unavailable, NodeAlone, UnknownNode, NodeIdInUse, NodeRemoved),
    ),
)
