"""Memory: how the nodes that exchange memories stand, and what was written side by side."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import panel as pn

from helix_lab.domain.model.errors import HelixError
from helix_lab.doors.dashboards.parts import (
    Following,
    make_heading,
    make_html,
    show_moment,
    write_cards,
    write_notice,
    write_table,
)
from helix_lab.operations.memory_conflicts import MemoryConflict
from helix_lab.operations.memory_sync import SyncPeer, SyncStatus
from helix_lab.operations.methods import Methods

REFRESH_MS = 5000
_OPEN, _RESOLVED = 10, 5
_EMPTY = "No memory yet. Keep a fact, or start two nodes that exchange theirs:"
_COMMANDS = (
    'helix-lab memory create --content "User prefers OAuth2"',
    "helix-lab node --count 2",
)
_NODES = (
    "node", "status", "last heartbeat, UTC", "updates of it here", "updates it lacks",
    "waiting to send", "clock ahead ms",
)  # fmt: skip
_SNAPSHOT = ("written, UTC", "by", "memories", "updates in it", "updates since")

Choose = Callable[[MemoryConflict, str | None], Awaitable[None]]
"""Ends a conflict by what a node wrote; without a node takes its end back."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What the page shows, read at one moment."""

    has_memories: bool
    status: SyncStatus
    conflicts: Sequence[MemoryConflict]


def make_memory(lab: Methods) -> pn.Column:
    """The page, which follows the lab as long as it is open."""
    page = _Memory(lab)
    page.following.begin(every_ms=REFRESH_MS)
    return pn.Column(
        make_heading("memory"),
        page.following.trouble,
        page.notice,
        page.cards,
        page.nodes,
        page.snapshot,
        page.refusal,
        page.conflicts,
        sizing_mode="stretch_width",
    )


class _Memory:
    def __init__(self, lab: Methods) -> None:
        self._lab = lab
        self._conflicts: Sequence[MemoryConflict] | None = None
        self.following = Following(self.read, self.show)
        self.notice = make_html()
        self.cards = make_html()
        self.nodes = make_html()
        self.snapshot = make_html()
        self.refusal = make_html()
        self.conflicts = pn.Column(sizing_mode="stretch_width")

    def read(self) -> Facts:
        shown = self._lab.list_memory_conflicts(state="open", limit=_OPEN).conflicts
        ended = self._lab.list_memory_conflicts(state="resolved", limit=_RESOLVED).conflicts
        return Facts(
            has_memories=bool(self._lab.list_memories(limit=1).memories),
            status=self._lab.get_sync_status(),
            conflicts=[*shown, *ended],
        )

    def show(self, facts: Facts) -> None:
        status = facts.status
        is_empty = not (facts.has_memories or status.peers or facts.conflicts)
        self.notice.object = write_notice(_EMPTY, *_COMMANDS) if is_empty else ""
        self.cards.object = write_cards(_list_cards(status))
        self.nodes.object = write_table(
            "Nodes", _NODES, [_show_self(status), *map(_show_peer, status.peers)], empty=""
        ) + write_notice(status.problem or "")
        self.snapshot.object = write_table(
            "Last snapshot", _SNAPSHOT, _list_snapshot(status), empty=_explain_no_snapshot(status)
        )
        if facts.conflicts != self._conflicts:
            # Made anew only when they are others: a button keeps the focus of whoever is at it.
            self._conflicts = facts.conflicts
            self.conflicts.objects = _make_conflicts(facts, self._choose)

    async def _choose(self, conflict: MemoryConflict, node_id: str | None) -> None:
        try:
            refusal = await asyncio.to_thread(self._resolve, conflict, node_id)
        except HelixError as error:
            refusal = str(error)
        self.refusal.object = write_notice(refusal and f"Nothing was changed: {refusal}")
        await self.following.refresh()

    def _resolve(self, conflict: MemoryConflict, node_id: str | None) -> str:
        """Do what the button says; gives why not where the page was behind."""
        memory_id, state = conflict.memory_id, conflict.state
        found = self._lab.list_memory_conflicts(memory_id=memory_id, state=state).conflicts
        if conflict not in found:
            # Choosing would replace what somebody wrote after this was shown.
            return f"memory {memory_id!r} has changed meanwhile; look at what it shows now."
        how = {"action": "undo"} if node_id is None else {"action": "choose", "node_id": node_id}
        self._lab.resolve_memory_conflict(conflict.conflict_id, **how)
        return ""


