"""The analytics store: typed rows derived from events, asked by SQL."""

from __future__ import annotations

import abc
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    import pyarrow as pa

Checkpoint = Mapping[tuple[str, int], int]
"""(topic, partition) → next offset that is not applied yet."""


@dataclass(frozen=True, slots=True)
class QueryResult:
    """Rows of a user's statement, cut at a limit.

    Attributes:
        table: at most the asked number of rows.
        total_rows: rows of the whole answer; None where counting them was not possible in time.
        is_truncated: the answer has more rows than `table`.
    """

    table: pa.Table
    total_rows: int | None
    is_truncated: bool
    elapsed_ms: float


@dataclass(frozen=True, slots=True)
class RunningStatement:
    """A user's statement while it runs; any thread may call both, also after its end.

    Attributes:
        stop: ends it; returns at once.
        measure: how much of it is done, from 0 to 1; None where the engine cannot tell.
    """

    stop: Callable[[], None]
    measure: Callable[[], float | None]


@dataclass(frozen=True, slots=True)
class Supplement:
    """What one statement may read beside the tables of the store, and nobody else sees.

    Attributes:
        tables: name → rows, kept elsewhere.
        functions: statements that make functions for it, in the SQL of the store.
    """

    tables: Mapping[str, pa.Table]
    functions: Sequence[str]


class AnalyticsStore(abc.ABC):
    """Rows derived from events, and how far each projection has come. Safe in threads."""

    supports_transactions: ClassVar[bool]
    """Rows and checkpoint become visible together. Where not, rows are unique by event id."""
    takes_supplements: ClassVar[bool]
    """Statements of users may read a `Supplement`. Where not, nobody hands one over."""
    dialect: ClassVar[str]
    """Whose SQL it speaks: the named statements of `sql/queries/` are there for each."""

    @abc.abstractmethod
    def write(
        self, projection: str, batch: Mapping[str, pa.Table], *, checkpoint: Checkpoint
    ) -> None:
        """Add rows to tables and move the projection's checkpoint.

        Args:
            projection: whose checkpoint moves.
            batch: table name → rows; the columns are those of `sql/<engine>/`.
            checkpoint: the new position; partitions that it does not name stay.
        """

    @abc.abstractmethod
    def read_checkpoint(self, projection: str) -> dict[tuple[str, int], int]:
        """Where the projection goes on; empty when it has applied nothing."""

    @abc.abstractmethod
    def ask(self, statement: str, parameters: Mapping[str, Any]) -> pa.Table:
        """Run one of our own named statements (see `sql/queries/`) and return all of its rows."""

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
        supplement: Supplement | None = None,
    ) -> QueryResult:
        """Run one read-only statement of a user.

        Args:
            sql: exactly one statement that reads; goes to the engine untouched.
            parameters: values for `$name` or `?`.
            max_rows: cut here.
            timeout_s: stop here.
            on_start: called with the statement, before it runs.
            keep: given each batch of rows in order, also those beyond `max_rows`, for as long as
                it answers True. Once there are more than `max_rows`, a stop ends the batches and
                is no error.
            supplement: what it may read beside the tables of the store; only for stores that
                take one.

        Raises:
            QueryRefused: it could write, read files, reach the network, load code, or change
                settings.
            QueryFailed: the engine could not run it.
            QueryTimedOut, QueryCancelled: it was stopped.
        """

    @abc.abstractmethod
    def list_columns(self) -> pa.Table:
        """The catalog: table_name, column_name, data_type, comment; by table and position."""

    @abc.abstractmethod
    def probe(self) -> None:
        """Do one cheap real read; raise `Unavailable` if the store cannot be used."""

    @abc.abstractmethod
    def clear(self) -> None:
        """Drop all rows and checkpoints, to be rebuilt from the log."""

    @abc.abstractmethod
    def close(self) -> None:
        """Release the engine; closing twice is harmless."""
