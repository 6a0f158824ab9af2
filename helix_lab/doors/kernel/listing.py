"""Rows that answer a question of `%hx`, as a notebook shows them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from helix_lab.doors import tables

_TEXT_ROWS = 100


@dataclass(frozen=True, slots=True, repr=False)
class Listing:
    """A short table. Iterating gives rows as dicts.

    Attributes:
        columns: their names, in order.
        rows: one value a column in each.
        note: what else there is to say, below the rows.
        cell_width: characters of a value that are shown, where they are more than usual.
    """

    columns: Sequence[str]
    rows: Sequence[Sequence[Any]]
    note: str = ""
    cell_width: int | None = None

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return (dict(zip(self.columns, row, strict=True)) for row in self.rows)

    def describe(self, shown: int) -> str:
        """How many rows there are, and the note."""
        count = f"{len(self):,} row{'' if len(self) == 1 else 's'}"
        seen = count if shown == len(self) else f"showing {shown:,} of {count}"
        return f"{seen} · {self.note}" if self.note else seen

    def __repr__(self) -> str:
        return tables.to_text(
            self.columns, self.rows, caption=self.describe, limit=_TEXT_ROWS, **self._widths
        )

    def _repr_html_(self) -> str:
        return tables.to_html(self.columns, self.rows, caption=self.describe, **self._widths)

    @property
    def _widths(self) -> dict[str, int]:
        return {} if self.cell_width is None else {"cell_width": self.cell_width}
