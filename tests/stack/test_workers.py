"""Workers: processes that share the partitions of the log, and lose and double nothing."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import ClassVar

import pytest
import sqlalchemy as sa
from confluent_kafka import Consumer, Producer, TopicPartition

from helix_lab.adapters.log_kafka.address import read_address
from helix_lab.domain.model.errors import InvalidRequest, Unavailable
from helix_lab.domain.model.event import CONVERSATIONS
from helix_lab.lab import Lab
from helix_lab.lab.workers import name_group
from helix_lab.projections.conversations import ConversationsProjection
from helix_lab.records.claims import Claims, PartitionLost
from helix_lab.records.database import Records
from helix_lab.records.tables import CLAIM
from tests.flow.labs import contents, open_at, rebuild, say, wait_until
from tests.stack.kafka import make_address, make_topics
from tests.tiers import Running

PATIENCE_S = 90.0
KEYS = tuple(f"k{number}" for number in range(12))
STORES = ("conversations",)
CHILD = Path(__file__).with_name("worker_child.py")
COMMAND = (sys.executable, "-m", "helix_lab", "worker")
servers = [pytest.mark.services("kafka", "postgres"), pytest.mark.timeout(300)]
on_postgres = pytest.mark.parametrize("records_url", ["postgres"], indirect=True)


@pytest.fixture
def address(running_services: Running, tmp_path: Path) -> str:
    address = make_address(running_services)
    make_topics(address, tmp_path, partitions=4)
    return address


@pytest.fixture
def start(
    address: str, records_url: str, tmp_path: Path
) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Starts a worker process; all are killed at the end."""
    environment = {
        **os.environ,
        "HELIX_LOG_URL": address,
        "HELIX_RECORDS_URL": records_url,
        "HELIX_DATA_DIR": str(tmp_path / "none"),
        "PYTHONPATH": str(Path(__file__).parents[2]),
        "PYTHONUNBUFFERED": "1",
    }
    environment.pop("HELIX_ENV_FILE", None)
    started = []

    def run(*command: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            command or COMMAND, env=environment, stdout=subprocess.PIPE, text=True
        )
        started.append(process)
        return process

    yield run
    for process in started:
        process.kill()
        process.communicate()


def list_holders(records: Records, *topics: str) -> list[str]:
    query = sa.select(CLAIM.c.holder).order_by(CLAIM.c.topic, CLAIM.c.partition)
    if topics:
        query = query.where(CLAIM.c.topic.in_(topics))
    with records.read() as connection:
        return list(connection.execute(query).scalars())


def count_holders(lab: Lab) -> int:
    return len(set(list_holders(lab.services.records)))


def begin(lab: Lab, key: str) -> None:
    """Start a conversation, whether a worker tells of it yet or not."""
    with suppress(Unavailable):
        lab.start_conversation(conversation_id=key)


@contextmanager
def writing(lab: Lab) -> Iterator[dict[str, int]]:
    """Writes to each conversation in turn during the block; gives what was acknowledged."""
    acknowledged = dict.fromkeys(KEYS, 0)
    stopping = threading.Event()

    def write() -> None:
        while not stopping.is_set():
            for key in KEYS:
                lab.append_messages(key, [say(f"{acknowledged[key]:05d}")])
                acknowledged[key] += 1

    for key in KEYS:
        begin(lab, key)
    thread = threading.Thread(target=write)
    thread.start()
    try:
        yield acknowledged
    finally:
        stopping.set()
        thread.join()


def check(lab: Lab, acknowledged: dict[str, int]) -> None:
    """Each conversation counts what is in the log, which has what was acknowledged in order."""
    catch_up = lab.services.projections.catch_up
    assert catch_up("conversations", timeout_s=PATIENCE_S)
    for key, count in acknowledged.items():
        assert [f"{number:05d}" for number in range(count)] == contents(lab, key)
        assert count == lab.get_conversation(key).message_count


