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
    parameters = {
        "from_at": None if from_at is None else _naive(from_at),
        "until_at": _naive(until_at),
        "provider": provider,
    }
    return _ask(store, "provider_performance", parameters)


def measure_trends(
    store: AnalyticsStore, *, from_at: datetime, until_at: datetime, granularity: str
) -> list[dict[str, Any]]:
    """One row a day or hour; see `sql/queries/conversation_trends.sql`."""
    parameters = {
        "from_at": _naive(from_at),
        "until_at": _naive(until_at),
        "granularity": granularity,
    }
    return _ask(store, "conversation_trends", parameters)


def rank_winners(
    store: AnalyticsStore, *, limit: int, position: str | None
) -> list[dict[str, Any]]:
    """One row a provider and model that won; see `sql/queries/debate_winners.sql`."""
    return _ask(store, "debate_winners", {"max_rows": limit, "position": position})


def _ask(store: AnalyticsStore, name: str, parameters: dict[str, Any]) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = store.ask(load_statement(name), parameters).to_pylist()
    return rows


def _naive(moment: datetime) -> datetime:
    """The stores keep UTC without a zone."""
    return moment.astimezone(UTC).replace(tzinfo=None)
