"""Time, cancelling, and what happens at the end."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from helix_lab.domain.model.errors import (
    HelixError,
    QueryCancelled,
    QueryFailed,
    QueryTimedOut,
    Unavailable,
)
from helix_lab.testing.analytics.fixtures import (
    CHATS,
    PATIENCE_S,
    TABLE,
    AnalyticsFixtures,
    ask_user,
    count_rows,
    make_rows,
)

if TYPE_CHECKING:
    from helix_lab.ports.analytics import AnalyticsStore, RunningStatement

ENDLESS = (
    "SELECT count(*) AS n FROM message_metrics AS a, message_metrics AS b, message_metrics AS c, "
    "message_metrics AS d, message_metrics AS e "
    "WHERE (a.tokens * b.tokens + c.tokens * d.tokens + e.tokens) % 1000003 = 17"
)
"""Takes years on some thousand rows, and almost no memory."""


class LimitTests(AnalyticsFixtures):
    """A statement stops when it must; others go on."""

    @pytest.fixture
    def crowded(self, store: AnalyticsStore) -> AnalyticsStore:
        """The store with enough rows for a statement without end."""
        store.write("p", {TABLE: make_rows(5_000)}, checkpoint={CHATS: 5_000})
        return store

    def test_a_statement_without_end_is_stopped_in_time(self, crowded: AnalyticsStore) -> None:
        started = time.monotonic()

        with pytest.raises(QueryTimedOut) as caught:
            ask_user(crowded, ENDLESS, timeout_s=0.3)

        assert 0.3 <= time.monotonic() - started < 3
        assert 0.3 == caught.value.details["timeout_s"]
        assert 5_000 == count_rows(crowded)

    def test_a_statement_is_cancelled_from_another_thread(self, crowded: AnalyticsStore) -> None:
        stops: list[Callable[[], None]] = []
        is_running = threading.Event()

        def on_start(statement: RunningStatement) -> None:
            stops.append(statement.stop)
            is_running.set()

        with ThreadPoolExecutor(1) as pool:
            running = pool.submit(ask_user, crowded, ENDLESS, on_start=on_start)
            assert is_running.wait(PATIENCE_S)
            stopped_at = time.monotonic()
            stops[0]()

            with pytest.raises(QueryCancelled):
                running.result(PATIENCE_S)
        assert time.monotonic() - stopped_at < 3
        assert 5_000 == count_rows(crowded)

    def test_a_statement_that_is_cancelled_before_it_begins_does_not_run(
        self, crowded: AnalyticsStore
    ) -> None:
        with pytest.raises(QueryCancelled):
            ask_user(crowded, ENDLESS, on_start=lambda statement: statement.stop())

    def test_a_stop_that_comes_late_or_twice_is_harmless(self, filled: AnalyticsStore) -> None:
        statements: list[RunningStatement] = []
        ask_user(filled, "SELECT 1", on_start=statements.append)

        statements[0].stop()
        statements[0].stop()

        for _ in range(20):
            assert 10 == ask_user(filled, f"SELECT tokens FROM {TABLE}").total_rows  # noqa: S608 - our own name

    def test_a_statement_tells_how_much_is_done_or_that_nobody_knows(
        self, crowded: AnalyticsStore
    ) -> None:
        statements: list[RunningStatement] = []
        is_running = threading.Event()

        def on_start(statement: RunningStatement) -> None:
            statements.append(statement)
            is_running.set()

        with ThreadPoolExecutor(1) as pool:
            running = pool.submit(ask_user, crowded, ENDLESS, timeout_s=1, on_start=on_start)
            assert is_running.wait(PATIENCE_S)
            seen = []
            while not running.done():
                seen.append(statements[0].measure())

            assert isinstance(running.exception(PATIENCE_S), QueryTimedOut)
        assert all(done is None or 0 <= done <= 1 for done in seen)
        assert statements[0].measure() is None

    def test_stopping_one_statement_leaves_the_others_alone(self, crowded: AnalyticsStore) -> None:
        stops: list[Callable[[], None]] = []
        is_running = threading.Event()

        def on_start(statement: RunningStatement) -> None:
            stops.append(statement.stop)
            is_running.set()

        with ThreadPoolExecutor(2) as pool:
            other = pool.submit(ask_user, crowded, ENDLESS, timeout_s=1)
            running = pool.submit(ask_user, crowded, ENDLESS, on_start=on_start)
            assert is_running.wait(PATIENCE_S)
            stops[0]()

            with pytest.raises(QueryCancelled):
                running.result(PATIENCE_S)
            with pytest.raises(QueryTimedOut):
                other.result(PATIENCE_S)

    def test_statements_answer_while_another_one_runs_and_rows_come_in(
        self, crowded: AnalyticsStore
    ) -> None:
        with ThreadPoolExecutor(1) as pool:
            running = pool.submit(ask_user, crowded, ENDLESS, timeout_s=1)
            started = time.monotonic()
            for number in range(5):
                crowded.write(
                    "p",
                    {TABLE: make_rows(1, start=5_000 + number)},
                    checkpoint={CHATS: 5_001 + number},
                )
                assert 5_001 + number == count_rows(crowded)
            took_s = time.monotonic() - started

            with pytest.raises(QueryTimedOut):
                running.result(PATIENCE_S)
        assert took_s < PATIENCE_S / 2

    def test_many_threads_ask_at_once(self, filled: AnalyticsStore) -> None:
        def ask(number: int) -> list[int]:
            sql = f"SELECT tokens FROM {TABLE} WHERE tokens = $n"  # noqa: S608 - our own name
            values: list[int] = (
                ask_user(filled, sql, {"n": number % 10}).table.column(0).to_pylist()
            )
            return values

        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(ask, range(80)))

        assert [[number % 10] for number in range(80)] == answers

    def test_a_closed_store_refuses_every_call(self, store: AnalyticsStore) -> None:
        store.close()
        store.close()

        for call in (
            lambda: store.write("p", {}, checkpoint={}),
            lambda: store.read_checkpoint("p"),
            lambda: store.ask("SELECT 1 AS x", {}),
            lambda: ask_user(store, "SELECT 1 AS x"),
            store.list_columns,
            store.probe,
            store.clear,
        ):
            with pytest.raises(Unavailable):
                call()

    def test_closing_stops_a_statement_that_runs(
        self, open_store: Callable[[], AnalyticsStore]
    ) -> None:
        store = open_store()
        store.write("p", {TABLE: make_rows(5_000)}, checkpoint={CHATS: 5_000})
        is_running = threading.Event()

        with ThreadPoolExecutor(1) as pool:
            running = pool.submit(ask_user, store, ENDLESS, on_start=lambda _: is_running.set())
            assert is_running.wait(PATIENCE_S)
            store.close()

            error = running.exception(PATIENCE_S)
        assert isinstance(error, HelixError)
        assert not isinstance(error, QueryFailed | QueryTimedOut)
        store = open_store()
        assert 5_000 == count_rows(store)
        store.close()

    def test_a_working_store_passes_its_probe(self, filled: AnalyticsStore) -> None:
        filled.probe()
