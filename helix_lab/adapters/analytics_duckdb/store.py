"""The analytics store on DuckDB: rows, checkpoints, the schema they are made with."""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from helix_lab.adapters.analytics_duckdb.connections import Engine
from helix_lab.adapters.analytics_duckdb.reading import check_reads, read_rows, start
from helix_lab.ports.analytics import (
    AnalyticsStore,
    Checkpoint,
    QueryResult,
    RunningStatement,
    Supplement,
)

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

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
    takes_supplements: ClassVar[bool] = True
    dialect: ClassVar[str] = "duckdb"

    def __init__(self, path: Path, *, schema: Sequence[str]) -> None:
        self._schema = list(schema)
        self._writing = threading.Lock()
        self._engine = Engine(path)
        try:
            self._make_tables()
        except BaseException:
            self._engine.close()
            raise

    def write(
        self, projection: str, batch: Mapping[str, pa.Table], *, checkpoint: Checkpoint
    ) -> None:
        """See `AnalyticsStore.write`; one transaction."""
        with self._writing, self._engine.cursor() as cursor, self._transaction(cursor):
            for name, rows in batch.items():
                _insert(cursor, name, rows)
            for (topic, partition), next_offset in checkpoint.items():
                cursor.execute(
                    "INSERT OR REPLACE INTO helix_checkpoint VALUES (?, ?, ?, ?)",
                    [projection, topic, partition, next_offset],
                )

    def read_checkpoint(self, projection: str) -> dict[tuple[str, int], int]:
        """See `AnalyticsStore.read_checkpoint`."""
        with self._engine.cursor() as cursor:
            rows = cursor.execute(
                "SELECT topic, partition, next_offset FROM helix_checkpoint WHERE projection = ?",
                [projection],
            ).fetchall()
        return {(topic, partition): next_offset for topic, partition, next_offset in rows}

    def ask(self, statement: str, parameters: Mapping[str, Any]) -> pa.Table:
        """See `AnalyticsStore.ask`."""
        with self._engine.cursor() as cursor:
            return start(cursor, statement, dict(parameters)).to_arrow_table()

    def query(
        self,
        sql: str,
        parameters: Mapping[str, Any] | Sequence[Any],
        *,
        max_rows: int,
        timeout_s: float,
        on_start: Callable[[RunningStatement], None] | None = None,
        keep: Callable[[pa.RecordBatch], bool] | None = None,
        supplement: Supplement | None = None,
    ) -> QueryResult:
        """See `AnalyticsStore.query`."""
        check_reads(sql)
        values = dict(parameters) if isinstance(parameters, Mapping) else list(parameters)
        started = time.monotonic()
        with (
            self._engine.cursor() as cursor,
            self._engine.stoppable(cursor, timeout_s) as stopper,
        ):
            if on_start is not None:
                on_start(RunningStatement(stopper.stop, stopper.measure))
            with stopper.explained():
                if supplement is not None:
                    _add(cursor, supplement)
                table, total, is_truncated = read_rows(cursor, sql, values, max_rows, keep=keep)
        elapsed_ms = (time.monotonic() - started) * 1000
        return QueryResult(table, total, is_truncated, elapsed_ms)

    def list_columns(self) -> pa.Table:
        """See `AnalyticsStore.list_columns`."""
        with self._engine.cursor() as cursor:
            return cursor.sql(
                "SELECT table_name, column_name, data_type, comment FROM duckdb_columns() "
                "WHERE NOT internal AND NOT starts_with(table_name, 'helix_') "
                "ORDER BY table_name, column_index"
            ).to_arrow_table()

    def probe(self) -> None:
        """See `AnalyticsStore.probe`."""
        with self._engine.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM helix_checkpoint").fetchall()

    def clear(self) -> None:
        """See `AnalyticsStore.clear`."""
        with self._writing:
            self._engine.replace()
            self._make_tables()

    def close(self) -> None:
        """See `AnalyticsStore.close`."""
        self._engine.close()

    @contextmanager
    def _transaction(self, cursor: duckdb.DuckDBPyConnection) -> Iterator[None]:
        cursor.execute("BEGIN TRANSACTION")
        try:
            yield
        except BaseException:
            cursor.execute("ROLLBACK")
            raise
        cursor.execute("COMMIT")
        self._engine.hide_log()

    def _make_tables(self) -> None:
        with self._engine.cursor() as cursor, self._transaction(cursor):
            cursor.execute(_OWN_TABLES)
            found = cursor.execute("SELECT digest FROM helix_schema").fetchall()
            if found != [(self._digest(),)]:
                self._drop_and_create(cursor)

    def _drop_and_create(self, cursor: duckdb.DuckDBPyConnection) -> None:
        found = cursor.execute(
            "SELECT 'VIEW', view_name FROM duckdb_views() WHERE NOT internal UNION ALL "
            "SELECT 'TABLE', table_name FROM duckdb_tables() "
            "WHERE NOT starts_with(table_name, 'helix_')"
        ).fetchall()
        for kind, name in found:
            cursor.execute(f'DROP {kind} "{name}"')
        for statement in self._schema:
            cursor.execute(statement)
        cursor.execute("DELETE FROM helix_checkpoint")
        cursor.execute("DELETE FROM helix_schema")
        cursor.execute("INSERT INTO helix_schema VALUES (?)", [self._digest()])

    def _digest(self) -> str:
        return hashlib.sha256("\n".join(self._schema).encode()).hexdigest()


def _add(cursor: duckdb.DuckDBPyConnection, supplement: Supplement) -> None:
    """Make it visible to this cursor alone, until it is closed."""
    for name, rows in supplement.tables.items():
        cursor.register(name, rows)
    for statement in supplement.functions:
        cursor.execute(statement)


def _insert(cursor: duckdb.DuckDBPyConnection, name: str, rows: pa.Table) -> None:
    if rows.num_rows == 0:
        return
    columns = ", ".join(f'"{column}"' for column in rows.column_names)
    cursor.register("helix_batch", rows)  # until the cursor is closed
    cursor.execute(f'INSERT INTO "{name}" ({columns}) SELECT {columns} FROM helix_batch')  # noqa: S608 - our own names
