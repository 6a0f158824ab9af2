"""The batch engine: pure functions over many files, and statements over what these found.

A job has two steps on every engine. **Read**: a pure function of this project is applied to the
rows of each input file, wherever a core is free, and what it finds is written as Parquet, each
row with the file that it came from. **Ask**: one statement of `sql/batch/` sums up such files. It
is the same text for all engines, and sums whole numbers only, so that their answers are equal.
"""

from __future__ import annotations

import abc
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    import pyarrow as pa

SOURCE = "source"
"""The column that says which file a row came from."""

Value = str | int | float
"""Of a parameter of a statement."""


@dataclass(frozen=True, slots=True)
class Stage:
    """What is read out of the rows of a file.

    Attributes:
        function: `package.module:name` of a pure function from columns to columns (see
            `domain.batch.rows.Columns`): it is called by name, also in other processes.
        columns: those of the input that it is given.
        schema: of what it gives.
        is_whole: it is given all rows of a file at once; otherwise some thousand at a time.
    """

    function: str
    columns: tuple[str, ...]
    schema: pa.Schema
    is_whole: bool = False


@dataclass(frozen=True, slots=True)
class InputFile:
    """A Parquet file to read.

    Attributes:
        source: what its rows are marked with.
        path: where every process of the engine finds it.
        rows: how many it has.
    """

    source: str
    path: str
    rows: int


@dataclass(frozen=True, slots=True)
class Watch:
    """Who follows the work; both are called in the thread that called the engine.

    Attributes:
        check: called several times a second; what it raises stops the work and is passed on.
        advance: told how many rows have been read so far; the last call tells all of them.
    """

    check: Callable[[], None]
    advance: Callable[[int], None]


class BatchEngine(abc.ABC):
    """Carries out the steps of batch jobs. Safe in threads."""

    name: ClassVar[str]
    """As it is chosen by: `duckdb`, `spark`."""

    @abc.abstractmethod
    def read(
        self,
        stage: Stage,
        files: Sequence[InputFile],
        folder: Path,
        *,
        watch: Watch,
        parts: int | None = None,
    ) -> list[Path]:
        """Apply a stage to files, and write what it finds to an existing, empty folder.

        Args:
            stage: what to read.
            files: from where.
            folder: to where.
            watch: who follows it.
            parts: pieces that the work is cut into, at least; None: as many as suit the engine.

        Returns:
            Parquet files in the folder, with the columns of the stage and `SOURCE`; none where
            nothing was found.

        Raises:
            InvalidRequest: a file is missing, is no Parquet file, or lacks a column; the message
                names it.
            Unavailable: the engine cannot be started, or died.
        """

    @abc.abstractmethod
    def ask(
        self,
        statement: str,
        tables: Mapping[str, pa.Table | Sequence[Path]],
        parameters: Mapping[str, Value],
        *,
        watch: Watch,
    ) -> pa.Table:
        """The answer of a statement, in its order.

        Args:
            statement: of `sql/batch/`, with `$name` for parameters.
            tables: by name: a small table, or one or more Parquet files of one schema.
            parameters: by name.
            watch: `advance` is not called.

        Raises:
            Unavailable: the engine cannot be started, or died.
        """

    @abc.abstractmethod
    def probe(self) -> None:
        """Whether it could work, without starting anything big.

        Raises:
            Unavailable, MissingDriver: it cannot; the message says what is missing.
        """

    @abc.abstractmethod
    def describe(self) -> str | None:
        """Where people can watch it work, such as the address of a page; None: nowhere."""

    @abc.abstractmethod
    def close(self) -> None:
        """End it; closing twice is harmless."""
