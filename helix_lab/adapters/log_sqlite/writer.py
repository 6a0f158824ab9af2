"""Appending: threads that meet share one commit, processes take turns."""

from __future__ import annotations

import contextlib
import errno
import os
import sqlite3
import sys
import threading
from collections import deque
from typing import TYPE_CHECKING, cast

from helix_lab.adapters.log_sqlite import statements
from helix_lab.adapters.log_sqlite.connections import (
    as_unavailable,
    closed,
    connect,
    unavailable,
    write_failed,
)
from helix_lab.adapters.log_sqlite.erasing import erase_entries
from helix_lab.adapters.log_sqlite.rows import find_entry, to_row
from helix_lab.adapters.log_sqlite.statements import make_entry_id
from helix_lab.adapters.log_sqlite.tail import Tail
from helix_lab.domain.model.errors import DuplicateId
from helix_lab.domain.model.event import Entry, Event
from helix_lab.domain.model.event_json import differing_fields

if sys.platform != "win32":
    import fcntl

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from helix_lab.domain.model.errors import HelixError

WAL_PAGES = 8000
"""Pages in the write-ahead log before they move to the main file: 32 MB, few long pauses."""


class Batch:
    """What one caller appends, made ready before its turn, and what became of it.

    Raises:
        InvalidEvent: an event that the log could not give back as it was.
    """

    def __init__(self, events: Sequence[tuple[str, Event]]) -> None:
        self.events = events
        self.rows = [to_row(event) for _, event in events]
        self.entries: list[Entry] = []
        self.error: HelixError | None = None
        self.is_done = False

    def result(self) -> list[Entry]:
        """The entries of the events; raises what went wrong instead."""
        if self.error:
            raise self.error
        return self.entries


