"""Results kept for paging: whole answers of statements on the disk, read page by page, sorted."""

from __future__ import annotations

import contextlib
import secrets
import threading
import time
from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from helix_lab.domain.model.errors import InvalidRequest, UnknownResult

if TYPE_CHECKING:
    import pyarrow as pa

_MIB = 1024 * 1024
_INDEX_BYTES = 8


@dataclass(frozen=True, slots=True)
class KeepLimits:
    """How much is kept, and how long.

    Attributes:
        max_rows: of one answer; what comes after is not kept.
        max_bytes: of one answer.
        max_total_bytes: of all; the one that was read longest ago goes first.
        max_results: as many.
        ttl_s: after it was last read.
        max_orders: sorted orders of one answer; each costs eight bytes a row.
    """

    max_rows: int = 5_000_000
    max_bytes: int = 512 * _MIB
    max_total_bytes: int = 2048 * _MIB
    max_results: int = 200
    ttl_s: float = 3600.0
    max_orders: int = 4


@dataclass(frozen=True, slots=True)
class ResultRows:
    """A page: its rows, and how many the kept answer has."""

    table: pa.Table
    kept_rows: int


@dataclass(slots=True)
class _Kept:
    """An answer on the disk.

    Attributes:
        starts: number of the first row of each batch in the file.
        orders: (column, descending) → file of row numbers; the one read last is last.
    """

    path: Path
    rows: int
    size: int
    starts: list[int]
    read_at_s: float
    orders: dict[tuple[int, bool], Path] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def total_bytes(self) -> int:
        return self.size + len(self.orders) * self.rows * _INDEX_BYTES


