"""What a monitoring system asks a lab again and again: counts that grow, and lag."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from helix_lab.domain.model.errors import HelixError
from helix_lab.domain.model.event import TOPICS
from helix_lab.operations.services import Services
from helix_lab.queries import analytics, knowledge

T = TypeVar("T")

_LATELY = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class ProviderCount:
    """All requests to one model of one provider."""

    provider: str
    model: str
    requests: int
    errors: int
    tokens: int
    cost_usd: float


@dataclass(frozen=True, slots=True)
class ProviderTimes:
    """How fast one model of one provider answered lately; None where no time is known."""

    provider: str
    model: str
    p50_ms: float | None
    p95_ms: float | None
    p99_ms: float | None


@dataclass(frozen=True, slots=True)
class Counts:
    """A lab at one moment; a part is None where its store does not answer.

    Attributes:
        events: in the log, by topic.
        lag: events behind the log, by store.
        faults: stores that stand still.
        graph: nodes and edges of the graph, by kind.
        providers: of all time.
        times: of the last hour.
    """

    events: Mapping[str, int] | None
    lag: Mapping[str, int] | None
    faults: Mapping[str, str]
    graph: Mapping[str, int] | None
    providers: list[ProviderCount] | None
    times: list[ProviderTimes] | None


def count_all(services: Services) -> Counts:
    """What is so now, without waiting until the stores are level; may take a second."""
    return Counts(
        events=_ask(lambda: _count_events(services)),
        lag=_ask(services.projections.measure_lag),
        faults=services.projections.list_faults(),
        graph=_ask(lambda: knowledge.count_graph(services.graph)),
        providers=_ask(lambda: [_read_count(row) for row in _measure(services, None)]),
        times=_ask(lambda: [_read_times(row) for row in _measure(services, _LATELY)]),
    )


def _ask(question: Callable[[], T]) -> T | None:
    """An answer; none where a backend does not give one, which `/health` explains."""
    try:
        return question()
    except HelixError:
        return None


def _count_events(services: Services) -> dict[str, int]:
    counts = dict.fromkeys(TOPICS, 0)
    for (topic, _), end in services.log.end_offsets(TOPICS).items():
        counts[topic] += end
    return counts


def _measure(services: Services, length: timedelta | None) -> list[dict[str, Any]]:
    now = datetime.now(UTC)
    begin = None if length is None else now - length
    return analytics.measure_providers(
        services.analytics, from_at=begin, until_at=now, provider=None
    )


def _read_times(row: Mapping[str, Any]) -> ProviderTimes:
    return ProviderTimes(
        provider=row["provider"],
        model=row["model"],
        p50_ms=row["p50_response_time_ms"],
        p95_ms=row["p95_response_time_ms"],
        p99_ms=row["p99_response_time_ms"],
    )


def _read_count(row: Mapping[str, Any]) -> ProviderCount:
    requests = int(row["total_requests"])
    return ProviderCount(
        provider=row["provider"],
        model=row["model"],
        requests=requests,
        errors=requests - round((row["success_rate"] or 0.0) * requests),
        tokens=int(row["total_tokens"] or 0),
        cost_usd=float(row["total_cost_usd"] or 0.0),
    )
