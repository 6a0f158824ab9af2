"""One line below a cell that says how far its statement is, and in the end how it went."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from html import escape
from typing import Any

from helix_lab.doors.interruptible import while_waiting

SHOW_AFTER_S = 1.0
_EVERY_S = 1.0


@contextmanager
def progress_line(*, timeout_s: float) -> Iterator[Callable[[float | None], None]]:
    """Show the line while the block takes longer than a second; the same line tells the end.

    It gives what is to be told how much is done, from 0 to 1; None where nobody knows.

    Outside of a kernel nothing is shown: a terminal has no line that can be written again.
    """
    line = _Line(timeout_s)
    try:
        with while_waiting(line.tell):
            yield line.measure
    except KeyboardInterrupt:
        line.end("stopped after")
        raise
    except BaseException:
        line.end("failed after")
        raise
    line.end("ran for")


class _Line:
    def __init__(self, timeout_s: float) -> None:
        self._timeout_s = timeout_s
        self._began_s = time.monotonic()
        self._done: float | None = None
        self._shown_at_s = 0.0
        self._handle: Any = None

    def measure(self, done: float | None) -> None:
        """Note how much is done; it is shown the next time."""
        self._done = done

    def tell(self) -> None:
        """Show the time, if that is due."""
        elapsed_s = time.monotonic() - self._began_s
        if elapsed_s >= max(SHOW_AFTER_S, self._shown_at_s + _EVERY_S):
            self._shown_at_s = elapsed_s
            done = "" if self._done is None else f" · {self._done:.0%} done"
            self._show(
                f"running for {elapsed_s:.0f} s{done} · interrupt the kernel (■) to stop it; "
                f"--timeout stops it after {self._timeout_s:g} s"
            )

    def end(self, words: str) -> None:
        """Say how it went, where something was said before."""
        if self._handle is not None:
            self._show(f"{words} {time.monotonic() - self._began_s:.1f} s")

    def _show(self, text: str) -> None:
        content = {"text/plain": text, "text/html": f"<small>{escape(text)}</small>"}
        if self._handle is not None:
            self._handle.update(content, raw=True)
        elif _is_kernel():
            from IPython.display import display

            self._handle = display(content, raw=True, display_id=True)  # type: ignore[no-untyped-call]


def _is_kernel() -> bool:
    from IPython.core.getipython import get_ipython

    return hasattr(get_ipython(), "kernel")
