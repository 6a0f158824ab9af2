"""Analytics on DuckDB: one file, owned by one process."""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar

import duckdb
import pyarrow as pa

from helix_lab.domain.model.errors import (
    QueryCancelled,
    QueryFailed,
    QueryRefused,
    QueryTimedOut,
    Unavailable,
)
from helix_lab.ports.analytics import AnalyticsStore, Checkpoint, QueryResult

_READING = {"SELECT", "EXPLAIN"}
_MAX_RESULT_BYTES = 256 * 1024 * 1024
_ROWS_A_BATCH = 2048
_CONFIG: dict[str, str | bool | int | float | list[str]] = {
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "allow_community_extensions": "false",
    "python_enable_replacements": "false",
    "memory_limit": "4GB",
}
_OWN_TABLES = """
CREATE TABLE IF NOT EXISTS helix_schema (digest VARCHAR NOT NULL);
CREATE TABLE IF NOT EXISTS helix_checkpoint (
    projection VARCHAR, topic VARCHAR, partition INTEGER, next_offset BIGINT NOT NULL,
    PRIMARY KEY (projection, topic, partition)
);
"""


class DuckDBAnalytics(AnalyticsStore):
    """The analytics store in one DuckDB file.

    The file is disposable: when the schema that it was made with differs from the given
    one, its tables are made anew and empty, and the projections fill them from the log.

    Args:
        path: the file, made if absent.
        schema: the statements of `sql/duckdb/`, in order.

    Raises:
        Unavailable: the file cannot be opened.
    """

    supports_transactions: ClassVar[bool] = True

    def __init__(self, path: Path, *, schema: Sequence[str]) -> None:
        self._path = path
        self._schema = list(schema)
        self._writing = threading.Lock()
        try:
            self._connection = duckdb.connect(str(path), config=_CONFIG)
            path.chmod(0o600)
        except duckdb.Error as error:
            message = (
                f"the analytics file {path} cannot be opened: {error}; it can be deleted while no "
                "lab is open, and is then filled again from the log"
            )
            raise Unavailable(message, service="analytics") from error
        # For the whole engine, and for good: users' statements run here, too.
        self._connection.execute("SET GLOBAL TimeZone = 'UTC'")
        self._connection.execute("SET enable_external_access = false")
        self._connection.execute("SET lock_configuration = true")
        self._make_tables()

    def write(
        self, projection: str, batch: Mapping[str, pa.Table], *, checkpoint: Checkpoint
    ) -> None:
        """See `AnalyticsStore.write`; one transaction."""
        with self._writing, self._cursor() as cursor, _transaction(cursor):
            for name, rows in batch.items():
                _insert(cursor, name, rows)
            for (topic, partition), next_offset in checkpoint.items():
                cursor.execute(
                    "INSERT OR REPLACE INTO helix_checkpoint VALUES (?, ?, ?, ?)",
                    [projection, topic, partition, next_offset],
                )

    def read_checkpoint(self, projection: str) -> dict[tuple[str, int], int]:
        """See `AnalyticsStore.read_checkpoint`."""
        with self._cursor() as cursor:
            rows = cursor.execute(
                "SELECT topic, partition, next_offset FROM helix_checkpoint WHERE projection = ?",
                [projection],
            ).fetchall()
        return {(topic, partition): next_offset for topic, partition, next_offset in rows}

    def ask(self, statement: str, parameters: Mapping[str, Any]) -> pa.Table:
        """See `AnalyticsStore.ask`."""
        with self._cursor() as cursor:
            return _ask(cursor, statement, dict(parameters)).to_arrow_table()

    def query(
        self,
        sql: str,
        parameters: Mapping[str, Any] | Sequence[Any],
        *,
        max_rows: int,
        timeout_s: float,
        on_start: Callable[[Callable[[], None]], None] | None = None,
    ) -> QueryResult:
        """See `AnalyticsStore.query`."""
        _check_reads(sql)
        values = dict(parameters) if isinstance(parameters, Mapping) else list(parameters)
        started = time.monotonic()
        with self._cursor() as cursor, _Stopper(cursor, timeout_s) as stopper:
            if on_start is not None:
                on_start(stopper.stop)
            with _explained(stopper):
                cursor.execute("BEGIN TRANSACTION READ ONLY")
                table, is_truncated = _fetch(cursor, sql, values, max_rows)
                total = table.num_rows
                if is_truncated:
                    total = _count(cursor, sql, values)
        elapsed_ms = (time.monotonic() - started) * 1000
        return QueryResult(table, total, is_truncated, elapsed_ms)

    def list_columns(self) -> pa.Table:
        """See `AnalyticsStore.list_columns`."""
        with self._cursor() as cursor:
            return cursor.sql(
                "SELECT table_name, column_name, data_type, comment FROM duckdb_columns() "
                "WHERE NOT internal AND NOT starts_with(table_name, 'helix_') "
                "ORDER BY table_name, column_index"
            ).to_arrow_table()

    def probe(self) -> None:
        """See `AnalyticsStore.probe`."""
        with self._cursor() as cursor:
            cursor.execute("SELECT count(*) FROM helix_checkpoint").fetchall()

    def clear(self) -> None:
        """See `AnalyticsStore.clear`."""
        with self._writing, self._cursor() as cursor, _transaction(cursor):
            self._drop_and_create(cursor)

    def close(self) -> None:
        """See `AnalyticsStore.close`."""
        self._connection.close()

    def _make_tables(self) -> None:
        with self._cursor() as cursor, _transaction(cursor):
            cursor.execute(_OWN_TABLES)
            found = cursor.execute("SELECT digest FROM helix_schema").fetchall()
            if found != [(self._digest(),)]:
                self._drop_and_create(cursor)

    def _drop_and_create(self, cursor: duckdb.DuckDBPyConnection) -> None:
        tables = cursor.execute(
            "SELECT table_name FROM duckdb_tables() WHERE NOT starts_with(table_name, 'helix_')"
        ).fetchall()
        for (name,) in tables:
            cursor.execute(f'DROP TABLE "{name}"')
        for statement in self._schema:
            cursor.execute(statement)
        cursor.execute("DELETE FROM helix_checkpoint")
        cursor.execute("DELETE FROM helix_schema")
        cursor.execute("INSERT INTO helix_schema VALUES (?)", [self._digest()])

    def _digest(self) -> str:
        return hashlib.sha256("\n".join(self._schema).encode()).hexdigest()

    @contextmanager
    def _cursor(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A connection of one's own: results stream, so a shared one would be busy."""
        try:
            cursor = self._connection.cursor()
        except duckdb.ConnectionException as error:
            message = "the analytics store is closed"
            raise Unavailable(message, service="analytics") from error
        try:
            yield cursor
        finally:
            cursor.close()


class _Stopper:
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

    def _stop(self, reason: type[QueryTimedOut | QueryCancelled]) -> None:
        if self.reason is None:
            self.reason = reason
        # An interrupt that arrives between two statements is forgotten by the engine.
        while not self._ended.is_set():
            with self._lock:
                if not self._ended.is_set():
                    self._cursor.interrupt()
            self._ended.wait(0.05)

    def __enter__(self) -> _Stopper:
        self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()
        with self._lock:
            self._ended.set()


@contextmanager
def _explained(stopper: _Stopper) -> Iterator[None]:
    try:
        yield
    except duckdb.Error as error:
        if stopper.reason is None:
            raise _explain(error) from None
    else:
        return
    if stopper.reason is QueryTimedOut:
        message = (
            f"the query ran longer than {stopper.timeout_s:g} s and was stopped; ask for less, or "
            "give it more time by timeout_s"
        )
        raise QueryTimedOut(message, timeout_s=stopper.timeout_s)
    message = "the query was stopped because its caller asked for it or went away"
    raise QueryCancelled(message)


def _explain(error: duckdb.Error) -> QueryRefused | QueryFailed:
    text = str(error)
    if isinstance(error, duckdb.PermissionException) or "read-only mode" in text:
        message = f"the query may only read the tables of this store: {text}"
        return QueryRefused(message, field="query")
    return QueryFailed(text, field="query")


def _check_reads(sql: str) -> None:
    """One statement, and one that reads. What hides in it is caught by the transaction."""
    try:
        statements = duckdb.extract_statements(sql)
    except (duckdb.Error, UnicodeError) as error:
        raise QueryFailed(str(error), field="query") from None
    if len(statements) != 1:
        message = f"exactly one statement is allowed; there are {len(statements)}"
        raise QueryRefused(message, field="query")
    kind = statements[0].type.name
    if kind not in _READING:
        message = f"only SELECT (and EXPLAIN, DESCRIBE, SHOW, SUMMARIZE) is allowed, not {kind}"
        raise QueryRefused(message, field="query")


def _fetch(
    cursor: duckdb.DuckDBPyConnection, sql: str, values: Any, max_rows: int
) -> tuple[pa.Table, bool]:
    """Rows up to the limits, and whether there are more; the rest is never computed."""
    batch_rows = min(_ROWS_A_BATCH, max_rows + 1)
    reader: pa.RecordBatchReader = _ask(cursor, sql, values).to_arrow_reader(batch_rows)
    batches: list[pa.RecordBatch] = []
    rows = size = 0
    for batch in reader:
        batches.append(batch)
        rows += batch.num_rows
        size += batch.nbytes
        if rows > max_rows or size > _MAX_RESULT_BYTES:
            break
    table = pa.Table.from_batches(batches, schema=reader.schema)
    is_truncated = rows > max_rows or size > _MAX_RESULT_BYTES
    return table.slice(0, max_rows), is_truncated


def _ask(cursor: duckdb.DuckDBPyConnection, sql: str, values: Any) -> Any:
    """A statement that is computed as it is read; `execute` would first compute all of it."""
    return cursor.sql(sql, params=values or None)


def _count(cursor: duckdb.DuckDBPyConnection, sql: str, values: Any) -> int | None:
    """Rows of the whole answer; None where the statement cannot be counted, or not in time."""
    body = sql.rstrip().rstrip(";")
    try:
        row = cursor.execute(f"SELECT count(*) FROM ({body}\n)", values).fetchone()  # noqa: S608 - checked: one statement that reads
    except (duckdb.ParserException, duckdb.BinderException, duckdb.InterruptException):
        return None
    return None if row is None else int(row[0])


def _insert(cursor: duckdb.DuckDBPyConnection, name: str, rows: pa.Table) -> None:
    if rows.num_rows == 0:
        return
    columns = ", ".join(f'"{column}"' for column in rows.column_names)
    cursor.register("helix_batch", rows)
    try:
        cursor.execute(f'INSERT INTO "{name}" ({columns}) SELECT {columns} FROM helix_batch')  # noqa: S608 - our own names
    finally:
        cursor.unregister("helix_batch")


@contextmanager
def _transaction(cursor: duckdb.DuckDBPyConnection) -> Iterator[None]:
    cursor.execute("BEGIN TRANSACTION")
    try:
        yield
    except BaseException:
        cursor.execute("ROLLBACK")
        raise
    cursor.execute("COMMIT")
