"""A lab whose log is on Kafka, as it is used; and what others may do to its topics."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from helix_lab.domain.model.errors import (
    Conflict,
    InvalidRequest,
    LogWriteFailed,
    UnknownConversation,
)
from helix_lab.domain.model.event import CONVERSATIONS, TOPICS
from helix_lab.lab import Lab
from helix_lab.record.asyncapi import to_cloud_event
from helix_lab.settings import read_settings
from tests.flow.labs import (
    catch_up,
    contents,
    dump_stores,
    open_at,
    read_dead_letters,
    rebuild,
    say,
    wait_until,
)
from tests.stack.kafka import PARTITIONS, make_address, make_topics
from tests.tiers import Running

pytestmark = [pytest.mark.services("kafka"), pytest.mark.timeout(300)]
WRITER = Path(__file__).with_name("kafka_writer.py")
MESSAGES = [say(f"message {number}") for number in range(20)]


@pytest.fixture
def address(tmp_path: Path, running_services: Running) -> str:
    """Topics of the test's own, ready for events."""
    address = make_address(running_services)
    make_topics(address, tmp_path)
    return address


@pytest.fixture
def lab(tmp_path: Path, address: str) -> Iterator[Lab]:
    with open_at(tmp_path / "lab", log_url=address) as lab:
        yield lab


def split(address: str) -> tuple[str, str]:
    """The servers of an address, and the topic of conversations."""
    servers, _, prefix = address.removeprefix("kafka://").partition("/")
    return servers, f"{prefix}.{CONVERSATIONS}"


def send(address: str, value: bytes | None, **headers: str) -> tuple[int, int]:
    """Put a message among ours as another program would; gives its partition and offset."""
    servers, topic = split(address)
    placed: list[tuple[int, int]] = []
    producer = Producer({"bootstrap.servers": servers})
    producer.produce(
        topic,
        value,
        "c",
        headers=list(headers.items()),
        on_delivery=lambda _, message: placed.append(
            (message.partition() or 0, message.offset() or 0)
        ),
    )
    assert 0 == producer.flush(30)
    return placed[0]


def read_raw(address: str, number: int) -> list[Any]:
    """Messages of the conversations as Kafka has them."""
    servers, topic = split(address)
    consumer = Consumer(
        {"bootstrap.servers": servers, "group.id": "raw", "auto.offset.reset": "earliest"}
    )
    consumer.assign([TopicPartition(topic, partition, 0) for partition in range(PARTITIONS)])
    found: list[Any] = []
    while len(found) < number:
        message = consumer.poll(30)
        assert message is not None
        assert message.error() is None
        found.append(message)
    consumer.close()
    return found


@pytest.mark.services("postgres")
@pytest.mark.parametrize("records_url", ["postgres"], indirect=True)
def test_a_lab_on_kafka_and_postgres_is_the_same_after_a_restart_and_a_rebuild(
    tmp_path: Path, address: str, records_url: str
) -> None:
    with open_at(tmp_path / "lab", records_url=records_url, log_url=address) as lab:
        assert "kafka" == lab.get_info().backends["kafka"]
        health = lab.get_health()
        assert ("connected", "connected") == (
            health.services["kafka"],
            health.services["postgresql"],
        )
        lab.start_conversation(conversation_id="c", title="On Kafka")
        lab.append_messages("c", MESSAGES)
        lab.append_messages("c", [{**say("again"), "message_id": "m"}])
        lab.append_messages("c", [{**say("again"), "message_id": "m"}])
        debate = lab.start_debate("Should we log to Kafka?", conversation_id="c", wait_s=30)
        assert "succeeded" == debate.status
        told, stores = contents(lab, "c"), dump_stores(lab)
        rows = lab.run_query("SELECT count(*) AS n FROM message_metrics").rows
    assert [message["content"] for message in MESSAGES] == told[:20]
    assert 1 == told.count("again")
    assert len(told) == rows[0][0]

    with open_at(tmp_path / "lab", records_url=records_url, log_url=address) as lab:
        assert told == contents(lab, "c")
        assert stores == dump_stores(lab)
        for store in ("conversations", "analytics", "memory"):
            rebuild(lab, store)
        assert stores == dump_stores(lab)


