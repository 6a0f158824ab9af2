"""What was learned, for one's own SQL: the guide's four functions as table macros.

The record store keeps it; the analytics store answers one's own SQL. So the rows that a statement
asks for are handed to it with the macros of `sql/duckdb/functions/`, and to no other statement:
nothing is copied that could grow old. On PostgreSQL the same functions are in the database,
from `sql/postgres/`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from datetime import UTC, date, datetime
from typing import Any, Final

import pyarrow as pa
import sqlalchemy as sa

from helix_lab.ports.analytics import Supplement
from helix_lab.records.database import Records
from helix_lab.records.learning_tables import LEARNED_INSIGHT, PATTERN_OBSERVATION, PATTERN_REVIEW
from helix_lab.records.sql_files import load_functions

_TEXTS: Final = {
    "user_preferences": ("user_id", "preference_type", "preference_value", "pattern_id"),
    "entity_cooccurrences": (
        "entity1_id",
        "entity1_type",
        "entity1_name",
        "entity2_id",
        "entity2_type",
        "entity2_name",
        "pattern_id",
    ),
    "debate_strategy_success": ("strategy_id", "strategy_name", "provider", "position"),
}
_COUNTS: Final = {
    "user_preferences": ("frequency",),
    "entity_cooccurrences": ("cooccurrence_count",),
    "debate_strategy_success": ("success_count", "total_attempts"),
}
_RATES: Final = {
    "user_preferences": ("confidence",),
    "entity_cooccurrences": ("confidence",),
    "debate_strategy_success": ("success_rate", "avg_confidence", "avg_response_time_ms"),
}
_READ_BY: Final = {
    "get_user_preferences_summary": ("user_preferences",),
    "get_entity_cooccurrence_network": ("entity_cooccurrences",),
    "get_best_debate_strategies": ("debate_strategy_success",),
    "get_learning_progress": ("learning_days", "learning_today"),
}
_NAME = re.compile(rf"\b({'|'.join([*_READ_BY, *_TEXTS])})\b", re.IGNORECASE)


def find_learned(sql: str) -> frozenset[str]:
    """The functions and views of what was learned that a statement may name."""
    return frozenset(name.lower() for name in _NAME.findall(sql))


def read_learned(records: Records, names: Collection[str]) -> Supplement:
    """The rows and the macros for these names, as they are now.

    Raises:
        Unavailable: the record store cannot be used.
    """
    tables = {table for name in names for table in _READ_BY.get(name, (name,))}
    functions = load_functions("duckdb/functions")
    with records.read_at_once() as connection:
        found = {table: _READERS[table](connection, table) for table in sorted(tables)}
    return Supplement(found, [functions[name] for name in sorted(names) if name in functions])


def _read_view(connection: sa.Connection, name: str) -> pa.Table:
    """The rows of a view, without what was muted."""
    fields = [
        *((column, pa.string()) for column in _TEXTS[name]),
        *((column, pa.int64()) for column in _COUNTS[name]),
        *((column, pa.float64()) for column in _RATES[name]),
    ]
    view = sa.table(name, *(sa.column(column) for column, _ in fields))
    key = view.c["strategy_id" if name == "debate_strategy_success" else "pattern_id"]
    rows = connection.execute(sa.select(*view.c).where(key.not_in(list_muted(connection)))).all()
    columns = {column: _column(rows, place, kind) for place, (column, kind) in enumerate(fields)}
    return pa.table(columns)


def _column(rows: Any, place: int, kind: pa.DataType) -> pa.Array:
    change: Callable[[Any], Any] = float if pa.types.is_floating(kind) else lambda value: value
    values = [None if row[place] is None else change(row[place]) for row in rows]
    return pa.array(values, type=kind)


def list_muted(connection: sa.Connection) -> list[str]:
    """The patterns whose newest review of that kind says mute."""
    reviews = PATTERN_REVIEW.c
    rows = connection.execute(
        sa.select(reviews.pattern_id, reviews.action)
        .where(reviews.action.in_(["mute", "unmute"]))
        .order_by(reviews.clock, reviews.review_id)
    )
    newest = {row.pattern_id: row.action for row in rows}
    return sorted(pattern for pattern, action in newest.items() if action == "mute")


def _read_days(connection: sa.Connection, _name: str) -> pa.Table:
    """How much was learned on each day on which anything was."""
    patterns = sa.table("learned_patterns", sa.column("first_seen"))
    counts = {
        "patterns_learned": _count_days(connection, patterns.c.first_seen),
        "insights_generated": _count_days(connection, LEARNED_INSIGHT.c.created_at),
        "knowledge_accumulated": _count_days(connection, PATTERN_OBSERVATION.c.observed_at),
    }
    days = sorted({day for counted in counts.values() for day in counted})
    columns = {
        name: pa.array([counted.get(day, 0) for day in days], type=pa.int64())
        for name, counted in counts.items()
    }
    return pa.table({"day": pa.array(days, type=pa.date32()), **columns})


def _count_days(connection: sa.Connection, moment: sa.ColumnElement[Any]) -> Mapping[date, int]:
    day = sa.func.date(moment)  # both databases keep UTC
    rows = connection.execute(sa.select(day, sa.func.count()).group_by(day)).all()
    return {found if isinstance(found, date) else date.fromisoformat(found): n for found, n in rows}


def _read_today(_connection: sa.Connection, _name: str) -> pa.Table:
    return pa.table({"today": pa.array([datetime.now(UTC).date()], type=pa.date32())})


_READERS: Final[Mapping[str, Callable[[sa.Connection, str], pa.Table]]] = {
    **dict.fromkeys(_TEXTS, _read_view),
    "learning_days": _read_days,
    "learning_today": _read_today,
}
