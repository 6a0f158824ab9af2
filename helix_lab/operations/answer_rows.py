"""Rows of an answer as JSON: what JSON has no form for becomes text."""

from __future__ import annotations

import base64
import json
import math
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from uuid import UUID

from helix_lab.domain.model.errors import QueryFailed
from helix_lab.operations.operation import Response

if TYPE_CHECKING:
    import pyarrow as pa


class QueryColumn(Response):
    """A column of the answer."""

    name: str
    type: str


def list_columns(table: pa.Table) -> list[QueryColumn]:
    """Names and Arrow types of the columns, in order."""
    return [QueryColumn(name=field.name, type=str(field.type)) for field in table.schema]


def list_rows(table: pa.Table) -> list[list[Any]]:
    """The rows, each with one JSON value a column.

    Raises:
        QueryFailed: a value lies outside of what can be written.
    """
    columns = [_read_column(table, number) for number in range(table.num_columns)]
    return [[to_json(value) for value in row] for row in zip(*columns, strict=True)]


def shorten(value: Any, characters: int) -> Any:
    """A JSON value that is no longer than that; what is cut ends in `…`, and is a text."""
    if isinstance(value, list | dict):
        text = json.dumps(value, ensure_ascii=False)
        return value if len(text) <= characters else shorten(text, characters)
    if isinstance(value, str) and len(value) > characters:
        return value[:characters] + "…"
    return value


def _read_column(table: pa.Table, number: int) -> list[Any]:
    column = table.column(number)
    if str(column.type).startswith("timestamp[ns"):
        # Python has no such moments, and pandas, which has, may be absent.
        column = column.cast("string")
    try:
        values: list[Any] = column.to_pylist()
    except (ValueError, OverflowError) as error:
        name = table.column_names[number]
        message = (
            f"column {name!r} holds a moment before the year 1 or after 9999 "
            f"({error}); ask for CAST({name} AS VARCHAR)"
        )
        raise QueryFailed(message, field="query", column=name) from None
    return values


def to_json(value: Any) -> Any:  # noqa: PLR0911 - one line a kind of value
    """A value as JSON; what JSON has no form for becomes text, bytes become base64."""
    match value:
        case float():
            return value if math.isfinite(value) else str(value)
        case None | bool() | int() | str():
            return value
        case datetime() | date():
            return value.isoformat()
        case bytes():
            return base64.b64encode(value).decode()
        case list() | tuple():
            return [to_json(item) for item in value]
        case dict():
            return {str(name): to_json(item) for name, item in value.items()}
        case Decimal():
            return _to_number(value)
        case UUID() | _:
            return str(value)


def _to_number(value: Decimal) -> int | float | str:
    """A decimal as a JSON number where that keeps all of its digits, else as text."""
    if value.is_finite() and value == value.to_integral_value():
        return int(value)
    return float(value) if Decimal(repr(float(value))) == value else str(value)