def test_a_copy_that_is_missing_or_damaged_is_filled_again(tmp_path: Path, address: str) -> None:
    copy = tmp_path / "lab" / "log-kafka.sqlite"
    with open_at(tmp_path / "lab", log_url=address) as lab:
        lab.start_conversation(conversation_id="c")
        lab.append_messages("c", MESSAGES)
        told = contents(lab, "c")

    for damage in (copy.unlink, lambda: copy.write_bytes(b"not a database at all" * 1000)):
        damage()
        with open_at(tmp_path / "lab", log_url=address) as lab:
            assert told == contents(lab, "c")
            first = lab.append_messages("c", [{**say("once"), "message_id": "once"}])
            assert first == lab.append_messages("c", [{**say("once"), "message_id": "once"}])
            told = contents(lab, "c")
    assert 1 == told.count("once")


def test_two_labs_read_each_other(tmp_path: Path, address: str) -> None:
    with (
        open_at(tmp_path / "one", log_url=address) as one,
        open_at(tmp_path / "two", log_url=address) as two,
    ):
        one.start_conversation(conversation_id="c")
        for number in range(10):
            (one, two)[number % 2].append_messages("c", [say(f"message {number}")])
            assert contents(one, "c") == contents(two, "c")

        assert 10 == two.get_conversation("c").message_count


def test_messages_are_cloud_events_in_binary_mode(lab: Lab, address: str) -> None:
    lab.start_conversation(conversation_id="c")
    lab.append_messages("c", [say("Grüße")])
    entries = lab.services.log.read_key(CONVERSATIONS, "c")

    for message, entry in zip(read_raw(address, 2), entries, strict=True):
        headers, data = to_cloud_event(entry)
        assert data == json.loads(message.value())
        assert b"c" == message.key()
        assert headers == {name: raw.decode() for name, raw in message.headers()}
        assert (entry.partition, entry.offset) == (message.partition(), message.offset())


def test_what_is_not_ours_goes_to_the_dead_letters_with_its_offset(lab: Lab, address: str) -> None:
    lab.start_conversation(conversation_id="c")
    event = {
        "ce_id": "x",
        "ce_type": "helixagent.message.added",
        "ce_source": "/helix/n",
        "ce_time": "2026-03-01T12:00:00Z",
        "ce_dataschema": "helix:schemas/helixagent.message.added/v7",
        "ce_helixclock": "5",
    }
    places = [
        send(address, b"hello"),
        send(address, b"not json", **event),
        send(address, None, **event),
        send(address, b"{}", **event),
        send(address, b'{"a": ["\\u0000"]}', **{**event, "ce_id": "y"}),
    ]
    lab.append_messages("c", MESSAGES)
    catch_up(lab)

    assert 20 == len(contents(lab, "c"))
    letters = [row for row in read_dead_letters(lab) if row["projection"] == "conversations"]
    found = {(row["partition"], row["offset"]): row["reason"] for row in letters}
    assert set(places) == set(found)
    for place, reason in zip(
        places,
        ["no header 'ce_id'", "malformed", "no value", "schema version 7", "a NUL"],
        strict=True,
    ):
        assert reason in found[place]


def test_a_conversation_stays_in_its_partition_when_the_topic_grows(lab: Lab, address: str) -> None:
    names = [f"c{number}" for number in range(12)]
    for name in names:
        lab.start_conversation(conversation_id=name)
        lab.append_messages(name, MESSAGES[:3])

    with pytest.raises(Conflict, match="has 3 partitions, and 7 are wanted"):
        lab.apply_topics(partitions=7)
    applied = lab.apply_topics(partitions=7, grow=True)
    for name in names:
        lab.append_messages(name, MESSAGES[3:])
    log, number = lab.services.log, 12

    def uses_new_partition() -> bool:
        nonlocal number
        lab.start_conversation(conversation_id=f"c{(number := number + 1)}")
        ends = log.end_offsets([CONVERSATIONS]).items()
        return any(end and partition >= PARTITIONS for (_, partition), end in ends)

    assert {(7, "changed")} == {(topic.partitions, topic.change) for topic in applied.topics}
    expected = [message["content"] for message in MESSAGES]
    for name in names:
        assert expected == contents(lab, name)
        assert 1 == len({entry.partition for entry in log.read_key(CONVERSATIONS, name)})
    wait_until(uses_new_partition)


