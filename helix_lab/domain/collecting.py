"""Garbage collection while many small objects are made that form no cycles."""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator
from contextlib import contextmanager

SELDOM = 50_000
"""New objects between two collections; Python's own habit of 700 costs an import a fifth."""


class _Habit:
    """How often this process collects: its own habit comes back when the last block ends."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._blocks = 0
        self._own = gc.get_threshold()

    def enter(self) -> None:
        with self._lock:
            self._blocks += 1
            if self._blocks == 1:
                self._own = first, *rest = gc.get_threshold()
                if 0 < first < SELDOM:  # 0 is never: somebody switched it off
                    gc.set_threshold(SELDOM, *rest)

    def leave(self) -> None:
        with self._lock:
            self._blocks -= 1
            if self._blocks == 0:
                gc.set_threshold(*self._own)


_HABIT = _Habit()


@contextmanager
def collecting_seldom() -> Iterator[None]:
    """Collect every `SELDOM` new objects in the block, in all threads; may be nested."""
    _HABIT.enter()
    try:
        yield
    finally:
        _HABIT.leave()
