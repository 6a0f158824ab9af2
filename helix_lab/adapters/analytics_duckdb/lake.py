"""SQL over a lake: an engine in memory, whose tables are the files as they are at a statement."""

from __future__ import annotations

import glob
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb

from helix_lab.adapters.analytics_duckdb.reading import Stopper, check_reads, read_rows
from helix_lab.domain.lake.schema import ANALYTICS, DATASETS, ENTITIES, Dataset
from helix_lab.domain.model.errors import Unavailable
from helix_lab.ports.analytics import QueryResult, RunningStatement
from helix_lab.ports.lake import Lake, LakeReader, make_schema

if TYPE_CHECKING:
    import pyarrow as pa

_CONFIG: dict[str, str | bool | int | float | list[str]] = {
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "allow_community_extensions": "false",
    "python_enable_replacements": "false",
    "memory_limit": "4GB",
    "max_temp_directory_size": "8GB",
}
_MEASURED_BY = {"enable_progress_bar": True, "enable_progress_bar_print": False}
_TYPES = {
    "text": "VARCHAR",
    "json": "VARCHAR",
    "int32": "INTEGER",
    "int64": "BIGINT",
    "float64": "DOUBLE",
    "boolean": "BOOLEAN",
    "moment": "TIMESTAMP WITH TIME ZONE",
    "date": "DATE",
}
_PARTITIONS = ("year", "month", "day")
_NAMES_OF_ALL = ("show", "describe", "information_schema", "duckdb_", "pragma", "sqlite_master")


