"""The local copy of the topics: found by id and by key, and there when the broker is not."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from helix_lab.adapters.log_kafka import statements
from helix_lab.adapters.log_kafka.statements import MAX_OFFSET, make_entry_id
from helix_lab.adapters.log_kafka.wire import Row, to_entry
from helix_lab.domain.model.errors import HelixError, Unavailable
from helix_lab.domain.model.event import Entry, order_of

Place = tuple[str, int]
"""Topic and partition."""

_BUSY_TIMEOUT_S = 10.0
_KEYS_KEPT = 100_000


class LocalCopy:
    """Every message of the topics, in the SQLite file at `path`. Safe in threads.

    It holds nothing that the topics do not: missing, damaged or of another version, it is made
    anew, and filled again from them. Where an event id is in the topics twice, the copy has the
    one that was followed first; in one partition that is the same for every reader.

    Raises:
        Unavailable: the file cannot be made.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._idle: list[sqlite3.Connection] = []
        self._is_closed = False
        self._keys: dict[tuple[str | None, int], int] = {}
        self._places: dict[Place, int] = {}
        self.positions: dict[Place, int] = {}
        with self._explained():
            self._writing = self._open()
            self._load_places()

    def apply(self, fresh: Mapping[Place, Sequence[Row]], ends: Mapping[Place, int]) -> None:
        """Add rows in the order of their partitions, and move to `ends`; older rows change nothing.

        All of it in one transaction, so a process that dies leaves no gap.
        """
        with self._lock, self._explained():
            self._check_open()
            connection = self._writing
            connection.execute("BEGIN IMMEDIATE")
            try:
                self._load_places()  # another process may share the file
                for place, rows in fresh.items():
                    self._insert(connection, place, rows)
                for place, end in ends.items():
                    connection.execute(statements.MOVE_PLACE, (end, self._find_place(place)))
                connection.execute("COMMIT")
            except BaseException:
                self._keys.clear()
                connection.execute("ROLLBACK")
                raise
            self._load_places()

    def forget(self) -> None:
        """Drop all of it, to be filled again."""
        with self._lock, self._explained():
            self._check_open()
            self._keys.clear()
            self._writing.executescript(statements.FORGET)
            self._load_places()

    def belongs_to(self, cluster: str) -> bool:
        """Whether the copy is of this cluster; an empty one is from now on."""
        with self._lock, self._explained():
            self._check_open()
            (known,) = self._writing.execute(statements.READ_CLUSTER).fetchone()
            if known not in {"", cluster} and self.positions:
                return False
            self._writing.execute(statements.WRITE_CLUSTER, (cluster,))
        return True

    def read(self, place: Place, start_offset: int, limit: int) -> list[Entry]:
        """Entries of a partition from an offset on."""
        with self._borrow() as connection:
            rows = connection.execute(
                statements.READ_PLACE, (*place, min(start_offset, MAX_OFFSET + 1), limit)
            ).fetchall()
        return [to_entry(*place, key, row) for key, *row in rows]

    def read_key(self, topic: str, key: str, start_offset: int, limit: int | None) -> list[Entry]:
        """Entries of a key in (clock, id) order; costs what the key has."""
        most = -1 if limit is None else limit
        entries: list[Entry] = []
        if start_offset > MAX_OFFSET:
            return entries
        with self._borrow() as connection:
            for key_id, partition in connection.execute(statements.FIND_KEYS, (key, topic)):
                first, last = (make_entry_id(key_id, at) for at in (start_offset, MAX_OFFSET))
                rows = connection.execute(statements.READ_KEY, (first, last, most))
                entries += [to_entry(topic, partition, key, row) for row in rows]
        if limit is not None:
            entries = sorted(entries, key=lambda entry: entry.offset)[:limit]
        entries.sort(key=order_of)
        return entries

    def find_partition(self, topic: str, key: str) -> int | None:
        """The partition where a key began; None for a key that is new."""
        with self._borrow() as connection:
            found = connection.execute(statements.FIND_KEYS, (key, topic)).fetchone()
        return None if found is None else int(found[1])

    def find_places(self, ids: Sequence[str]) -> dict[str, tuple[str, int, int]]:
        """Topic, partition and offset of events by their ids, for those that there are."""
        found = {}
        with self._borrow() as connection:
            for first in range(0, len(ids), statements.MAX_IDS):
                some = ids[first : first + statements.MAX_IDS]
                for event_id, *place in connection.execute(statements.find_places(len(some)), some):
                    found[event_id] = (place[0], place[1], place[2])
        return found

    def find_entry(self, event_id: str) -> Entry:
        """The entry of an event that the copy has."""
        with self._borrow() as connection:
            found = connection.execute(statements.FIND_ENTRY, (event_id,)).fetchone()
        topic, partition, key, *row = found
        return to_entry(topic, partition, key, row)

    def greatest_clock(self) -> int:
        """The greatest hybrid time of all events."""
        with self._borrow() as connection:
            return int(connection.execute(statements.GREATEST_CLOCK).fetchone()[0])

    def probe(self) -> None:
        """Read something; raise `Unavailable` if the copy cannot be used."""
        with self._borrow() as connection:
            connection.execute(statements.READ_CLUSTER).fetchone()

    def close(self) -> None:
        """Release the file; borrowed connections close when they come back."""
        with self._lock:
            if not self._is_closed:
                self._is_closed = True
                self._writing.close()
                while self._idle:
                    self._idle.pop().close()

    def _insert(self, connection: sqlite3.Connection, place: Place, rows: Sequence[Row]) -> None:
        place_id, start = self._find_place(place), self.positions.get(place, 0)
        added = [
            (make_entry_id(self._find_key(row.key, place_id), row.offset), place_id, *row[2:])
            for row in rows
            if row.offset >= start
        ]
        if added:
            connection.executemany(statements.ADD_ENTRY, added)
            connection.execute(statements.RAISE_CLOCK, (max(row.clock for row in rows),))

    def _find_key(self, name: str | None, place_id: int) -> int:
        known = self._keys.get((name, place_id))
        if known is not None:
            return known
        found = self._writing.execute(statements.FIND_KEY, (name, place_id)).fetchone()
        found = found or self._writing.execute(statements.ADD_KEY, (name, place_id)).fetchone()
        if len(self._keys) >= _KEYS_KEPT:
            self._keys.clear()
        self._keys[name, place_id] = int(found[0])
        return int(found[0])

    def _find_place(self, place: Place) -> int:
        if place not in self._places:
            self._writing.execute(statements.ADD_PLACE, place)
            self._load_places()
        return self._places[place]

    def _load_places(self) -> None:
        found = self._writing.execute(statements.READ_PLACES).fetchall()
        self._places = {(topic, partition): id_ for topic, partition, id_, _ in found}
        self.positions = {(topic, partition): end for topic, partition, _, end in found}

    def _open(self) -> sqlite3.Connection:
        """Open the file, or make it anew where it is none of ours or damaged."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600))
        with contextlib.suppress(sqlite3.DatabaseError):
            connection = _connect(self._path)
            (version,) = connection.execute("PRAGMA user_version").fetchone()
            if version == 0 and not connection.execute("SELECT 1 FROM sqlite_master").fetchone():
                connection.executescript(statements.CREATE)
                return connection
            if version == statements.FORMAT_VERSION and _is_sound(connection):
                return connection
            connection.close()
        for suffix in ("", "-wal", "-shm"):
            self._path.with_name(self._path.name + suffix).unlink(missing_ok=True)
        os.close(os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600))
        connection = _connect(self._path)
        connection.executescript(statements.CREATE)
        return connection

    @contextlib.contextmanager
    def _borrow(self) -> Iterator[sqlite3.Connection]:
        with self._explained():
            with self._lock:
                self._check_open()
                connection = self._idle.pop() if self._idle else None
            connection = connection or _connect(self._path)
            try:
                yield connection
            finally:
                with self._lock:
                    if self._is_closed:
                        connection.close()
                    else:
                        self._idle.append(connection)

    def _check_open(self) -> None:
        if self._is_closed:
            message = "the event log is closed; open the lab again"
            raise Unavailable(message, service="event log")

    @contextlib.contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except HelixError:
            raise
        except (sqlite3.Error, OSError) as error:
            message = (
                f"the local copy of the event log, {self._path}, cannot be used: {error}; check "
                "its disk. The file may be deleted while no lab is open: it is filled from Kafka"
            )
            raise Unavailable(message, service="event log", path=str(self._path)) from error


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(
        path, timeout=_BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False
    )
    connection.execute("PRAGMA journal_mode = WAL")
    # What a lost power supply takes, Kafka has.
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute("PRAGMA cache_size = -65536")
    connection.execute("PRAGMA temp_store = MEMORY")
    return connection


def _is_sound(connection: sqlite3.Connection) -> bool:
    """Whether the file can be read at its ends; a whole check would take as long as it is long."""
    connection.execute("SELECT min(id), max(id) FROM entry").fetchone()
    connection.execute('SELECT max("offset") FROM entry INDEXED BY entry_by_place').fetchone()
    connection.execute(statements.READ_PLACES).fetchall()
    return connection.execute(statements.READ_CLUSTER).fetchone() is not None
