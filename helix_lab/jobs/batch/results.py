"""Results of batch jobs: written to the lake as Parquet, and read again as Arrow or CSV."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any, Final

from helix_lab.domain.lake.schema import DATASET_KEY, VERSION_KEY
from helix_lab.jobs.batch.catalog import BatchJob

if TYPE_CHECKING:
    import pyarrow as pa

VERSION: Final = 1


def encode_result(table: pa.Table, job: BatchJob) -> bytes:
    """A result as a Parquet file; the same rows give the same bytes."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    told = {DATASET_KEY: f"results.{job.name}", VERSION_KEY: str(VERSION)}
    sink = pa.BufferOutputStream()
    pq.write_table(table.replace_schema_metadata(told), sink, compression="zstd")
    content: bytes = sink.getvalue().to_pybytes()
    return content


def decode_result(content: bytes) -> pa.Table:
    """The rows of a result."""
    import pyarrow.parquet as pq

    return pq.read_table(io.BytesIO(content))


def to_arrow(table: pa.Table) -> bytes:
    """The rows as a stream of Arrow IPC."""
    import pyarrow as pa

    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    content: bytes = sink.getvalue().to_pybytes()
    return content


def to_csv(table: pa.Table) -> str:
    """The rows as CSV with names; a list is its values joined by `; `."""
    import pyarrow as pa
    from pyarrow import csv

    flat = {name: _flatten(table.column(name)) for name in table.column_names}
    sink = pa.BufferOutputStream()
    csv.write_csv(pa.table(flat), sink)
    text: str = sink.getvalue().to_pybytes().decode()
    return text


def _flatten(column: Any) -> Any:
    import pyarrow as pa

    if not pa.types.is_list(column.type):
        return column
    joined = [
        None if values is None else "; ".join(map(str, values)) for values in column.to_pylist()
    ]
    return pa.array(joined, pa.string())
