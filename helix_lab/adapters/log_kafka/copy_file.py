"""The file of the local copy: opened, or made anew where it cannot be used."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from pathlib import Path

from helix_lab.adapters.log_kafka import statements

_BUSY_TIMEOUT_S = 10.0
_WAL_PAGES = 8000
"""Before they move to the main file: 32 MB, few long pauses."""


def open_file(path: Path) -> sqlite3.Connection:
    """Open the file, or make it anew where it is none of ours or damaged."""
    path.parent.mkdir(parents=True, exist_ok=True)
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    with contextlib.suppress(sqlite3.DatabaseError):
        connection = connect(path)
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        if version == 0 and not connection.execute("SELECT 1 FROM sqlite_master").fetchone():
            connection.executescript(statements.CREATE)
            return connection
        if version == statements.FORMAT_VERSION and _is_sound(connection):
            return connection
        connection.close()
    for suffix in ("", "-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    connection = connect(path)
    connection.executescript(statements.CREATE)
    return connection


def connect(path: Path) -> sqlite3.Connection:
    """A connection to the file, safe to hand from thread to thread."""
    connection = sqlite3.connect(
        path, timeout=_BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False
    )
    connection.execute("PRAGMA journal_mode = WAL")
    # What a lost power supply takes, Kafka has.
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute(f"PRAGMA wal_autocheckpoint = {_WAL_PAGES}")
    connection.execute("PRAGMA cache_size = -65536")
    connection.execute("PRAGMA temp_store = MEMORY")
    return connection


def _is_sound(connection: sqlite3.Connection) -> bool:
    """Whether the file can be read at its ends; a whole check would take as long as it is long."""
    connection.execute("SELECT min(id), max(id) FROM entry").fetchone()
    connection.execute('SELECT max("offset") FROM entry INDEXED BY entry_by_place').fetchone()
    connection.execute(statements.READ_PLACES).fetchall()
    return connection.execute(statements.READ_CLUSTER).fetchone() is not None
