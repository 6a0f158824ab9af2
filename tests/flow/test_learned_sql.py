"""The guide's four SQL functions of what was learned: one's own SQL and PostgreSQL say the same."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from helix_lab.adapters.analytics_duckdb import DuckDBAnalytics
from helix_lab.domain.model.errors import QueryFailed
from helix_lab.queries.learned_sql import find_learned, read_learned
from helix_lab.queries.statements import load_schema
from helix_lab.records.database import Records
from helix_lab.records.learning_tables import (
    LEARNED_INSIGHT,
    LEARNING_GROUP,
    PATTERN_COUNT,
    PATTERN_OBSERVATION,
    PATTERN_REVIEW,
)
from tests.flow.labs import open_at

NOW = datetime.now(UTC)
Ask = Callable[[str], list[tuple[Any, ...]]]


def pattern(kind: str, subject: str, other: str, support: int, trials: int, **more: Any) -> None:
    """A row of each table that a counted pattern needs, kept for `records`."""
    number = zlib.crc32(f"{kind}/{subject}/{other}/{more.get('user_id')}".encode())
    seen = more.pop("seen", NOW)
    row = {
        "pattern_id": more.pop("pattern_id", f"p{number:08x}"),
        "user_id": more.pop("user_id", ""),
        "pattern_type": kind,
        "subject": subject.lower() if kind == "entity_cooccurrence" else subject,
        "subject_type": "technology",
        "subject_name": subject,
        "object": other.lower() if kind == "entity_cooccurrence" else other,
        "object_type": "technology",
        "object_name": other,
        "description": f"{subject} {other}",
        "group_id": f"g{number:08x}",
        "prior_support": 1.0,
        "prior_trials": 3.0,
        "frequency": support,
        "support": support,
        "rating_micros": more.pop("rating_micros", 0),
        "rating_count": more.pop("rating_count", 0),
        "time_ms": 0,
        "time_count": 0,
        "first_seen": seen,
        "last_seen": seen,
    }
    group = {"kind": kind, "user_id": row["user_id"], "subject": subject, "name": subject}
    GROUPS.append({"group_id": row["group_id"], "trials": trials, **group})
    PATTERNS.append(row)
    OBSERVATIONS.append(
        {
            "pattern_id": row["pattern_id"],
            "occasion_id": "o1",
            "conversation_id": "c1",
            "support": 1,
            "observed_at": seen,
            "messages": [],
        }
    )


GROUPS: list[dict[str, Any]] = []
PATTERNS: list[dict[str, Any]] = []
OBSERVATIONS: list[dict[str, Any]] = []
pattern("user_preference", "communication_style", "concise", 9, 10, user_id="user-123")
pattern("user_preference", "response_format", "lists", 2, 6, user_id="user-123")
pattern("user_preference", "language", "de", 5, 5, user_id="user-123", pattern_id="muted-1")
pattern("user_preference", "communication_style", "formal", 4, 5, user_id="somebody-else")
pattern("entity_cooccurrence", "Docker", "Kubernetes", 12, 20)
pattern("entity_cooccurrence", "Docker", "Go", 3, 20, seen=NOW - timedelta(days=3))
pattern("entity_cooccurrence", "Ansible", "Docker", 3, 9)
pattern("entity_cooccurrence", "Docker", "Once", 1, 20)
pattern("entity_cooccurrence", "Python", "Rust", 7, 9)
for wins, name in enumerate(("gemini", "claude", "o'hara", "deepseek", "mistral", "qwen"), 1):
    pattern(
        "debate_strategy", name, "researcher", wins, 7, rating_micros=wins * 500_000, rating_count=1
    )
pattern("debate_strategy", "claude", "critic", 3, 3, seen=NOW - timedelta(days=40))
pattern("debate_strategy", "lucky", "researcher", 2, 2)

CALLS = {
    "get_user_preferences_summary('user-123')": 2,
    "get_user_preferences_summary('nobody')": 0,
    "get_entity_cooccurrence_network('Docker', 10)": 3,
    "get_entity_cooccurrence_network('docker')": 3,
    "get_entity_cooccurrence_network('DOCKER', 1)": 1,
    "get_entity_cooccurrence_network('docker', 10, 1)": 4,
    "get_entity_cooccurrence_network('docker', 10, 5)": 1,
    "get_best_debate_strategies('researcher', 5)": 5,
    "get_best_debate_strategies('Critic')": 1,
    "get_best_debate_strategies()": 5,
    "get_best_debate_strategies(NULL, 20)": 7,
    "get_learning_progress(30)": 31,
    "get_learning_progress()": 31,
    "get_learning_progress(0)": 1,
}


@pytest.fixture
def records(records_url: str | None, tmp_path: Path) -> Iterator[Records]:
    """A record store in which some things were learned, one of them muted."""
    opened = Records(records_url) if records_url else Records.embedded(tmp_path / "r.sqlite")
    insight = {
        **dict.fromkeys(("insight_id", "pattern_id", "insight_type", "title", "description"), "i"),
        "confidence": 0.9,
        "frequency": 9,
        "impact": "high",
        "patterns": [],
        "metadata": {},
        "created_at": NOW,
    }
    reviews = [
        {
            "review_id": f"{pattern_id}-{clock}",
            "pattern_id": pattern_id,
            "action": action,
            "clock": clock,
            "reviewed_at": NOW,
        }
        for pattern_id, clock, action in (
            ("muted-1", 1, "mute"),
            (PATTERNS[0]["pattern_id"], 1, "mute"),
            (PATTERNS[0]["pattern_id"], 2, "unmute"),
        )
    ]
    with opened.write() as connection:
        for table, rows in (
            (LEARNING_GROUP, GROUPS),
            (PATTERN_COUNT, PATTERNS),
            (PATTERN_OBSERVATION, OBSERVATIONS),
            (LEARNED_INSIGHT, [insight]),
            (PATTERN_REVIEW, reviews),
        ):
            connection.execute(table.insert(), rows)
    yield opened
    opened.close()


@pytest.fixture
def ask(records: Records, tmp_path: Path) -> Iterator[Ask]:
    """One's own SQL over these records."""
    store = DuckDBAnalytics(tmp_path / "a.duckdb", schema=load_schema("duckdb"))

    def answer(sql: str) -> list[tuple[Any, ...]]:
        extra = read_learned(records, find_learned(sql))
        result = store.query(sql, {}, max_rows=1000, timeout_s=30, supplement=extra)
        return [tuple(row.values()) for row in result.table.to_pylist()]

    yield answer
    store.close()


