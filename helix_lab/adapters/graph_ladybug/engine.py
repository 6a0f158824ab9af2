"""The file of the graph: opened, discarded where it is bad, closed when nobody uses it."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import ladybug

from helix_lab.domain.model.errors import Unavailable

LOGGER = logging.getLogger(__name__)

_BUFFER_BYTES = 512 * 1024 * 1024
_CHECKPOINT_BYTES = 12 * 1024 * 1024
"""Of its write-ahead log, after which a commit moves it to the file. It is moved far earlier, in a
rest (`resting.py`): what transactions changed stays in memory until then."""
_THREADS = 1
"""A statement: ours are short, and one of a user must not take all processors."""

_BEGUN = ".opening"


class Engine:
    """One Ladybug file and its connections. Safe in threads.

    The file is disposable, so one that cannot be opened is deleted and made anew, and `notice`
    says so. A mark beside it shows while it is opened: a file whose opening killed the process
    is deleted the next time, too, instead of killing it again.

    Args:
        path: the file, made if absent, readable by its owner alone.
        prepare: makes or checks the tables; False: they are not the wanted ones.
    """

    def __init__(self, path: Path, prepare: Callable[[Any], bool]) -> None:
        self.notice = ""
        self._path = path
        self._prepare = prepare
        self._changed = threading.Condition()
        self._users = 0
        self._is_closed = self._is_replaced = False
        self._idle: deque[Any] = deque()
        self._stops: set[Callable[[], None]] = set()
        self._open_any()

    @contextmanager
    def connection(self) -> Iterator[Any]:
        """A connection of one's own.

        Raises:
            Unavailable: the store is closed.
        """
        self._enter()
        try:
            connection = self._borrow()
            try:
                yield connection
            except BaseException:
                connection.close()  # what it did is unknown; the next one gets another
                raise
            self._idle.append(connection)
        finally:
            self._leave()

    @contextmanager
    def writing(self) -> Iterator[Any]:
        """A connection that is made for one transaction and ends with it.

        A connection keeps the plan of each statement that scanned a table of Arrow, with memory of
        the buffer pool: some megabytes for each statement, until it is closed.

        Raises:
            Unavailable: the store is closed.
        """
        self._enter()
        try:
            connection = ladybug.Connection(self._database, num_threads=_THREADS)
            try:
                yield connection
            finally:
                connection.close()
        finally:
            self._leave()

    @contextmanager
    def stoppable(self, stop: Callable[[], None]) -> Iterator[None]:
        """Have `close` and `replace` stop what runs in the block."""
        with self._changed:
            self._stops.add(stop)
        try:
            yield
        finally:
            with self._changed:
                self._stops.discard(stop)

    def hide_log(self) -> None:
        """Close the write-ahead log to others; the engine makes a new one after checkpoints."""
        with suppress(FileNotFoundError):
            self._path.with_name(self._path.name + ".wal").chmod(0o600)

    def replace(self) -> None:
        """Delete the file and make an empty one; waits until nobody uses it."""
        with self._changed:
            self._is_replaced = True
            try:
                self._wait_alone()
                self._shut()
                self._delete()
                self._open()
            finally:
                self._is_replaced = False
                self._changed.notify_all()

    def close(self) -> None:
        """Stop statements of users, wait for the others, release the file."""
        with self._changed:
            if self._is_closed:
                return
            self._is_closed = True
            self._wait_alone()
            self._shut()

    def _wait_alone(self) -> None:
        for stop in self._stops:
            stop()
        self._changed.wait_for(lambda: self._users == 0)

    def _open_any(self) -> None:
        begun = self._path.with_name(self._path.name + _BEGUN)
        reason = "its opening ended the process the last time" if begun.exists() else ""
        try:
            begun.touch(mode=0o600)
            reason = reason or self._try_to_open()
            if reason:
                self._delete()
                self._open()
                self.notice = f"the graph is filled again from the log: {reason}"
                LOGGER.warning("%s (%s)", self.notice, self._path)
            begun.unlink(missing_ok=True)
        except (RuntimeError, OSError) as error:
            message = f"the graph file {self._path} cannot be opened: {error}"
            raise Unavailable(message, service="graph", path=str(self._path)) from error

    def _try_to_open(self) -> str:
        """Why the file that is there cannot be used; empty if it can."""
        try:
            is_wanted = self._open()
        except (RuntimeError, IndexError) as error:
            self._shut()
            return f"its file was damaged ({' '.join(str(error).split())[:200]})"
        if is_wanted:
            return ""
        self._shut()
        return "this version keeps it in another form"

    def _open(self) -> bool:
        self._database = ladybug.Database(
            str(self._path),
            buffer_pool_size=_BUFFER_BYTES,
            checkpoint_threshold=_CHECKPOINT_BYTES,
        )
        self._path.chmod(0o600)
        connection = ladybug.Connection(self._database, num_threads=_THREADS)
        self._idle.append(connection)
        return self._prepare(connection)

    def _shut(self) -> None:
        while self._idle:
            self._idle.pop().close()
        database, self._database = getattr(self, "_database", None), None
        if database is not None:
            database.close()

    def _delete(self) -> None:
        for suffix in ("", ".wal", ".shadow", ".tmp", ".wal.checkpoint"):
            with suppress(FileNotFoundError):
                self._path.with_name(self._path.name + suffix).unlink()

    def _borrow(self) -> Any:
        try:
            return self._idle.pop()
        except IndexError:
            return ladybug.Connection(self._database, num_threads=_THREADS)

    def _enter(self) -> None:
        with self._changed:
            self._changed.wait_for(lambda: not self._is_replaced)
            if self._is_closed:
                message = "the graph store is closed; open the lab again"
                raise Unavailable(message, service="graph")
            self._users += 1

    def _leave(self) -> None:
        with self._changed:
            self._users -= 1
            self._changed.notify_all()
