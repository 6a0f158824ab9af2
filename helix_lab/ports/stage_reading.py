"""Reading a file by a stage: what every batch engine does, in whatever process it likes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from helix_lab.domain.model.errors import InvalidRequest
from helix_lab.ports.batch import SOURCE, InputFile, Stage

if TYPE_CHECKING:
    import pyarrow as pa

_ROWS_AT_ONCE: Final = 500
_TASK_ROWS: Final = 2000
"""Some seconds of work at most: so often progress is told and a cancelled job stops."""


def split(files: Sequence[InputFile], *, parts: int = 1) -> list[list[InputFile]]:
    """The files in groups of about the same work, in order; at least so many, if there are."""
    most = max(1, min(_TASK_ROWS, sum(file.rows for file in files) // max(parts, 1)))
    groups: list[list[InputFile]] = []
    rows = most
    for file in files:
        if rows >= most:
            groups.append([])
            rows = 0
        groups[-1].append(file)
        rows += max(file.rows, 1)
    return groups


def read_files(
    stage: Stage, files: Sequence[InputFile], target: Path, on_rows: Callable[[int], None]
) -> Path | None:
    """Write what a stage finds in files to one file, whole or not at all; None: it finds nothing.

    Args:
        stage: what to read.
        files: from where.
        target: the file to write.
        on_rows: told of each lot of rows that was read; what it raises ends the reading.

    Raises:
        InvalidRequest: an input file cannot be read; the message names it.
    """
    import pyarrow.parquet as pq

    half = target.with_suffix(".half")
    writer: pq.ParquetWriter | None = None
    try:
        for rows, found in _read_all(stage, files):
            if found.num_rows:
                writer = writer or pq.ParquetWriter(half, found.schema, compression="zstd")
                writer.write_batch(found)
            on_rows(rows)
        if writer is None:
            return None
        writer.close()
        half.replace(target)
    finally:
        if writer is not None:
            writer.close()
        half.unlink(missing_ok=True)
    return target


def _read_all(stage: Stage, files: Sequence[InputFile]) -> Iterator[tuple[int, pa.RecordBatch]]:
    import pyarrow as pa

    module, _, name = stage.function.partition(":")
    function = getattr(import_module(module), name)
    for file in files:
        for batch in _open(stage, file):
            found = pa.RecordBatch.from_pydict(function(batch.to_pydict()), schema=stage.schema)
            source = pa.array([file.source] * found.num_rows, pa.string())
            yield batch.num_rows, found.append_column(SOURCE, source)


def _open(stage: Stage, file: InputFile) -> Iterator[Any]:
    """The columns of the stage, some rows at a time."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(file.path) as opened:
            missing = sorted({*stage.columns} - {*opened.schema_arrow.names})
            if missing:
                problem = f"it has no column {missing[0]!r}, so it is of another schema"
                raise _refuse(file, problem)
            if stage.is_whole:
                yield opened.read(columns=list(stage.columns))
            else:
                yield from opened.iter_batches(_ROWS_AT_ONCE, columns=list(stage.columns))
    except (pa.ArrowException, OSError) as error:
        raise _refuse(file, str(error).partition("\n")[0]) from error


def _refuse(file: InputFile, problem: str) -> InvalidRequest:
    message = f"{file.path} cannot be read as a file of the lake: {problem}"
    return InvalidRequest(message, field="input_path", path=file.path)