def test_the_functions_answer_as_the_guide_says(ask: Ask) -> None:
    assert [
        ("communication_style", "concise", pytest.approx(10 / 13), 9),
        ("response_format", "lists", pytest.approx(3 / 9), 2),
    ] == ask("SELECT * FROM get_user_preferences_summary('user-123')")
    pairs = ask("SELECT * FROM get_entity_cooccurrence_network('Docker', 10)")
    assert ("docker", "technology", "Docker", "kubernetes", "technology") == pairs[0][:5]
    assert {"Go", "Kubernetes", "Docker"} == {pair[5] for pair in pairs}
    best = ask("SELECT * FROM get_best_debate_strategies('researcher', 5)")
    assert ("qwen as researcher", "qwen", "researcher") == best[0][:3]
    assert (pytest.approx(6 / 7), pytest.approx(3.0), 7) == best[0][3:]
    days = ask("SELECT * FROM get_learning_progress(30)")
    assert (NOW - timedelta(days=3)).date() == days[-4][0]
    assert (1, 0, 1) == days[-4][1:]
    assert (len(PATTERNS) - 2, 1, len(PATTERNS) - 2) == days[-1][1:]


def test_both_databases_say_the_same(ask: Ask, records: Records) -> None:
    is_postgres = records.engine.dialect.name == "postgresql"
    for call, rows in CALLS.items():
        sql = f"SELECT * FROM {call}"

        found = ask(sql)

        assert rows == len(found), call
        if is_postgres:
            with records.read() as connection:
                there = [tuple(row) for row in connection.exec_driver_sql(sql)]
            assert [_about(row) for row in there] == [_about(row) for row in found], call


def test_days_out_of_range_are_refused_with_what_is_allowed(ask: Ask, records: Records) -> None:
    is_postgres = records.engine.dialect.name == "postgresql"
    for days in ("-1", "36501", "NULL"):
        sql = f"SELECT * FROM get_learning_progress({days})"

        with pytest.raises(QueryFailed, match="days_back must be 0 to 36500"):
            ask(sql)
        if is_postgres:
            with (
                pytest.raises(sa.exc.DBAPIError, match="days_back must be 0 to 36500"),
                records.engine.connect() as connection,
            ):
                connection.exec_driver_sql(sql)


def test_a_lab_that_learned_nothing_answers_with_zeros_and_the_views_can_be_asked(
    tmp_path: Path,
) -> None:
    with open_at(tmp_path) as lab:
        days = lab.run_query(query="SELECT * FROM get_learning_progress(30)")
        pairs = lab.run_query(query="SELECT count(*) AS n FROM entity_cooccurrences")

    assert 31 == days.row_count
    assert {(0, 0, 0)} == {tuple(row[1:]) for row in days.rows}
    assert [[0]] == pairs.rows


def test_what_one_statement_is_given_no_other_sees(ask: Ask) -> None:
    ask("SELECT * FROM get_learning_progress(1)")

    with pytest.raises(QueryFailed, match="learning_days"):
        ask("SELECT * FROM learning_days")


def _about(row: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(round(value, 12) if isinstance(value, float) else value for value in row)
