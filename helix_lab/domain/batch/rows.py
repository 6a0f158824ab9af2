"""Rows by columns, as the batch engines hand them over, and the events that stand in them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeAlias

import msgspec

Columns: TypeAlias = Mapping[str, Sequence[Any]]
"""Column name → values, all of one length."""

Row: TypeAlias = dict[str, Any]


class SaidBy(msgspec.Struct):
    """What an archived event still says of who spoke."""

    user_id: str | None = None


class ArchivedEvent(msgspec.Struct):
    """What the jobs need of the column `event`."""

    event_id: str
    data: SaidBy


read_event = msgspec.json.Decoder(ArchivedEvent).decode


def list_rows(columns: Columns, names: Sequence[str]) -> Iterator[tuple[Any, ...]]:
    """The rows, as tuples of these columns."""
    return zip(*(columns[name] for name in names), strict=True)


def to_columns(rows: Sequence[tuple[Any, ...]], names: Sequence[str]) -> dict[str, list[Any]]:
    """Rows as columns."""
    return {name: [row[place] for row in rows] for place, name in enumerate(names)}


def to_millionths(value: float | None) -> int | None:
    """A measure as a whole number, so that sums of it are the same in any order."""
    return None if value is None else round(value * 1_000_000)


def from_millionths(total: int | None, count: int) -> float | None:
    """The mean of measures; None where there are none."""
    return None if total is None or not count else round(total / count / 1_000_000, 6)
