"""The meter: how often each operation of this lab was asked for, and how long it took.

It counts in memory, for as long as the lab is open: what the log keeps is about conversations, not
about who asked.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

from helix_lab.domain.model.errors import HelixError

KEPT_CALLS = 20_000
"""Older calls are forgotten: some megabytes, and minutes of a busy server."""

Piece = TypeVar("Piece")


@dataclass(frozen=True, slots=True)
class Call:
    """One call of an operation.

    Attributes:
        ended_s: when it ended, on the clock of `time.monotonic`.
        is_refused: it ended with an error that the caller is told.
        is_failed: it ended with an error that is nobody's intention.
    """

    operation: str
    ended_s: float
    duration_ms: float
    is_refused: bool
    is_failed: bool


class Meter:
    """Counts the calls of operations. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._calls: deque[Call] = deque(maxlen=KEPT_CALLS)
        self._listeners: tuple[Callable[[Call], None], ...] = ()
        self._started_s = time.monotonic()

    def listen(self, listener: Callable[[Call], None]) -> None:
        """Tell each call from now on, in the thread that made it; it must not wait."""
        self._listeners = (*self._listeners, listener)

    def ignore(self, listener: Callable[[Call], None]) -> None:
        """Tell it no more."""
        self._listeners = tuple(known for known in self._listeners if known != listener)

    @property
    def up_s(self) -> float:
        """How long this lab has been open, seconds."""
        return time.monotonic() - self._started_s

    @contextmanager
    def measure(self, operation: str) -> Iterator[None]:
        """Count what happens inside as one call."""
        began_s = time.monotonic()
        is_refused = is_failed = False
        try:
            yield
        except HelixError:
            is_refused = True
            raise
        except Exception:
            is_failed = True
            raise
        finally:
            ended_s = time.monotonic()
            call = Call(operation, ended_s, (ended_s - began_s) * 1000, is_refused, is_failed)
            with self._lock:
                self._calls.append(call)
            for listener in self._listeners:
                listener(call)

    def follow(self, operation: str, pieces: Iterator[Piece]) -> Iterator[Piece]:
        """The same pieces; one call that lasts until the last of them."""
        with self.measure(operation):
            yield from pieces

    def list_calls(self, *, within_s: float) -> tuple[list[Call], float]:
        """The calls of the last seconds, and how many of these seconds are known."""
        with self._lock:
            calls = list(self._calls)
        known_s = min(self.up_s, within_s)
        if len(calls) == KEPT_CALLS:
            known_s = min(known_s, time.monotonic() - calls[0].ended_s)
        begin_s = time.monotonic() - known_s
        return [call for call in calls if call.ended_s >= begin_s], known_s
