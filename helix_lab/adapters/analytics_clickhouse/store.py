"""The analytics store on ClickHouse: rows, checkpoints, the schema they are made with."""

from __future__ import annotations

import hashlib
import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, ClassVar

from helix_lab.adapters.analytics_clickhouse.binding import bind, strip_end
from helix_lab.adapters.analytics_clickhouse.reading import (
    check_reads,
    read_explanation,
    read_rows,
    schema_without_zone,
)
from helix_lab.adapters.analytics_clickhouse.stopping import Stopper
from helix_lab.adapters.analytics_clickhouse.wire import EngineError, Wire
from helix_lab.adapters.analytics_clickhouse.writing import Progress, drop_known, is_new
from helix_lab.domain.model.errors import QueryRefused, Unavailable
from helix_lab.ports.analytics import (
    AnalyticsStore,
    Checkpoint,
    QueryResult,
    RunningStatement,
    Supplement,
)

if TYPE_CHECKING:
    import pyarrow as pa

_OWN_TABLES = (
    "CREATE TABLE IF NOT EXISTS helix_schema (digest String) ENGINE = MergeTree ORDER BY digest",
    "CREATE TABLE IF NOT EXISTS helix_checkpoint (`projection` String, topic String, "
    "partition Int32, next_offset Int64, intended Int64, version Int64) "
    "ENGINE = ReplacingMergeTree(version) ORDER BY (`projection`, topic, partition)",
)
_NAME = re.compile(r"CREATE (?P<kind>TABLE|VIEW|MATERIALIZED VIEW) (?P<name>\w+)")
_ASKING = {
    # As in standard SQL, and as DuckDB answers: nothing is null, not zero.
    "aggregate_functions_null_for_empty": 1,
    "join_use_nulls": 1,
    "group_by_use_nulls": 1,
    # Moments before 1970 and after 2106, too.
    "enable_extended_results_for_datetime_functions": 1,
}


