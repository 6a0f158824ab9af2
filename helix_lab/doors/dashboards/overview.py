"""Overview: what is recorded now, how far the stores are, what was said last."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from helix_lab.doors.dashboards import charts
from helix_lab.doors.dashboards.parts import (
    follow_lab,
    make_html,
    show_moment,
    write_cards,
    write_notice,
    write_table,
)
from helix_lab.operations.methods import Methods

if TYPE_CHECKING:
    import panel as pn

REFRESH_MS = 2000
_LAST = 10
_RATE_OVER_S = 10.0
_EMPTY = "Nothing is recorded yet. Take in an export, or begin a conversation:"
_COMMANDS = (
    "helix-lab import export.json",
    'helix-lab conversations start --conversation-id first --title "First steps"',
    'helix-lab debates start --topic "Should services share a database?"',
)


@dataclass(frozen=True, slots=True)
class Facts:
    """What the page shows, read at one moment."""

    read_at_s: float
    health: Any
    info: Any
    activity: Any
    conversations: Any
    debates: Any


def make_overview(lab: Methods) -> pn.Column:
    """The page, which follows the lab as long as it is open."""
    page = _Overview(lab)
    parts = (
        page.notice,
        page.cards,
        page.chart.layout,
        page.stores,
        page.conversations,
        page.debates,
    )
    return follow_lab("overview", page, *parts, every_ms=REFRESH_MS)


class _Overview:
    def __init__(self, lab: Methods) -> None:
        self._lab = lab
        self._seen: list[tuple[float, int]] = []
        self.notice = make_html()
        self.cards = make_html()
        self.chart = charts.make_activity()
        self.stores = make_html()
        self.conversations = make_html()
        self.debates = make_html()

    def read(self) -> Facts:
        # The lag comes last: the questions before it wait until the stores are level.
        return Facts(
            read_at_s=time.monotonic(),
            activity=self._lab.get_activity(window="1h"),
            conversations=self._lab.list_conversations(limit=_LAST).conversations,
            debates=self._lab.list_debates(limit=_LAST).debates,
            health=self._lab.get_health(),
            info=self._lab.get_info(),
        )

    def show(self, facts: Facts) -> None:
        activity = facts.activity
        said = sum(row.message_count for row in activity.messages)
        self.notice.object = "" if activity.recorded_events else write_notice(_EMPTY, *_COMMANDS)
        self.cards.object = write_cards(
            [
                ("Events recorded", f"{activity.recorded_events:,}"),
                ("Events a second", self._measure_rate(facts)),
                ("Messages in the last hour", f"{said:,}"),
                ("Backends", facts.health.status),
            ]
        )
        self._draw(activity)
        self.stores.object = _write_stores(facts)
        self.conversations.object = _write_conversations(facts.conversations)
        self.debates.object = _write_debates(facts.debates)

    def _measure_rate(self, facts: Facts) -> str:
        """Events a second since the oldest of the last looks; nothing at the first one."""
        since_s = facts.read_at_s - _RATE_OVER_S
        self._seen = [look for look in self._seen if look[0] >= since_s]
        self._seen.append((facts.read_at_s, facts.activity.recorded_events))
        (began_s, before), (ended_s, now) = self._seen[0], self._seen[-1]
        return f"{(now - before) / (ended_s - began_s):,.1f}" if ended_s > began_s else "–"

    def _draw(self, activity: Any) -> None:
        rows = activity.messages
        until_at = datetime.now(UTC).replace(tzinfo=None)
        self.chart.figure.x_range.start = until_at - timedelta(hours=1)
        self.chart.figure.x_range.end = until_at
        self.chart.show(
            {
                "at": [row.at.astimezone(UTC).replace(tzinfo=None) for row in rows],
                "messages": [row.message_count for row in rows],
            },
            height="messages",
        )


def _write_stores(facts: Facts) -> str:
    info = facts.info
    stores = [
        (name, "behind" if lag else "level", lag, info.projection_faults.get(name, ""))
        for name, lag in info.projection_lag.items()
    ]
    services = [
        (name, info.backends.get(name, ""), state) for name, state in facts.health.services.items()
    ]
    columns = ("store", "state", "events behind", "fault")
    return write_table("Stores", columns, stores, empty="No store follows the log.") + write_table(
        "Backends", ("service", "backend", "state"), services, empty="No backend is in use."
    )


def _write_conversations(conversations: Any) -> str:
    rows = [
        (
            show_moment(row.updated_at),
            row.title or row.conversation_id,
            row.message_count,
            row.total_tokens,
        )
        for row in conversations
    ]
    columns = ("changed, UTC", "conversation", "messages", "tokens")
    return write_table(
        "Recent conversations", columns, rows, empty="None yet: helix-lab conversations start"
    )


def _write_debates(debates: Any) -> str:
    rows = [
        (
            show_moment(row.started_at),
            row.topic,
            row.status,
            f"{row.winner.provider} as {row.winner.position}" if row.winner else row.outcome or "",
        )
        for row in debates
    ]
    columns = ("began, UTC", "topic", "status", "winner")
    empty = "None yet: helix-lab debates start --topic …"
    return write_table("Recent debates", columns, rows, empty=empty)
