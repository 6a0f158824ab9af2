"""Statements of users: one that reads, stopped in time, cut at a limit, its errors explained."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import duckdb
import pyarrow as pa

from helix_lab.domain.model.errors import (
    QueryCancelled,
    QueryFailed,
    QueryRefused,
    QueryTimedOut,
)

_MAX_RESULT_BYTES = 256 * 1024 * 1024
_ROWS_A_BATCH = 2048


class Stopper:
    """Stops a cursor's statement, after a time or when told to."""

    def __init__(self, cursor: duckdb.DuckDBPyConnection, timeout_s: float) -> None:
        self.timeout_s = timeout_s
        self.reason: type[QueryTimedOut | QueryCancelled] | None = None
        self._cursor = cursor
        self._ended = threading.Event()
        self._lock = threading.Lock()
        self._timer = threading.Timer(timeout_s, self._stop, [QueryTimedOut])
        self._timer.daemon = True

    def stop(self) -> None:
        """Stop because the caller does not want the answer any more; returns at once."""
        threading.Thread(target=self._stop, args=[QueryCancelled], daemon=True).start()

    def measure(self) -> float | None:
        """How much of the statement is done, from 0 to 1; None where the engine cannot tell."""
        with self._lock:
            if self._ended.is_set():
                return None
            percent = self._cursor.query_progress()
        return min(percent, 100.0) / 100 if percent >= 0 else None

    def _stop(self, reason: type[QueryTimedOut | QueryCancelled]) -> None:
        if self.reason is None:
            self.reason = reason
        # An interrupt that arrives between two statements is forgotten by the engine.
        while not self._ended.is_set():
            with self._lock:
                if not self._ended.is_set():
                    self._cursor.interrupt()
            self._ended.wait(0.05)

    @contextmanager
    def explained(self) -> Iterator[None]:
        """Say why the statement in the block failed or was stopped.

        Raises:
            QueryRefused, QueryFailed: the engine did not run it.
            QueryTimedOut, QueryCancelled: it was stopped.
        """
        try:
            yield
        except duckdb.Error as error:
            if self.reason is None:
                raise _explain(error) from None
        else:
            return
        if self.reason is QueryTimedOut:
            message = (
                f"the query ran longer than {self.timeout_s:g} s and was stopped; ask for less, or "
                "give it more time by timeout_s"
            )
            raise QueryTimedOut(message, timeout_s=self.timeout_s)
        message = "the query was stopped because its caller asked for it or went away"
        raise QueryCancelled(message)

    def __enter__(self) -> Stopper:
        self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()
        with self._lock:
            self._ended.set()


def _explain(error: duckdb.Error) -> QueryRefused | QueryFailed:
    text = str(error)
    if isinstance(error, duckdb.PermissionException) or "read-only mode" in text:
        message = f"the query may only read the tables of this store: {text}"
        return QueryRefused(message, field="query")
    return QueryFailed(text, field="query")


def check_reads(sql: str) -> None:
    """One statement, and one that reads. What hides in it is caught by the transaction.

    Raises:
        QueryRefused: none, several, or another kind of statement.
        QueryFailed: a syntax error.
    """
    kinds = _list_kinds(sql)
    if kinds == ["EXPLAIN"]:
        # EXPLAIN ANALYZE runs what it explains, and COPY may write the file of the store itself.
        kinds = _list_kinds(_explained_part(sql))
    if len(kinds) != 1:
        message = f"exactly one statement is allowed; there are {len(kinds)}"
        raise QueryRefused(message, field="query")
    if kinds[0] != "SELECT":
        message = f"only SELECT (and EXPLAIN, DESCRIBE, SHOW, SUMMARIZE) is allowed, not {kinds[0]}"
        raise QueryRefused(message, field="query")


def _list_kinds(sql: str) -> list[str]:
    """The kind of each statement in a text."""
    try:
        sql.encode()
        return [statement.type.name for statement in duckdb.extract_statements(sql)]
    except (duckdb.Error, UnicodeError) as error:
        raise QueryFailed(str(error), field="query") from None
    except ValueError:
        return ["this kind of statement"]  # the driver has no name for it


