"""Stopping an operation whose caller went away."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from helix_lab.domain.model.errors import QueryCancelled


class CancelScope:
    """What a caller holds to stop an operation, and the operation asks whether to stop.

    Thread-safe: a door cancels from its own thread while the operation runs in another.
    """

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._is_cancelled = False
        self._callbacks: list[Callable[[], None]] = []

    @property
    def is_cancelled(self) -> bool:
        """Whether the caller went away or asked to stop."""
        return self._is_cancelled

    def cancel(self) -> None:
        """Ask the operation to stop; asking twice is harmless."""
        with self._lock:
            if self._is_cancelled:
                return
            self._is_cancelled = True
            for callback in self._callbacks:
                callback()

    def check(self) -> None:
        """Raise if the operation must stop; call it between steps.

        Raises:
            QueryCancelled: the caller went away or asked to stop.
        """
        if self._is_cancelled:
            message = "the caller went away or asked to stop"
            raise QueryCancelled(message)

    @contextmanager
    def on_cancel(self, callback: Callable[[], None]) -> Iterator[None]:
        """Call back on `cancel` while the block runs; at once if it came before.

        The callback runs in the thread that cancels and must be quick. It never runs once the
        block is left, so it cannot hit the next user of what it interrupts.
        """
        with self._lock:
            self._callbacks.append(callback)
            if self._is_cancelled:
                callback()
        try:
            yield
        finally:
            with self._lock:
                self._callbacks.remove(callback)


_CURRENT: ContextVar[CancelScope | None] = ContextVar("helix_cancel_scope", default=None)


@contextmanager
def cancel_scope(scope: CancelScope | None = None) -> Iterator[CancelScope]:
    """Run a block under a scope, a new one if none is given."""
    current = scope or CancelScope()
    mark = _CURRENT.set(current)
    try:
        yield current
    finally:
        _CURRENT.reset(mark)


def current_scope() -> CancelScope:
    """The scope that this code runs under; outside of any, one that nobody cancels."""
    return _CURRENT.get() or CancelScope()
