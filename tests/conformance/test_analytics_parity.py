"""Every named statement answers the same on both engines, and so it should on any data."""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from helix_lab.adapters.analytics_clickhouse import open_clickhouse
from helix_lab.adapters.analytics_duckdb import DuckDBAnalytics
from helix_lab.ports.analytics import AnalyticsStore
from helix_lab.projections.analytics.tables import SCHEMAS
from helix_lab.queries.statements import load_schema, load_statement
from helix_lab.records.sql_files import find_sql

PLACE = ("helixagent.conversations", 0)
ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Pacific/Auckland")
NOW = datetime(2026, 11, 2)  # noqa: DTZ001 - stores keep UTC without a zone
STARTS = (None, datetime(2026, 10, 24, 13, 7, 1), datetime(2027, 1, 1))  # noqa: DTZ001
EDGES = [
    datetime(2026, 1, 31, 23, 59, 59, 999_999),  # noqa: DTZ001
    datetime(2026, 2, 1),  # noqa: DTZ001
    datetime(2024, 2, 29, 12),  # noqa: DTZ001
    datetime(2026, 10, 25, 0, 30),  # noqa: DTZ001 - clocks in Europe go back an hour later
    datetime(2026, 10, 25, 1, 30),  # noqa: DTZ001
    datetime(2026, 3, 29, 1, 0),  # noqa: DTZ001 - and forward
    datetime(1970, 1, 1),  # noqa: DTZ001
    datetime(2255, 7, 4, 5, 6),  # noqa: DTZ001
]
"""Ends of months, days on which clocks change, moments long ago and to come."""


class Maker:
    """Rows with nulls, ties and moments at the edges, out of order; no two are the same event."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._numbers: Counter[str] = Counter()

    def make(self, table: str, count: int) -> pa.Table:
        """Rows for a table."""
        schema = SCHEMAS[table]
        rows = [{f.name: self._value(f, table) for f in schema} for _ in range(count)]
        return pa.Table.from_pylist(rows, schema=schema)

    def _value(self, field: pa.Field, table: str) -> Any:
        if field.name == _OWN_IDS[table]:
            self._numbers[table] += 1
            number = self._numbers[table]
            return number if pa.types.is_integer(field.type) else f"{field.name}{number}"
        if field.name in _CHOICES:
            return self._random.choice(_CHOICES[field.name])
        if field.name == "timestamp":
            return self._moment()
        if field.name in _SOMETIMES and self._random.random() < 0.3:
            return None
        return self._measure(field)

    def _measure(self, field: pa.Field) -> Any:
        if pa.types.is_string(field.type):
            return f"{field.name}{self._random.randrange(300)}"
        if pa.types.is_integer(field.type):
            return self._random.choice((0, 1, 1, 2, 7, 1000))
        # Some values come often: ties at quantiles and at the edges of steps.
        return self._random.choice((1.0, 100.0, 0.5, 1000.0, self._random.random() * 5000))

    def _moment(self) -> datetime:
        if self._random.random() < 0.2:
            return self._random.choice(EDGES)
        return NOW - timedelta(microseconds=self._random.randrange(40 * 86_400 * 10**6))


_OWN_IDS = {
    "message_metrics": "message_id",
    "chat_metrics": "message_id",
    "debate_metrics": "round",
    "debate_winners": "debate_id",
    "compression_metrics": "compression_id",
}
_CHOICES: dict[str, tuple[Any, ...]] = {
    "provider": ("claude", "deepseek", "qwen 模型"),
    "winner_provider": ("claude", "deepseek", None),
    "model": ("a", "b"),
    "winner_model": ("a", "b"),
    "position": ("for", "against", ""),
    "winner_position": ("for", "against", None),
    "role": ("answer", "answer", "vote", "judge"),
    "outcome": ("decided", "tie", "failed"),
    "strategy": ("hybrid", "recency"),
    "seat": ("s1", "s2", "s3"),
    "error_code": (None, None, "provider_unavailable"),
    "error_count": (0, 0, 0, 1),
    "meets_minimum": (True, False),
    "llm_model": (None, "a"),
    "confidence_score": (None, 0.0, 0.1, 0.35, 0.7, 1.0),
    "total_rounds": (1, 2, 3),
}
_SOMETIMES = {f.name for s in SCHEMAS.values() for f in s} & {
    "response_time_ms", "ttft_ms", "tokens_used", "input_tokens", "output_tokens", "cost_usd",
    "final_confidence", "debate_duration_ms", "max_tokens",
}  # fmt: skip


@pytest.fixture(scope="module")
def engines(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[AnalyticsStore]]:
    """Both engines with the same rows, which came to ClickHouse's in part twice."""
    folder = tmp_path_factory.mktemp("parity")
    duck = DuckDBAnalytics(folder / "a.duckdb", schema=load_schema("duckdb"))
    house = open_clickhouse("chdb://", folder=folder / "c", schema=load_schema("clickhouse"))
    maker = Maker(7)
    for number in range(3):
        batch = {name: maker.make(name, 150) for name in SCHEMAS}
        duck.write("p", batch, checkpoint={PLACE: number + 1})
        house.write("p", batch, checkpoint={PLACE: number + 1})
        house.write("p", batch, checkpoint={PLACE: number + 1})
    yield [duck, house]
    duck.close()
    house.close()


