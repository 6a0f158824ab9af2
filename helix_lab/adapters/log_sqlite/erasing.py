"""Erasing: entries are replaced or removed, and the file is written anew without them.

SQLite leaves what was deleted in free pages and in the write-ahead log. So the file is copied by
VACUUM, which takes no free page along, and the write-ahead log is emptied after it.
"""

from __future__ import annotations

import sqlite3
import time
from typing import TYPE_CHECKING, Any

from helix_lab.adapters.log_sqlite import statements

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_PATIENCE_S = 30.0
_LOOK_S = 0.05


def erase_entries(connection: sqlite3.Connection, rows: Mapping[str, Sequence[Any] | None]) -> None:
    """Replace or remove entries by event id; see `rows.to_row` for what stands in their place.

    Raises:
        sqlite3.Error: the file could not be changed; or readers kept the old pages in use, then
            the call is repeated.
    """
    connection.execute("PRAGMA secure_delete = ON")
    connection.execute("BEGIN IMMEDIATE")
    connection.executemany(
        statements.REMOVE_ENTRY, [(event_id,) for event_id, row in rows.items() if row is None]
    )
    connection.executemany(
        statements.REPLACE_DATA,
        [(*row[4:], event_id) for event_id, row in rows.items() if row is not None],
    )
    connection.execute(statements.REMOVE_KEYS)
    connection.execute("COMMIT")
    connection.execute("VACUUM")
    _empty_log(connection)


def _empty_log(connection: sqlite3.Connection) -> None:
    deadline = time.monotonic() + _PATIENCE_S
    while connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]:
        if time.monotonic() > deadline:
            message = "readers keep old pages of the log in use; what was erased may still be there"
            raise sqlite3.OperationalError(message)
        time.sleep(_LOOK_S)
