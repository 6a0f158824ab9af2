"""Work that Ctrl-C stops, though it sits in an engine that does not hear signals."""

from __future__ import annotations

import contextvars
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TypeVar

from helix_lab.operations.cancellation import CancelScope, cancel_scope

T = TypeVar("T")

_LOOK_EVERY_S = 0.1
_LET_GO_WITHIN_S = 1.5


_TELL: ContextVar[Callable[[], None] | None] = ContextVar("helix_tell", default=None)


@contextmanager
def while_waiting(tell: Callable[[], None]) -> Iterator[None]:
    """Tell again and again, in this thread, that the work in the block still runs."""
    mark = _TELL.set(tell)
    try:
        yield
    finally:
        _TELL.reset(mark)


def run_interruptibly(work: Callable[[], T]) -> T:
    """What `work` returns; it runs in a thread, so that a KeyboardInterrupt reaches this one.

    On an interrupt the work is asked to stop by its cancel scope, and gets a moment to let go of
    what it holds. A second interrupt does not wait for that.
    """
    scope = CancelScope()
    outcome: Future[T] = Future()
    # A bare lock: an interrupt in `Thread.join` or in a condition may leave either in disorder.
    at_work = threading.Lock()
    at_work.acquire()

    def carry_out() -> None:
        try:
            with cancel_scope(scope):
                outcome.set_result(work())
        except BaseException as error:  # raised again in the thread that waits
            outcome.set_exception(error)
        finally:
            at_work.release()

    context = contextvars.copy_context()
    worker = threading.Thread(target=context.run, args=(carry_out,), name="helix-call", daemon=True)
    tell = _TELL.get()
    try:
        worker.start()
        # Without a limit the wait would not hear a signal on Windows.
        while not at_work.acquire(timeout=_LOOK_EVERY_S):
            if tell is not None:
                tell()
    except KeyboardInterrupt:
        scope.cancel()
        at_work.acquire(timeout=_LET_GO_WITHIN_S)
        raise
    return outcome.result()
