"""Questions to the analytics store."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from helix_lab.domain.model.errors import InvalidRequest
from helix_lab.ports.analytics import AnalyticsStore
from helix_lab.queries.statements import load_statement

WINDOWS: dict[str, timedelta | None] = {
    "1h": timedelta(hours=1),
    "24h": timedelta(hours=24),
    "7d": timedelta(days=7),
    "30d": timedelta(days=30),
    "all": None,
}


def start_of_window(window: str, until: datetime) -> datetime | None:
    """Where a named window begins; None for all time.

    Raises:
        InvalidRequest: it is not one of the named ones.
    """
    if window not in WINDOWS:
        message = f"field 'window': {window!r} is not one of {', '.join(WINDOWS)}"
        raise InvalidRequest(message, field="window")
    length = WINDOWS[window]
    return None if length is None else until - length


def measure_providers(
    store: AnalyticsStore, *, from_at: datetime | None, until_at: datetime, provider: str | None
) -> list[dict[str, Any]]:
    """One row a provider and model; see `sql/queries/provider_performance.sql`."""
    parameters = {**_window(from_at, until_at), "provider": provider}
    return _ask(store, "provider_performance", parameters)


def measure_provider(
    store: AnalyticsStore, *, from_at: datetime | None, until_at: datetime, provider: str
) -> dict[str, Any]:
    """One row; see `sql/queries/provider_totals.sql`."""
    parameters = {**_window(from_at, until_at), "provider": provider}
    return _ask(store, "provider_totals", parameters)[0]


def measure_trends(
    store: AnalyticsStore,
    *,
    from_at: datetime,
    until_at: datetime,
    granularity: str,
    timezone: str,
) -> list[dict[str, Any]]:
    """One row a day or hour; see `sql/queries/conversation_trends.sql`."""
    parameters = {
        **_window(from_at, until_at),
        "granularity": granularity,
        "timezone": timezone,
    }
    return _ask(store, "conversation_trends", parameters)


def rank_winners(
    store: AnalyticsStore, *, limit: int, position: str | None
) -> list[dict[str, Any]]:
    """One row a provider and model that won; see `sql/queries/debate_winners.sql`."""
    return _ask(store, "debate_winners", {"max_rows": limit, "position": position})


def measure_activity(
    store: AnalyticsStore, *, from_at: datetime | None, until_at: datetime, granularity: str
) -> list[dict[str, Any]]:
    """One row a minute, hour or day; see `sql/queries/message_activity.sql`."""
    parameters = {**_window(from_at, until_at), "granularity": granularity}
    return _ask(store, "message_activity", parameters)


def measure_response_times(
    store: AnalyticsStore, *, from_at: datetime | None, until_at: datetime
) -> list[dict[str, Any]]:
    """One row a provider, model and step of time; see `sql/queries/response_times.sql`."""
    return _ask(store, "response_times", _window(from_at, until_at))


def count_wins_by_position(
    store: AnalyticsStore, *, from_at: datetime | None, until_at: datetime
) -> list[dict[str, Any]]:
    """One row a provider, model and position; see `sql/queries/wins_by_position.sql`."""
    return _ask(store, "wins_by_position", _window(from_at, until_at))


def measure_costs(
    store: AnalyticsStore,
    *,
    from_at: datetime | None,
    until_at: datetime,
    granularity: str,
    timezone: str,
) -> list[dict[str, Any]]:
    """One row a step of time, provider and model; see `sql/queries/costs.sql`."""
    parameters = {
        **_window(from_at, until_at),
        "granularity": granularity,
        "timezone": timezone,
    }
    return _ask(store, "costs", parameters)


def count_debates(
    store: AnalyticsStore, statement: str, *, from_at: datetime | None, until_at: datetime
) -> list[dict[str, Any]]:
    """The answer of `debate_outcomes`, `debate_rounds` or `confidence_calibration`."""
    return _ask(store, statement, _window(from_at, until_at))


def measure_debate(store: AnalyticsStore, debate_id: str) -> dict[str, Any]:
    """One row; see `sql/queries/debate_totals.sql`."""
    return _ask(store, "debate_totals", {"debate_id": debate_id})[0]


def measure_seats(store: AnalyticsStore, debate_id: str) -> list[dict[str, Any]]:
    """One row a seat; see `sql/queries/debate_seats.sql`."""
    return _ask(store, "debate_seats", {"debate_id": debate_id})


def measure_compressions(
    store: AnalyticsStore, *, from_at: datetime | None, until_at: datetime
) -> list[dict[str, Any]]:
    """All, then one row a strategy; see `sql/queries/compression_stats.sql`."""
    return _ask(store, "compression_stats", _window(from_at, until_at))


def measure_compression_trends(
    store: AnalyticsStore, *, from_at: datetime | None, until_at: datetime, granularity: str
) -> list[dict[str, Any]]:
    """One row a step of time and strategy; see `sql/queries/compression_trends.sql`."""
    parameters = {**_window(from_at, until_at), "granularity": granularity}
    return _ask(store, "compression_trends", parameters)


def _window(from_at: datetime | None, until_at: datetime) -> dict[str, Any]:
    return {
        "from_at": None if from_at is None else _naive(from_at),
        "until_at": _naive(until_at),
    }


def _ask(store: AnalyticsStore, name: str, parameters: dict[str, Any]) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = store.ask(
        load_statement(name, dialect=store.dialect), parameters
    ).to_pylist()
    return rows


def _naive(moment: datetime) -> datetime:
    """The stores keep UTC without a zone."""
    return moment.astimezone(UTC).replace(tzinfo=None)