def list_statements() -> list[str]:
    folder = find_sql() / "queries"
    return sorted(item.name[:-4] for item in folder.iterdir() if item.name.endswith(".sql"))


def list_cases(name: str) -> Iterator[dict[str, Any]]:
    """All combinations of the parameters that the statement has."""
    text = load_statement(name)
    cases: list[dict[str, Any]] = [{}]
    for parameter, values in {
        "from_at": STARTS,
        "until_at": (NOW, datetime(2999, 1, 1)),  # noqa: DTZ001
        "granularity": ("hour", "day", "month"),
        "timezone": ZONES,
        "provider": (None, "claude", "nobody"),
        "position": (None, "for"),
        "debate_id": ("debate_id7", "nothing"),
        "max_rows": (2, 100),
    }.items():
        if f"${parameter}" in text:
            cases = [{**case, parameter: value} for case in cases for value in values]
    yield from (case for case in cases if name not in _NEEDS_START or case["from_at"])


_NEEDS_START = {"conversation_trends"}


@pytest.mark.parametrize("name", list_statements())
def test_both_engines_answer_a_named_statement_alike(
    engines: list[AnalyticsStore], name: str
) -> None:
    has_rows = False

    for case in list_cases(name):
        duck, house = (
            engine.ask(load_statement(name, dialect=engine.dialect), case) for engine in engines
        )
        assert duck.column_names == house.column_names, name
        has_rows = has_rows or duck.num_rows > 0
        _check_alike(duck.to_pylist(), house.to_pylist(), f"{name} {case}")

    assert has_rows


def _check_alike(expected: list[dict[str, Any]], actual: list[dict[str, Any]], case: str) -> None:
    assert len(expected) == len(actual), case
    for one, other in zip(expected, actual, strict=True):
        for column, value in one.items():
            found = other[column]
            if isinstance(value, float) and found is not None:
                assert math.isclose(value, found, rel_tol=1e-9), f"{case} {column} {one} {other}"
            else:
                assert value == found, f"{case} {column} {one} {other}"


def test_the_file_of_each_dialect_says_the_same_of_a_statement() -> None:
    for name in list_statements():
        headers = [
            load_statement(name, dialect=d).splitlines()[:4] for d in ("duckdb", "clickhouse")
        ]

        assert headers[0] == headers[1]
    folder = find_sql() / "queries" / "clickhouse"
    assert {f"{name}.sql" for name in list_statements()} == {item.name for item in folder.iterdir()}


def list_examples() -> list[tuple[int, str]]:
    """The blocks of docs/sql.md: by turns ClickHouse's (0) and DuckDB's (1)."""
    page = (Path(__file__).parents[2] / "docs" / "sql.md").read_text(encoding="utf-8")
    return [(n % 2, part.split("```")[0]) for n, part in enumerate(page.split("```sql\n")[1:])]


@pytest.mark.parametrize(("place", "sql"), list_examples())
def test_the_examples_of_the_page_run_on_their_engines(
    engines: list[AnalyticsStore], place: int, sql: str
) -> None:
    duck, house = engines

    answer = [house, duck][place].query(sql, {}, max_rows=1000, timeout_s=60)

    assert answer.table.num_columns > 0
    assert answer.total_rows == answer.table.num_rows


def test_the_guides_question_of_providers_has_one_answer_in_both_dialects(
    engines: list[AnalyticsStore],
) -> None:
    duck, house = engines
    (_, for_house), (_, for_duck) = list_examples()[:2]
    # The rows of this module are older than a day.
    rows = [
        engine.query(sql.replace("24 HOUR", "100 YEAR"), {}, max_rows=5000, timeout_s=60).table
        for engine, sql in (
            (duck, for_duck),
            (house, for_house.replace("quantile(", "quantileExactInclusive(")),
        )
    ]

    assert rows[0].num_rows > 100
    expected, actual = (
        sorted(
            table.select(
                ["provider", "requests", "avg_response_time", "p95_response_time"]
            ).to_pylist(),
            key=str,
        )
        for table in rows
    )
    assert [row["requests"] for row in expected] == [row["requests"] for row in actual]
