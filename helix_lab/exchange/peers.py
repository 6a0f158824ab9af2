"""Peers: what another node reported of itself last."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from helix_lab.domain.model.event import Event


@dataclass(frozen=True, slots=True)
class Peer:
    """One report.

    Attributes:
        reported_at: by the clock of the peer.
        heard_at: by the clock of this node.
        seen: how many updates of each node the peer has.
        waiting: updates of its own that it has not sent yet.
    """

    node_id: str
    session: str
    reported_at: datetime
    heard_at: datetime
    seen: Mapping[str, int]
    waiting: int

    @classmethod
    def read(cls, event: Event, *, now: datetime) -> Peer:
        """The report of an event; what it does not say counts as nothing."""
        data = event.data
        seen = data.get("seen")
        waiting = data.get("waiting")
        return cls(
            node_id=event.node_id,
            session=str(data.get("session")),
            reported_at=event.time,
            heard_at=now,
            seen=seen if isinstance(seen, dict) else {},
            waiting=waiting if isinstance(waiting, int) else 0,
        )
