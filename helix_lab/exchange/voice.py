"""What a node says of itself: what it has on its disk, and that it is alive."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from helix_lab.domain.memory.record import Vector
from helix_lab.domain.memory.replica import Replica
from helix_lab.exchange.membership import Membership
from helix_lab.exchange.relay import Relay
from helix_lab.exchange.standing import Pace
from helix_lab.projections.runner import ProjectionRunner

STORE = "memory"
CATCH_UP_S = 10.0


class Voice:
    """Acknowledges when no news came for a while, and reports at even times. Safe in threads."""

    def __init__(
        self,
        relay: Relay,
        membership: Membership,
        projections: ProjectionRunner,
        *,
        pace: Pace,
        read_replica: Callable[[], Replica],
    ) -> None:
        self._relay = relay
        self._membership = membership
        self._projections = projections
        self._pace = pace
        self._read_replica = read_replica
        self._speaking = threading.Lock()
        self._news_at: float | None = time.monotonic()
        self._acknowledged_at = time.monotonic()
        self._reported_at = 0.0
        self._acknowledged: Vector = {}

    def hear_news(self) -> None:
        """Something was taken in, or written: there is more to acknowledge."""
        self._news_at = time.monotonic()

    def speak_when_due(self) -> None:
        """Acknowledge and report, each if it is time."""
        now = time.monotonic()
        news_at = self._news_at
        is_quiet = news_at is not None and now - news_at >= self._pace.quiet_s
        if is_quiet or now - self._acknowledged_at >= self._pace.acknowledge_s:
            self._acknowledge()
        if now - self._reported_at >= self._pace.report_s:
            self._report()

    def speak(self) -> None:
        """Acknowledge and report now."""
        self._acknowledge()
        self._report()

    def _acknowledge(self) -> None:
        """Say what is here, once all of one's own that is in it was sent."""
        with self._speaking:
            self._acknowledged_at, self._news_at = time.monotonic(), None
            if not self._projections.catch_up(STORE, timeout_s=CATCH_UP_S):
                self._news_at = self._acknowledged_at
                return
            replica = self._read_replica()
            seen = {node: count for node, count in replica.vector.items() if count}
            if seen == self._acknowledged or not replica.may_write:
                return
            # All that the store has is in the log, so this sends the last of it.
            self._relay.send()
            self._membership.acknowledge(seen)
            self._acknowledged = seen

    def _report(self) -> None:
        with self._speaking:
            self._reported_at = time.monotonic()
            waiting = self._relay.count_waiting_out()
            self._membership.report(self._read_replica().vector, waiting=waiting)
            self._membership.read_reports()
