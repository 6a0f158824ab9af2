"""The local copy of the topics: found by id and by key, and there when the broker is not."""

from __future__ import annotations

import contextlib
import sqlite3
import threading
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from helix_lab.adapters.log_kafka import statements
from helix_lab.adapters.log_kafka.copy_file import connect, open_file
from helix_lab.adapters.log_kafka.statements import MAX_OFFSET, make_entry_id
from helix_lab.adapters.log_kafka.tail import Place, Tail, follows
from helix_lab.adapters.log_kafka.wire import Row, to_entry
from helix_lab.domain.model.errors import HelixError, Unavailable
from helix_lab.domain.model.event import Entry, order_of

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
        """Of what is in memory; never held while the file is written."""
        self._file_lock = threading.Lock()
        self._idle: list[sqlite3.Connection] = []
        self._is_closed = False
        self._keys: dict[tuple[str | None, int], int] = {}
        self._places: dict[Place, int] = {}
        self._tail = Tail()
        self._leaving = Tail()
        self._flusher = ThreadPoolExecutor(1, thread_name_prefix="helix-log-copy")
        self._flushing: Future[None] | None = None
        self.positions: dict[Place, int] = {}
        with self._explained():
            self._writing = open_file(self._path)
            self.positions = self._find_ends()

    def apply(self, fresh: Mapping[Place, Sequence[Row]], ends: Mapping[Place, int]) -> None:
        """Add rows in the order of their partitions, and move to `ends`; older rows change nothing.

        All of it in one transaction, so a process that dies leaves no gap.
        """
        with self._file_lock, self._explained():
            self._write(fresh, ends)

    def continue_with(self, fresh: Mapping[Place, Sequence[Row]]) -> set[Place]:
        """Take rows that were just written, where the copy ends right before them.

        They are kept in memory for a moment: many small transactions cost more than a great one.
        A process that dies meanwhile reads them again from Kafka. See `flush_if_full`.

        Returns:
            The partitions where that could be; what is in the others is to be read.
        """
        with self._lock:
            taken = {p for p, rows in fresh.items() if follows(rows, self.positions.get(p, 0))}
            self._extend(
                {place: fresh[place] for place in taken},
                {place: fresh[place][-1].offset + 1 for place in taken},
            )
        return taken

    def pass_over(self, ends: Mapping[Place, int]) -> None:
        """Move on to `ends`; between them and where the copy has come to is no message."""
        with self._lock:
            self._extend({}, ends)

    def flush(self) -> None:
        """Write what is kept in memory."""
        if self._tail.ends or self._leaving.ends:
            with self._file_lock, self._explained():
                self._write({}, {})

    def flush_if_full(self) -> None:
        """Begin to write what is kept in memory, if it is much, beside what the caller does.

        Raises:
            Unavailable: what was begun before could not be written, and cannot be now.
        """
        begun = self._flushing
        if begun is not None and begun.done() and begun.exception() is not None:
            self.flush()
            self._flushing = None
        if self._tail.is_full:
            if self._flushing is not None:
                self._flushing.result()
            self._flushing = self._flusher.submit(self.flush)

    def _extend(self, fresh: Mapping[Place, Sequence[Row]], ends: Mapping[Place, int]) -> None:
        self._check_open()
        # The reading thread may have come further since the caller looked.
        ahead = {place: max(end, self.positions.get(place, 0)) for place, end in ends.items()}
        self._tail.add(fresh, ahead)
        self.positions = {**self.positions, **ahead}

    def _write(self, fresh: Mapping[Place, Sequence[Row]], ends: Mapping[Place, int]) -> None:
        with self._lock:
            self._check_open()
            # What could not be written the last time goes first.
            self._leaving.add(self._tail.rows, self._tail.ends)
            leaving, self._tail = self._leaving, Tail()
        connection = self._writing
        connection.execute("BEGIN IMMEDIATE")
        try:
            stored = self._find_ends()  # another process may share the file
            for place, rows in leaving.rows.items():
                self._insert(place, rows, stored.get(place, 0))
            for place, read in fresh.items():
                self._insert(place, read, max(stored.get(place, 0), leaving.ends.get(place, 0)))
            for place, end in (*leaving.ends.items(), *ends.items()):
                connection.execute(statements.MOVE_PLACE, (end, self._find_place(place)))
            connection.execute("COMMIT")
        except BaseException:
            self._keys.clear()
            if connection.in_transaction:  # a full disk has ended it
                connection.execute("ROLLBACK")
            raise
        stored = self._find_ends()
        with self._lock:
            self._leaving = Tail()
            ahead = self._tail.ends.items()
            self.positions = stored | {p: max(end, stored.get(p, 0)) for p, end in ahead}

    def forget(self) -> None:
        """Drop all of it, to be filled again."""
        with self._file_lock, self._explained(), self._lock:
            self._check_open()
            self._keys.clear()
            self._tail, self._leaving = Tail(), Tail()
            self._writing.executescript(statements.FORGET)
            self.positions = self._find_ends()

    def belongs_to(self, cluster: str) -> bool:
        """Whether the copy is of this cluster; an empty one is from now on."""
        with self._file_lock, self._explained():
            self._check_open()
            (known,) = self._writing.execute(statements.READ_CLUSTER).fetchone()
            if known not in {"", cluster} and self.positions:
                return False
            self._writing.execute(statements.WRITE_CLUSTER, (cluster,))
        return True

    def read(self, place: Place, start_offset: int, limit: int) -> list[Entry]:
        """Entries of a partition from an offset on."""
        self.flush()
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
        self.flush()
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
        for tail in self._list_tails():
            if (topic, key) in tail.keys:
                return tail.keys[topic, key]
        with self._borrow() as connection:
            found = connection.execute(statements.FIND_KEYS, (key, topic)).fetchone()
        return None if found is None else int(found[1])

    def find_places(self, ids: Sequence[str]) -> dict[str, tuple[str, int, int]]:
        """Topic, partition and offset of events by their ids, for those that there are."""
        if not ids:
            return {}
        found = {
            event_id: tail.ids[event_id]
            for tail in self._list_tails()
            if tail.ids
            for event_id in ids
            if event_id in tail.ids
        }
        with self._borrow() as connection:
            for first in range(0, len(ids), statements.MAX_IDS):
                some = ids[first : first + statements.MAX_IDS]
                for event_id, *place in connection.execute(statements.find_places(len(some)), some):
                    found[event_id] = (place[0], place[1], place[2])
        return found

    def find_entry(self, event_id: str) -> Entry:
        """The entry of an event that the copy has."""
        self.flush()
        with self._borrow() as connection:
            found = connection.execute(statements.FIND_ENTRY, (event_id,)).fetchone()
        topic, partition, key, *row = found
        return to_entry(topic, partition, key, row)

    def greatest_clock(self) -> int:
        """The greatest hybrid time of all events."""
        self.flush()
        with self._borrow() as connection:
            return int(connection.execute(statements.GREATEST_CLOCK).fetchone()[0])

    def probe(self) -> None:
        """Read something; raise `Unavailable` if the copy cannot be used."""
        with self._borrow() as connection:
            connection.execute(statements.READ_CLUSTER).fetchone()

    def close(self) -> None:
        """Release the file; borrowed connections close when they come back."""
        self._flusher.shutdown()
        with self._file_lock:
            if self._is_closed:
                return
            with contextlib.suppress(sqlite3.Error):
                self._write({}, {})  # else it is read again
            with self._lock:
                self._is_closed = True
                self._writing.close()
                while self._idle:
                    self._idle.pop().close()

    def _insert(self, place: Place, rows: Sequence[Row], start: int) -> None:
        fresh = [row for row in rows if row.offset >= start]
        if not fresh:
            return
        place_id = self._find_place(place)
        keys = {name: self._find_key(name, place_id) for name in {row.key for row in fresh}}
        # Many in one statement: while it runs, other threads may.
        for first in range(0, len(fresh), statements.MAX_ROWS):
            some = fresh[first : first + statements.MAX_ROWS]
            values = [
                value
                for row in some
                for value in (make_entry_id(keys[row.key], row.offset), place_id, *row[2:])
            ]
            self._writing.execute(statements.add_entries(len(some)), values)
        self._writing.execute(statements.RAISE_CLOCK, (max(row.clock for row in fresh),))

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
            self._find_ends()
        return self._places[place]

    def _list_tails(self) -> tuple[Tail, Tail]:
        """What is not in the file, before the file is looked at: it may get there meanwhile."""
        with self._lock:
            return self._leaving, self._tail

    def _find_ends(self) -> dict[Place, int]:
        """Where each partition ends in the file."""
        found = self._writing.execute(statements.READ_PLACES).fetchall()
        self._places = {(topic, partition): id_ for topic, partition, id_, _ in found}
        return {(topic, partition): end for topic, partition, _, end in found}

    @contextlib.contextmanager
    def _borrow(self) -> Iterator[sqlite3.Connection]:
        with self._explained():
            with self._lock:
                self._check_open()
                connection = self._idle.pop() if self._idle else None
            connection = connection or connect(self._path)
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
