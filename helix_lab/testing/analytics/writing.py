"""Rows and checkpoints."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from helix_lab.testing.analytics.fixtures import (
    CHATS,
    TABLE,
    TALKS,
    AnalyticsFixtures,
    count_rows,
    make_rows,
    read_tokens,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from helix_lab.ports.analytics import AnalyticsStore


class WritingTests(AnalyticsFixtures):
    """What is written is there, once, and as far as the checkpoint says."""

    def test_an_empty_store_has_applied_nothing(self, store: AnalyticsStore) -> None:
        assert {} == store.read_checkpoint("p")
        assert 0 == count_rows(store)

    def test_rows_and_checkpoint_survive_a_restart(
        self, open_store: Callable[[], AnalyticsStore]
    ) -> None:
        store = open_store()
        store.write("p", {TABLE: make_rows(3)}, checkpoint={CHATS: 3, TALKS: 7})
        store.close()

        store = open_store()
        try:
            assert {CHATS: 3, TALKS: 7} == store.read_checkpoint("p")
            assert [0, 1, 2] == read_tokens(store)
        finally:
            store.close()

    def test_values_come_back_as_they_were_written(self, store: AnalyticsStore) -> None:
        rows = make_rows(3, user_id="'; DROP TABLE x; --", model="模型 👩‍👧\u202e", provider=None)
        store.write("p", {TABLE: rows}, checkpoint={})

        columns = ", ".join(rows.column_names)
        found = store.ask(f"SELECT {columns} FROM {TABLE} ORDER BY tokens", {})  # noqa: S608 - our own names

        assert rows.to_pylist() == found.to_pylist()

    def test_a_checkpoint_moves_only_the_partitions_that_it_names(
        self, store: AnalyticsStore
    ) -> None:
        store.write("p", {}, checkpoint={CHATS: 3, TALKS: 7})
        store.write("p", {}, checkpoint={CHATS: 5})

        assert {CHATS: 5, TALKS: 7} == store.read_checkpoint("p")

    def test_projections_have_checkpoints_of_their_own(self, store: AnalyticsStore) -> None:
        store.write("p", {}, checkpoint={CHATS: 3})
        store.write("q", {}, checkpoint={CHATS: 9})

        assert {CHATS: 3} == store.read_checkpoint("p")
        assert {CHATS: 9} == store.read_checkpoint("q")
        assert {} == store.read_checkpoint("r")

    def test_a_table_without_rows_changes_nothing(self, store: AnalyticsStore) -> None:
        store.write("p", {TABLE: make_rows(0)}, checkpoint={CHATS: 1})

        assert 0 == count_rows(store)
        assert {CHATS: 1} == store.read_checkpoint("p")

    def test_a_large_batch_goes_in_whole(self, store: AnalyticsStore) -> None:
        store.write("p", {TABLE: make_rows(20_000)}, checkpoint={CHATS: 20_000})

        assert 20_000 == count_rows(store)

    def test_a_write_that_fails_leaves_no_rows_and_no_checkpoint(
        self, filled: AnalyticsStore
    ) -> None:
        self._need_transactions(filled)

        with pytest.raises(Exception, match="no_such_table"):
            filled.write(
                "p",
                {TABLE: make_rows(5, start=10), "no_such_table": make_rows(1)},
                checkpoint={CHATS: 15},
            )

        assert list(range(10)) == read_tokens(filled)
        assert {CHATS: 10} == filled.read_checkpoint("p")

    def test_the_store_takes_the_next_batch_after_one_that_failed(
        self, filled: AnalyticsStore
    ) -> None:
        with pytest.raises(Exception, match="no_such_table"):
            filled.write("p", {"no_such_table": make_rows(1)}, checkpoint={CHATS: 11})

        filled.write("p", {TABLE: make_rows(1, start=10)}, checkpoint={CHATS: 11})

        assert list(range(11)) == read_tokens(filled)
        assert {CHATS: 11} == filled.read_checkpoint("p")

    def test_replaying_what_may_come_twice_changes_nothing(self, filled: AnalyticsStore) -> None:
        # With transactions nothing before the checkpoint comes again; without, all of it may.
        start = filled.read_checkpoint("p")[CHATS] if filled.supports_transactions else 0

        filled.write("p", {TABLE: make_rows(10 - start, start=start)}, checkpoint={CHATS: 10})

        assert list(range(10)) == read_tokens(filled)
        assert {CHATS: 10} == filled.read_checkpoint("p")

    def test_readers_never_see_rows_without_their_checkpoint(self, store: AnalyticsStore) -> None:
        self._need_transactions(store)
        batches = 30

        def write() -> None:
            for number in range(batches):
                rows = make_rows(10, start=10 * number)
                store.write("p", {TABLE: rows}, checkpoint={CHATS: 10 * (number + 1)})

        with ThreadPoolExecutor(1) as pool:
            writing = pool.submit(write)
            while not writing.done():
                before = store.read_checkpoint("p").get(CHATS, 0)
                seen = count_rows(store)
                after = store.read_checkpoint("p").get(CHATS, 0)
                assert before <= seen <= after
            writing.result()

        assert 10 * batches == count_rows(store)

    def test_threads_write_side_by_side_without_loss(self, store: AnalyticsStore) -> None:
        def write(thread: int) -> None:
            for number in range(10):
                rows = make_rows(1, start=10 * thread + number)
                store.write(f"p{thread}", {TABLE: rows}, checkpoint={CHATS: number + 1})

        with ThreadPoolExecutor(4) as pool:
            list(pool.map(write, range(4)))

        assert list(range(40)) == read_tokens(store)
        assert [{CHATS: 10}] * 4 == [store.read_checkpoint(f"p{thread}") for thread in range(4)]

    def test_clearing_drops_rows_and_checkpoints_and_keeps_the_tables(
        self, filled: AnalyticsStore
    ) -> None:
        columns = filled.list_columns()

        filled.clear()

        assert {} == filled.read_checkpoint("p")
        assert 0 == count_rows(filled)
        assert columns.equals(filled.list_columns())

    def _need_transactions(self, store: AnalyticsStore) -> None:
        if not store.supports_transactions:
            pytest.skip("this store has no transactions")
