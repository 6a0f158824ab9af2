"""Stores that fail for a while: nothing is lost, nothing comes twice, and the lab says so."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from helix_lab.adapters.analytics_duckdb import DuckDBAnalytics
from helix_lab.adapters.log_sqlite import SqliteEventLog
from helix_lab.domain.model.errors import Unavailable
from helix_lab.domain.model.event import CONVERSATIONS
from helix_lab.lab import Lab
from helix_lab.operations.system import Nothing, get_info
from helix_lab.ports.analytics import Checkpoint
from helix_lab.projections.analytics import AnalyticsProjection
from helix_lab.projections.conversations import ConversationsProjection, Row
from helix_lab.projections.runner import ProjectionRunner
from helix_lab.queries.statements import load_schema
from helix_lab.record import drafts
from helix_lab.record.writer import Writer
from helix_lab.records.database import Records
from tests.flow.labs import PATIENCE_S, wait_until

if TYPE_CHECKING:
    import pyarrow as pa


class BrokenAnalytics(DuckDBAnalytics):
    """Fails each write that `failures` lists, before, in the middle or after its rows."""

    def __init__(self, path: Path, failures: Sequence[str]) -> None:
        super().__init__(path, schema=load_schema("duckdb"))
        self.failures = list(failures)

    def write(
        self, projection: str, batch: Mapping[str, pa.Table], *, checkpoint: Checkpoint
    ) -> None:
        failure = self.failures.pop(0) if self.failures else "none"
        if failure == "before":
            message = "the disk is full"
            raise Unavailable(message, service="analytics")
        if failure == "in the middle":
            # The rows go in, then a table that is not there ends the transaction.
            rows = next(iter(batch.values()), None)
            batch = {**batch, "no_such_table": rows} if rows is not None else batch
        super().write(projection, batch, checkpoint=checkpoint)


class BrokenConversations(ConversationsProjection):
    """Fails its first writes after its rows are in the transaction."""

    failures = 3

    def write(self, rows: Sequence[Row], checkpoint: Mapping[tuple[str, int], int]) -> None:
        if self.failures:
            self.failures -= 1
            # A checkpoint that the database refuses ends the transaction after the rows.
            checkpoint = {("topic", 0): None}  # type: ignore[dict-item]
        super().write(rows, checkpoint)


class Bench:
    """A log and two stores, without the rest of a lab."""

    def __init__(self, folder: Path) -> None:
        self.log = SqliteEventLog(folder / "log.sqlite")
        self.records = Records.embedded(folder / "records.sqlite")
        self.folder = folder
        self.writer = Writer(self.log, node_id="n")
        self.closing = ExitStack()
        self.closing.callback(self.log.close)
        self.closing.callback(self.records.close)

    def break_analytics(self, *failures: str) -> BrokenAnalytics:
        store = BrokenAnalytics(self.folder / "analytics.duckdb", failures)
        self.closing.callback(store.close)
        return store

    def run(self, *projections: Any) -> ProjectionRunner:
        runner = ProjectionRunner(self.log, projections, dead_letters=self.records)
        self.closing.callback(runner.close)
        runner.start()
        return runner

    def say(self, count: int) -> None:
        start = len(self.log.read_key(CONVERSATIONS, "c"))
        for number in range(start, start + count):
            draft = drafts.add_message("c", f"m{number}", role="user", content="word " * number)
            self.writer.record([draft])


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    bench = Bench(tmp_path)
    with bench.closing:
        yield bench


def read_ids(store: DuckDBAnalytics) -> list[str]:
    statement = "SELECT message_id FROM message_metrics ORDER BY length(message_id), message_id"
    return [row["message_id"] for row in store.ask(statement, {}).to_pylist()]


def patiently(runner: ProjectionRunner) -> Callable[[], bool]:
    """Whether all is applied; a store that stands still is asked again."""

    def is_level() -> bool:
        return not any(runner.measure_lag().values()) and not runner.list_faults()

    return is_level


@pytest.mark.parametrize("failure", ["before", "in the middle"])
def test_a_write_that_fails_is_tried_again_and_comes_once(bench: Bench, failure: str) -> None:
    store = bench.break_analytics(failure, failure, failure)
    bench.say(10)

    runner = bench.run(AnalyticsProjection(store))
    wait_until(patiently(runner))
    bench.say(5)
    wait_until(patiently(runner))

    assert [] == store.failures
    assert [f"m{number}" for number in range(15)] == read_ids(store)


def test_a_records_transaction_that_fails_leaves_nothing_behind(bench: Bench) -> None:
    bench.say(10)

    runner = bench.run(BrokenConversations(bench.records))
    wait_until(patiently(runner))

    with bench.records.read() as connection:
        rows = connection.exec_driver_sql("SELECT message_count FROM conversation").all()
    assert [(10,)] == [tuple(row) for row in rows]


def test_while_a_store_fails_the_lab_says_why_and_does_not_answer_from_it(
    bench: Bench, lab: Lab
) -> None:
    store = bench.break_analytics(*["before"] * 1000)
    bench.say(1)

    runner = bench.run(AnalyticsProjection(store), ConversationsProjection(bench.records))
    wait_until(runner.list_faults)

    services = replace(lab.services, projections=runner)
    info = get_info(services, Nothing())
    assert {"analytics": "Unavailable: the disk is full"} == info.projection_faults
    assert info.projection_lag["analytics"] > 0
    with pytest.raises(Unavailable, match=r"'analytics' stands still: .*the disk is full"):
        runner.catch_up("analytics", timeout_s=0.1)
    assert runner.catch_up("conversations", timeout_s=PATIENCE_S)


def test_the_fault_is_gone_when_the_store_works_again(bench: Bench) -> None:
    store = bench.break_analytics(*["before"] * 1000)
    bench.say(1)
    runner = bench.run(AnalyticsProjection(store))
    wait_until(runner.list_faults)

    store.failures.clear()

    wait_until(lambda: not runner.list_faults())
    assert runner.catch_up(timeout_s=PATIENCE_S)
    assert ["m0"] == read_ids(store)


def test_a_store_that_fails_does_not_keep_the_runner_from_closing(bench: Bench) -> None:
    store = bench.break_analytics(*["before"] * 1000)
    bench.say(1)
    runner = bench.run(AnalyticsProjection(store))
    wait_until(runner.list_faults)

    runner.close()

    assert {} == store.read_checkpoint("analytics")


def test_a_rebuild_that_fails_is_made_up_for_by_following(bench: Bench) -> None:
    store = bench.break_analytics()
    bench.say(10)
    runner = bench.run(AnalyticsProjection(store))
    assert runner.catch_up(timeout_s=PATIENCE_S)
    store.failures[:] = ["before"]

    with pytest.raises(Unavailable, match="disk is full"):
        runner.rebuild("analytics")

    wait_until(patiently(runner))
    assert [f"m{number}" for number in range(10)] == read_ids(store)


def test_a_refused_event_is_kept_before_the_store_moves_over_it(bench: Bench) -> None:
    store = bench.break_analytics("before", "before")
    bench.say(1)
    (entry,) = bench.log.read_key(CONVERSATIONS, "c")
    odd = replace(entry.event, event_id="odd", type="helixagent.message.sung")
    bench.log.append([(entry.topic, odd)])

    runner = bench.run(AnalyticsProjection(store))
    wait_until(patiently(runner))

    with bench.records.read() as connection:
        letters = connection.exec_driver_sql("SELECT projection, event_id FROM dead_letter").all()
    assert [("analytics", "odd")] == [tuple(row) for row in letters]
