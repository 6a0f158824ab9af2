"""The event log in one SQLite file: durable, safe in threads and between processes.

`sqlite3 log.sqlite 'SELECT * FROM event LIMIT 5'` shows it to a person. Every topic has one
partition, 0; an offset is the row id, so it grows over the whole log and has gaps in a topic.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import sys
import threading
import time
from collections import deque
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from helix_lab.domain.model.clock import HybridTime
from helix_lab.domain.model.errors import (
    DuplicateId,
    HelixError,
    InvalidEvent,
    LogWriteFailed,
    Unavailable,
)
from helix_lab.domain.model.event import Entry, Event, from_micros, to_micros
from helix_lab.ports.event_log import EventLog

if sys.platform != "win32":
    import fcntl

MAX_DEPTH = 200
"""Deepest nesting of an event's data: what is written must be readable from any call stack."""

POLL_S = 0.2
"""How often a waiting reader looks for appends of other processes."""

BUSY_TIMEOUT_MS = 10_000
FORMAT_VERSION = 1

_SCHEMA = """
CREATE TABLE IF NOT EXISTS topic (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
CREATE TABLE IF NOT EXISTS key (
    id INTEGER PRIMARY KEY, topic INTEGER NOT NULL, name TEXT NOT NULL, UNIQUE (topic, name));
CREATE TABLE IF NOT EXISTS entry (
    "offset" INTEGER PRIMARY KEY, topic INTEGER NOT NULL, key INTEGER NOT NULL,
    event_id TEXT NOT NULL UNIQUE, type TEXT NOT NULL, node TEXT NOT NULL, subject TEXT NOT NULL,
    time_us INTEGER NOT NULL, clock INTEGER NOT NULL, version INTEGER NOT NULL,
    data TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS entry_by_topic ON entry (topic);
CREATE INDEX IF NOT EXISTS entry_by_key ON entry (key);
CREATE TABLE IF NOT EXISTS progress (
    id INTEGER PRIMARY KEY CHECK (id = 0), greatest_clock INTEGER NOT NULL);
INSERT INTO progress VALUES (0, 0) ON CONFLICT DO NOTHING;
CREATE VIEW IF NOT EXISTS event AS
    SELECT e."offset", t.name AS topic, k.name AS key, e.event_id, e.type, e.node, e.subject,
           datetime(e.time_us / 1000000, 'unixepoch') AS time, e.clock, e.version, e.data
    FROM entry e JOIN topic t ON t.id = e.topic JOIN key k ON k.id = e.key;
"""

_ADD_TOPIC = "INSERT INTO topic (name) VALUES (?) ON CONFLICT DO NOTHING"
_ADD_KEY = """
INSERT INTO key (topic, name) VALUES ((SELECT id FROM topic WHERE name = ?), ?)
ON CONFLICT DO NOTHING"""
_ADD_ENTRY = """
INSERT INTO entry ("offset", topic, key, event_id, type, node, subject, time_us, clock, version, data)
SELECT ?, k.topic, k.id, ?, ?, ?, ?, ?, ?, ?, ?
FROM topic t JOIN key k ON k.topic = t.id WHERE t.name = ? AND k.name = ?
ON CONFLICT (event_id) DO NOTHING"""
_NEXT_OFFSET = 'SELECT coalesce(max("offset") + 1, 0) FROM entry'
_RAISE_CLOCK = """
UPDATE progress SET greatest_clock = max(
    greatest_clock, (SELECT coalesce(max(clock), 0) FROM entry WHERE "offset" >= ?))"""

# The blob spares a decoding to str that msgspec would have to undo.
_COLUMNS = """t.name, e."offset", e.event_id, e.type, e.node, k.name, e.subject, e.time_us, e.clock,
    CAST(e.data AS BLOB), e.version"""
_FIND_ENTRY = f"""
SELECT {_COLUMNS} FROM entry e JOIN topic t ON t.id = e.topic JOIN key k ON k.id = e.key
WHERE e.event_id = ?"""
_READ_TOPIC = f"""
SELECT {_COLUMNS} FROM topic t CROSS JOIN entry e ON e.topic = t.id CROSS JOIN key k ON k.id = e.key
WHERE t.name = ? AND e."offset" >= ? ORDER BY e."offset" LIMIT ?"""
_READ_KEY = f"""
SELECT {_COLUMNS} FROM topic t CROSS JOIN key k ON k.topic = t.id CROSS JOIN entry e ON e.key = k.id
WHERE t.name = ? AND k.name = ? ORDER BY e."offset" LIMIT ?"""
_LAST_OFFSET = """
SELECT "offset" FROM entry WHERE topic = (SELECT id FROM topic WHERE name = ?)
ORDER BY "offset" DESC LIMIT 1"""
_GREATEST_CLOCK = "SELECT greatest_clock FROM progress"