def _list_cards(status: SyncStatus) -> list[tuple[str, str]]:
    return [
        ("exchange", status.status),
        ("lag", f"{status.sync_lag_ms:,} ms"),
        ("updates of this node", f"{status.events_published:,}"),
        ("updates of others", f"{status.events_consumed:,}"),
        ("memories in conflict", f"{status.memories_in_conflict:,}"),
        ("conflicts resolved", f"{status.conflicts_resolved:,}"),
    ]


def _show_self(status: SyncStatus) -> tuple[Any, ...]:
    own = status.events_published
    return (f"{status.node_id} (this one)", status.status, "", own, "", "", "")


def _show_peer(peer: SyncPeer) -> tuple[Any, ...]:
    return (
        peer.node_id,
        peer.status,
        _show_known(peer.last_heartbeat),
        peer.updates,
        peer.behind,
        peer.waiting_to_send,
        peer.clock_ahead_ms,
    )


def _show_known(moment: datetime | None) -> str | None:
    return None if moment is None else show_moment(moment)


def _list_snapshot(status: SyncStatus) -> list[tuple[Any, ...]]:
    found = status.last_snapshot
    if found is None:
        return []
    since = sum(status.nodes.values()) - found.updates
    written = show_moment(found.written_at)
    return [(written, found.node_id, found.memories, found.updates, max(0, since))]


def _explain_no_snapshot(status: SyncStatus) -> str:
    if status.status == "alone":
        return "This node is alone: nodes that share a HELIX_MEMORY_LOG keep snapshots there."
    if status.status == "active":
        return "None yet: one is written once enough was written, see MEMORY_SNAPSHOT_INTERVAL."
    return "Not known while the shared log is not read."


def _make_conflicts(facts: Facts, choose: Choose) -> list[Any]:
    if not facts.conflicts:
        return [make_html("<h2>Conflicts</h2><p>No conflict.</p>")]
    more = facts.status.memories_in_conflict - _OPEN
    parts = [_make_conflict(conflict, choose) for conflict in facts.conflicts]
    if more > 0:
        rest = f"{more:,} memories more are in conflict: helix-lab memory conflicts"
        parts.append(make_html(write_notice(rest)))
    return parts


def _make_conflict(conflict: MemoryConflict, choose: Choose) -> pn.Column:
    """All values side by side, and below them what can be done."""
    buttons = [
        _make_button(label, conflict, node_id, choose) for label, node_id in _list_choices(conflict)
    ]
    return pn.Column(
        make_html(write_conflict(conflict)),
        pn.FlexBox(*buttons, margin=(0, 12)),
        sizing_mode="stretch_width",
    )


def _list_choices(conflict: MemoryConflict) -> list[tuple[str, str | None]]:
    """What the buttons say, and whose values each takes."""
    if conflict.state != "open":
        return [(f"Undo what {conflict.resolution.resolved_by} chose", None)]
    wrote = {value.node_id for values in conflict.values.values() for value in values}
    if conflict.conflict_type == "concurrent_delete":
        wrote |= {node.id for node in conflict.nodes}
    deleted = {node.id for node in conflict.nodes if node.action == "delete"}
    return [
        (f"Delete it, as {node} did" if node in deleted else f"Take what {node} wrote", node)
        for node in sorted(wrote)
    ]


def _make_button(label: str, conflict: MemoryConflict, node_id: str | None, choose: Choose) -> Any:
    button = pn.widgets.Button(label=label, margin=4)

    async def act(_: object) -> None:
        button.disabled = True
        try:
            await choose(conflict, node_id)
        finally:
            button.disabled = False

    button.on_click(act)
    return button


def write_conflict(conflict: MemoryConflict) -> str:
    """A column for each node that wrote, a row for each field of which there are several values."""
    sides: dict[str, dict[str, Any]] = {
        node.id: {"last update, UTC": show_moment(node.timestamp), "action": node.action}
        for node in conflict.nodes
    }
    shown = {"action": f"shown by {conflict.resolution.strategy}", **conflict.resolution.result}
    for name, values in conflict.values.items():
        for value in values:
            sides.setdefault(value.node_id, {})[name] = value.value
    rows = [
        (name, *(side.get(name, "") for side in sides.values()), shown.get(name, ""))
        for name in ("last update, UTC", "action", *conflict.values)
    ]
    title = f"{conflict.memory_id}: {_tell_state(conflict)}"
    return write_table(title, ("", *sides, "merged"), rows, empty="")


def _tell_state(conflict: MemoryConflict) -> str:
    if conflict.state == "open":
        return f"open conflict since {show_moment(conflict.found_at)}"
    return f"conflict resolved by {conflict.resolution.resolved_by}"
