"""What a user's statement answers."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from helix_lab.domain.model.errors import QueryFailed, QueryRefused
from helix_lab.ports.analytics import Supplement
from helix_lab.testing.analytics.fixtures import (
    CHATS,
    NOON,
    PATIENCE_S,
    TABLE,
    AnalyticsFixtures,
    ask_user,
    make_rows,
)

if TYPE_CHECKING:
    import pyarrow as pa

    from helix_lab.ports.analytics import AnalyticsStore

TOKENS = f"SELECT tokens FROM {TABLE} ORDER BY tokens"  # noqa: S608 - our own name
NASTY_TEXTS = ["", "'", '"', "\\", "$x ? %s ;--", "שלום \u202e 👩‍👧", "line\r\nline", "x" * 100_000]


class QueryingTests(AnalyticsFixtures):
    """Rows, limits, parameters, errors."""

    def test_a_statement_answers_with_its_rows_in_order(self, filled: AnalyticsStore) -> None:
        result = ask_user(filled, TOKENS)

        assert [{"tokens": number} for number in range(10)] == result.table.to_pylist()
        assert (10, False) == (result.total_rows, result.is_truncated)
        assert result.elapsed_ms > 0

    @pytest.mark.parametrize(
        ("max_rows", "kept", "is_truncated"), [(1, 1, True), (9, 9, True), (10, 10, False)]
    )
    def test_rows_are_cut_at_the_limit_and_all_of_them_counted(
        self,
        filled: AnalyticsStore,
        max_rows: int,
        kept: int,
        is_truncated: bool,  # noqa: FBT001
    ) -> None:
        result = ask_user(filled, TOKENS, max_rows=max_rows)

        assert list(range(kept)) == [row["tokens"] for row in result.table.to_pylist()]
        assert (10, is_truncated) == (result.total_rows, result.is_truncated)

    def test_a_cut_in_the_middle_of_many_rows_is_exact(self, store: AnalyticsStore) -> None:
        store.write("p", {TABLE: make_rows(10_000)}, checkpoint={CHATS: 1})

        result = ask_user(store, TOKENS + ";  -- all of them", max_rows=4_999)

        assert list(range(4_999)) == result.table.column(0).to_pylist()
        assert result.is_truncated
        assert result.total_rows in {10_000, None}

    def test_whoever_keeps_an_answer_gets_all_of_it(self, store: AnalyticsStore) -> None:
        store.write("p", {TABLE: make_rows(10_000)}, checkpoint={CHATS: 1})
        kept: list[int] = []

        def keep(batch: pa.RecordBatch) -> bool:
            kept.extend(batch.column(0).to_pylist())
            return True

        result = store.query(TOKENS, {}, max_rows=10, timeout_s=60, keep=keep)

        assert list(range(10_000)) == kept
        assert (10, 10_000, True) == (
            result.table.num_rows,
            result.total_rows,
            result.is_truncated,
        )

    def test_whoever_keeps_a_part_of_an_answer_is_not_given_the_rest(
        self, store: AnalyticsStore
    ) -> None:
        store.write("p", {TABLE: make_rows(10_000)}, checkpoint={CHATS: 1})
        batches: list[pa.RecordBatch] = []

        def keep(batch: pa.RecordBatch) -> bool:
            batches.append(batch)
            return False

        result = store.query(TOKENS, {}, max_rows=9_000, timeout_s=60, keep=keep)

        assert (1, 9_000) == (len(batches), result.table.num_rows)

    def test_an_answer_without_rows_has_its_columns(self, filled: AnalyticsStore) -> None:
        result = ask_user(filled, f"SELECT tokens, role FROM {TABLE} WHERE tokens > 99")  # noqa: S608 - our own name

        assert ["tokens", "role"] == result.table.column_names
        assert (0, 0, False) == (result.table.num_rows, result.total_rows, result.is_truncated)

    def test_parameters_are_given_by_name(self, filled: AnalyticsStore) -> None:
        sql = f"SELECT tokens FROM {TABLE} WHERE tokens IN ($low, $high, $low) ORDER BY 1"  # noqa: S608 - our own name

        result = ask_user(filled, sql, {"low": 2, "high": 5})

        assert [2, 5] == result.table.column(0).to_pylist()

    def test_parameters_are_given_by_position(self, filled: AnalyticsStore) -> None:
        sql = f"SELECT tokens FROM {TABLE} WHERE tokens > ? AND tokens < ? ORDER BY 1"  # noqa: S608 - our own name

        result = ask_user(filled, sql, [2, 5])

        assert [3, 4] == result.table.column(0).to_pylist()

    def test_a_cut_answer_is_counted_with_its_parameters(self, filled: AnalyticsStore) -> None:
        sql = f"SELECT tokens FROM {TABLE} WHERE tokens >= $least ORDER BY 1"  # noqa: S608 - our own name

        result = ask_user(filled, sql, {"least": 4}, max_rows=1)

        assert (6, True) == (result.total_rows, result.is_truncated)

    @pytest.mark.parametrize("text", NASTY_TEXTS)
    def test_a_text_is_a_value_whatever_it_says(self, store: AnalyticsStore, text: str) -> None:
        store.write("p", {TABLE: make_rows(2, user_id=text)}, checkpoint={})
        sql = f"SELECT user_id FROM {TABLE} WHERE user_id = $text"  # noqa: S608 - our own name

        result = ask_user(store, sql, {"text": text})

        assert [text, text] == result.table.column(0).to_pylist()

    def test_a_moment_is_a_value(self, filled: AnalyticsStore) -> None:
        sql = f"SELECT min(tokens) AS n FROM {TABLE} WHERE timestamp >= $moment"  # noqa: S608 - our own name

        result = ask_user(filled, sql, {"moment": NOON + timedelta(seconds=4)})

        assert [{"n": 4}] == result.table.to_pylist()

    @pytest.mark.parametrize(
        ("sql", "parameters"),
        [
            ("SELECT $x AS x", {}),
            ("SELECT $x AS x", {"y": 1}),
            ("SELECT $x AS x", {"x": 1, "y": 2}),
            ("SELECT $x AS x", [1]),
            ("SELECT ? AS x", []),
            ("SELECT ? AS x", [1, 2]),
            ("SELECT 1 AS x", [1]),
            ("SELECT $x AS x", {"x": object()}),
            ("SELECT $x AS x", {"x": "\ud800"}),
            ("SELECT $x AS x", {"x": 10**50}),
        ],
    )
    def test_parameters_that_do_not_fit_fail_the_query(
        self, filled: AnalyticsStore, sql: str, parameters: Any
    ) -> None:
        with pytest.raises(QueryFailed):
            ask_user(filled, sql, parameters)

    @pytest.mark.parametrize(
        "sql",
        [
            "SELECT",
            "SELEC 1",
            "SELECT (1",
            "SELECT 'open",
            "SELECT no_such_column FROM message_metrics",
            "SELECT 1 FROM no_such_table",
            "SELECT no_such_function(1)",
            "SELECT CAST('x' AS INTEGER)",
            "SELECT sum(role) FROM message_metrics",
            "SELECT tokens, count(*) FROM message_metrics",
            "SELECT \ud800",
        ],
    )
    def test_a_statement_that_the_engine_cannot_run_fails(
        self, filled: AnalyticsStore, sql: str
    ) -> None:
        with pytest.raises(QueryFailed) as caught:
            ask_user(filled, sql)

        assert "query" == caught.value.details["field"]
        assert 10 == ask_user(filled, TOKENS).total_rows

    def test_a_statement_that_fails_after_many_rows_fails(self, store: AnalyticsStore) -> None:
        store.write("p", {TABLE: make_rows(10_000)}, checkpoint={CHATS: 1})
        sql = (
            "SELECT CAST(CASE WHEN tokens < 9990 THEN '1' ELSE 'x' END AS INTEGER) "  # noqa: S608 - our own name
            f"FROM {TABLE} ORDER BY tokens"
        )

        with pytest.raises(QueryFailed):
            ask_user(store, sql, max_rows=20_000)

    def test_named_statements_answer_with_all_of_their_rows(self, store: AnalyticsStore) -> None:
        store.write("p", {TABLE: make_rows(5_000)}, checkpoint={CHATS: 1})
        sql = f"SELECT tokens FROM {TABLE} WHERE tokens >= $least ORDER BY tokens"  # noqa: S608 - our own name

        table = store.ask(sql, {"least": 1_000})

        assert list(range(1_000, 5_000)) == table.column(0).to_pylist()

    def test_a_statement_reads_what_it_is_given_and_no_other_does(
        self, store: AnalyticsStore
    ) -> None:
        given = Supplement({"given_rows": make_rows(3)}, [])
        sql = "SELECT count(*) FROM given_rows"

        if not store.takes_supplements:
            with pytest.raises(QueryRefused):
                store.query(sql, {}, max_rows=1, timeout_s=PATIENCE_S, supplement=given)
            return
        found = store.query(sql, {}, max_rows=1, timeout_s=PATIENCE_S, supplement=given)

        assert [3] == found.table.column(0).to_pylist()
        with pytest.raises(QueryFailed):
            ask_user(store, sql)

    def test_the_catalog_lists_the_columns_by_table_and_position(
        self, store: AnalyticsStore
    ) -> None:
        columns = store.list_columns().to_pylist()

        assert {"table_name", "column_name", "data_type", "comment"} == set(columns[0])
        names = [row["table_name"] for row in columns]
        assert sorted(names) == names
        assert {
            "message_metrics",
            "chat_metrics",
            "debate_metrics",
            "debate_winners",
            "compression_metrics",
            "provider_requests",
        } == set(names)
        of_messages = [r["column_name"] for r in columns if r["table_name"] == TABLE]
        assert make_rows(0).column_names == of_messages
