"""The answer to a statement, as a notebook shows it and Python works with it."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from helix_lab.domain.model.errors import InvalidRequest, MissingDriver
from helix_lab.doors import tables
from helix_lab.doors.kernel.values import find_arrow_type, read_rows
from helix_lab.operations.answer_rows import shorten

if TYPE_CHECKING:
    import pyarrow as pa

    from helix_lab.operations.sql import QueryAnswer

TABLE_MIME = "application/vnd.helix-lab.table+json"
_MAX_KEPT_CHARACTERS = 1_000


@dataclass(frozen=True, slots=True, repr=False)
class SqlResult:
    """Rows that a statement gave, cut at `--max-rows`.

    Iterating and indexing give rows as dicts.

    Attributes:
        columns: their names, in order; in rows as dicts the last one of a name counts.
        types: their Arrow types.
        values: rows in order, each with one value a column.
        page: the first rows as JSON.
        total_rows: rows of the whole answer; None where they were not counted.
        result_id: by which the lab keeps the whole answer for a while; None where it does not.
        kept_rows: how many rows of it the lab keeps.
    """

    columns: list[str]
    types: Sequence[str]
    values: Sequence[Sequence[Any]]
    page: Sequence[Sequence[Any]]
    total_rows: int | None
    is_truncated: bool
    elapsed_ms: float
    result_id: str | None = None
    kept_rows: int = 0

    @classmethod
    def from_answer(cls, answer: QueryAnswer) -> Self:
        """From the response of the operation `run_query`."""
        types = [column.type for column in answer.columns]
        return cls(
            columns=[column.name for column in answer.columns],
            types=types,
            values=read_rows(types, answer.rows),
            page=answer.rows[: tables.count_page_rows(len(types))],
            total_rows=answer.total_rows,
            is_truncated=answer.truncated,
            elapsed_ms=answer.execution_time_ms,
            result_id=answer.result_id,
            kept_rows=answer.kept_rows,
        )

    @property
    def rows(self) -> list[dict[str, Any]]:
        """All rows that were kept."""
        return list(self)

    def __len__(self) -> int:
        return len(self.values)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return (dict(zip(self.columns, row, strict=True)) for row in self.values)

    def __getitem__(self, index: int) -> dict[str, Any]:
        return dict(zip(self.columns, self.values[index], strict=True))

    def arrow(self) -> pa.Table:
        """The rows as an Arrow table, with the types of the engine."""
        import pyarrow as pa

        columns = zip(*self.values, strict=True) if self.values else ((),) * len(self.columns)
        arrays = [
            pa.array(list(values), type=find_arrow_type(type_))
            for values, type_ in zip(columns, self.types, strict=True)
        ]
        return pa.table(arrays, names=self.columns)

    def df(self) -> Any:
        """The rows as a pandas DataFrame.

        Raises:
            MissingDriver: pandas is not installed.
        """
        pandas = import_library("pandas")
        return pandas.DataFrame(self.values, columns=self.columns)

    def polars(self) -> Any:
        """The rows as a polars DataFrame, with the types of the engine.

        Raises:
            MissingDriver: polars is not installed.
            InvalidRequest: two columns have one name, which polars does not know.
        """
        polars = import_library("polars")
        twice = sorted({name for name in self.columns if self.columns.count(name) > 1})
        if twice:
            names = ", ".join(map(repr, twice))
            message = f"polars needs a name for each column, and {names} stands twice; use AS"
            raise InvalidRequest(message, field="query")
        return polars.from_arrow(self.arrow())

    def describe(self, shown: int) -> str:
        """How much of the answer is on the screen."""
        time = f"{self.elapsed_ms:,.0f} ms" if self.elapsed_ms >= 1 else "under 1 ms"
        if not self.is_truncated and shown == len(self):
            return f"{shown:,} row{'' if shown == 1 else 's'} · {time}"
        total = (
            f"{self.total_rows:,}" if self.total_rows is not None else f"more than {len(self):,}"
        )
        fetched = f" · {len(self):,} fetched, see --max-rows" if self.is_truncated else ""
        return f"showing {shown:,} of {total} rows{fetched} · {time}"

    def __repr__(self) -> str:
        return tables.to_text(self.columns, self.values, caption=self.describe)

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        """The first page in three forms: for a program, for a browser, for a terminal."""
        return {
            "text/plain": repr(self),
            "text/html": tables.to_html(self.columns, self.values, caption=self.describe),
            TABLE_MIME: {
                "columns": [
                    {"name": name, "type": type_}
                    for name, type_ in zip(self.columns, self.types, strict=True)
                ],
                "rows": [
                    [shorten(value, _MAX_KEPT_CHARACTERS) for value in row] for row in self.page
                ],
                "fetched_rows": len(self),
                "total_rows": self.total_rows,
                "is_truncated": self.is_truncated,
                "elapsed_ms": self.elapsed_ms,
                "result_id": self.result_id,
                "kept_rows": self.kept_rows,
            },
        }


def import_library(package: str) -> Any:
    """A library that may be absent; the message of the error says how to install it."""
    try:
        return importlib.import_module(package)
    except ImportError as error:
        message = f'{package} is not installed: pip install "helix-lab[{package}]"'
        raise MissingDriver(message, package=package) from error
