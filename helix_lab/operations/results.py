"""The operation that gives pages of an answer which the lab keeps."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from helix_lab.domain.model.errors import QueryFailed, UnknownResult
from helix_lab.operations.answer_rows import QueryColumn, list_columns, list_rows, shorten
from helix_lab.operations.operation import Id, Operation, Request, Response
from helix_lab.operations.services import Services

GREATEST_OFFSET = 2**40


class GetResultPage(Request):
    """Which rows of which answer."""

    result_id: Id = Field(description="from a query with keep")
    offset: int = Field(0, ge=0, le=GREATEST_OFFSET, description="rows to pass over")
    limit: int = Field(100, ge=1, le=500, description="rows at most")
    sort: int | None = Field(
        None, ge=0, le=GREATEST_OFFSET, description="number of the column to sort by, from 0"
    )
    descending: bool = Field(False, description="the greatest first")  # noqa: FBT003 - a default
    max_characters: int = Field(
        1000, ge=1, le=1_000_000, description="a longer value is cut, and ends in …"
    )


class ResultPage(Response):
    """Rows of an answer as they were when it was asked; nulls are sorted last."""

    result_id: str
    columns: list[QueryColumn]
    rows: list[list[Any]]
    offset: int
    kept_rows: int


def get_result_page(services: Services, request: GetResultPage) -> ResultPage:
    """A page of a kept answer."""
    page = services.results.read_page(
        request.result_id,
        offset=request.offset,
        limit=request.limit,
        sort=request.sort,
        descending=request.descending,
    )
    return ResultPage(
        result_id=request.result_id,
        columns=list_columns(page.table),
        rows=[
            [shorten(value, request.max_characters) for value in row]
            for row in list_rows(page.table)
        ],
        offset=request.offset,
        kept_rows=page.kept_rows,
    )


OPERATIONS = (
    Operation(
        name="get_result_page",
        summary="Read a page of a kept answer, sorted if you like",
        method="GET",
        path="/v1/results/{result_id}",
        scope="read",
        request=GetResultPage,
        response=ResultPage,
        run=get_result_page,
        errors=(UnknownResult, QueryFailed),
    ),
)
