"""Checkpoints of the graph in its rests: who waits for a write does not wait for one, too.

A checkpoint takes about a tenth of a second of the processor, however little it moves. Until then
each transaction holds almost a megabyte, whatever it wrote, so they are counted.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Final

MOST_WAITING: Final = 128
"""Transactions that wait for a checkpoint; the next one makes it, also while others wait."""
_WORTH: Final = 8
"""From so many on a rest is used: a chat that goes on would pay for a checkpoint every time."""
_QUIET_S: Final = 0.3


class Rests:
    """Counts transactions, and has them moved to the file in a rest. Safe in threads.

    Args:
        checkpoint: moves them, and calls `begin_anew`; raises nothing.
    """

    def __init__(self, checkpoint: Callable[[], None]) -> None:
        self._checkpoint = checkpoint
        self._changed = threading.Condition()
        self._waiting = 0
        self._is_closed = False
        self._thread: threading.Thread | None = None

    def note(self) -> bool:
        """Count a transaction; True: no more may wait."""
        with self._changed:
            self._waiting += 1
            if self._thread is None and not self._is_closed:
                self._thread = threading.Thread(
                    target=self._watch, name="helix-graph-checkpoints", daemon=True
                )
                self._thread.start()
            self._changed.notify_all()
            return self._waiting >= MOST_WAITING

    def begin_anew(self) -> None:
        """Nothing waits now."""
        with self._changed:
            self._waiting = 0

    def close(self) -> None:
        """Watch no more; closing twice is harmless."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()
            thread = self._thread
        if thread is not None:
            thread.join()

    def _watch(self) -> None:
        while self._wait_for_rest():
            self._checkpoint()

    def _wait_for_rest(self) -> bool:
        """Wait until enough waits and nothing is added; False: closed."""
        with self._changed:
            while not self._is_closed:
                seen = self._waiting
                is_worth = seen >= _WORTH
                if not self._changed.wait(_QUIET_S if is_worth else None) and is_worth:
                    return True
            return False