class Writer:
    """The one writing connection of a process; makes the file when it is missing.

    Group commit: threads queue their batches and wait for their turn. Who gets it first commits
    all that is queued, each batch all or none; the others find theirs done.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._turn = threading.Lock()
        self._waiting: deque[Batch] = deque()
        self.tail = Tail()
        self._connection: sqlite3.Connection | None = None
        self._is_closed = False
        with as_unavailable(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
            lock_path = path.with_name(path.name + ".lock")
            self._lock_fd = os.open(lock_path, os.O_RDWR | os.O_CREAT, 0o600)
            try:
                self._create()
            except BaseException:
                self.close()
                raise

    def append(self, batch: Batch) -> list[Entry]:
        """Write a batch durably, alone or with others, and return its entries."""
        self._waiting.append(batch)
        try:
            with self._turn:
                if not batch.is_done:
                    self._commit_waiting(batch)
        except BaseException:
            # An interrupted caller gets no answer: its batch must not be written later.
            with contextlib.suppress(ValueError):
                self._waiting.remove(batch)
            raise
        return batch.result()

    def erase(self, changes: Mapping[str, Event | None]) -> None:
        """See `EventLog.erase`."""
        rows = {
            event_id: None if event is None else to_row(event)
            for event_id, event in changes.items()
        }
        with self._turn, as_unavailable(self._path), self._process_turn():
            if self._is_closed:
                raise closed(self._path)
            connection = self._connection or self._connect()
            try:
                erase_entries(connection, rows)
            except BaseException:
                self._disconnect()
                raise
            finally:
                self.tail.clear()

    def close(self) -> None:
        """Finish the append under way and release the file."""
        with self._turn:
            if not self._is_closed:
                self._is_closed = True
                self._disconnect()
                os.close(self._lock_fd)

    def _create(self) -> None:
        with self._process_turn():
            self._connection = connection = connect(self._path)
            version = connection.execute("PRAGMA user_version").fetchone()[0]
            if version > statements.FORMAT_VERSION:
                raise unavailable(self._path, "a newer Helix Lab made it; upgrade helix-lab")
            if version == 0 and connection.execute("SELECT 1 FROM sqlite_master").fetchone():
                raise unavailable(self._path, "it is another SQLite database; move it away")
            _prepare(connection)
            if version == 0:
                connection.executescript(statements.CREATE)
            elif version == 1:
                connection.executescript(statements.UPGRADE_1)
            connection.execute(statements.DROP_1)

    def _commit_waiting(self, leader: Batch) -> None:
        if self._is_closed:
            raise closed(self._path)
        group: list[Batch] = []
        while self._waiting:
            group.append(self._waiting.popleft())
        try:
            self._write(group)
        except (sqlite3.Error, OSError) as error:
            for batch in group:
                batch.error = write_failed(self._path, error)
        except BaseException:
            # The leader was interrupted; the others lead themselves when their turn comes.
            self._waiting.extendleft(batch for batch in reversed(group) if batch is not leader)
            raise
        for batch in group:
            batch.is_done = True

    def _write(self, group: list[Batch]) -> None:
        with self._process_turn():
            connection = self._connection or self._connect()
            try:
                connection.execute("BEGIN IMMEDIATE")
                start = end = int(connection.execute(statements.NEXT_OFFSET).fetchone()[0])
                for batch in group:
                    end = _insert(connection, batch, end)
                if end > start:
                    connection.execute(statements.RAISE_CLOCK, (_greatest_clock(group),))
                connection.execute("COMMIT")
            except BaseException:
                self._disconnect()  # rolls back, whatever state the failure left
                raise
        self.tail.extend(start, end, _list_written(group))

    def _connect(self) -> sqlite3.Connection:
        self._connection = connection = connect(self._path)
        _prepare(connection)
        return connection

    def _disconnect(self) -> None:
        if self._connection:
            self._connection.close()
            self._connection = None

    @contextlib.contextmanager
    def _process_turn(self) -> Iterator[None]:
        """Queue with other processes; under SQLite's own busy wait some of them starve."""
        if sys.platform == "win32":
            yield
            return
        fcntl.flock(self._lock_fd, fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.flock(self._lock_fd, fcntl.LOCK_UN)


def _prepare(connection: sqlite3.Connection) -> None:
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute(f"PRAGMA wal_autocheckpoint = {WAL_PAGES}")
    connection.execute(f"PRAGMA journal_size_limit = {2 * WAL_PAGES * 4096}")


def _insert(connection: sqlite3.Connection, batch: Batch, start: int) -> int:
    """Insert a batch whole, or not at all and set its error; return the next free offset."""
    batch.error = None
    if start + len(batch.rows) > statements.MAX_OFFSET + 1:
        raise OSError(errno.EFBIG, "it has no offsets left")
    connection.execute("SAVEPOINT batch")
    keys = _add_keys(connection, {(topic, event.key) for topic, event in batch.events})
    rows = []
    for offset, ((topic, event), row) in enumerate(
        zip(batch.events, batch.rows, strict=True), start
    ):
        topic_id, key_id = keys[topic, event.key]
        rows.append((make_entry_id(key_id, offset), topic_id, *row))
    inserted = _insert_rows(connection, rows)
    batch.entries = [
        Entry(topic, 0, offset, event) for offset, (topic, event) in enumerate(batch.events, start)
    ]
    if inserted < len(rows):
        try:
            batch.entries = [_settle(connection, entry) for entry in batch.entries]
        except DuplicateId as error:
            batch.error, inserted = error, 0
            connection.execute("ROLLBACK TO batch")
    connection.execute("RELEASE batch")
    return start + (len(rows) if inserted else 0)


def _add_keys(
    connection: sqlite3.Connection, keys: set[tuple[str, str]]
) -> dict[tuple[str, str], tuple[int, int]]:
    """The ids of topic and key, for each of them by name; new ones are added."""
    connection.executemany(statements.ADD_TOPIC, {(topic,) for topic, _ in keys})
    connection.executemany(statements.ADD_KEY, keys)
    found: dict[tuple[str, str], tuple[int, int]] = {}
    for topic in {topic for topic, _ in keys}:
        names = [name for other, name in keys if other == topic]
        for first in range(0, len(names), statements.MAX_KEYS):
            some = names[first : first + statements.MAX_KEYS]
            for name, *ids in connection.execute(statements.find_keys(len(some)), [topic, *some]):
                found[topic, name] = (ids[0], ids[1])
    return found


def _insert_rows(connection: sqlite3.Connection, rows: Sequence[tuple[str | int, ...]]) -> int:
    """Insert rows many at a time: each step of a statement takes turns with all other threads."""
    inserted = 0
    for first in range(0, len(rows), statements.MAX_ROWS):
        some = rows[first : first + statements.MAX_ROWS]
        parameters = [value for row in some for value in row]
        inserted += connection.execute(statements.add_entries(len(some)), parameters).rowcount
    return inserted


def _greatest_clock(group: Sequence[Batch]) -> int:
    return max(entry.event.clock for entry, _ in _list_written(group))


def _list_written(group: Sequence[Batch]) -> Iterator[tuple[Entry, int]]:
    """Entries of the batches that were written, each with the size of its data."""
    for batch in group:
        if batch.error is None:
            for entry, row in zip(batch.entries, batch.rows, strict=True):
                yield entry, len(cast("str", row[-1]))


def _settle(connection: sqlite3.Connection, entry: Entry) -> Entry:
    """The entry that the log has for the id of `entry`; refuse another content."""
    first = find_entry(connection, entry.event.event_id)
    if first.offset == entry.offset:
        return entry
    differing = differing_fields(first.event, entry.event)
    if differing:
        raise _duplicate(entry.event.event_id, differing)
    return first


def _duplicate(event_id: str, differing: list[str]) -> DuplicateId:
    return DuplicateId(
        f"event {event_id!r} is in the log with another {' and '.join(differing)}; nothing of its "
        "batch was written. A fact of its own needs an id of its own",
        event_id=event_id,
        fields=differing,
    )
