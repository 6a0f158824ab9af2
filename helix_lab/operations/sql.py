"""Operations for one's own SQL: a statement that reads, and the catalog of what it can read."""

from __future__ import annotations

import base64
import math
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

from pydantic import Field

from helix_lab.domain.model.errors import QueryCancelled, QueryFailed, QueryRefused, QueryTimedOut
from helix_lab.operations.cancellation import current_scope
from helix_lab.operations.operation import Operation, Request, Response, Text
from helix_lab.operations.services import Services

if TYPE_CHECKING:
    import pyarrow as pa


class RunQuery(Request):
    """One statement that reads, and its limits."""

    query: Annotated[Text, Field(min_length=1, max_length=1_000_000)]
    parameters: dict[str, Any] | list[Any] = Field(
        default_factory=dict, description="values for $name, or for ? in order"
    )
    max_rows: int = Field(1000, ge=1, le=100_000, description="rows at most")
    timeout_s: float = Field(30, gt=0, le=600, description="stopped after this time")


class QueryColumn(Response):
    """A column of the answer."""

    name: str
    type: str


class QueryAnswer(Response):
    """Rows, cut at max_rows. `total_rows` is null where counting them took too long."""

    columns: list[QueryColumn]
    rows: list[list[Any]]
    row_count: int
    total_rows: int | None
    truncated: bool
    execution_time_ms: float


class ListCatalog(Request):
    """Nothing to say."""


class CatalogColumn(Response):
    """A column that can be asked for."""

    table: str
    column: str
    type: str
    comment: str | None


class Catalog(Response):
    """The columns of all tables, by table and position."""

    columns: list[CatalogColumn]


def run_query(services: Services, request: RunQuery) -> QueryAnswer:
    """One's own SQL; stops when its caller goes away."""
    scope = current_scope()
    stops: list[Callable[[], None]] = []

    def stop_all() -> None:
        for stop in stops:
            stop()

    def on_start(stop: Callable[[], None]) -> None:
        stops.append(stop)
        if scope.is_cancelled:
            stop()

    with services.projections.reading("analytics"), scope.on_cancel(stop_all):
        result = services.analytics.query(
            request.query,
            request.parameters,
            max_rows=request.max_rows,
            timeout_s=request.timeout_s,
            on_start=on_start,
        )
    columns = [_read_column(result.table, number) for number in range(result.table.num_columns)]
    rows = [[_to_json(value) for value in row] for row in zip(*columns, strict=True)]
    return QueryAnswer(
        columns=[
            QueryColumn(name=field.name, type=str(field.type)) for field in result.table.schema
        ],
        rows=rows,
        row_count=result.table.num_rows,
        total_rows=result.total_rows,
        truncated=result.is_truncated,
        execution_time_ms=result.elapsed_ms,
    )


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


def _to_json(value: Any) -> Any:  # noqa: PLR0911 - one line a kind of value
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
            return [_to_json(item) for item in value]
        case dict():
            return {str(name): _to_json(item) for name, item in value.items()}
        case Decimal():
            return _to_number(value)
        case UUID() | _:
            return str(value)


def _to_number(value: Decimal) -> int | float | str:
    """A decimal as a JSON number where that keeps all of its digits, else as text."""
    if value.is_finite() and value == value.to_integral_value():
        return int(value)
    return float(value) if Decimal(repr(float(value))) == value else str(value)


def list_catalog(services: Services, request: ListCatalog) -> Catalog:  # noqa: ARG001
    """Tables and columns for one's own SQL."""
    rows = services.analytics.list_columns().to_pylist()
    return Catalog(
        columns=[
            CatalogColumn(
                table=row["table_name"],
                column=row["column_name"],
                type=row["data_type"],
                comment=row["comment"],
            )
            for row in rows
        ]
    )


OPERATIONS = (
    Operation(
        name="run_query",
        summary="Ask the analytics store in SQL, reading only",
        method="POST",
        path="/v1/analytics/query",
        scope="read",
        request=RunQuery,
        response=QueryAnswer,
        run=run_query,
        errors=(QueryRefused, QueryFailed, QueryTimedOut, QueryCancelled),
    ),
    Operation(
        name="list_catalog",
        summary="List the tables and columns that SQL can ask for",
        method="GET",
        path="/v1/catalog",
        scope="read",
        request=ListCatalog,
        response=Catalog,
        run=list_catalog,
    ),
)
