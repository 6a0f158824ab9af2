"""SQL over a lake: an engine in memory a statement, whose tables are the files as they are now."""

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
        self._changed = threading.Condition()
        self._stoppers: set[Stopper] = set()
        self._is_closed = False
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
        with self._engine() as engine, self._stoppable(engine, timeout_s) as stopper:
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
            if self._forms is not None:
                self._forms.cleanup()

    @contextmanager
    def _engine(self) -> Iterator[duckdb.DuckDBPyConnection]:
        engine = duckdb.connect(config=_CONFIG)
        try:
            engine.execute("SET TimeZone = 'UTC'")
            yield engine
        finally:
            engine.close()

    @contextmanager
    def _stoppable(self, engine: duckdb.DuckDBPyConnection, timeout_s: float) -> Iterator[Stopper]:
        engine.execute("SET enable_progress_bar = true")
        engine.execute("SET enable_progress_bar_print = false")
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
        if is_local:
            # A pattern is checked as it is written, and the files that it finds, too.
            allowed = _quote_list(f"{p}/" for p in {root, glob.escape(root), self._find_forms()})
            engine.execute(f"SET allowed_directories = [{allowed}]")
        # The statement of the user comes after this, and cannot take it back.
        engine.execute("SET enable_external_access = false")
        engine.execute("SET lock_configuration = true")
        for dataset in chosen:
            if is_local:
                self._make_view(engine, dataset, root)
            else:
                self._register(engine, dataset, system, root)

    def _make_view(self, engine: duckdb.DuckDBPyConnection, dataset: Dataset, root: str) -> None:
        columns = ", ".join(f'"{column.name}"' for column in dataset.columns)
        found = [f"{glob.escape(root)}/{path}" for path in self._find(dataset)]
        if not found:
            empty = ", ".join(_empty_columns(dataset))
            engine.execute(f'CREATE VIEW "{dataset.name}" AS SELECT {empty} WHERE false')
            return
        partitions = ""
        if dataset.is_partitioned:
            columns += ", year, month, day"
            types = ", ".join(f"'{name}': INTEGER" for name in _PARTITIONS)
            partitions = f", hive_partitioning = true, hive_types = {{{types}}}"
        files = _quote_list([f"{self._find_forms()}/{_name_form(dataset)}", *found])
        engine.execute(
            f'CREATE VIEW "{dataset.name}" AS SELECT {columns} '  # noqa: S608 - our own names
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

    def _find(self, dataset: Dataset) -> list[str]:
        """What to read, relative to the lake: patterns, or the newest snapshot; empty: nothing."""
        if dataset is ENTITIES:
            return [path for path in self._list(dataset) if "/snapshot_" in path][-1:]
        if not next(iter(self._list(dataset)), None):
            return []
        name = "daily_aggregates_*" if dataset is ANALYTICS else "*/*/*/*"
        return [f"{dataset.name}/{name}.parquet"]

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
