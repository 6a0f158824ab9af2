"""The lake: files of history in a folder or a bucket, written whole, read by anyone."""

from __future__ import annotations

import abc
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from helix_lab.domain.lake.schema import DATASET_KEY, DATASETS, VERSION, VERSION_KEY
from helix_lab.ports.analytics import QueryResult, RunningStatement

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True, slots=True)
class LakeFile:
    """A file in the lake; `path` is relative to the lake, with `/`."""

    path: str
    bytes: int


class Lake(abc.ABC):
    """Files by their paths. Safe in threads.

    A path is relative, with `/` between its parts, as `domain.lake.paths` makes it.

    Every method raises `Unavailable` where the place of the lake cannot be used: the folder is
    not writable, the disk is full, the server is down, the bucket is missing, the keys are wrong.
    """

    @abc.abstractmethod
    def list_files(self, prefix: str = "") -> Iterator[LakeFile]:
        """The files in the folder of this path and below, by path; none if there is no such."""

    @abc.abstractmethod
    def read(self, path: str) -> bytes:
        """The whole file.

        Raises:
            NotFound: there is none.
        """

    @abc.abstractmethod
    def write(self, files: Iterable[tuple[str, bytes]]) -> None:
        """Write (path, content) pairs, over what was there; durable when it returns.

        Readers see each file as it was before or whole, never in between, also if the process
        dies meanwhile. Then some of the files are there and others are not.
        """

    @abc.abstractmethod
    def delete(self, paths: Sequence[str]) -> None:
        """Remove files; those that are not there are no error."""

    @abc.abstractmethod
    def sweep(self) -> int:
        """Remove what writes that were cut short left behind; how much. Nobody may write now."""

    @abc.abstractmethod
    def open_filesystem(self) -> tuple[Any, str]:
        """A pyarrow filesystem to scan, and the path of the lake in it."""

    @abc.abstractmethod
    def probe(self) -> str:
        """Do one cheap real read; the address of the lake as others name it."""

    @abc.abstractmethod
    def close(self) -> None:
        """Release connections; closing twice is harmless."""


class LakeReader(abc.ABC):
    """SQL over the datasets of a lake, reading only. Safe in threads."""

    @abc.abstractmethod
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
        """As `AnalyticsStore.query`; the tables are the datasets, of the files as they are now."""

    @abc.abstractmethod
    def close(self) -> None:
        """Stop what runs; closing twice is harmless."""


@cache
def make_schema(name: str) -> pa.Schema:
    """The Arrow schema of a dataset, with its name and version as metadata."""
    import pyarrow as pa

    types = {
        "text": pa.string(),
        "json": pa.string(),
        "int32": pa.int32(),
        "int64": pa.int64(),
        "float64": pa.float64(),
        "boolean": pa.bool_(),
        "moment": pa.timestamp("us", tz="UTC"),
        "date": pa.date32(),
    }
    fields = [
        pa.field(column.name, types[column.kind], nullable=column.is_nullable)
        for column in DATASETS[name].columns
    ]
    return pa.schema(fields, metadata={DATASET_KEY: name, VERSION_KEY: str(VERSION)})
