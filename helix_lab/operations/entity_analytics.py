"""The operation that measures the extraction of entities: how many, how different, how dense."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from pydantic import Field

from helix_lab.operations.knowledge import STORE
from helix_lab.operations.operation import Operation, Response
from helix_lab.operations.services import Services
from helix_lab.operations.windows import Windowed, read_span
from helix_lab.queries import analytics as questions
from helix_lab.queries import knowledge as graph


class ExtractionDay(Response):
    """A day (UTC) on which messages mentioned entities."""

    date: str
    total_extractions: int
    unique_entities: int
    avg_entities_per_msg: float | None = Field(description="over all messages of that day")


class EntityMetrics(Response):
    """What was found in the messages of a window; of none, everything is zero or null."""

    window: str
    messages: int
    messages_with_entities: int
    extraction_rate: float | None = Field(description="messages with an entity / messages")
    total_extractions: int = Field(description="mentions")
    unique_entities: int
    avg_entities_per_msg: float | None = Field(description="mentions / messages")
    daily_stats: list[ExtractionDay] = Field(description="newest first; empty days are left out")


def measure_entities(services: Services, request: Windowed) -> EntityMetrics:
    """How many entities are found in what is said."""
    span = read_span(request)
    since = "" if span.from_at is None else _to_text(span.from_at)
    until = _to_text(span.until_at)
    said = services.ask(
        "analytics",
        lambda: questions.measure_activity(
            services.analytics, from_at=span.from_at, until_at=span.until_at, granularity="day"
        ),
    )
    with services.projections.reading(STORE):
        days = graph.count_extractions(services.graph, since=since, until=until)
        unique = graph.count_mentioned(services.graph, since=since, until=until)
    by_day = {f"{row['bucket']:%Y-%m-%d}": row["message_count"] for row in said}
    messages = sum(by_day.values())
    found = sum(row["messages"] for row in days)
    mentions = sum(row["mentions"] for row in days)
    return EntityMetrics(
        window=span.name,
        messages=messages,
        messages_with_entities=found,
        extraction_rate=_divide(found, messages),
        total_extractions=mentions,
        unique_entities=unique,
        avg_entities_per_msg=_divide(mentions, messages),
        daily_stats=[_show(row, by_day) for row in reversed(days)],
    )


def _show(row: dict[str, Any], messages_by_day: dict[str, int]) -> ExtractionDay:
    return ExtractionDay(
        date=row["day"],
        total_extractions=row["mentions"],
        unique_entities=row["unique_entities"],
        avg_entities_per_msg=_divide(row["mentions"], messages_by_day.get(row["day"], 0)),
    )


def _divide(count: int, by: int) -> float | None:
    return count / by if by else None


def _to_text(moment: datetime) -> str:
    """A moment as the graph has it: all alike, so that they compare as text."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds").removesuffix("+00:00") + "Z"


OPERATIONS = (
    Operation(
        name="get_entity_metrics",
        summary="Measure how many entities are found in messages",
        method="GET",
        path="/v1/analytics/entities",
        scope="read",
        request=Windowed,
        response=EntityMetrics,
        run=measure_entities,
    ),
)
