"""The `EventLog` on SQLite."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from helix_lab.adapters.log_sqlite import statements
from helix_lab.adapters.log_sqlite.connections import Readers, unavailable
from helix_lab.adapters.log_sqlite.rows import to_entry
from helix_lab.adapters.log_sqlite.statements import MAX_OFFSET, make_entry_id
from helix_lab.adapters.log_sqlite.writer import Batch, Writer
from helix_lab.domain.model.errors import Conflict
from helix_lab.domain.model.event import order_of
from helix_lab.ports.event_log import EventLog, TopicState

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from helix_lab.domain.model.clock import HybridTime
    from helix_lab.domain.model.event import Entry, Event

POLL_S = 0.2
"""How often a waiting reader looks for appends of other processes."""


class SqliteEventLog(EventLog):
    """The event log in the SQLite file at `path`, made when missing, for its owner's eyes only.

    Any number of threads and processes may append and read at once.

    Raises:
        Unavailable: the file cannot be opened, is damaged, or is not a log of this version.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._writer = Writer(path)
        self._readers = Readers(path)
        self._appended = threading.Condition()
        self._append_count = 0
        self._wake_count = 0

    def append(self, events: Sequence[tuple[str, Event]]) -> list[Entry]:
        """See `EventLog.append`; data that JSON cannot hold raise `InvalidEvent`."""
        self._readers.check_open()
        if not events:
            return []
        entries = self._writer.append(Batch(events))
        self._wake_waiting()
        return entries

    def read(self, topic: str, partition: int, *, start_offset: int, limit: int) -> Sequence[Entry]:
        """See `EventLog.read`."""
        most = max(limit, 0) if partition == 0 else 0
        self._readers.check_open()
        if newest := self._writer.tail.read(topic, start_offset, most):
            return newest
        with self._readers.borrow() as connection:
            found = connection.execute(statements.READ_TOPIC, (topic, start_offset, most))
            rows = found.fetchall()
        return [to_entry(topic, key, row) for key, *row in rows]

    def read_key(
        self, topic: str, key: str, *, start_offset: int = 0, limit: int | None = None
    ) -> list[Entry]:
        """See `EventLog.read_key`; costs what the key has, whatever else the log has."""
        most = -1 if limit is None else max(limit, 0)
        with self._readers.borrow() as connection:
            found = connection.execute(statements.FIND_KEY, (topic, key)).fetchone()
            if found is None or start_offset > MAX_OFFSET:
                return []
            first, last = (make_entry_id(found[1], offset) for offset in (start_offset, MAX_OFFSET))
            rows = connection.execute(statements.READ_KEY, (first, last, most))
            entries = [to_entry(topic, key, row) for row in rows]
        entries.sort(key=order_of)
        return entries

    def end_offsets(self, topics: Sequence[str]) -> dict[tuple[str, int], int]:
        """See `EventLog.end_offsets`; the partition is always 0."""
        with self._readers.borrow() as connection:
            return {
                (topic, 0): connection.execute(statements.END_OFFSET, (topic,)).fetchone()[0]
                for topic in topics
            }

    def wait_for_append(self, seen: Mapping[tuple[str, int], int], *, timeout_s: float) -> bool:
        """See `EventLog.wait_for_append`."""
        deadline = time.monotonic() + timeout_s
        topics = [topic for topic, partition in seen if partition == 0]
        wake_count = self._wake_count
        while True:
            count = self._append_count  # before the look, so that no append falls in between
            ends = self.end_offsets(topics)
            if any(end > seen[place] for place, end in ends.items()):
                return True
            remaining_s = deadline - time.monotonic()
            if remaining_s <= 0:
                return False
            with self._appended:
                if self._wake_count != wake_count:
                    return False
                if self._append_count == count:
                    self._appended.wait(min(remaining_s, POLL_S))

    def wake(self) -> None:
        """See `EventLog.wake`."""
        with self._appended:
            self._wake_count += 1
            self._appended.notify_all()

    def greatest_clock(self) -> HybridTime:
        """See `EventLog.greatest_clock`; kept by every append, so no scan."""
        with self._readers.borrow() as connection:
            return int(connection.execute(statements.GREATEST_CLOCK).fetchone()[0])

    def apply_topics(
        self,
        partitions: Mapping[str, int | None],
        *,
        is_growing: bool = False,  # noqa: ARG002 - of logs that have partitions
    ) -> list[TopicState]:
        """See `EventLog.apply_topics`; a file has room for any topic, of one partition each.

        Raises:
            Conflict: more partitions are wanted.
        """
        self._readers.check_open()
        for topic, count in partitions.items():
            if count not in {None, 1}:
                message = f"topic {topic} has 1 partition in the log on SQLite, and no more"
                raise Conflict(message, topic=topic, partitions=1)
        return [TopicState(topic, 1, "none") for topic in partitions]

    def erase(self, changes: Mapping[str, Event | None]) -> None:
        """See `EventLog.erase`; rewrites the file, so it costs what the whole log has."""
        self._readers.check_open()
        self._writer.erase(changes)

    def probe(self) -> None:
        """See `EventLog.probe`."""
        with self._readers.borrow() as connection:
            connection.execute(statements.NEXT_OFFSET).fetchone()
        if not self._path.exists():
            raise unavailable(self._path, "the file was removed; stop the lab and restore it")

    def close(self) -> None:
        """See `EventLog.close`; appends and reads under way finish first."""
        self._readers.close()
        self._writer.close()
        self._wake_waiting()

    def _wake_waiting(self) -> None:
        with self._appended:
            self._append_count += 1
            self._appended.notify_all()
