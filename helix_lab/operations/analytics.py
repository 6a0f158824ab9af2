"""Operations on analytics: the questions of the guide."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from pydantic import Field

from helix_lab.operations.operation import Name, Operation, Request, Response
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


def measure_providers(services: Services, request: MeasureProviders) -> ProviderPerformance:
    """How providers answer."""
    until_at = _now()
    rows = services.ask(
        "analytics",
        lambda: questions.measure_providers(
            services.analytics,
            from_at=questions.start_of_window(request.window, until_at),
            until_at=until_at,
            provider=request.provider,
        ),
    )
    return ProviderPerformance(
        window=request.window, providers=[ProviderRow(**row) for row in rows]
    )


def measure_trends(services: Services, request: MeasureTrends) -> ConversationTrends:
    """How many conversations, and how long."""
    until_at = _now()
    unit = "day" if request.granularity == "daily" else "hour"
    rows = services.ask(
        "analytics",
        lambda: questions.measure_trends(
            services.analytics,
            from_at=until_at - timedelta(days=request.days),
            until_at=until_at,
            granularity=unit,
        ),
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
