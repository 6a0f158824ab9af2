"""The newest entries in memory: who follows the log reads them without the file."""

from __future__ import annotations

import threading
from bisect import bisect_left
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from helix_lab.domain.model.event import Entry

MAX_BYTES = 32 * 2**20
"""Of data as JSON; beyond it the older half is let go."""


class Tail:
    """An unbroken run of entries that this process appended, up to its last append.

    Where another process appended in between, the run begins anew. Safe in threads.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._offsets: list[int] = []
        self._entries: list[Entry] = []
        self._sizes: list[int] = []
        self._bytes = 0
        self._end = 0

    def extend(self, start: int, end: int, entries: Iterable[tuple[Entry, int]]) -> None:
        """Add what was committed at offsets from `start` to `end`, with the size of its data."""
        new = {entry.offset: (entry, size) for entry, size in entries if entry.offset >= start}
        with self._lock:
            if start != self._end:
                self._forget(len(self._entries))
            for offset in sorted(new):
                entry, size = new[offset]
                self._offsets.append(offset)
                self._entries.append(entry)
                self._sizes.append(size)
                self._bytes += size
            self._end = end
            while self._bytes > MAX_BYTES:
                self._forget(max(1, len(self._entries) // 2))

    def read(self, topic: str, start_offset: int, limit: int) -> list[Entry]:
        """Entries of a topic from an offset on; empty where the run does not reach back to it."""
        with self._lock:
            if not self._offsets or start_offset < self._offsets[0]:
                return []
            first = bisect_left(self._offsets, start_offset)
            found = self._entries[first : first + limit]
        return [entry for entry in found if entry.topic == topic]

    def clear(self) -> None:
        """Let go of everything; the run begins anew with the next append."""
        with self._lock:
            self._forget(len(self._entries))
            self._end = -1

    def _forget(self, number: int) -> None:
        self._bytes -= sum(self._sizes[:number])
        del self._offsets[:number], self._entries[:number], self._sizes[:number]
