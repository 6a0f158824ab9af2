"""What a user's statement may not do. After each attempt everything is as it was."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from helix_lab.domain.model.errors import QueryFailed, QueryRefused
from helix_lab.testing.analytics.fixtures import (
    CHATS,
    TABLE,
    AnalyticsFixtures,
    ask_user,
    make_rows,
    read_tokens,
)

if TYPE_CHECKING:
    from helix_lab.ports.analytics import AnalyticsStore

WRITING = {
    "insert": "INSERT INTO message_metrics SELECT * FROM message_metrics",
    "update": "UPDATE message_metrics SET tokens = 0 WHERE true",
    "delete": "DELETE FROM message_metrics WHERE true",
    "truncate": "TRUNCATE TABLE message_metrics",
    "drop": "DROP TABLE message_metrics",
    "alter": "ALTER TABLE message_metrics ADD COLUMN x INTEGER",
    "rename": "ALTER TABLE message_metrics RENAME COLUMN tokens TO x",
    "create": "CREATE TABLE x (a INTEGER)",
    "create as": "CREATE OR REPLACE TABLE message_metrics AS SELECT 1 AS a",
    "create view": "CREATE VIEW x AS SELECT 1 AS a",
    "two statements": "SELECT 1; SELECT 2",
    "a second that writes": "SELECT 1; DROP TABLE message_metrics",
    "behind a comment": "/* SELECT */ DELETE FROM message_metrics WHERE true",
    "lower case": "dElEtE fRoM message_metrics wHeRe true",
}
"""Statements of common SQL; each must be refused."""

EMPTY = {
    "nothing": "",
    "blank": " \t\r\n ",
    "semicolons": ";;",
    "a comment": "-- SELECT 1",
    "a block comment": "/* SELECT 1 */",
}


class RefusalTests(AnalyticsFixtures):
    """Statements that are not one query that reads."""

    @pytest.mark.parametrize("name", WRITING)
    def test_a_statement_that_writes_is_refused(self, filled: AnalyticsStore, name: str) -> None:
        with pytest.raises(QueryRefused) as caught:
            ask_user(filled, WRITING[name])

        assert "query" == caught.value.details["field"]
        check_is_unharmed(filled)

    @pytest.mark.parametrize("name", EMPTY)
    def test_no_statement_at_all_is_refused(self, filled: AnalyticsStore, name: str) -> None:
        with pytest.raises((QueryRefused, QueryFailed)):
            ask_user(filled, EMPTY[name])

        check_is_unharmed(filled)

    def test_a_null_character_does_not_hide_a_second_statement(
        self, filled: AnalyticsStore
    ) -> None:
        with pytest.raises((QueryRefused, QueryFailed)):
            ask_user(filled, "SELECT 1\0; DELETE FROM message_metrics WHERE true")

        check_is_unharmed(filled)

    def test_a_statement_of_a_megabyte_is_answered_or_refused(self, filled: AnalyticsStore) -> None:
        text = "x" * 1_000_000

        result = ask_user(filled, f"SELECT length('{text}') AS n -- {text}")

        assert [{"n": 1_000_000}] == result.table.to_pylist()
        check_is_unharmed(filled)

    @pytest.mark.parametrize(
        "sql",
        [
            f"SELECT {'(' * 100_000}1{')' * 100_000}",
            f"SELECT {'abs(' * 50_000}1{')' * 50_000}",
            f"SELECT {'NOT ' * 100_000}true",
            f"SELECT {'1 + ' * 100_000}1",
            "SELECT * FROM (" * 10_000 + "SELECT 1" + ") AS x" * 10_000,
        ],
        ids=["parentheses", "calls", "not", "sum", "subqueries"],
    )
    def test_a_statement_without_bottom_does_not_end_the_process(
        self, filled: AnalyticsStore, sql: str
    ) -> None:
        with pytest.raises((QueryRefused, QueryFailed)):
            ask_user(filled, sql)

        check_is_unharmed(filled)


def check_is_unharmed(store: AnalyticsStore) -> None:
    """The rows of the `filled` store are unchanged, and the store takes and gives more."""
    assert list(range(10)) == read_tokens(store)
    assert 10 == ask_user(store, f"SELECT tokens FROM {TABLE}").total_rows  # noqa: S608 - our own name
    store.write("p", {TABLE: make_rows(1, start=10)}, checkpoint={CHATS: 11})
    assert list(range(11)) == read_tokens(store)
    assert {CHATS: 11} == store.read_checkpoint("p")
