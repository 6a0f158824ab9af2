"""Appending to Kafka where something goes wrong on this side; the broker is librdkafka's own."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from confluent_kafka import Producer

from helix_lab.adapters.log_kafka import tail
from helix_lab.adapters.log_kafka import writer as writing
from helix_lab.adapters.log_kafka.address import KafkaAddress
from helix_lab.adapters.log_kafka.cluster import Cluster
from helix_lab.adapters.log_kafka.copy import LocalCopy
from helix_lab.adapters.log_kafka.reader import Reader
from helix_lab.adapters.log_kafka.tail import Place
from helix_lab.adapters.log_kafka.wire import Row
from helix_lab.adapters.log_kafka.writer import Batch, Writer
from helix_lab.domain.model.errors import LogWriteFailed
from helix_lab.domain.model.event import CONVERSATIONS, Event
from tests.flow.labs import wait_until

TIMEOUT_S = 20.0
PLACE = (CONVERSATIONS, 0)


@pytest.fixture(scope="module")
def servers() -> Iterator[str]:
    """A broker in this process, with the topic of conversations."""
    broker = Producer({"test.mock.num.brokers": 1, "bootstrap.servers": "none", "log_level": 0})
    found = broker.list_topics(CONVERSATIONS, timeout=TIMEOUT_S).brokers.values()
    yield ",".join(f"{server.host}:{server.port}" for server in found)
    del broker


@pytest.fixture
def cluster(servers: str) -> Cluster:
    return Cluster(KafkaAddress(servers), [CONVERSATIONS])


@pytest.fixture
def copy(tmp_path: Path) -> Iterator[LocalCopy]:
    copy = LocalCopy(tmp_path / "copy.sqlite")
    yield copy
    copy.close()


@pytest.fixture
def reader(cluster: Cluster, copy: LocalCopy) -> Iterator[Reader]:
    reader = Reader(cluster, copy)
    yield reader
    reader.close()


@pytest.fixture
def writer(
    cluster: Cluster,
    copy: LocalCopy,
    reader: Reader,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Writer]:
    # This broker does not tell the settings of its topics.
    monkeypatch.setattr(writing, "check_topics", lambda _cluster: None)
    writer = Writer(cluster, copy, reader, tmp_path / "id")
    yield writer
    writer.close()


def make_batch(event_id: str) -> Batch:
    event = Event(event_id, "x.happened", "n", "key", "s", datetime(2026, 1, 1, tzinfo=UTC), 1, {})
    return Batch([(CONVERSATIONS, event)])


def count_messages(cluster: Cluster) -> int:
    return sum(cluster.list_ends([CONVERSATIONS]).values())


def test_a_round_that_is_broken_off_after_it_was_sent_doubles_nothing(
    cluster: Cluster, reader: Reader, writer: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer.append(make_batch("before"))
    first = count_messages(cluster)

    take_over, troubles = reader.take_over, [KeyboardInterrupt()]

    def interrupt(fresh: dict[Place, list[Row]], transactions: dict[Place, int]) -> set[Place]:
        if troubles:
            raise troubles.pop()
        return take_over(fresh, transactions)

    monkeypatch.setattr(reader, "take_over", interrupt)
    with ThreadPoolExecutor(2) as threads:
        with writer._turn:
            appends = [threads.submit(writer.append, make_batch(name)) for name in ("a", "b")]
            wait_until(lambda: 2 == len(writer._waiting), timeout_s=TIMEOUT_S)
        errors = [append.exception(TIMEOUT_S) for append in appends]

    assert 1 == sum(isinstance(error, KeyboardInterrupt) for error in errors)
    assert 1 == errors.count(None)
    assert first + 2 == count_messages(cluster)


def test_a_full_disk_refuses_what_comes_next_and_loses_nothing(
    cluster: Cluster, copy: LocalCopy, writer: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer.append(make_batch("first"))
    copy.flush()
    monkeypatch.setattr(tail, "_MAX_ROWS", 1)  # what was taken over is written with the next
    copy._writing.execute("PRAGMA max_page_count = 1")  # no page more than it has
    event = make_batch("large").events[0][1]
    large = replace(event, data={"text": "x" * 200_000})

    writer.append(Batch([(CONVERSATIONS, large)]))
    writer.append(make_batch("begins to write"))
    messages = count_messages(cluster)
    for _ in range(2):
        assert copy._flushing is not None
        wait([copy._flushing], TIMEOUT_S)
        with pytest.raises(LogWriteFailed, match="disk is full") as refused:
            writer.append(make_batch("refused"))
        assert refused.value.details["is_certain"] is True

    assert messages == count_messages(cluster)
    copy._writing.execute("PRAGMA max_page_count = 1000000")
    assert large == writer.append(Batch([(CONVERSATIONS, large)]))[0].event
    assert "refused" == writer.append(make_batch("refused"))[0].event.event_id


def test_the_copy_never_goes_back(copy: LocalCopy) -> None:
    copy.apply({}, {PLACE: 60})
    copy.pass_over({PLACE: 58})

    assert 60 == copy.positions[PLACE]


def test_a_copy_of_another_cluster_is_filled_from_the_beginning(
    cluster: Cluster,
    copy: LocalCopy,
    reader: Reader,
    writer: Writer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (entry,) = writer.append(make_batch("first"))
    place = (entry.topic, entry.partition)

    def look(*, timeout_s: float) -> str:
        if not copy.belongs_to("another cluster"):
            reader._passed[place] = entry.offset + 1  # as after many that were taken over
            reader._markers[place] = entry.offset
        return "another cluster"

    monkeypatch.setattr(cluster, "look", look)
    reader.look_soon()

    wait_until(lambda: copy.belongs_to("another cluster"), timeout_s=TIMEOUT_S)
    wait_until(lambda: "first" in copy.find_places(["first"]), timeout_s=TIMEOUT_S)
    assert not reader._markers
