"""A follower: brings one projection to the end of the log, and keeps it there."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from helix_lab.domain.model.errors import Unavailable
from helix_lab.ports.event_log import EventLog
from helix_lab.projections.projection import Projection
from helix_lab.projections.taking import DeadLetters, take_in

LOGGER = logging.getLogger(__name__)

_IDLE_WAIT_S = 5.0
_FIRST_PAUSE_S = 0.2
_LONGEST_PAUSE_S = 10.0


class Follower:
    """Follows the log for one projection, in a thread of its own.

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
        self._position: dict[tuple[str, int], int] = {}
        self._moved = threading.Condition()
        self._applying = threading.Lock()
        self._is_rebuilding = self._has_begun = False
        self._stopping = threading.Event()
        self._hurry = threading.Event()
        self._thread = threading.Thread(
            target=self._follow, name=f"helix-projection-{projection.name}", daemon=True
        )

    def start(self) -> None:
        """Go on from the checkpoint; where the store is away, once it is there."""
        try:
            self._begin()
        except Unavailable as error:
            self._note(error)
        self._thread.start()

    def stop(self) -> None:
        """Ask the thread to end; `join` waits for it."""
        self._stopping.set()
        self._hurry.set()

    def join(self) -> None:
        """Wait until the thread has ended; what the projection holds is given back."""
        if self._thread.is_alive():
            self._thread.join()
        self._projection.close()

    def _begin(self) -> None:
        if self._has_begun:
            return
        self._position = self._projection.read_checkpoint()
        if not self._position:
            self._dead_letters.forget_dead_letters(self._projection.name)
        self._has_begun = True

    def measure_lag(self) -> int:
        """Offsets between the end of the log and the checkpoint."""
        ends = self._log.end_offsets(self._projection.topics)
        return sum(max(0, end - self._position.get(place, 0)) for place, end in ends.items())

    def wait_until_applied(self, deadline: float) -> bool:
        """Whether all that is in the log now is applied before the deadline.

        Raises:
            Unavailable: it is not, and the store would answer wrongly.
        """
        ends = self._log.end_offsets(self._projection.topics)
        if self._is_level(ends):
            return True
        self._hurry.set()
        with self._moved:
            is_level = self._moved.wait_for(
                lambda: self._is_level(ends), timeout=max(0.0, deadline - time.monotonic())
            )
        if not is_level:
            self._refuse_if_wrong()
        return is_level

    def _refuse_if_wrong(self) -> None:
        if self._is_rebuilding:
            raise self.explain_rebuild()
        if self.fault:
            name = self._projection.name
            message = f"the store {name!r} stands still: {self.fault}"
            raise Unavailable(message, service=name)

    def explain_rebuild(self) -> Unavailable:
        """The error for who asks a store that is being filled."""
        name = self._projection.name
        message = f"the store {name!r} is being rebuilt from the log; try again in a while"
        return Unavailable(message, service=name)

    def rebuild(self, on_progress: Callable[[float], None] | None) -> None:
        """Empty the store and fill it to what is the end of the log now."""
        with self._applying:
            self._is_rebuilding = True
            self.rebuilds += 1
            try:
                self._projection.clear()
                self._has_begun = True
                self._set_position({})
                self._dead_letters.forget_dead_letters(self._projection.name)
                self._refill(on_progress)
            finally:
                with self._moved:
                    self._is_rebuilding = False
                    self._moved.notify_all()

    def _refill(self, on_progress: Callable[[float], None] | None) -> None:
        ends = self._log.end_offsets(self._projection.topics)
        total = sum(ends.values()) or 1
        while not self._has_reached(ends) and not self._stopping.is_set():
            self._apply_next(ends)
            if on_progress is not None:
                on_progress(sum(self._position.values()) / total)

    def _follow(self) -> None:
        pause_s = _FIRST_PAUSE_S
        while not self._stopping.is_set():
            try:
                with self._applying:
                    self._begin()
                self._catch_up()
                self.fault, pause_s = "", _FIRST_PAUSE_S
                self._wait_for_more()
            except Exception as error:
                # The store or the log is away: the events are safe in the log, so try again.
                if self._stopping.is_set():
                    return
                self._note(error)
                self._stopping.wait(pause_s)
                pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)

    def _note(self, error: Exception) -> None:
        self.fault = f"{type(error).__name__}: {error}"
        LOGGER.warning("projection %s waits: %s", self._projection.name, self.fault)

    def _wait_for_more(self) -> None:
        places = {place: self._position.get(place, 0) for place in self._places()}
        deadline = time.monotonic() + _IDLE_WAIT_S
        while not self._stopping.is_set() and time.monotonic() < deadline:
            if any(self._position.get(place, 0) < seen for place, seen in places.items()):
                return  # a rebuild that was broken off left the store behind
            if self._log.wait_for_append(places, timeout_s=0.25):
                # A burst of single appends is applied as one batch, unless somebody waits.
                self._hurry.wait(self._projection.gather_s)
                self._hurry.clear()
                return
            if self._hurry.is_set():
                self._hurry.clear()
                return  # somebody waits, perhaps for a partition that was not there before

    def _catch_up(self) -> None:
        while not self._stopping.is_set():
            with self._applying:
                ends = self._log.end_offsets(self._projection.topics)
                if self._has_reached(ends):
                    return
                self._apply_next(ends)

    def _apply_next(self, ends: Mapping[tuple[str, int], int]) -> None:
        """Apply one batch of each partition that has more."""
        for (topic, partition), end in ends.items():
            start = self._position.get((topic, partition), 0)
            if start >= end:
                continue
            entries = self._log.read(
                topic, partition, start_offset=start, limit=self._projection.batch_size
            )
            after = entries[-1].offset + 1 if entries else end
            checkpoint = {(topic, partition): after}
            rows = take_in(self._projection, entries, self._dead_letters)
            self._projection.write(rows, checkpoint)
            self._set_position({**self._position, **checkpoint})

    def _places(self) -> list[tuple[str, int]]:
        return list(self._log.end_offsets(self._projection.topics))

    def _is_level(self, ends: Mapping[tuple[str, int], int]) -> bool:
        # Until a rebuild has emptied the store, the position is still the old one.
        return not self._is_rebuilding and self._has_reached(ends)

    def _has_reached(self, ends: Mapping[tuple[str, int], int]) -> bool:
        return all(self._position.get(place, 0) >= end for place, end in ends.items())

    def _set_position(self, position: dict[tuple[str, int], int]) -> None:
        with self._moved:
            self._position = position
            self._moved.notify_all()