class DuckDBLakeReader(LakeReader):
    """Reads a folder by DuckDB's own reader, and anything else by pyarrow's.

    DuckDB carries no driver for S3 of its own, and loads none: docs/decisions/0023.
    """

    def __init__(self, lake: Lake) -> None:
        self._lake = lake
        self._changed = threading.Condition(threading.RLock())
        self._stoppers: set[Stopper] = set()
        self._is_closed = False
        self._engine: duckdb.DuckDBPyConnection | None = None
        self._forms: tempfile.TemporaryDirectory[str] | None = None

    def query(
        self,
        sql: str,
        parameters: Mapping[str, Any] | Sequence[Any],
        *,
        max_rows: int,
        timeout_s: float,
        on_start: Callable[[RunningStatement], None] | None = None,
        keep: Callable[[pa.RecordBatch], bool] | None = None,
    ) -> QueryResult:
        """See `LakeReader.query`."""
        check_reads(sql)
        values = dict(parameters) if isinstance(parameters, Mapping) else list(parameters)
        began = time.monotonic()
        with self._cursor() as engine, self._stoppable(engine, timeout_s) as stopper:
            if on_start is not None:
                on_start(RunningStatement(stopper.stop, stopper.measure))
            with stopper.explained():
                self._make_tables(engine, sql)
                table, total, is_truncated = read_rows(engine, sql, values, max_rows, keep=keep)
        return QueryResult(table, total, is_truncated, (time.monotonic() - began) * 1000)

    def close(self) -> None:
        """See `LakeReader.close`."""
        with self._changed:
            self._is_closed = True
            for stopper in self._stoppers:
                stopper.stop()
            self._changed.wait_for(lambda: not self._stoppers)
            if self._engine is not None:
                self._engine.close()
            if self._forms is not None:
                self._forms.cleanup()

    @contextmanager
    def _cursor(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A connection of one's own to the one engine; its tables go with it."""
        with self._changed:
            if self._engine is None:
                self._engine = self._open()
            cursor = self._engine.cursor()
        try:
            yield cursor
        finally:
            cursor.close()

    def _open(self) -> duckdb.DuckDBPyConnection:
        """An engine that opens files of the lake and no others, whatever a statement says."""
        engine = duckdb.connect(config=_CONFIG)
        engine.execute("SET GLOBAL TimeZone = 'UTC'")
        system, root = self._lake.open_filesystem()
        if system.type_name == "local":
            # A pattern is checked as it is written, and the files that it finds, too.
            places = {root, glob.escape(root), self._find_forms()}
            allowed = _quote_list(f"{place}/" for place in places)
            engine.execute(f"SET allowed_directories = [{allowed}]")
        engine.execute("SET enable_external_access = false")
        engine.execute(f"SET allowed_configs = {list(_MEASURED_BY)}")
        engine.execute("SET lock_configuration = true")
        return engine

    @contextmanager
    def _stoppable(self, engine: duckdb.DuckDBPyConnection, timeout_s: float) -> Iterator[Stopper]:
        for name, value in _MEASURED_BY.items():
            engine.execute(f"SET {name} = {value}")
        with Stopper(engine, timeout_s) as stopper:
            with self._changed:
                if self._is_closed:
                    message = "the lake is closed; open the lab again"
                    raise Unavailable(message, service="lake")
                self._stoppers.add(stopper)
            try:
                yield stopper
            finally:
                with self._changed:
                    self._stoppers.discard(stopper)
                    self._changed.notify_all()

    def _make_tables(self, engine: duckdb.DuckDBPyConnection, sql: str) -> None:
        """Make the tables that the statement may name; looking for files costs time each."""
        text = sql.lower()
        names_all = any(word in text for word in _NAMES_OF_ALL)
        chosen = [d for name, d in DATASETS.items() if names_all or name in text]
        system, root = self._lake.open_filesystem()
        is_local = system.type_name == "local"
        for dataset in chosen:
            if is_local:
                self._make_view(engine, dataset, root)
            else:
                self._register(engine, dataset, system, root)

    def _make_view(self, engine: duckdb.DuckDBPyConnection, dataset: Dataset, root: str) -> None:
        columns = ", ".join(f'"{column.name}"' for column in dataset.columns)
        found = [f"{glob.escape(root)}/{path}" for path in self._find(dataset, root)]
        if not found:
            empty = ", ".join(_empty_columns(dataset))
            engine.execute(f'CREATE TEMP VIEW "{dataset.name}" AS SELECT {empty} WHERE false')
            return
        partitions = ""
        if dataset.is_partitioned:
            columns += ", year, month, day"
            types = ", ".join(f"'{name}': INTEGER" for name in _PARTITIONS)
            partitions = f", hive_partitioning = true, hive_types = {{{types}}}"
        files = _quote_list([f"{self._find_forms()}/{_name_form(dataset)}", *found])
        engine.execute(
            f'CREATE TEMP VIEW "{dataset.name}" AS SELECT {columns} '  # noqa: S608 - our own names
            f"FROM read_parquet([{files}]{partitions})"
        )

    def _find_forms(self) -> str:
        """The folder of files without rows: columns are those of the first file that is named.

        So it is none of the lake, where one that is cut short would hold up who asks for others.
        """
        import pyarrow.parquet as pq

        with self._changed:
            if self._forms is None:
                forms = tempfile.TemporaryDirectory(prefix="helix-lake-")
                for dataset in DATASETS.values():
                    path = Path(forms.name, _name_form(dataset))
                    path.parent.mkdir(parents=True)
                    pq.write_table(make_schema(dataset.name).empty_table(), path)
                self._forms = forms
            return self._forms.name

    def _find(self, dataset: Dataset, root: str) -> list[str]:
        """What to read in a folder: a pattern, or the newest snapshot; empty where nothing is."""
        if dataset is ENTITIES:
            return [path for path in self._list(dataset) if "/snapshot_" in path][-1:]
        name = "daily_aggregates_*" if dataset is ANALYTICS else "*/*/*/*"
        pattern = f"{dataset.name}/{name}.parquet"
        is_there = next(Path(root).glob(pattern), None) is not None
        return [pattern] if is_there else []

    def _list(self, dataset: Dataset) -> list[str]:
        found = self._lake.list_files(dataset.name)
        return [file.path for file in found if file.path.endswith(".parquet")]

    def _register(
        self, engine: duckdb.DuckDBPyConnection, dataset: Dataset, system: Any, root: str
    ) -> None:
        import pyarrow as pa
        import pyarrow.dataset as ds

        paths = self._list(dataset)
        if dataset is ENTITIES:
            paths = [path for path in paths if "/snapshot_" in path][-1:]
        # A file that is cut short must not hold up who asks for others, so none is looked into.
        schema = make_schema(dataset.name).remove_metadata()
        schema = pa.schema([field.with_nullable(True) for field in schema])  # noqa: FBT003 - pyarrow's
        partitioning = None
        if dataset.is_partitioned:
            parts = pa.schema([(name, pa.int32()) for name in _PARTITIONS])
            partitioning = ds.partitioning(parts, flavor="hive")
            schema = pa.unify_schemas([schema, parts])
        found = ds.dataset(
            [f"{root}/{path}" for path in paths],
            schema=schema,
            filesystem=system,
            format="parquet",
            partitioning=partitioning,
            partition_base_dir=root,
        )
        engine.register(dataset.name, found)


def _name_form(dataset: Dataset) -> str:
    folder = "/year=1/month=1/day=1" if dataset.is_partitioned else ""
    return f"{dataset.name}{folder}/form.parquet"


def _empty_columns(dataset: Dataset) -> list[str]:
    columns = [f'NULL::{_TYPES[column.kind]} AS "{column.name}"' for column in dataset.columns]
    if dataset.is_partitioned:
        columns += [f"NULL::INTEGER AS {name}" for name in _PARTITIONS]
    return columns


def _quote_list(texts: Iterable[str]) -> str:
    return ", ".join("'" + text.replace("'", "''") + "'" for text in texts)
