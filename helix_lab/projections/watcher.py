"""A watcher: tells how far workers have brought a projection, where this process does not do it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from helix_lab.domain.model.errors import Unavailable
from helix_lab.ports.event_log import EventLog
from helix_lab.projections.projection import Projection
from helix_lab.projections.taking import DeadLetters

_FIRST_PAUSE_S = 0.005
_LONGEST_PAUSE_S = 0.1
_STILL_S = 15.0


class Watcher:
    """Stands where a follower would: the same questions, answered from the checkpoint.

    Attributes:
        fault: why the projection stands still; empty while it does not.
        rebuilds: how many rebuilds have begun.
    """

    def __init__(
        self, log: EventLog, projection: Projection[Any], dead_letters: DeadLetters
    ) -> None:
        self.fault = ""
        self.rebuilds = 0
        self._log = log
        self._projection = projection
        self._dead_letters = dead_letters
        self._stopping = threading.Event()
        self._is_rebuilding = False
        self._seen: Mapping[tuple[str, int], int] = {}
        self._is_behind = False
        self._moved_at_s = time.monotonic()

    def start(self) -> None:
        """Nothing is followed here."""

    def stop(self) -> None:
        """End the waits."""
        self._stopping.set()

    def join(self) -> None:
        """Give back what the projection holds."""
        self._projection.close()

    def measure_lag(self) -> int:
        """Offsets between the end of the log and the checkpoint."""
        return self._measure(self._log.end_offsets(self._projection.topics))

    def wait_until_applied(self, deadline: float) -> bool:
        """Whether workers apply all that is in the log now before the deadline.

        Raises:
            Unavailable: they did not, and the store is being filled anew, or none is at work.
        """
        ends = self._log.end_offsets(self._projection.topics)
        pause_s = _FIRST_PAUSE_S
        while self._measure(ends):
            if time.monotonic() > deadline or self._stopping.is_set():
                self._refuse_if_wrong()
                return False
            self._stopping.wait(min(pause_s, max(0.0, deadline - time.monotonic()) + 0.001))
            pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)
        return True

    def explain_rebuild(self) -> Unavailable:
        """The error for who asks a store that is being filled."""
        name = self._projection.name
        message = f"the store {name!r} is being rebuilt from the log; try again in a while"
        return Unavailable(message, service=name)

    def rebuild(self, on_progress: Callable[[float], None] | None) -> None:
        """Empty the store, and wait until workers have filled it to what is the end now.

        Raises:
            Unavailable: no worker fills it; one that comes later does.
        """
        self._is_rebuilding = True
        self.rebuilds += 1
        try:
            self._projection.clear()
            self._dead_letters.forget_dead_letters(self._projection.name)
            ends = self._log.end_offsets(self._projection.topics)
            total = sum(ends.values()) or 1
            while (behind := self._measure(ends)) and not self._stopping.wait(_LONGEST_PAUSE_S):
                if self.fault:
                    self._refuse_standstill()
                if on_progress is not None:
                    on_progress(1 - min(1.0, behind / total))
        finally:
            self._is_rebuilding = False

    def _measure(self, ends: Mapping[tuple[str, int], int]) -> int:
        found = self._projection.read_checkpoint()
        behind = sum(max(0, end - found.get(place, 0)) for place, end in ends.items())
        # What was level stands still only since it was found behind.
        if found != self._seen or not behind or not self._is_behind:
            self._seen, self._moved_at_s, self.fault = found, time.monotonic(), ""
        elif time.monotonic() - self._moved_at_s > _STILL_S:
            self.fault = "no worker has moved it; is one running? helix-lab worker"
        self._is_behind = bool(behind)
        return behind

    def _refuse_if_wrong(self) -> None:
        if self._is_rebuilding:
            raise self.explain_rebuild()
        if self.fault:
            self._refuse_standstill()

    def _refuse_standstill(self) -> None:
        name = self._projection.name
        message = f"the store {name!r} stands still: {self.fault}"
        raise Unavailable(message, service=name)