class ClickHouseAnalytics(AnalyticsStore):
    """The analytics store in one database of ClickHouse.

    The database is disposable: when the schema that it was made with differs from the given
    one, its tables are made anew and empty, and the projections fill them from the log. Tables
    that are not of the schema are left alone.

    Args:
        wire: the way to the database; closed with the store.
        schema: the statements of `sql/clickhouse/`, in order.

    Raises:
        Unavailable: the engine does not answer.
    """

    supports_transactions: ClassVar[bool] = False
    takes_supplements: ClassVar[bool] = False
    dialect: ClassVar[str] = "clickhouse"

    def __init__(self, wire: Wire, *, schema: Sequence[str]) -> None:
        self._wire = wire
        self._schema = list(schema)
        self._progress = Progress(wire)
        self._writing = threading.Lock()
        self._changed = threading.Condition()
        self._users = 0
        self._stoppers: set[Stopper] = set()
        self._is_closed = False
        try:
            with self._in_use():
                self._make_tables()
        except BaseException:
            wire.close()
            raise

    def write(
        self, projection: str, batch: Mapping[str, pa.Table], *, checkpoint: Checkpoint
    ) -> None:
        """See `AnalyticsStore.write`; what may have come before is compared with what is there."""
        with self._writing, self._in_use():
            done, intended = self._progress.read(projection)
            filled = {name: rows for name, rows in batch.items() if rows.num_rows}
            if filled and not is_new(checkpoint, done, intended):
                filled = {name: drop_known(self._wire, name, rows) for name, rows in filled.items()}
            if filled:
                self._progress.note(
                    projection,
                    {
                        place: (done.get(place, -1), max(offset, intended.get(place, -1)))
                        for place, offset in checkpoint.items()
                    },
                )
            for name, rows in filled.items():
                if rows.num_rows:
                    self._wire.insert(name, rows)
            # What a failed write meant to do is not forgotten before the checkpoint is past it.
            self._progress.note(
                projection,
                {
                    place: (offset, max(offset, intended.get(place, -1)))
                    for place, offset in checkpoint.items()
                },
            )

    def read_checkpoint(self, projection: str) -> dict[tuple[str, int], int]:
        """See `AnalyticsStore.read_checkpoint`."""
        with self._in_use():
            return self._progress.read(projection)[0]

    def ask(self, statement: str, parameters: Mapping[str, Any]) -> pa.Table:
        """See `AnalyticsStore.ask`."""
        # One statement serves several questions; what it has no place for it does not need.
        sql, values = bind(strip_end(statement), parameters)
        with self._in_use():
            table = self._wire.read(sql, values, _ASKING)
        return table.cast(schema_without_zone(table.schema))

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
        if supplement is not None:
            message = "ClickHouse reads its own tables only; ask PostgreSQL for what was learned"
            raise QueryRefused(message)
        started = time.monotonic()
        with self._in_use(), self._stoppable(timeout_s) as stopper:
            statement, values = bind(strip_end(sql), parameters)
            is_explained = check_reads(self._wire, statement, values)
            if on_start is not None:
                on_start(RunningStatement(stopper.stop, stopper.measure))
            if stopper.reason is not None:
                raise stopper.give_reason()
            with stopper.explained():
                if is_explained:
                    table, total, is_truncated = read_explanation(
                        self._wire, stopper, statement, values, max_rows
                    )
                else:
                    table, total, is_truncated = read_rows(
                        self._wire, stopper, statement, values, max_rows, keep=keep
                    )
        elapsed_ms = (time.monotonic() - started) * 1000
        return QueryResult(table, total, is_truncated, elapsed_ms)

    def list_columns(self) -> pa.Table:
        """See `AnalyticsStore.list_columns`."""
        with self._in_use():
            return self._wire.read(
                "SELECT table AS table_name, name AS column_name, type AS data_type, "
                "nullIf(comment, '') AS comment FROM system.columns "
                "WHERE database = currentDatabase() AND NOT startsWith(table, 'helix_') "
                "AND NOT startsWith(table, '.') ORDER BY table, position"
            )

    def probe(self) -> None:
        """See `AnalyticsStore.probe`."""
        with self._in_use():
            self._wire.read("SELECT count() AS n FROM helix_checkpoint")

    def clear(self) -> None:
        """See `AnalyticsStore.clear`."""
        with self._writing, self._in_use():
            self._drop_and_create()

    def close(self) -> None:
        """Stop statements of users, wait for the others, let go of the engine."""
        with self._changed:
            was_closed, self._is_closed = self._is_closed, True
            for stopper in self._stoppers:
                stopper.stop()
            self._changed.wait_for(lambda: self._users == 0)
        if not was_closed:
            self._wire.close()

    @contextmanager
    def _in_use(self) -> Iterator[None]:
        with self._changed:
            if self._is_closed:
                message = "the analytics store is closed; open the lab again"
                raise Unavailable(message, service="analytics")
            self._users += 1
        try:
            yield
        except EngineError as error:
            message = f"the analytics store {self._wire.name} cannot be used: {error}"
            raise Unavailable(message, service="analytics") from error
        finally:
            with self._changed:
                self._users -= 1
                self._changed.notify_all()

    @contextmanager
    def _stoppable(self, timeout_s: float) -> Iterator[Stopper]:
        with Stopper(self._wire, timeout_s) as stopper:
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

    def _make_tables(self) -> None:
        for statement in _OWN_TABLES:
            self._wire.run(statement)
        found = self._wire.read("SELECT digest FROM helix_schema").to_pylist()
        if [row["digest"] for row in found] != [self._digest()]:
            self._drop_and_create()

    def _drop_and_create(self) -> None:
        # The digest goes first and comes last: whoever is interrupted begins anew.
        self._wire.run("TRUNCATE TABLE helix_schema")
        self._wire.run("TRUNCATE TABLE helix_checkpoint")
        for statement in reversed(self._schema):
            found = _NAME.search(statement)
            if found:
                kind = "TABLE" if found["kind"] == "TABLE" else "VIEW"
                self._wire.run(f"DROP {kind} IF EXISTS {found['name']} SYNC")
        for statement in self._schema:
            self._wire.run(statement)
        self._wire.run(
            "INSERT INTO helix_schema SELECT {digest:String}", {"digest": self._digest()}
        )

    def _digest(self) -> str:
        return hashlib.sha256("\n".join(self._schema).encode()).hexdigest()
