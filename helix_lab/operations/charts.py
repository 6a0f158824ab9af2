"""Operations that a picture is drawn of: activity, response times, wins by position."""

from __future__ import annotations

from datetime import UTC, datetime

from pydantic import Field

from helix_lab.domain.model.event import TOPICS
from helix_lab.operations.operation import Operation, Request, Response
from helix_lab.operations.services import Services
from helix_lab.operations.windows import Window, Windowed, now, read_span
from helix_lab.queries import analytics as questions

_GRANULARITY = {"1h": "minute", "24h": "hour", "7d": "hour", "30d": "day", "all": "day"}


class MeasureActivity(Request):
    """Which window of time."""

    window: Window = Field("1h", description="how far back from now")


class ActivityRow(Response):
    """A minute, hour or day (UTC) in which something was said."""

    at: datetime
    message_count: int
    model_tokens: int


class Activity(Response):
    """What was said when, oldest first; empty steps are left out."""

    window: str
    granularity: str
    recorded_events: int = Field(description="in the log now; two answers give the ingest rate")
    messages: list[ActivityRow]


class ResponseTimeRow(Response):
    """How many requests to a provider and model took from `from_ms` to less than `until_ms`."""

    provider: str
    model: str
    from_ms: float
    until_ms: float
    turns: int


class ResponseTimes(Response):
    """The distribution of response times, eight steps a power of ten; empty steps are left out."""

    window: str
    steps: list[ResponseTimeRow]


class PositionRow(Response):
    """How often a provider and model won from a position."""

    provider: str
    model: str
    position: str | None
    wins: int


class WinsByPosition(Response):
    """Who wins from where, by position."""

    window: str
    wins: list[PositionRow]


def measure_activity(services: Services, request: MeasureActivity) -> Activity:
    """How much is said, and how much is in the log."""
    recorded = sum(services.log.end_offsets(TOPICS).values())
    granularity = _GRANULARITY[request.window]
    until_at = now()
    from_at = questions.start_of_window(request.window, until_at)
    services.projections.catch_up("analytics")
    rows = questions.measure_activity(
        services.analytics, from_at=from_at, until_at=until_at, granularity=granularity
    )
    return Activity(
        window=request.window,
        granularity=granularity,
        recorded_events=recorded,
        messages=[
            ActivityRow(
                at=row["bucket"].replace(tzinfo=UTC),
                message_count=row["message_count"],
                model_tokens=row["model_tokens"],
            )
            for row in rows
        ],
    )


def measure_response_times(services: Services, request: Windowed) -> ResponseTimes:
    """How response times are distributed."""
    span = read_span(request)
    services.projections.catch_up("analytics")
    rows = questions.measure_response_times(
        services.analytics, from_at=span.from_at, until_at=span.until_at
    )
    return ResponseTimes(window=span.name, steps=[ResponseTimeRow(**row) for row in rows])


def count_wins_by_position(services: Services, request: Windowed) -> WinsByPosition:
    """From which position who wins."""
    span = read_span(request)
    services.projections.catch_up("analytics")
    rows = questions.count_wins_by_position(
        services.analytics, from_at=span.from_at, until_at=span.until_at
    )
    return WinsByPosition(window=span.name, wins=[PositionRow(**row) for row in rows])


OPERATIONS = (
    Operation(
        name="get_activity",
        summary="Count what is said, a minute, hour or day",
        method="GET",
        path="/v1/analytics/activity",
        scope="read",
        request=MeasureActivity,
        response=Activity,
        run=measure_activity,
    ),
    Operation(
        name="get_response_times",
        summary="Show how response times are distributed",
        method="GET",
        path="/v1/analytics/providers/response-times",
        scope="read",
        request=Windowed,
        response=ResponseTimes,
        run=measure_response_times,
    ),
    Operation(
        name="get_wins_by_position",
        summary="Count from which position who wins debates",
        method="GET",
        path="/v1/analytics/debates/positions",
        scope="read",
        request=Windowed,
        response=WinsByPosition,
        run=count_wins_by_position,
    ),
)
