"""The answer to a statement, as a notebook shows it and Python works with it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from helix_lab.domain.model.errors import MissingDriver
from helix_lab.doors import tables
from helix_lab.doors.kernel.values import find_arrow_type, read_rows

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
    """

    columns: Sequence[str]
    types: Sequence[str]
    values: Sequence[Sequence[Any]]
    page: Sequence[Sequence[Any]]
    total_rows: int | None
    is_truncated: bool
    elapsed_ms: float

    @classmethod
    def from_answer(cls, answer: QueryAnswer) -> Self:
        """From the response of the operation `run_query`."""
        types = [column.type for column in answer.columns]
        return cls(
            columns=[column.name for column in answer.columns],
            types=types,
            values=read_rows(types, answer.rows),
            page=answer.rows[: tables.PAGE_ROWS],
            total_rows=answer.total_rows,
            is_truncated=answer.truncated,
            elapsed_ms=answer.execution_time_ms,
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

    def to_arrow(self) -> pa.Table:
        """The rows as an Arrow table, with the types of the engine."""
        import pyarrow as pa

        columns = zip(*self.values, strict=True) if self.values else ((),) * len(self.columns)
        arrays = [
            pa.array(list(values), type=find_arrow_type(type_))
            for values, type_ in zip(columns, self.types, strict=True)
        ]
        return pa.table(arrays, names=self.columns)

    def to_pandas(self) -> Any:
        """The rows as a pandas DataFrame.

        Raises:
            MissingDriver: pandas is not installed.
        """
        try:
            import pandas as pd
        except ImportError as error:
            message = "pandas is not installed: pip install pandas"
            raise MissingDriver(message, package="pandas") from error
        return pd.DataFrame(self.values, columns=self.columns)

    def describe(self, shown: int) -> str:
        """How much of the answer is on the screen."""
        time = f"{self.elapsed_ms:,.0f} ms" if self.elapsed_ms >= 1 else "under 1 ms"
        if not self.is_truncated and shown == len(self):
            return f"{shown:,} row{'' if shown == 1 else 's'} · {time}"
        total = (
            f"{self.total_rows:,}" if self.total_rows is not None else f"more than {len(self):,}"
        )
        kept = f" · {len(self):,} kept, see --max-rows" if self.is_truncated else ""
        return f"showing {shown:,} of {total} rows{kept} · {time}"

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
                "rows": [[_shorten(value) for value in row] for row in self.page],
                "kept_rows": len(self),
                "total_rows": self.total_rows,
                "is_truncated": self.is_truncated,
                "elapsed_ms": self.elapsed_ms,
            },
        }


def _shorten(value: Any) -> Any:
    """A value that does not blow up the notebook that keeps it."""
    if isinstance(value, list | dict):
        text = json.dumps(value, ensure_ascii=False)
        return value if len(text) <= _MAX_KEPT_CHARACTERS else _shorten(text)
    if isinstance(value, str) and len(value) > _MAX_KEPT_CHARACTERS:
        return value[:_MAX_KEPT_CHARACTERS] + "…"
    return value