def _explained_part(sql: str) -> str:
    """What follows EXPLAIN, ANALYZE and options in parentheses."""
    raw = sql.encode()
    depth = 0
    for position, kind in duckdb.tokenize(sql)[1:]:
        if kind == duckdb.token_type.comment:
            continue
        start = raw[position : position + 1]
        depth += (start == b"(") - (start == b")")
        is_option = depth > 0 or start == b")"
        if not is_option and raw[position : position + 7].upper() != b"ANALYZE":
            return raw[position:].decode()
    return ""


def read_rows(
    cursor: duckdb.DuckDBPyConnection,
    sql: str,
    values: Any,
    max_rows: int,
    *,
    keep: Callable[[pa.RecordBatch], bool] | None = None,
) -> tuple[pa.Table, int | None, bool]:
    """Rows up to the limits, the number of all rows where known, whether there are more."""
    cursor.execute("BEGIN TRANSACTION READ ONLY")
    batches = _Batches(max_rows, keep)
    table = batches.read(start(cursor, sql, values))
    if batches.has_ended:
        total: int | None = batches.rows
    else:
        total = None if batches.is_stopped else _count(cursor, sql, values)
    return table, total, batches.rows > table.num_rows or not batches.has_ended


def start(cursor: duckdb.DuckDBPyConnection, sql: str, values: Any) -> Any:
    """A statement that is computed as it is read; `execute` would first compute all of it."""
    return cursor.sql(sql, params=values or None)


class _Batches:
    """The batches of an answer as they come: some for memory, and all that `keep` takes.

    Where nobody takes more, the rest is never computed.
    """

    def __init__(self, max_rows: int, keep: Callable[[pa.RecordBatch], bool] | None) -> None:
        self._max_rows = max_rows
        self._keep = keep
        self._held: list[pa.RecordBatch] = []
        self._bytes = 0
        self.rows = 0
        self.has_ended = False
        self.is_stopped = False

    def read(self, answer: Any) -> pa.Table:
        """The first rows; the reader is let go of, so that the cursor is free again."""
        rows_a_batch = _ROWS_A_BATCH if self._keep else min(_ROWS_A_BATCH, self._max_rows + 1)
        reader: pa.RecordBatchReader = answer.to_arrow_reader(rows_a_batch)
        try:
            self.has_ended = all(self._take(batch) for batch in _list_batches(reader))
        except duckdb.InterruptException:
            if not self._is_full:
                raise
            self.is_stopped = True
        held = pa.Table.from_batches(self._held, schema=reader.schema)
        return held.slice(0, self._max_rows)

    @property
    def _is_full(self) -> bool:
        return self.rows > self._max_rows or self._bytes > _MAX_RESULT_BYTES

    def _take(self, batch: pa.RecordBatch) -> bool:
        """Whether the next one is wanted."""
        if not self._is_full:
            self._held.append(batch)
            self._bytes += batch.nbytes
        self.rows += batch.num_rows
        if self._keep is not None and not self._keep(batch):
            self._keep = None
        return self._keep is not None or not self._is_full


def _list_batches(reader: pa.RecordBatchReader) -> Iterator[pa.RecordBatch]:
    """The batches; what the engine has to say in the middle of them is an error of its own."""
    try:
        yield from reader
    except (OSError, pa.ArrowException) as error:
        text = str(error)
        is_stop = text.startswith("INTERRUPT")
        raise (duckdb.InterruptException if is_stop else duckdb.Error)(text) from None


def _count(cursor: duckdb.DuckDBPyConnection, sql: str, values: Any) -> int | None:
    """Rows of the whole answer; None where the statement cannot be counted, or not in time."""
    body = sql.rstrip().rstrip(";")
    try:
        row = cursor.execute(f"SELECT count(*) FROM ({body}\n)", values).fetchone()  # noqa: S608 - checked: one statement that reads
    except (duckdb.ParserException, duckdb.BinderException, duckdb.InterruptException):
        return None
    return None if row is None else int(row[0])
