"""The engine: a database in memory for each statement; what is too big for it goes to the disk."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Final, TypeVar

import duckdb

from helix_lab.adapters.batch_duckdb.reading import Reader
from helix_lab.domain.model.errors import Unavailable
from helix_lab.ports.batch import BatchEngine, InputFile, Stage, Value, Watch
from helix_lab.ports.stage_reading import read_files, split

if TYPE_CHECKING:
    import pyarrow as pa

_LOOK_EVERY_S: Final = 0.1
_FEW_ROWS: Final = 2000
"""Processes take two seconds to begin; so many rows are read as fast without."""

Answer = TypeVar("Answer")


class DuckDBBatch(BatchEngine):
    """Batch jobs on this machine.

    Args:
        folder: for what does not fit into memory.
        readers: processes that read at the same time.
        memory_limit: of one statement, as DuckDB writes it.
    """

    name: ClassVar[str] = "duckdb"

    def __init__(self, folder: Path, *, readers: int, memory_limit: str = "2GB") -> None:
        self._folder = folder
        self._readers = max(readers, 1)
        self._memory_limit = memory_limit

    def read(
        self,
        stage: Stage,
        files: Sequence[InputFile],
        folder: Path,
        *,
        watch: Watch,
        parts: int | None = None,
    ) -> list[Path]:
        """See `BatchEngine.read`."""
        total = sum(file.rows for file in files)
        if total <= _FEW_ROWS or self._readers == 1:
            found = _read_here(stage, files, folder, watch)
        else:
            found = self._read_in_processes(
                stage, split(files, parts=parts or self._readers * 2), folder, watch
            )
        watch.advance(total)
        return found

    def _read_in_processes(
        self, stage: Stage, groups: list[list[InputFile]], folder: Path, watch: Watch
    ) -> list[Path]:
        done = _Count()
        readers = [Reader() for _ in range(min(self._readers, len(groups)))]
        free = list(readers)

        def read(number: int) -> Path | None:
            reader = free.pop()
            try:
                target = folder / f"part-{number:06}.parquet"
                return reader.read(stage, groups[number], target, done.add)
            finally:
                free.append(reader)

        with ThreadPoolExecutor(len(readers), thread_name_prefix="helix-batch") as pool:
            futures = [pool.submit(read, number) for number in range(len(groups))]
            try:
                _wait(futures, watch, lambda: watch.advance(done.value))
                return [path for future in futures if (path := future.result())]
            finally:
                for future in futures:
                    future.cancel()
                for reader in readers:
                    reader.close()

    def ask(
        self,
        statement: str,
        tables: Mapping[str, pa.Table | Sequence[Path]],
        parameters: Mapping[str, Value],
        *,
        watch: Watch,
    ) -> pa.Table:
        """See `BatchEngine.ask`."""
        with self._open() as connection, ThreadPoolExecutor(1) as pool:

            def work() -> pa.Table:
                _provide(connection, tables)
                used = {
                    name: value for name, value in parameters.items() if f"${name}" in statement
                }
                return connection.sql(statement, params=used).to_arrow_table()

            future = pool.submit(work)
            try:
                _wait([future], watch, lambda: None)
                return future.result()
            except duckdb.Error as error:
                message = f"DuckDB could not carry out a batch statement: {error}"
                raise Unavailable(message, service="duckdb") from error
            finally:
                if not future.done():
                    connection.interrupt()

    def _open(self) -> duckdb.DuckDBPyConnection:
        return duckdb.connect(
            ":memory:",
            config={
                "memory_limit": self._memory_limit,
                "temp_directory": str(self._folder / "duckdb"),
                "max_temp_directory_size": "16GB",
                "autoinstall_known_extensions": "false",
                "autoload_known_extensions": "false",
            },
        )

    def probe(self) -> None:
        """See `BatchEngine.probe`."""
        with self._open() as connection:
            connection.execute("SELECT 1")

    def describe(self) -> str | None:
        """See `BatchEngine.describe`."""
        return None

    def close(self) -> None:
        """See `BatchEngine.close`; nothing runs between two calls."""


class _Count:
    """A sum that several threads add to."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.value = 0

    def add(self, rows: int) -> None:
        with self._lock:
            self.value += rows


def _read_here(stage: Stage, files: Sequence[InputFile], folder: Path, watch: Watch) -> list[Path]:
    done = _Count()

    def on_rows(rows: int) -> None:
        done.add(rows)
        watch.advance(done.value)
        watch.check()

    watch.check()
    path = read_files(stage, files, folder / "part-000000.parquet", on_rows)
    return [path] if path else []


def _provide(
    connection: duckdb.DuckDBPyConnection, tables: Mapping[str, pa.Table | Sequence[Path]]
) -> None:
    for name, content in tables.items():
        if isinstance(content, Sequence):
            connection.read_parquet([str(path) for path in content]).create_view(name)
        else:
            connection.register(name, content)


def _wait(futures: Sequence[Future[Answer]], watch: Watch, on_look: Callable[[], None]) -> None:
    """Until all are done or one has failed, whose error is raised."""
    left = list(futures)
    while left:
        watch.check()
        on_look()
        try:
            left[0].result(timeout=_LOOK_EVERY_S)
        except TimeoutError:
            for future in left:
                if future.done() and future.exception() is not None:
                    future.result()
            continue
        left.pop(0)
