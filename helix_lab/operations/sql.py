"""Operations for one's own SQL: a statement that reads, and the catalog of what it can read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from pydantic import Field

from helix_lab.domain.model.errors import QueryCancelled, QueryFailed, QueryRefused, QueryTimedOut
from helix_lab.operations.answer_rows import QueryColumn, list_columns, list_rows
from helix_lab.operations.cancellation import current_scope
from helix_lab.operations.operation import Operation, Request, Response, Text
from helix_lab.operations.services import Services


class RunQuery(Request):
    """One statement that reads, and its limits."""

    query: Annotated[Text, Field(min_length=1, max_length=1_000_000)]
    parameters: dict[str, Any] | list[Any] = Field(
        default_factory=dict, description="values for $name, or for ? in order"
    )
    max_rows: int = Field(1000, ge=1, le=100_000, description="rows at most")
    timeout_s: float = Field(30, gt=0, le=600, description="stopped after this time")
    keep: bool = Field(
        False,  # noqa: FBT003 - a field's default
        description="keep the whole answer on the server for a while, to be read in pages",
    )


class QueryAnswer(Response):
    """Rows, cut at max_rows. `total_rows` is null where counting them took too long.

    With `keep`, `result_id` is what `GET /v1/results/{result_id}` gives pages of; `kept_rows` of
    the answer are there. It is null where keeping failed.
    """

    columns: list[QueryColumn]
    rows: list[list[Any]]
    row_count: int
    total_rows: int | None
    truncated: bool
    execution_time_ms: float
    result_id: str | None = None
    kept_rows: int = 0


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

    with (
        services.results.draft() as draft,
        services.projections.reading("analytics"),
        scope.on_cancel(stop_all),
    ):
        result = services.analytics.query(
            request.query,
            request.parameters,
            max_rows=request.max_rows,
            timeout_s=request.timeout_s,
            on_start=on_start,
            keep=draft.add if request.keep else None,
        )
        result_id = draft.finish(result.table) if request.keep else None
    return QueryAnswer(
        columns=list_columns(result.table),
        rows=list_rows(result.table),
        row_count=result.table.num_rows,
        total_rows=result.total_rows,
        truncated=result.is_truncated,
        execution_time_ms=result.elapsed_ms,
        result_id=result_id,
        kept_rows=draft.rows if result_id else 0,
    )


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