_Row = tuple[str, int, str, str, str, str, str, int, int, bytes, int]


class SqliteEventLog(EventLog):
    """The event log in the SQLite file at `path`, made (readable by its owner only) when missing.

    Any number of threads and processes may append and read at once. Appends of several threads
    that meet share one commit, and so one flush of the disk.

    Raises:
        Unavailable: the file cannot be opened, or is not a log of this version.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._appended = threading.Condition()
        self._append_count = 0
        self._writer = _Writer(path)
        self._readers = _Readers(path)

    def append(self, events: Sequence[tuple[str, Event]]) -> list[Entry]:  # noqa: D102
        batch = _Batch(events)
        self._readers.check_open()
        if not events:
            return []
        entries = self._writer.append(batch)
        self._wake()
        return entries

    def read(  # noqa: D102
        self, topic: str, partition: int, *, start_offset: int, limit: int
    ) -> Sequence[Entry]:
        if partition != 0:
            self._readers.check_open()
            return []
        with self._readers.borrow() as connection:
            rows = connection.execute(_READ_TOPIC, (topic, start_offset, max(limit, 0))).fetchall()
        return [_to_entry(row) for row in rows]

    def read_key(  # noqa: D102
        self, topic: str, key: str, *, limit: int | None = None
    ) -> list[Entry]:
        most = -1 if limit is None else max(limit, 0)
        with self._readers.borrow() as connection:
            rows = connection.execute(_READ_KEY, (topic, key, most)).fetchall()
        rows.sort(key=lambda row: (row[8], row[2]))
        return [_to_entry(row) for row in rows]

    def end_offsets(self, topics: Sequence[str]) -> dict[tuple[str, int], int]:  # noqa: D102
        ends = {}
        with self._readers.borrow() as connection:
            for topic in topics:
                last = connection.execute(_LAST_OFFSET, (topic,)).fetchone()
                ends[topic, 0] = last[0] + 1 if last else 0
        return ends

    def wait_for_append(  # noqa: D102
        self, seen: dict[tuple[str, int], int], *, timeout_s: float
    ) -> bool:
        deadline = time.monotonic() + timeout_s
        topics = [topic for topic, partition in seen if partition == 0]
        while True:
            count = self._append_count  # before the look, so that no append falls in between
            ends = self.end_offsets(topics)
            if any(end > seen[place] for place, end in ends.items()):
                return True
            remaining_s = deadline - time.monotonic()
            if remaining_s <= 0:
                return False
            with self._appended:
                self._appended.wait_for(
                    lambda count=count: self._append_count != count,  # type: ignore[misc]
                    min(remaining_s, POLL_S),
                )

    def greatest_clock(self) -> HybridTime:  # noqa: D102
        with self._readers.borrow() as connection:
            return int(connection.execute(_GREATEST_CLOCK).fetchone()[0])

    def probe(self) -> None:  # noqa: D102
        with self._readers.borrow() as connection:
            connection.execute(_NEXT_OFFSET).fetchone()
        if not self._path.exists():
            raise _unavailable(self._path, "the file was removed; stop the lab and restore it")

    def close(self) -> None:  # noqa: D102
        self._readers.close()
        self._writer.close()
        self._wake()

    def _wake(self) -> None:
        with self._appended:
            self._append_count += 1
            self._appended.notify_all()


# Writing --------------------------------------------------------------------------------


class _Batch:
    """What one caller appends, made ready before its turn, and what became of it."""

    def __init__(self, events: Sequence[tuple[str, Event]]) -> None:
        self.events = events
        self.rows = [_to_parameters(topic, event) for topic, event in events]
        self.entries: list[Entry] = []
        self.error: HelixError | None = None
        self.is_done = False

    def result(self) -> list[Entry]:
        if self.error:
            raise self.error
        return self.entries


class _Writer:
    """Commits the batches of all waiting threads together: the first one in leads for all."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._turn = threading.Lock()
        self._waiting: deque[_Batch] = deque()
        self._connection: sqlite3.Connection | None = None
        self._is_closed = False
        with _translated(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            for file in (path, lock := path.with_name(path.name + ".lock")):
                os.close(os.open(file, os.O_RDWR | os.O_CREAT, 0o600))
            self._lock_fd = os.open(lock, os.O_RDWR)
            try:
                self._create()
            except BaseException:
                self.close()
                raise

    def append(self, batch: _Batch) -> list[Entry]:
        self._waiting.append(batch)
        try:
            with self._turn:
                if not batch.is_done:
                    self._commit_waiting(batch)
        except BaseException:  # an interrupt: what was not written must not be written later
            with contextlib.suppress(ValueError):
                self._waiting.remove(batch)
            raise
        return batch.result()

    def close(self) -> None:
        with self._turn:
            if not self._is_closed:
                self._is_closed = True
                self._drop_connection()
                os.close(self._lock_fd)

    def _create(self) -> None:
        with self._locked_file():
            connection = self._connect()
            version = connection.execute("PRAGMA user_version").fetchone()[0]
            if version > FORMAT_VERSION:
                raise _unavailable(self._path, "a newer Helix Lab made it; upgrade helix-lab")
            if version < FORMAT_VERSION:
                connection.executescript(
                    f"BEGIN IMMEDIATE; {_SCHEMA} PRAGMA user_version = {FORMAT_VERSION}; COMMIT"
                )

    def _commit_waiting(self, leader: _Batch) -> None:
        group: list[_Batch] = []
        while self._waiting:
            group.append(self._waiting.popleft())
        try:
            self._write(group)
        except (sqlite3.Error, OSError) as error:
            for batch in group:
                batch.error = _write_failed(self._path, error)
        except BaseException:  # an interrupt of the leader is not the others' concern
            self._waiting.extendleft(batch for batch in reversed(group) if batch is not leader)
            raise
        for batch in group:
            batch.is_done = True

    def _write(self, group: list[_Batch]) -> None:
        if self._is_closed:
            raise _closed(self._path)
        with self._locked_file():
            connection = self._connection or self._connect()
            try:
                connection.execute("BEGIN IMMEDIATE")
                start = offset = int(connection.execute(_NEXT_OFFSET).fetchone()[0])
                for batch in group:
                    offset = _insert(connection, batch, offset)
                if offset > start:
                    connection.execute(_RAISE_CLOCK, (start,))
                connection.execute("COMMIT")
            except BaseException:
                self._drop_connection()  # rolls back, whatever state it is in
                raise

    def _connect(self) -> sqlite3.Connection:
        self._connection = _connect(self._path)
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA wal_autocheckpoint = 8000")
        self._connection.execute("PRAGMA journal_size_limit = 67108864")
        return self._connection

    def _drop_connection(self) -> None:
        if self._connection:
            self._connection.close()
            self._connection = None

    @contextlib.contextmanager
    def _locked_file(self) -> Iterator[None]:
        """Take turns with other processes; SQLite's own busy wait lets some of them starve."""
        if sys.platform == "win32":
            yield
            return
        fcntl.flock(self._lock_fd, fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.flock(self._lock_fd, fcntl.LOCK_UN)


def _insert(connection: sqlite3.Connection, batch: _Batch, first_offset: int) -> int:
    """Insert a batch or set its error, and return the next free offset."""
    batch.error, batch.entries = None, []
    connection.execute("SAVEPOINT batch")
    keys = {row[-2:] for row in batch.rows}
    connection.executemany(_ADD_TOPIC, {(topic,) for topic, _ in keys})
    connection.executemany(_ADD_KEY, keys)
    rows = [(offset, *row) for offset, row in enumerate(batch.rows, first_offset)]
    inserted = connection.executemany(_ADD_ENTRY, rows).rowcount
    try:
        for offset, (topic, event) in enumerate(batch.events, first_offset):
            entry = Entry(topic, 0, offset, event)
            if inserted < len(rows):
                stored = connection.execute(_FIND_ENTRY, (event.event_id,)).fetchone()
                entry = _settle(stored, entry)
            batch.entries.append(entry)
    except DuplicateId as error:
        batch.error, inserted = error, 0
        connection.execute("ROLLBACK TO batch")
    connection.execute("RELEASE batch")
    return first_offset + (len(rows) if inserted else 0)


def _settle(stored_row: _Row, entry: Entry) -> Entry:
    """The entry that is in the log for the id of `entry`; refuse another content."""
    if stored_row[1] == entry.offset:
        return entry
    stored = _to_entry(stored_row)
    names = ("type", "key", "subject")
    differing = [n for n in names if getattr(stored.event, n) != getattr(entry.event, n)]
    if _canonical(stored.event) != _canonical(entry.event):
        differing.append("data")
    if differing:
        raise DuplicateId(
            f"event {entry.event.event_id!r} is in the log with another {', '.join(differing)}; "
            "nothing of its batch was written. A new fact needs an id of its own",
            event_id=entry.event.event_id,
            fields=differing,
        )
    return stored


# Rows and values ------------------------------------------------------------------------

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode
_encode_sorted = msgspec.json.Encoder(order="sorted").encode


def _to_parameters(topic: str, event: Event) -> tuple[str | int, ...]:
    """The row of an event without its offset; refuse what would not come back as it was."""
    texts = (event.event_id, event.type, event.node_id, event.subject, topic, event.key)
    for name, text in zip(("event_id", "type", "node_id", "subject", "topic", "key"), texts):
        if not text.isascii():
            _require_unicode(event, name, text)
    for name, number in (("clock", event.clock), ("version", event.version)):
        if not 0 <= number < 2**63:
            raise _invalid(event, name, f"{number} is not in 0 … 2^63 - 1")
    if event.time.tzinfo is None:
        raise _invalid(event, "time", "it has no time zone; give an aware datetime")
    numbers = (to_micros(event.time), event.clock, event.version)
    return (*texts[:4], *numbers, _encode_data(event), *texts[4:])


def _encode_data(event: Event) -> str:
    data = dict(event.data)
    try:
        raw = _encode(data)
        if raw.count(b"{") + raw.count(b"[") > MAX_DEPTH and _depth(data) > MAX_DEPTH:
            raise RecursionError
        is_json = _decode(raw) == data
    except RecursionError:
        raise _invalid(event, "data", f"it is nested deeper than {MAX_DEPTH} levels") from None
    except UnicodeEncodeError:
        raise _invalid(event, "data", "a text in it has a lone surrogate") from None
    except (TypeError, ValueError, OverflowError) as error:
        raise _invalid(event, "data", str(error)) from None
    if not is_json:
        raise _invalid(event, "data", "only JSON values are allowed (no NaN, dates, tuples, bytes)")
    return raw.decode()


def _depth(value: object) -> int:
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return 1 + max(map(_depth, parts), default=0)


def _canonical(event: Event) -> bytes:
    return _encode_sorted(dict(event.data))


def _to_entry(row: _Row) -> Entry:
    topic, offset, event_id, type_, node_id, key, subject, micros, clock, data, version = row
    time_ = from_micros(micros)
    event = Event(event_id, type_, node_id, key, subject, time_, clock, _decode(data), version)
    return Entry(topic, 0, offset, event)


def _require_unicode(event: Event, name: str, text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise _invalid(event, name, f"{text!r} has a lone surrogate") from None


def _invalid(event: Event, field: str, reason: str) -> InvalidEvent:
    return InvalidEvent(
        f"event {event.event_id!r} cannot be written to the log: {field}: {reason}",
        event_id=event.event_id,
        field=field,
    )


# Connections and errors -----------------------------------------------------------------


class _Readers:
    """Connections that are reading or ready to; a reader never blocks the writer."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._idle: list[sqlite3.Connection] = []
        self._lock = threading.Lock()
        self._is_closed = False

    def check_open(self) -> None:
        if self._is_closed:
            raise _closed(self._path)

    @contextlib.contextmanager
    def borrow(self) -> Iterator[sqlite3.Connection]:
        with _translated(self._path):
            with self._lock:
                self.check_open()
                connection = self._idle.pop() if self._idle else None
            connection = connection or _connect(self._path)
            try:
                yield connection
            finally:
                with self._lock:
                    if not self._is_closed:
                        self._idle.append(connection)
                if self._is_closed:
                    connection.close()

    def close(self) -> None:
        with self._lock:
            self._is_closed = True
            while self._idle:
                self._idle.pop().close()


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(
        path, timeout=BUSY_TIMEOUT_MS / 1000, isolation_level=None, check_same_thread=False
    )
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA fullfsync = 1")  # macOS: fsync alone leaves data in the drive
    connection.execute("PRAGMA cache_size = -65536")
    connection.execute("PRAGMA temp_store = MEMORY")
    return connection


@contextlib.contextmanager
def _translated(path: Path) -> Iterator[None]:
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        if isinstance(error, HelixError):
            raise
        raise _unavailable(path, f"{error}; {_advice(error)}") from error


def _advice(error: Exception) -> str:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    return {
        sqlite3.SQLITE_FULL: "free space on its disk",
        sqlite3.SQLITE_READONLY: "make the file and its folder writable",
        sqlite3.SQLITE_CANTOPEN: "make the file and its folder readable and writable",
        sqlite3.SQLITE_BUSY: "stop the program that keeps it locked",
        sqlite3.SQLITE_CORRUPT: "restore it from a backup, or save it with `sqlite3 FILE .recover`",
        sqlite3.SQLITE_NOTADB: "this is no log of Helix Lab: restore it from a backup or move it away",
    }.get(code, "check the disk, its free space and the permissions")


def _write_failed(path: Path, error: Exception) -> LogWriteFailed:
    return LogWriteFailed(
        f"the event log {path} could not be written, and nothing was: {error}; {_advice(error)}, "
        "then try again",
        service="event log",
        path=str(path),
        reason=str(error),
    )


def _unavailable(path: Path, reason: str) -> Unavailable:
    return Unavailable(
        f"the event log {path} cannot be used: {reason}",
        service="event log",
        path=str(path),
    )


def _closed(path: Path) -> Unavailable:
    return _unavailable(path, "it is closed; open the lab again")
