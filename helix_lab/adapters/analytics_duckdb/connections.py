"""The engine: opened with what users' statements may never do, closed when nobody uses it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import duckdb

from helix_lab.adapters.analytics_duckdb.reading import Stopper
from helix_lab.domain.model.errors import Unavailable

_CONFIG: dict[str, str | bool | int | float | list[str]] = {
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "allow_community_extensions": "false",
    "python_enable_replacements": "false",
    "memory_limit": "4GB",
    # What does not fit in memory goes to the disk; one statement must not fill it.
    "max_temp_directory_size": "8GB",
}

_MEASURED_BY = {"enable_progress_bar": True, "enable_progress_bar_print": False}
"""Settings of one cursor by which DuckDB tells how far a statement is, and prints nothing."""


class Engine:
    """One DuckDB file and its cursors. Safe in threads.

    Args:
        path: the file, made if absent, readable by its owner alone.

    Raises:
        Unavailable: the file cannot be opened.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._is_replaced = False
        self._changed = threading.Condition()
        self._cursors = 0
        self._stoppers: set[Stopper] = set()
        self._is_closed = False
        self._open()

    def _open(self) -> None:
        path = self._path
        try:
            self._connection = duckdb.connect(str(path), config=_CONFIG)
            path.chmod(0o600)
        except (duckdb.Error, OSError) as error:
            message = (
                f"the analytics file {path} cannot be opened: {error}; it can be deleted while no "
                "lab is open, and is then filled again from the log"
            )
            raise Unavailable(message, service="analytics", path=str(path)) from error
        # For the whole engine, and for good: users' statements run here, too.
        self._connection.execute("SET GLOBAL TimeZone = 'UTC'")
        self._connection.execute("SET enable_external_access = false")
        self._connection.execute(f"SET allowed_configs = {list(_MEASURED_BY)}")
        self._connection.execute("SET lock_configuration = true")

    @contextmanager
    def cursor(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A connection of one's own: results stream, so a shared one would be busy.

        Raises:
            Unavailable: the store is closed, or the engine failed.
        """
        self._enter()
        try:
            cursor = self._connection.cursor()
            try:
                yield cursor
            finally:
                cursor.close()
        except duckdb.Error as error:
            message = f"the analytics store cannot be used: {error}"
            raise Unavailable(message, service="analytics") from error
        finally:
            self._leave()

    @contextmanager
    def stoppable(self, cursor: duckdb.DuckDBPyConnection, timeout_s: float) -> Iterator[Stopper]:
        """What stops a statement of this cursor, after a time, when told to, or by `close`."""
        for name, value in _MEASURED_BY.items():
            cursor.execute(f"SET {name} = {value}")
        with Stopper(cursor, timeout_s) as stopper:
            with self._changed:
                self._stoppers.add(stopper)
                is_closed = self._is_closed
            if is_closed:
                stopper.stop()
            try:
                yield stopper
            finally:
                with self._changed:
                    self._stoppers.discard(stopper)

    def hide_log(self) -> None:
        """Close DuckDB's write-ahead log to others; it makes a new one after each checkpoint."""
        with suppress(FileNotFoundError):
            self._path.with_name(self._path.name + ".wal").chmod(0o600)

    def replace(self) -> None:
        """Delete the file and make an empty one; waits until nobody uses it."""
        with self._changed:
            self._is_replaced = True
            try:
                for stopper in self._stoppers:
                    stopper.stop()
                self._changed.wait_for(lambda: self._cursors == 0)
                self._connection.close()
                for suffix in ("", ".wal"):
                    self._path.with_name(self._path.name + suffix).unlink(missing_ok=True)
                self._open()
            finally:
                self._is_replaced = False
                self._changed.notify_all()

    def close(self) -> None:
        """Stop statements of users, wait for the others, release the file."""
        with self._changed:
            self._is_closed = True
            for stopper in self._stoppers:
                stopper.stop()
            self._changed.wait_for(lambda: self._cursors == 0)
        self._connection.close()

    def _enter(self) -> None:
        with self._changed:
            self._changed.wait_for(lambda: not self._is_replaced)
            if self._is_closed:
                message = "the analytics store is closed; open the lab again"
                raise Unavailable(message, service="analytics")
            self._cursors += 1

    def _leave(self) -> None:
        with self._changed:
            self._cursors -= 1
            self._changed.notify_all()
