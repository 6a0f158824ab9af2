"""Operations for one's own SQL: a statement that reads, and the catalog of what it can read."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Annotated, Any

from pydantic import Field

from helix_lab.domain.model.errors import QueryCancelled, QueryFailed, QueryRefused, QueryTimedOut
from helix_lab.operations.answer_rows import QueryColumn, list_columns, list_rows
from helix_lab.operations.cancellation import CancelScope, cancel_scope, current_scope
from helix_lab.operations.operation import Operation, Request, Response, StreamItem, Text
from helix_lab.operations.services import Services
from helix_lab.ports.analytics import QueryResult, RunningStatement
from helix_lab.queries.learned_sql import find_learned, read_learned

_TELL_EVERY_S = 0.5


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
    return _carry_out(services, request, [])


def stream(services: Services, request: RunQuery) -> Iterator[list[StreamItem]]:
    """How far the statement is, twice a second, and then its answer as one item."""
    return stream_answer(lambda statements: _carry_out(services, request, statements))


def stream_answer(
    carry_out: Callable[[list[RunningStatement]], QueryAnswer],
) -> Iterator[list[StreamItem]]:
    """How far a statement is, twice a second, and then its answer as one item."""
    statements: list[RunningStatement] = []
    outcome: queue.SimpleQueue[QueryAnswer | BaseException] = queue.SimpleQueue()
    scope = CancelScope()

    def work() -> None:
        try:
            with cancel_scope(scope):
                outcome.put(carry_out(statements))
        except BaseException as error:  # raised again in the thread that waits
            outcome.put(error)

    worker = threading.Thread(target=work, name="helix-query", daemon=True)
    worker.start()
    began_s, furthest = time.monotonic(), 0.0
    try:
        while (answer := _wait(outcome, scope)) is None:
            done = _measure(statements, furthest)
            furthest = done or furthest
            yield [{"progress": done, "elapsed_ms": (time.monotonic() - began_s) * 1000}]
        yield [{"answer": answer.model_dump(mode="json")}]
    finally:
        scope.cancel()
        worker.join()


def _wait(
    outcome: queue.SimpleQueue[QueryAnswer | BaseException], scope: CancelScope
) -> QueryAnswer | None:
    """The answer, or None if there is none soon. Each wait may have a caller of its own."""
    with current_scope().on_cancel(scope.cancel):
        try:
            found = outcome.get(timeout=_TELL_EVERY_S)
        except queue.Empty:
            return None
    if isinstance(found, BaseException):
        raise found
    return found


def _measure(statements: list[RunningStatement], furthest: float) -> float | None:
    """How much is done. Less than before is of another step, such as counting the rows."""
    done = statements[-1].measure() if statements else None
    return None if done is None or done < furthest else done


def _carry_out(
    services: Services, request: RunQuery, statements: list[RunningStatement]
) -> QueryAnswer:
    store, learned = services.analytics, find_learned(request.query)
    ask = store.query
    if learned and store.takes_supplements:
        ask = partial(ask, supplement=read_learned(services.records, learned))
    with services.projections.reading("analytics"):
        return ask_engine(ask, services, request, statements)


def ask_engine(
    ask: Callable[..., QueryResult],
    services: Services,
    request: RunQuery,
    statements: list[RunningStatement],
) -> QueryAnswer:
    """The answer of an engine to a statement, which is told while it runs by `statements`."""
    scope = current_scope()

    def stop_all() -> None:
        for statement in statements:
            statement.stop()

    def on_start(statement: RunningStatement) -> None:
        statements.append(statement)
        if scope.is_cancelled:
            statement.stop()

    with (
        services.results.draft() as draft,
        scope.on_cancel(stop_all),
    ):
        result = ask(
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
        stream=stream,
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
