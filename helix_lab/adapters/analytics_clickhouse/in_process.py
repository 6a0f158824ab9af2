"""chDB: ClickHouse's engine in this process, on a folder of its own."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from itertools import chain
from pathlib import Path
from typing import Any

import chdb
import pyarrow as pa

from helix_lab.adapters.analytics_clickhouse.wire import Answer, EngineError, Limits, Values, Wire

_STREAM = "ArrowStream"
_NOT_STREAMED = "Streaming query is not supported"
_CODE = re.compile(r"Code: (\d+)\. ")
_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r", "\0": "\\0"})


class ChdbWire(Wire):
    """One database of the engine of this process.

    A process has one engine, on one folder; a folder has one process. Handles are cheap (less
    than a millisecond) and each has settings of its own, so every statement gets one.

    Args:
        folder: made if absent.
        database: made if absent.
    """

    def __init__(self, folder: Path, database: str) -> None:
        self.name = f"chdb://{folder}"
        self._folder = folder
        self._database = database
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with _explained():
            # While it is open the engine keeps running.
            self._keeper = chdb.connect(str(folder))
            self._keeper.query(f"CREATE DATABASE IF NOT EXISTS {database}")

    def run(self, sql: str, values: Values | None = None) -> None:
        """See `Wire.run`."""
        with self._handle({}) as handle:
            handle.query(sql, params=_escape(values))

    def read(
        self, sql: str, values: Values | None = None, limits: Limits | None = None
    ) -> pa.Table:
        """See `Wire.read`."""
        with self._handle(limits or {}) as handle:
            return _read_all(handle.query(sql, _STREAM, params=_escape(values)))

    def explain(self, sql: str, values: Values, limits: Limits) -> list[str]:
        """See `Wire.explain`."""
        lines: list[str] = self.read(sql, values, limits).column(0).to_pylist()
        return lines

    @contextmanager
    def stream(self, sql: str, values: Values, limits: Limits) -> Iterator[Answer]:
        """See `Wire.stream`; each block of the engine comes as a stream of its own."""
        with self._handle(limits) as handle:
            bound = _escape(values)
            blocks, first = _start(handle, sql, bound)
            try:
                # Where nothing came, not even the names of the columns did.
                table = _read_all(first or handle.query(sql, _STREAM, params=bound))
                rest = chain.from_iterable(_read_all(block).to_batches() for block in blocks)
                yield Answer(table.schema, chain(table.to_batches(), _explain_each(rest)))
            finally:
                with suppress(Exception):  # it may have ended by itself, or be none
                    blocks.close()

    def insert(self, table: str, rows: pa.Table) -> None:
        """See `Wire.insert`; the engine reads from files."""
        columns = ", ".join(f"`{name}`" for name in rows.column_names)
        with tempfile.NamedTemporaryFile(suffix=".arrow") as file:
            with pa.ipc.new_stream(file, rows.schema) as writer:
                writer.write_table(rows)
            file.flush()
            self.run(
                f"INSERT INTO `{table}` ({columns}) FROM INFILE '{file.name}' "
                f"SETTINGS max_partitions_per_insert_block = 0 FORMAT {_STREAM}"
            )

    def close(self) -> None:
        """See `Wire.close`."""
        self._keeper.close()

    @contextmanager
    def _handle(self, limits: Limits) -> Iterator[Any]:
        with _explained(), closing(chdb.connect(str(self._folder))) as handle:
            handle.query(f"USE {self._database}")
            if limits:
                # In this order: once it is read-only, nothing can be set.
                settings = sorted(limits.items(), key=lambda item: item[0] == "readonly")
                handle.query("SET " + ", ".join(f"{name} = '{value}'" for name, value in settings))
            yield handle


def _start(handle: Any, sql: str, values: dict[str, str]) -> tuple[Any, Any]:
    """The blocks of an answer, and the first of them; None where it cannot come in pieces."""
    try:
        blocks = handle.send_query(sql, _STREAM, params=values)
        return blocks, next(blocks, None)
    except (chdb.ChdbError, RuntimeError) as error:
        if _NOT_STREAMED not in str(error):
            raise
        return iter(()), None


def _read_all(answer: Any) -> pa.Table:
    raw = answer.bytes()
    return pa.ipc.open_stream(raw).read_all() if raw else pa.table({})


def _escape(values: Values | None) -> dict[str, str]:
    """As in a line of tab-separated values, which is how the engine reads them."""
    return {
        name: r"\N" if value is None else value.translate(_ESCAPES)
        for name, value in (values or {}).items()
    }


def _explain_each(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    with _explained():
        yield from batches


@contextmanager
def _explained() -> Iterator[None]:
    try:
        yield
    except (chdb.ChdbError, RuntimeError, UnicodeError, pa.ArrowException) as error:
        text = str(error).partition("\n\nThe above exception")[0]
        found = _CODE.search(text)
        raise EngineError(text, code=int(found[1]) if found else 0) from None
