"""Files of the lake as bytes: rows to Parquet or lines of JSON, and back."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from helix_lab.domain.lake.manifest import ListedFile
from helix_lab.domain.lake.rows import File, Row
from helix_lab.domain.lake.schema import DATASET_KEY, VERSION, VERSION_KEY, Dataset
from helix_lab.domain.model.errors import DamagedFile
from helix_lab.ports.lake import make_schema

_ROWS_A_GROUP = 100_000
_REPEATED = (
    "conversation_id",
    "debate_id",
    "role",
    "user_id",
    "title",
    "provider",
    "model",
    "type",
)
_COMPARED = ("conversation_id", "debate_id", "created_at", "user_id", "provider", "role", "tokens")
_encode = msgspec.json.Encoder().encode


def encode_file(file: File) -> tuple[ListedFile, bytes]:
    """The content of a file, by the ending of its path, and how it is listed.

    The same rows give the same bytes, with the same version of pyarrow.
    """
    if file.path.endswith(".json"):
        content = b"".join(_encode(row) + b"\n" for row in file.rows)
    else:
        content = encode_table(_to_table(file.rows, file.dataset))
    return list_file(file.path, file.dataset.name, len(file.rows), content), content


def encode_table(table: pa.Table) -> bytes:
    """A table of a dataset as Parquet: zstd, and a dictionary where values repeat."""
    sink = pa.BufferOutputStream()
    with pq.ParquetWriter(
        sink,
        table.schema,
        compression="zstd",
        version="2.6",
        # Without these two, a file of a short conversation would be mostly footer.
        store_schema=False,
        write_statistics=[name for name in _COMPARED if name in table.column_names],
        use_dictionary=[name for name in _REPEATED if name in table.column_names],
    ) as writer:
        writer.write_table(table, row_group_size=_ROWS_A_GROUP)
        writer.add_key_value_metadata(
            {key.decode(): value.decode() for key, value in (table.schema.metadata or {}).items()}
        )
    content: bytes = sink.getvalue().to_pybytes()
    return content


def list_file(path: str, dataset: str, rows: int, content: bytes) -> ListedFile:
    """A file as a manifest lists it."""
    digest = hashlib.blake2b(content, digest_size=16).hexdigest()
    return ListedFile(path, dataset, rows, len(content), digest)


def decode_file(path: str, dataset: str, content: bytes) -> Iterator[Sequence[Row]]:
    """The rows of a file, in groups.

    Raises:
        DamagedFile: it is cut short, no file of this dataset, or of a later version.
    """
    if path.endswith(".json"):
        yield _decode_lines(path, content)
        return
    try:
        file = pq.ParquetFile(pa.BufferReader(content))
        check_schema(path, dataset, file.schema_arrow)
        for batch in file.iter_batches(batch_size=2_000):
            yield batch.to_pylist()
    except (pa.ArrowException, OSError) as error:
        raise refuse_file(path, str(error)) from None


def check_schema(path: str, dataset: str, schema: pa.Schema) -> None:
    """Refuse a file that does not hold the dataset.

    Raises:
        DamagedFile: it says that it holds something else, or lacks a column.
    """
    told = schema.metadata or {}
    found = told.get(DATASET_KEY.encode(), b"").decode()
    version = told.get(VERSION_KEY.encode(), b"").decode()
    if found != dataset:
        raise refuse_file(path, f"its metadata name the dataset {found!r}, not {dataset!r}")
    if not version.isdecimal() or int(version) > VERSION:
        reason = f"its schema has version {version!r}; this Helix Lab reads up to {VERSION}"
        raise refuse_file(path, reason)
    missing = [field.name for field in make_schema(dataset) if field.name not in schema.names]
    if missing:
        raise refuse_file(path, f"it has no column {missing[0]!r}")


def refuse_file(path: str, reason: str) -> DamagedFile:
    """The error for a file that cannot be used."""
    message = (
        f"the file {path!r} of the lake cannot be used: {reason}; archive its conversation "
        "again, or take the file away, and then run `helix-lab datalake check`"
    )
    return DamagedFile(message, path=path)


def _to_table(rows: Sequence[Row], dataset: Dataset) -> pa.Table:
    schema = make_schema(dataset.name)
    arrays = [pa.array([row[field.name] for row in rows], field.type) for field in schema]
    return pa.Table.from_arrays(arrays, schema=schema)


def _decode_lines(path: str, content: bytes) -> list[dict[str, Any]]:
    try:
        rows: list[Any] = msgspec.json.Decoder().decode_lines(content)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise refuse_file(path, str(error)) from None
    if not all(isinstance(row, dict) for row in rows):
        raise refuse_file(path, "a line of it is no JSON object")
    return rows
