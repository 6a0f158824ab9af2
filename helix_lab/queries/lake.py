"""What the lake is filled from, besides the log: which conversations, the figures of a day."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import sqlalchemy as sa

from helix_lab.ports.analytics import AnalyticsStore
from helix_lab.ports.graph import GraphStore
from helix_lab.queries.statements import load_statement
from helix_lab.records.database import Records
from helix_lab.records.tables import CONVERSATION


@dataclass(frozen=True, slots=True)
class Chosen:
    """How much there is to archive."""

    conversations: int
    tokens: int


def list_chosen(records: Records, day: date | None) -> Sequence[str]:
    """The conversations that were open on a day, or all; those that began first come first.

    Open is from the day of the first event of a conversation to that of its last.
    """
    columns = CONVERSATION.c
    query = _choose(sa.select(columns.conversation_id), day)
    with records.read() as connection:
        found = connection.execute(query.order_by(columns.started_at, columns.conversation_id))
        return [row[0] for row in found]


def count_chosen(records: Records, day: date | None) -> Chosen:
    """How many `list_chosen` gives."""
    columns = CONVERSATION.c
    tokens = sa.func.coalesce(sa.func.sum(columns.token_count), 0)
    query = _choose(sa.select(sa.func.count(), tokens).select_from(CONVERSATION), day)
    with records.read() as connection:
        row = connection.execute(query).one()
    return Chosen(int(row[0]), int(row[1]))


def aggregate_day(store: AnalyticsStore, day: date) -> list[dict[str, Any]]:
    """The rows of a day; see `sql/queries/daily_aggregates.sql`."""
    begin = datetime.combine(day, time(), UTC).replace(tzinfo=None)
    bounds = {"from_at": begin, "until_at": begin + timedelta(days=1)}
    rows = store.ask(load_statement("daily_aggregates", dialect=store.dialect), bounds).to_pylist()
    return [{"date": day, **row} for row in rows]


def list_entities(store: GraphStore, *, taken_at: datetime) -> list[dict[str, Any]]:
    """One row an entity and conversation that mentions it, by their ids."""
    entities = {row["id"]: row for row in store.ask("export_entities")}
    rows = []
    for mention in store.ask("export_mentioned_in"):
        entity = entities.get(mention["entity_id"])
        if entity is None:
            continue
        last_seen = _to_moment(mention["last_at"])
        day = last_seen or taken_at
        rows.append(
            {
                "entity_id": entity["id"],
                "entity_name": entity["name"],
                "entity_type": entity["type"],
                "conversation_id": mention["conversation_id"],
                "mention_count": mention["count"],
                "confidence": entity["confidence"],
                "first_seen": _to_moment(mention["first_at"]),
                "last_seen": last_seen,
                "snapshot_at": taken_at,
                "year": day.year,
                "month": day.month,
                "day": day.day,
            }
        )
    return rows


def _choose(query: Any, day: date | None) -> Any:
    if day is None:
        return query
    begin = datetime.combine(day, time(), UTC)
    columns = CONVERSATION.c
    return query.where(columns.started_at < begin + timedelta(days=1), columns.updated_at >= begin)


def _to_moment(value: Any) -> datetime | None:
    if isinstance(value, str):
        value = datetime.fromisoformat(value)
    if not isinstance(value, datetime):
        return None
    return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