def test_topics_are_never_made_by_accident(tmp_path: Path, running_services: Running) -> None:
    address = make_address(running_services)
    with open_at(tmp_path / "lab", log_url=address) as lab:
        with pytest.raises(LogWriteFailed, match="helix-lab topics apply"):
            lab.start_conversation(conversation_id="c")
        servers, topic = split(address)
        assert (
            topic not in AdminClient({"bootstrap.servers": servers}).list_topics(timeout=30).topics
        )

        applied = lab.apply_topics()
        lab.start_conversation(conversation_id="c")

    assert {"made"} == {topic.change for topic in applied.topics}
    assert {16, 1, 4} == {topic.partitions for topic in applied.topics}


@pytest.mark.parametrize(
    ("setting", "is_fatal"), [("cleanup.policy=compact", True), ("retention.ms=1000", False)]
)
def test_a_topic_that_would_lose_events_is_refused(
    tmp_path: Path, running_services: Running, setting: str, is_fatal: bool
) -> None:
    address = make_address(running_services)
    servers, topic = split(address)
    name, value = setting.split("=")
    admin = AdminClient({"bootstrap.servers": servers})
    admin.create_topics([NewTopic(topic, 4, config={name: value})])[topic].result(60)
    make_topics(address, tmp_path, [other for other in TOPICS if other != CONVERSATIONS])
    with open_at(tmp_path / "lab", log_url=address) as lab:
        with pytest.raises(LogWriteFailed, match=setting):
            lab.start_conversation(conversation_id="c")

        if is_fatal:
            with pytest.raises(Conflict, match=setting):
                lab.apply_topics(partitions=3)
        else:
            lab.apply_topics(partitions=3)
            lab.start_conversation(conversation_id="c")


def test_what_a_killed_process_had_acknowledged_is_in_every_store_once(
    tmp_path: Path, address: str
) -> None:
    acknowledged: dict[int, list[str]] = {}
    for _ in range(2):  # between the commit to the log and the checkpoint of the stores
        with subprocess.Popen(
            [sys.executable, str(WRITER), str(tmp_path / "lab"), address],
            stdout=subprocess.PIPE,
            text=True,
        ) as writer:
            assert writer.stdout is not None
            words = [writer.stdout.readline().strip() for _ in range(15)]
            writer.send_signal(signal.SIGKILL)
            acknowledged[writer.pid] = words + writer.stdout.read().split()

    with open_at(tmp_path / "lab", log_url=address) as lab:
        wait_until(lambda: {0} == set(lab.get_info().projection_lag.values()))
        for pid, words in acknowledged.items():
            told = [contents(lab, f"{name}{pid}") for name in "ab"]
            assert 15 <= len(words)
            assert set(words) <= {*told[0], *told[1]}
            for name, own in zip("ab", told, strict=True):
                assert sorted(set(own)) == own
                assert len(own) == lab.get_conversation(f"{name}{pid}").message_count
            assert 0 == len(told[1]) % 3  # a request is there whole, or not at all
        before = dump_stores(lab)
        for store in ("conversations", "analytics"):
            rebuild(lab, store)
        assert before == dump_stores(lab)


def test_a_folder_belongs_to_one_log(tmp_path: Path, address: str) -> None:
    open_at(tmp_path / "embedded").close()
    open_at(tmp_path / "kafka", log_url=address).close()

    with pytest.raises(InvalidRequest, match=r"it has log\.sqlite"):
        open_at(tmp_path / "embedded", log_url=address)
    with pytest.raises(InvalidRequest, match=r"it has log-kafka\.sqlite"):
        open_at(tmp_path / "kafka")


def test_topics_with_another_prefix_are_another_log(tmp_path: Path, address: str) -> None:
    other = f"{address}-other"
    make_topics(other, tmp_path)
    with open_at(tmp_path / "lab", log_url=address) as lab:
        lab.start_conversation(conversation_id="c")

    with open_at(tmp_path / "lab", log_url=other) as lab, pytest.raises(UnknownConversation):
        lab.replay("c")


def test_the_guides_variable_names_the_servers() -> None:
    found = read_settings(environment={"KAFKA_BOOTSTRAP_SERVERS": "h1:9092,h2:9092"})

    assert "kafka://h1:9092,h2:9092" == found.log_url
    with pytest.raises(InvalidRequest, match="HELIX_LOG_URL begins with 'amqp'"):
        read_settings(environment={"HELIX_LOG_URL": "amqp://u:geheim@h"})
    assert "geheim" not in json.dumps(
        str(read_settings(environment={"HELIX_LOG_URL": "kafka://u:geheim@h"}))
    )
