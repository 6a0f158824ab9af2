"""Operations on analytics: the questions of the guide."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Literal
from zoneinfo import ZoneInfo

from pydantic import Field

from helix_lab.domain.model.zones import read_zone
from helix_lab.operations.operation import Name, Operation, Request, Response
from helix_lab.operations.services import Services
from helix_lab.operations.windows import Windowed, now, read_span, show_bucket
from helix_lab.queries import analytics as questions


class MeasureProviders(Windowed):
    """Which window of time."""

    provider: Name | None = Field(None, description="only this one")


class ProviderRow(Response):
    """How one provider and model answered, in chats and debates; unknown measures are null."""

    provider: str
    model: str
    total_requests: int
    success_rate: float
    avg_response_time_ms: float | None
    p50_response_time_ms: float | None
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


class MeasureProvider(Windowed):
    """Which provider, and which window of time."""

    provider: Name = Field(description="its name; one that was never asked has no requests")


class ProviderMetrics(Response):
    """How one provider answered, over all of its models, and by model; unknown is null."""

    provider: str
    window: str
    total_requests: int
    error_rate: float | None = Field(description="of all requests; null without any")
    avg_response_time_ms: float | None
    p50_response_time_ms: float | None
    p95_response_time_ms: float | None
    p99_response_time_ms: float | None
    avg_confidence: float | None
    total_tokens: int | None
    avg_tokens_per_request: float | None
    total_cost_usd: float | None = Field(description="of the requests whose price is known")
    unpriced_requests: int
    debates: int = Field(description="completed debates, counted for each model with a seat")
    wins: int
    win_rate: float | None = Field(description="wins / debates")
    models: list[ProviderRow]


class MeasureTrends(Request):
    """Which days."""

    days: int = Field(7, ge=1, le=3660, description="how far back from now")
    granularity: Literal["daily", "hourly"] = "daily"
    timezone: Name = Field("UTC", description="whose days and hours, such as Europe/Berlin")


class TrendRow(Response):
    """A day or hour in which something was said."""

    date: str = Field(description="as clocks of the time zone show it; an hour with its offset")
    count: int = Field(description="conversations in which something was said")
    avg_messages: float = Field(description="messages of that day a conversation")
    avg_duration_min: float = Field(description="from the first to the last message of that day")
    conversation_count: int
    message_count: int
    avg_messages_per_conv: float
    avg_duration_minutes: float


class ConversationTrends(Response):
    """One row a day or hour, oldest first; empty ones are left out, and one shown twice is one."""

    granularity: str
    timezone: str
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


def measure_providers(services: Services, request: MeasureProviders) -> ProviderPerformance:
    """How providers answer."""
    span = read_span(request)
    rows = services.ask(
        "analytics",
        lambda: questions.measure_providers(
            services.analytics,
            from_at=span.from_at,
            until_at=span.until_at,
            provider=request.provider,
        ),
    )
    return ProviderPerformance(window=span.name, providers=[ProviderRow(**row) for row in rows])


def measure_provider(services: Services, request: MeasureProvider) -> ProviderMetrics:
    """How one provider answers."""
    span = read_span(request)
    bounds: dict[str, Any] = {"from_at": span.from_at, "until_at": span.until_at}
    totals, found = services.ask(
        "analytics",
        lambda: (
            questions.measure_provider(services.analytics, **bounds, provider=request.provider),
            questions.measure_providers(services.analytics, **bounds, provider=request.provider),
        ),
    )
    models = [ProviderRow(**row) for row in found]
    debates = sum(row.debates for row in models)
    wins = sum(row.wins for row in models)
    return ProviderMetrics(
        provider=request.provider,
        window=span.name,
        debates=debates,
        wins=wins,
        win_rate=wins / debates if debates else None,
        models=models,
        **totals,
    )


def measure_trends(services: Services, request: MeasureTrends) -> ConversationTrends:
    """How many conversations, and how long."""
    until_at = now()
    zone = read_zone(request.timezone)
    unit = "day" if request.granularity == "daily" else "hour"
    rows = services.ask(
        "analytics",
        lambda: questions.measure_trends(
            services.analytics,
            from_at=until_at - timedelta(days=request.days),
            until_at=until_at,
            granularity=unit,
            timezone=zone.key,
        ),
    )
    return ConversationTrends(
        granularity=request.granularity,
        timezone=zone.key,
        daily_stats=[_show_trend(row, unit, zone) for row in rows],
    )


def _show_trend(row: dict[str, Any], unit: str, zone: ZoneInfo) -> TrendRow:
    bucket: datetime = row["bucket"]
    label = show_bucket(bucket, unit, zone)
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
    rows = services.ask(
        "analytics",
        lambda: questions.rank_winners(
            services.analytics, limit=request.limit, position=request.position
        ),
    )
    return DebateWinners(top_winners=[WinnerRow(**row) for row in rows])


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
        name="get_provider_metrics",
        summary="Measure how one provider answers",
        method="GET",
        path="/v1/analytics/provider/{provider}",
        scope="read",
        request=MeasureProvider,
        response=ProviderMetrics,
        run=measure_provider,
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
)
