"""Operations on analytics: the guide's questions, one's own SQL, the catalog."""

from __future__ import annotations

import base64
import math
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field

from helix_lab.domain.model.errors import QueryCancelled, QueryFailed, QueryRefused, QueryTimedOut
from helix_lab.operations.cancellation import current_scope
from helix_lab.operations.operation import Name, Operation, Request, Response, Text
from helix_lab.operations.services import Services
from helix_lab.queries import analytics as questions

Window = Literal["1h", "24h", "7d", "30d", "all"]


class MeasureProviders(Request):
    """Which window of time."""

    window: Window = Field("24h", description="how far back from now")
    provider: Name | None = Field(None, description="only this one")


class ProviderRow(Response):
    """How one provider and model answered; a measure that nobody gave is null."""

    provider: str
    model: str
    total_requests: int
    success_rate: float
    avg_response_time_ms: float | None
    p95_response_time_ms: float | None
    p99_response_time_ms: float | None
    avg_confidence: float | None
    total_tokens: int | None
    total_cost_usd: float | None
    debates: int = Field(description="completed debates with a seat of it")
    wins: int
    win_rate: float | None = Field(description="wins / debates")


class ProviderPerformance(Response):
    """One row a provider and model, the busiest first."""

    window: str
    providers: list[ProviderRow]


class MeasureTrends(Request):
    """Which days."""

    days: int = Field(7, ge=1, le=3660, description="how far back from now")
    granularity: Literal["daily", "hourly"] = "daily"


class TrendRow(Response):
    """A day (or hour, UTC) in which something was said."""

    date: str
    count: int = Field(description="conversations in which something was said")
    avg_messages: float = Field(description="messages of that day a conversation")
    avg_duration_min: float = Field(description="from the first to the last message of that day")
    conversation_count: int
    message_count: int
    avg_messages_per_conv: float
    avg_duration_minutes: float


class ConversationTrends(Response):
    """One row a day or hour, oldest first; empty ones are left out."""

    granularity: str
    daily_stats: list[TrendRow]


class RankWinners(Request):
    """How many, and from which position."""

    limit: int = Field(10, ge=1, le=1000, description="rows at most")
    position: Name | None = Field(None, description="only wins from this position")


class WinnerRow(Response):
    """A provider and model that won debates."""

    provider: str
    model: str
    position: str | None
    wins: int
    percentage: float = Field(description="of all debates with a winner")
    avg_confidence: float | None


class DebateWinners(Response):
    """Who wins, most wins first."""

    top_winners: list[WinnerRow]


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


def measure_providers(services: Services, request: MeasureProviders) -> ProviderPerformance:
    """How providers answer."""
    services.projections.catch_up("analytics")
    until_at = _now()
    rows = questions.measure_providers(
        services.analytics,
        from_at=questions.start_of_window(request.window, until_at),
        until_at=until_at,
        provider=request.provider,
    )
    return ProviderPerformance(
        window=request.window, providers=[ProviderRow(**row) for row in rows]
    )


def measure_trends(services: Services, request: MeasureTrends) -> ConversationTrends:
    """How many conversations, and how long."""
    services.projections.catch_up("analytics")
    until_at = _now()
    unit = "day" if request.granularity == "daily" else "hour"
    rows = questions.measure_trends(
        services.analytics,
        from_at=until_at - timedelta(days=request.days),
        until_at=until_at,
        granularity=unit,
    )
    return ConversationTrends(
        granularity=request.granularity, daily_stats=[_show_trend(row, unit) for row in rows]
    )


def _now() -> datetime:
    """The end of a window: what was recorded in this moment is inside."""
    return datetime.now(UTC) + timedelta(seconds=1)


def _show_trend(row: dict[str, Any], unit: str) -> TrendRow:
    bucket: datetime = row["bucket"]
    label = bucket.date().isoformat() if unit == "day" else f"{bucket.isoformat()}Z"
    return TrendRow(
        date=label,
        count=row["conversation_count"],
        avg_messages=row["avg_messages"],
        avg_duration_min=row["avg_duration_min"],
        conversation_count=row["conversation_count"],
        message_count=row["message_count"],
        avg_messages_per_conv=row["avg_messages"],
        avg_duration_minutes=row["avg_duration_min"],
    )


def rank_winners(services: Services, request: RankWinners) -> DebateWinners:
    """Who wins debates."""
    services.projections.catch_up("analytics")
    rows = questions.rank_winners(
        services.analytics, limit=request.limit, position=request.position
    )
    return DebateWinners(top_winners=[WinnerRow(**row) for row in rows])


def run_query(services: Services, request: RunQuery) -> QueryAnswer:
    """One's own SQL; stops when its caller goes away."""
    services.projections.catch_up("analytics")
    scope = current_scope()
    stops: list[Callable[[], None]] = []

    def stop_all() -> None:
        for stop in stops:
            stop()

    def on_start(stop: Callable[[], None]) -> None:
        stops.append(stop)
        if scope.is_cancelled:
            stop()

    with scope.on_cancel(stop_all):
        result = services.analytics.query(
            request.query,
            request.parameters,
            max_rows=request.max_rows,
            timeout_s=request.timeout_s,
            on_start=on_start,
        )
    columns = [column.to_pylist() for column in result.table.columns]
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
        name="get_provider_performance",
        summary="Measure how each provider answers",
        method="GET",
        path="/v1/analytics/providers",
        scope="read",
        request=MeasureProviders,
        response=ProviderPerformance,
        run=measure_providers,
    ),
    Operation(
        name="get_conversation_trends",
        summary="Count conversations a day or an hour",
        method="GET",
        path="/v1/analytics/conversations/trends",
        scope="read",
        request=MeasureTrends,
        response=ConversationTrends,
        run=measure_trends,
    ),
    Operation(
        name="get_debate_winners",
        summary="Rank who wins debates",
        method="GET",
        path="/v1/analytics/debates/winners",
        scope="read",
        request=RankWinners,
        response=DebateWinners,
        run=rank_winners,
    ),
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
