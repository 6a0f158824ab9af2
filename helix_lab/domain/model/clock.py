"""Hybrid logical clock: one integer per event that orders events and respects cause.

Source: Kulkarni, Demirbas et al. 2014, "Logical Physical Clocks". A time is
`physical milliseconds << 16 | counter`, so plain integer comparison is the order; more
than 65,535 ticks in one millisecond carry into the milliseconds, as they should.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

HybridTime = int
"""`ms << 16 | counter`; compare with `<`. Two nodes may make the same one: then ids decide."""

COUNTER_BITS = 16
MAX_DRIFT_MS = 5 * 60 * 1000


def make_hybrid_time(physical_ms: int, counter: int = 0) -> HybridTime:
    """The hybrid time of a physical time and a counter."""
    return (physical_ms << COUNTER_BITS) + counter


def physical_ms(time: HybridTime) -> int:
    """The physical part, in milliseconds since 1970."""
    return time >> COUNTER_BITS


def to_micros(time: HybridTime) -> int:
    """Microseconds since 1970; the counter makes them differ within a millisecond."""
    return physical_ms(time) * 1000 + min(time & ((1 << COUNTER_BITS) - 1), 999)


class HybridClock:
    """A clock that never goes back and never falls behind what it has seen. Safe in threads.

    Args:
        read_physical_ms: the node's wall clock, milliseconds since 1970.
        last: the greatest time this node is known to have given or seen.
    """

    def __init__(self, read_physical_ms: Callable[[], int], *, last: HybridTime = 0) -> None:
        self._read_physical_ms = read_physical_ms
        self._last = last
        self._lock = threading.Lock()

    @property
    def last(self) -> HybridTime:
        """The greatest time given or seen so far."""
        return self._last

    def tick(self, count: int = 1) -> HybridTime:
        """Reserve `count` consecutive times, all greater than any before; returns the first."""
        now = make_hybrid_time(self._read_physical_ms())
        with self._lock:
            first = max(now, self._last + 1)
            self._last = first + count - 1
        return first

    def observe(self, seen: HybridTime) -> bool:
        """Move past a time that came from another node, so that what follows is later.

        A time more than five minutes ahead of the wall clock does not move this node
        (a broken clock elsewhere must not break this one): then the answer is False.
        """
        if physical_ms(seen) > self._read_physical_ms() + MAX_DRIFT_MS:
            return False
        with self._lock:
            self._last = max(self._last, seen)
        return True