@pytest.mark.usefixtures("running_services")
class TestTogether:
    """Real processes on a real broker and a real database."""

    pytestmark: ClassVar = [*servers, on_postgres]

    def test_two_share_the_partitions_and_one_takes_over_what_a_killed_one_had(
        self,
        address: str,
        records_url: str,
        tmp_path: Path,
        start: Callable[..., subprocess.Popen[str]],
    ) -> None:
        first = start()
        with open_at(
            tmp_path / "lab", log_url=address, records_url=records_url, workers=STORES
        ) as lab:
            wait_until(lambda: 1 == count_holders(lab), timeout_s=PATIENCE_S)
            with writing(lab) as acknowledged:
                before = list_holders(lab.services.records)
                second = start()
                wait_until(lambda: 2 == count_holders(lab), timeout_s=PATIENCE_S)
                shared = list_holders(lab.services.records)
                busy = list_holders(lab.services.records, CONVERSATIONS)
                assert 2 == len(set(busy)), "each has a share of each topic"
                wait_until(lambda: acknowledged["k0"] > 3, timeout_s=PATIENCE_S)
                first.send_signal(signal.SIGKILL)
                assert before != shared
                wait_until(
                    lambda: not {*before} & {*list_holders(lab.services.records)},
                    timeout_s=PATIENCE_S,
                )
                goal = acknowledged["k0"] + 2
                wait_until(lambda: acknowledged["k0"] > goal, timeout_s=PATIENCE_S)

            check(lab, acknowledged)
            rebuild(lab, "conversations")
            check(lab, acknowledged)
            assert 0 == lab.get_info().projection_lag["conversations"]
        second.terminate()
        assert 0 == second.wait(PATIENCE_S)

    def test_one_killed_between_its_writes_and_their_commit_leaves_nothing_behind(
        self,
        address: str,
        records_url: str,
        tmp_path: Path,
        start: Callable[..., subprocess.Popen[str]],
    ) -> None:
        with open_at(
            tmp_path / "lab", log_url=address, records_url=records_url, workers=STORES
        ) as lab:
            begin(lab, "c")
            lab.append_messages("c", [say(f"{number:05d}") for number in range(20)])
            dying = start(sys.executable, str(CHILD))
            assert dying.stdout is not None
            assert "written\n" == dying.stdout.readline()
            dying.kill()
            dying.wait()
            start()

            check(lab, {"c": 20})

    def test_an_event_that_is_in_the_topic_twice_counts_once(
        self,
        address: str,
        records_url: str,
        tmp_path: Path,
        start: Callable[..., subprocess.Popen[str]],
    ) -> None:
        with open_at(
            tmp_path / "lab", log_url=address, records_url=records_url, workers=STORES
        ) as lab:
            begin(lab, "c")
            lab.append_messages("c", [say("00000"), say("00001")])
            repeat_messages(address)
            lab.append_messages("c", [say("00002")])
            start()

            check(lab, {"c": 3})

    def test_a_server_that_is_not_told_of_workers_stands_still_and_says_so(
        self, address: str, records_url: str, tmp_path: Path
    ) -> None:
        with open_at(tmp_path / "lab", log_url=address, records_url=records_url) as lab:
            lab.start_conversation(conversation_id="c")
            wait_until(lambda: lab.services.projections.catch_up("conversations"))
            places = [(CONVERSATIONS, number) for number in range(4)]
            Claims(lab.services.records, "conversations").take(places)
            lab.append_messages("c", [say("00000")])

            wait_until(lambda: "conversations" in lab.get_info().projection_faults)
            assert "HELIX_WORKERS" in lab.get_info().projection_faults["conversations"]
            rebuild(lab, "conversations")  # as the message says

            check(lab, {"c": 1})


def repeat_messages(address: str) -> None:
    """Put every message of the conversations behind them once more, as another program could."""
    found = read_address(address)
    topic = found.name_topic(CONVERSATIONS)
    settings = {"bootstrap.servers": found.servers}
    consumer = Consumer(
        {
            **settings,
            "group.id": topic,
            "enable.partition.eof": True,
            "auto.offset.reset": "earliest",
        }
    )
    consumer.assign([TopicPartition(topic, number, 0) for number in range(4)])
    producer = Producer(settings)
    left = {0, 1, 2, 3}
    messages = []
    while left:
        message = consumer.poll(1.0)
        if message is None:
            continue
        if message.error():
            left.discard(message.partition())
        else:
            messages.append(message)
    consumer.close()
    assert messages
    for message in messages:
        producer.produce(
            topic,
            message.value(),
            message.key(),
            message.partition() or 0,
            headers=message.headers(),
        )
    assert 0 == producer.flush(PATIENCE_S)


@pytest.fixture
def records(records_url: str) -> Iterator[Records]:
    with ExitStack() as stack:
        opened = Records(records_url)
        stack.callback(opened.close)
        yield opened


@pytest.mark.services("postgres")
@on_postgres
def test_a_worker_that_lost_its_partition_can_write_nothing(records: Records) -> None:
    place = (CONVERSATIONS, 0)
    slow, quick = (Claims(records, "conversations") for _ in range(2))
    assert {place: 0} == slow.take([place])
    ConversationsProjection(records, slow).write([], {place: 7})
    assert {place: 7} == quick.take([place])

    with pytest.raises(PartitionLost, match=r"another worker has helixagent\.conversations/0"):
        ConversationsProjection(records, slow).write([], {place: 9})

    assert {place: 7} == records.read_checkpoint("conversations")
    ConversationsProjection(records, quick).write([], {place: 8})
    assert {place: 8} == records.read_checkpoint("conversations")


@pytest.mark.services("postgres")
@on_postgres
def test_a_rebuild_shuts_workers_out_until_they_take_their_partitions_again(
    records: Records,
) -> None:
    place = (CONVERSATIONS, 0)
    claims = Claims(records, "conversations")
    claims.take([place])
    projection = ConversationsProjection(records, claims)
    projection.write([], {place: 7})
    projection.clear()

    with pytest.raises(PartitionLost):
        projection.write([], {place: 9})

    assert {place: 0} == claims.take([place])


@pytest.mark.parametrize(
    ("store", "reason"),
    [("analytics", "DuckDB"), ("graph", "Ladybug"), ("memory", "replica"), ("x", "no such store")],
)
def test_stores_of_one_process_are_refused(tmp_path: Path, store: str, reason: str) -> None:
    with pytest.raises(InvalidRequest, match=f"{store}.*{reason}"):
        open_at(tmp_path / "lab", workers=(store,))


def test_workers_share_a_group_however_they_write_the_address() -> None:
    def name(url: str) -> str:
        return name_group("conversations", url, store="s")

    assert name("kafka://a,b/p") == name("kafka+ssl://user:password@b:9093/p/?ca=/ca.pem")
    assert name("kafka://a") == name("kafka://user:password@b")
    assert name("kafka://a/p") != name("kafka://a/q")
    assert name("kafka://a") != name_group("conversations", "kafka://a", store="t")


def test_workers_need_servers(tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest, match="not set: HELIX_LOG_URL, HELIX_RECORDS_URL"):
        open_at(tmp_path / "lab", workers=STORES)
