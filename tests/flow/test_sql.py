"""One's own SQL through the lab: odd values, limits, and a caller who goes away."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from helix_lab.domain.model.errors import (
    InvalidRequest,
    QueryCancelled,
    QueryFailed,
    QueryRefused,
    QueryTimedOut,
)
from helix_lab.lab import Lab
from helix_lab.operations.cancellation import CancelScope, cancel_scope
from tests.flow.labs import PATIENCE_S, open_at, say, wait_until

VALUES: dict[str, Any] = {
    "NULL": None,
    "true": True,
    "1": 1,
    "1.5": 1.5,
    "2.50": 2.5,
    "0.1::DECIMAL(38, 20)": 0.1,
    "9007199254740993": 9007199254740993,
    "170141183460469231731687303715884105727::HUGEINT": 2**127 - 1,
    "'NaN'::DOUBLE": "nan",
    "'-Infinity'::DOUBLE": "-inf",
    "'é\u2028' || chr(0)": "é\u2028\0",
    "'\\x00\\xff'::BLOB": "AP8=",
    "DATE '2026-02-28'": "2026-02-28",
    "TIME '23:59:59.5'": "23:59:59.500000",
    "TIMESTAMP '2026-02-28 10:00:00'": "2026-02-28T10:00:00",
    "TIMESTAMPTZ '2026-02-28 10:00:00+01'": "2026-02-28T09:00:00+00:00",
    "'6f1c1b9c-7f2f-4f0e-9c70-0e5a54a3bd0c'::UUID": "6f1c1b9c-7f2f-4f0e-9c70-0e5a54a3bd0c",
    "[1, NULL, 2]": [1, None, 2],
    "{'a': [DATE '2026-01-01'], 'b': 'x'}": {"a": ["2026-01-01"], "b": "x"},
    "MAP {'a': 1}": [["a", 1]],
    "'{\"a\": 1}'::JSON": '{"a": 1}',
}
BEYOND = [
    "TIMESTAMP '294247-01-01'",
    "'infinity'::TIMESTAMP",
    "'-infinity'::DATE",
    "DATE '5877642-06-25 (BC)'",
    "[TIMESTAMP '294247-01-01']",
]


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """A lab with a conversation of three messages."""
    with open_at(tmp_path_factory.mktemp("sql")) as opened:
        opened.start_conversation(conversation_id="c")
        opened.append_messages("c", [say("a"), say("b", "assistant"), say("c")])
        yield opened


def test_rows_come_with_their_columns_and_counts(lab: Lab) -> None:
    answer = lab.run_query(
        "SELECT role, characters FROM message_metrics "
        "WHERE conversation_id = 'c' AND role = $role ORDER BY message_id",
        parameters={"role": "user"},
        max_rows=1,
    )

    assert [("role", "string"), ("characters", "int64")] == [
        (c.name, c.type) for c in answer.columns
    ]
    assert [["user", 1]] == answer.rows
    assert (1, 2, True) == (answer.row_count, answer.total_rows, answer.truncated)
    assert answer.execution_time_ms > 0


@pytest.mark.parametrize("expression", VALUES)
def test_every_kind_of_value_is_json(lab: Lab, expression: str) -> None:
    answer = lab.run_query(f"SELECT {expression} AS x")

    assert [[VALUES[expression]]] == answer.rows
    json.dumps(answer.model_dump(mode="json"), allow_nan=False)


def test_the_engine_s_own_table_of_all_types_is_json_but_for_its_extremes(lab: Lab) -> None:
    kinds = lab.run_query("DESCRIBE SELECT * FROM test_all_types()").rows
    failures: list[str] = []

    for name, *_ in kinds:
        try:
            answer = lab.run_query(f'SELECT "{name}" FROM test_all_types()')
        except QueryFailed as error:
            failures.append(error.message)
        else:
            json.dumps(answer.model_dump(mode="json"), allow_nan=False)
    assert all("CAST" in message for message in failures)
    assert len(failures) < len(kinds) / 3


@pytest.mark.parametrize("expression", BEYOND)
def test_a_moment_that_json_has_no_form_for_fails_with_advice(lab: Lab, expression: str) -> None:
    with pytest.raises(QueryFailed, match=r"'x' .* CAST\(x AS VARCHAR\)"):
        lab.run_query(f"SELECT {expression} AS x")


def test_a_moment_to_the_nanosecond_comes_as_text_with_all_its_digits(lab: Lab) -> None:
    answer = lab.run_query("SELECT TIMESTAMP_NS '2020-01-01 00:00:00.123456789' AS x")

    assert [["2020-01-01 00:00:00.123456789"]] == answer.rows


def test_columns_of_the_same_name_are_both_kept(lab: Lab) -> None:
    answer = lab.run_query("SELECT 1 AS a, 2 AS a")

    assert (["a", "a"], [[1, 2]]) == ([column.name for column in answer.columns], answer.rows)


@pytest.mark.parametrize(
    ("query", "error"),
    [
        ("DROP TABLE message_metrics", QueryRefused),
        ("SELECT * FROM read_csv('/etc/passwd')", QueryRefused),
        ("EXPLAIN ANALYZE COPY (SELECT 1) TO 'x.csv'", QueryRefused),
        ("SELECT nothing FROM message_metrics", QueryFailed),
        ("", InvalidRequest),
        ("SELECT '\0'", InvalidRequest),
        ("SELECT '\ud800'", InvalidRequest),
        ("x" * 1_000_001, InvalidRequest),
    ],
)
def test_a_statement_that_may_not_run_is_refused(
    lab: Lab, query: str, error: type[InvalidRequest]
) -> None:
    with pytest.raises(error) as caught:
        lab.run_query(query)

    assert error is type(caught.value)
    left = "SELECT count(*) FROM message_metrics WHERE conversation_id = 'c'"
    assert [[3]] == lab.run_query(left).rows


@pytest.mark.parametrize(
    "limits", [{"max_rows": 0}, {"max_rows": 100_001}, {"timeout_s": 0}, {"timeout_s": 601}]
)
def test_limits_have_limits(lab: Lab, limits: dict[str, Any]) -> None:
    with pytest.raises(InvalidRequest):
        lab.run_query("SELECT 1", **limits)


def test_a_statement_without_end_is_stopped(lab: Lab) -> None:
    with pytest.raises(QueryTimedOut, match="timeout_s"):
        lab.run_query("SELECT sum(range) FROM range(1000000000000)", timeout_s=0.3)


def test_a_statement_stops_when_its_caller_goes_away(lab: Lab) -> None:
    scope = CancelScope()
    is_running = threading.Event()

    def ask() -> Any:
        with cancel_scope(scope):
            is_running.set()
            return lab.run_query("SELECT sum(range) FROM range(1000000000000)", timeout_s=60)

    with ThreadPoolExecutor(1) as pool:
        asking = pool.submit(ask)
        assert is_running.wait(PATIENCE_S)
        scope.cancel()

        assert isinstance(asking.exception(PATIENCE_S), QueryCancelled)


def test_a_statement_whose_caller_is_gone_already_does_not_run(lab: Lab) -> None:
    scope = CancelScope()
    scope.cancel()

    with cancel_scope(scope), pytest.raises(QueryCancelled):
        lab.run_query("SELECT sum(range) FROM range(1000000000000)", timeout_s=60)


def test_what_was_written_is_in_the_next_answer(lab: Lab, tmp_path: Path) -> None:
    lab.start_conversation(conversation_id="d")
    for number in range(1, 11):
        lab.append_messages("d", [say("x")])

        sql = "SELECT count(*) FROM message_metrics WHERE conversation_id = 'd'"
        assert [[number]] == lab.run_query(sql).rows


def test_closing_the_lab_ends_a_statement_that_runs(tmp_path: Path) -> None:
    lab = open_at(tmp_path)
    with ThreadPoolExecutor(1) as pool:
        asking = pool.submit(
            lab.run_query, "SELECT sum(range) FROM range(1000000000000)", timeout_s=60
        )
        wait_until(asking.running)
        lab.close()

        assert asking.exception(PATIENCE_S) is not None


def test_the_catalog_names_every_column_with_its_type(lab: Lab) -> None:
    columns = {(column.table, column.column): column.type for column in lab.list_catalog().columns}

    assert "VARCHAR" == columns["message_metrics", "role"]
    assert "BIGINT" == columns["debate_metrics", "tokens_used"]
    assert "TIMESTAMP" == columns["debate_winners", "timestamp"]
    assert not any(table.startswith("helix_") for table, _ in columns)


# Long enough to be measured, and stopped before it ends.
LONG = (
    "SELECT count(*) AS n FROM range(10_000_000) a, range(1_000_000) b WHERE a.range + b.range = 7"
)


def test_a_stream_of_a_query_says_how_far_it_is_and_ends_with_its_answer(lab: Lab) -> None:
    long = lab.stream_run_query(LONG, timeout_s=600)
    seen = next(piece["progress"] for piece in long if piece["progress"] is not None)
    long.close()
    (last,) = lab.stream_run_query("SELECT range AS n FROM range(3)", keep=True)

    assert 0 <= seen <= 1
    assert lab.run_query("SELECT range AS n FROM range(3)").rows == last["answer"]["rows"]
    assert last["answer"]["result_id"] is not None


def test_a_stream_that_nobody_wants_any_more_stops_its_query(lab: Lab) -> None:
    scope = CancelScope()
    long = lab.stream_run_query(LONG, timeout_s=600)
    assert "progress" in next(long)
    scope.cancel()

    with cancel_scope(scope), pytest.raises(QueryCancelled):
        next(long)


def test_a_stream_raises_what_is_wrong_with_its_query(lab: Lab) -> None:
    with pytest.raises(QueryFailed):
        list(lab.stream_run_query("SELECT nothing"))