class KeptResults:
    """Answers by an id, on the disk of this process and for as long as it lives.

    A page is read by memory map, so neither a long answer nor its order is ever in memory.
    Safe in threads.

    Args:
        folder: of its own; what an earlier process left there is removed.
        limits: how much is kept.
        clock: seconds that never go back.
    """

    def __init__(
        self,
        folder: Path,
        *,
        limits: KeepLimits | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._folder = folder
        self._limits = limits or KeepLimits()
        self._clock = clock
        self._lock = threading.Lock()
        self._kept: dict[str, _Kept] = {}
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._clear()

    @contextlib.contextmanager
    def draft(self) -> Iterator[Draft]:
        """An answer to be written batch by batch; without `Draft.finish` nothing is kept."""
        draft = Draft(self._folder / f"{secrets.token_hex(12)}.arrow", self._limits, self._keep)
        try:
            yield draft
        finally:
            draft.close()

    def read_page(
        self, result_id: str, *, offset: int, limit: int, sort: int | None, descending: bool
    ) -> ResultRows:
        """Rows of an answer, in its own order or in that of a column; nulls come last.

        Args:
            result_id: from `Draft.finish`.
            offset: rows to pass over.
            limit: rows at most.
            sort: the number of a column, from 0.
            descending: the greatest first.

        Raises:
            UnknownResult: it was not kept, or is not any more.
            InvalidRequest: there is no such column, or it has no order.
        """
        import pyarrow as pa

        kept = self._find(result_id)
        try:
            with pa.memory_map(str(kept.path)) as file, pa.ipc.open_file(file) as reader:
                last = min(offset + limit, kept.rows)
                if sort is None:
                    batches = _slice(reader, kept, offset, last)
                else:
                    numbers = self._order(reader, kept, sort, descending=descending)
                    batches = _pick(reader, kept, numbers[offset:last].to_pylist())
                # What the rows point at stays mapped for as long as they live.
                table = pa.Table.from_batches(batches, schema=reader.schema)
        except FileNotFoundError:
            raise UnknownResult(result_id) from None
        return ResultRows(table, kept.rows)

    def clear(self) -> None:
        """Remove all answers."""
        with self._lock:
            self._kept.clear()
        self._clear()

    def close(self) -> None:
        """Remove all answers."""
        self.clear()

    def _find(self, result_id: str) -> _Kept:
        with self._lock:
            self._drop_old()
            kept = self._kept.pop(result_id, None)
            if kept is None:
                raise UnknownResult(result_id)
            # The order of the dict is that of the last use.
            self._kept[result_id] = kept
            kept.read_at_s = self._clock()
            return kept

    def _keep(self, path: Path, rows: int, starts: list[int]) -> str:
        kept = _Kept(path, rows, path.stat().st_size, starts, self._clock())
        with self._lock:
            self._kept[path.stem] = kept
            self._drop_old()
        return path.stem

    def _drop_old(self) -> None:
        """Forget what is too old or too much; the newest stays."""
        limits, oldest_at_s = self._limits, self._clock() - self._limits.ttl_s
        total_bytes = sum(kept.total_bytes for kept in self._kept.values())
        for result_id, kept in list(self._kept.items())[:-1]:
            is_too_much = (
                len(self._kept) > limits.max_results or total_bytes > limits.max_total_bytes
            )
            if kept.read_at_s >= oldest_at_s and not is_too_much:
                break
            total_bytes -= kept.total_bytes
            del self._kept[result_id]
            for path in (kept.path, *kept.orders.values()):
                _remove(path)

    def _order(
        self, reader: pa.RecordBatchFileReader, kept: _Kept, column: int, *, descending: bool
    ) -> pa.Array:
        """Numbers of all rows in the order of a column, sorted once and kept beside the rows."""
        import pyarrow as pa

        if column >= len(reader.schema):
            allowed = f"0 to {len(reader.schema) - 1}"
            message = f"field 'sort': there is no column {column}; allowed: {allowed}"
            raise InvalidRequest(message, field="sort")
        key = (column, descending)
        with kept.lock:
            path = kept.orders.pop(key, None)
            if path is None:
                path = kept.path.with_suffix(f".{column}{'d' if descending else 'a'}")
                numbers = _sort(reader, column, descending=descending)
                with pa.OSFile(str(path), "wb") as file:
                    file.write(numbers.buffers()[1])
            kept.orders[key] = path
            while len(kept.orders) > self._limits.max_orders:
                _remove(kept.orders.pop(next(iter(kept.orders))))
            with pa.memory_map(str(path)) as file:
                return pa.Array.from_buffers(pa.uint64(), kept.rows, [None, file.read_buffer()])

    def _clear(self) -> None:
        for path in self._folder.iterdir():
            _remove(path)


class Draft:
    """An answer while it is written, batch by batch.

    A disk that is full ends the keeping, never the answer.
    """

    def __init__(
        self, path: Path, limits: KeepLimits, keep: Callable[[Path, int, list[int]], str]
    ) -> None:
        self._path = path
        self._limits = limits
        self._keep = keep
        self._writer: pa.RecordBatchFileWriter | None = None
        self._starts: list[int] = []
        self._is_kept = False
        self._failed = False
        self._bytes = 0
        self.rows = 0

    def add(self, batch: pa.RecordBatch) -> bool:
        """Write what follows; False once no more is taken."""
        room = self._limits.max_rows - self.rows
        if self._failed or room <= 0 or self._bytes >= self._limits.max_bytes:
            return False
        try:
            self._write(_decode(batch.slice(0, room)))
        except OSError:
            self._failed = True
        return not self._failed

    def finish(self, empty: pa.Table) -> str | None:
        """Keep what was written, and give its id; None where it could not be written.

        Args:
            empty: has the columns of the answer, for one without rows.
        """
        try:
            if self._writer is None:
                import pyarrow as pa

                columns = [column.combine_chunks() for column in empty.slice(0, 0).columns]
                self._write(_decode(pa.RecordBatch.from_arrays(columns, schema=empty.schema)))
            self._close_file()
            if self._failed:
                return None
            result_id = self._keep(self._path, self.rows, self._starts)
        except OSError:
            return None
        self._is_kept = True
        return result_id

    def close(self) -> None:
        """Remove what was not finished."""
        with contextlib.suppress(OSError):
            self._close_file()
        if not self._is_kept:
            _remove(self._path)

    def _write(self, batch: pa.RecordBatch) -> None:
        import pyarrow as pa

        if self._writer is None:
            self._path.touch(mode=0o600)
            self._writer = pa.ipc.new_file(str(self._path), batch.schema)
        self._writer.write_batch(batch)
        self._starts.append(self.rows)
        self.rows += batch.num_rows
        self._bytes += batch.nbytes

    def _close_file(self) -> None:
        if self._writer is not None:
            self._writer.close()


def _decode(batch: pa.RecordBatch) -> pa.RecordBatch:
    """The batch with plain values: a file holds one dictionary a column, and orders its codes."""
    import pyarrow as pa

    if not any(pa.types.is_dictionary(type_) for type_ in batch.schema.types):
        return batch
    columns = [
        column.dictionary_decode() if pa.types.is_dictionary(column.type) else column
        for column in batch.columns
    ]
    return pa.RecordBatch.from_arrays(columns, names=batch.schema.names)


def _slice(
    reader: pa.RecordBatchFileReader, kept: _Kept, first: int, last: int
) -> list[pa.RecordBatch]:
    """The rows from `first` to before `last`."""
    found = []
    number = max(0, bisect_right(kept.starts, first) - 1)
    while first < last:
        batch, start = reader.get_batch(number), kept.starts[number]
        found.append(batch.slice(first - start, last - first))
        first = start + batch.num_rows
        number += 1
    return found


def _pick(
    reader: pa.RecordBatchFileReader, kept: _Kept, numbers: list[int]
) -> list[pa.RecordBatch]:
    """These rows, in this order."""
    batches: dict[int, pa.RecordBatch] = {}
    found = []
    for row in numbers:
        number = bisect_right(kept.starts, row) - 1
        if number not in batches:
            batches[number] = reader.get_batch(number)
        found.append(batches[number].slice(row - kept.starts[number], 1))
    return found


def _sort(reader: pa.RecordBatchFileReader, column: int, *, descending: bool) -> pa.Array:
    """Numbers of all rows in the order of a column; equal ones stay as they were."""
    import pyarrow as pa
    import pyarrow.compute as pc

    schema_field = reader.schema.field(column)
    parts = [reader.get_batch(n).column(column) for n in range(reader.num_record_batches)]
    values = pa.chunked_array(parts, type=schema_field.type)
    order = "descending" if descending else "ascending"
    try:
        if not pa.types.is_nested(values.type):
            # The name counts for tables alone; nulls come last if nothing else is said.
            return pc.sort_indices(values, sort_keys=[("", order)])
    except (pa.ArrowNotImplementedError, pa.ArrowTypeError):
        pass
    message = (
        f"field 'sort': column {schema_field.name!r} has values of {schema_field.type}, "
        "which have no order; sort by another column"
    )
    raise InvalidRequest(message, field="sort")


def _remove(path: Path) -> None:
    # A file that is being read cannot be removed everywhere; the next start does it.
    with contextlib.suppress(OSError):
        path.unlink()
