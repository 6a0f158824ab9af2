"""Connections to the log file, and what SQLite's errors mean for a person."""

from __future__ import annotations

import contextlib
import sqlite3
import threading
from typing import TYPE_CHECKING

from helix_lab.domain.model.errors import HelixError, LogWriteFailed, Unavailable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

BUSY_TIMEOUT_S = 10.0


class Readers:
    """A pool of connections that only read; they never block the writer, nor it them."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._idle: list[sqlite3.Connection] = []
        self._lock = threading.Lock()
        self._is_closed = False

    def check_open(self) -> None:
        """Raise `Unavailable` after `close`."""
        if self._is_closed:
            raise closed(self._path)

    @contextlib.contextmanager
    def borrow(self) -> Iterator[sqlite3.Connection]:
        """A connection of the caller's own for one read; its errors leave as `Unavailable`."""
        with as_unavailable(self._path):
            with self._lock:
                self.check_open()
                connection = self._idle.pop() if self._idle else None
            connection = connection or connect(self._path)
            try:
                yield connection
            finally:
                self._give_back(connection)

    def close(self) -> None:
        """Close idle connections now, and borrowed ones when they come back."""
        with self._lock:
            self._is_closed = True
            while self._idle:
                self._idle.pop().close()

    def _give_back(self, connection: sqlite3.Connection) -> None:
        with self._lock:
            if self._is_closed:
                connection.close()
            else:
                self._idle.append(connection)


def connect(path: Path) -> sqlite3.Connection:
    """A connection that commits only when told to, and then durably."""
    connection = sqlite3.connect(
        path, timeout=BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False
    )
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA fullfsync = 1")  # on macOS a plain fsync stops in the drive's cache
    connection.execute("PRAGMA cache_size = -65536")
    connection.execute("PRAGMA temp_store = MEMORY")
    return connection


@contextlib.contextmanager
def as_unavailable(path: Path) -> Iterator[None]:
    """Turn errors of SQLite and of the file system into `Unavailable`."""
    try:
        yield
    except HelixError:
        raise
    except (sqlite3.Error, OSError) as error:
        raise unavailable(path, f"{error}; {_advice(error)}") from error


def write_failed(path: Path, error: Exception) -> LogWriteFailed:
    """What a caller is told whose append is not in the log."""
    return LogWriteFailed(
        f"the event log {path} could not be written ({error}), and nothing was; "
        f"{_advice(error)}, then try again",
        service="event log",
        path=str(path),
        reason=str(error),
    )


def unavailable(path: Path, reason: str) -> Unavailable:
    """The error for a log that cannot be used."""
    return Unavailable(
        f"the event log {path} cannot be used: {reason}", service="event log", path=str(path)
    )


def closed(path: Path) -> Unavailable:
    """The error for a call after `close`."""
    return unavailable(path, "it is closed; open the lab again")


def _advice(error: Exception) -> str:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    return {
        sqlite3.SQLITE_FULL: "free space on its disk",
        sqlite3.SQLITE_READONLY: "make the file and its folder writable",
        sqlite3.SQLITE_CANTOPEN: "make the file and its folder readable and writable",
        sqlite3.SQLITE_BUSY: "stop the program that keeps it locked",
        sqlite3.SQLITE_CORRUPT: "restore it from a backup or save it by `sqlite3 FILE .recover`",
        sqlite3.SQLITE_NOTADB: "it is no event log: restore it from a backup or move it away",
    }.get(code, "check its disk, the free space there and the permissions")
