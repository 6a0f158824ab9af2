"""What the store needs of an engine, wherever it runs."""

from __future__ import annotations

import abc
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa

READONLY, UNKNOWN_TABLE, ACCESS_DENIED, CANCELLED = 164, 60, 497, 394
"""Codes of ClickHouse's errors that mean something to us."""

Values = Mapping[str, str | None]
"""The values of `{name:Type}` in a statement, as text; None is null."""
Limits = Mapping[str, str | int]
"""Settings of the engine for one statement."""


class EngineError(Exception):
    """The engine did not run a statement.

    Attributes:
        code: of the list in ClickHouse's `ErrorCodes.cpp`; 0 where it gave none.
        is_unreachable: nobody answered.
    """

    def __init__(self, text: str, *, code: int = 0, is_unreachable: bool = False) -> None:
        super().__init__(text)
        self.code = code
        self.is_unreachable = is_unreachable


@dataclass(frozen=True, slots=True)
class Answer:
    """The rows of a statement as they come; `schema` is known before the first of them."""

    schema: pa.Schema
    batches: Iterator[pa.RecordBatch]


class Wire(abc.ABC):
    """The way to one database of an engine. Safe in threads; raises `EngineError`."""

    name: str
    """Where the engine is, without a password."""

    @abc.abstractmethod
    def run(self, sql: str, values: Values | None = None) -> None:
        """Carry out a statement that answers nothing."""

    @abc.abstractmethod
    def read(
        self, sql: str, values: Values | None = None, limits: Limits | None = None
    ) -> pa.Table:
        """All rows of a statement."""

    @abc.abstractmethod
    def explain(self, sql: str, values: Values, limits: Limits) -> list[str]:
        """The lines that EXPLAIN answers."""

    @abc.abstractmethod
    def stream(self, sql: str, values: Values, limits: Limits) -> AbstractContextManager[Answer]:
        """The rows of a statement as they are made; leaving the block lets go of the rest."""

    @abc.abstractmethod
    def insert(self, table: str, rows: pa.Table) -> None:
        """Add rows to a table; the columns that they lack get their defaults."""

    @abc.abstractmethod
    def close(self) -> None:
        """Let go of the engine."""
