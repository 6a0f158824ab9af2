"""Labs and logs on one broker, each with topics of its own."""

from __future__ import annotations

import os
import signal
import tempfile
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from helix_lab.adapters.log_kafka import KafkaEventLog
from helix_lab.domain.model.event import TOPICS
from helix_lab.doors.cli.stacking import find_cache
from helix_lab.stack.stack import Stack
from tests.tiers import Running

PARTITIONS = 3


def make_address(running_services: Running) -> str:
    """The address of topics that are not made yet."""
    servers = running_services("kafka")["KAFKA_BOOTSTRAP_SERVERS"]
    return f"kafka://{servers}/test-{uuid.uuid4().hex[:12]}"


def make_topics(
    address: str, folder: Path, topics: Iterable[str] = TOPICS, *, partitions: int = PARTITIONS
) -> None:
    """Make the topics of an address."""
    with KafkaEventLog(address, folder / "making-topics", topics=tuple(topics)) as log:
        log.apply_topics(dict.fromkeys(topics, partitions))


@pytest.fixture(scope="module")
def broker() -> Iterator[Stack]:
    """A broker of the module's own, to be killed or stopped."""
    with tempfile.TemporaryDirectory(prefix="helix-stack-") as name:
        stack = Stack(Path(name), find_cache())
        with stack.hold({"kafka": 1}):
            yield stack


@contextmanager
def stopped(broker: Stack) -> Iterator[None]:
    """A broker that keeps its connections and says nothing."""
    pid = broker.read_state().services["kafka"].processes[0][0]
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def address_on(broker: Stack, folder: Path) -> str:
    """The address of topics of a test's own on a broker, made."""
    servers = broker.read_variables()["KAFKA_BOOTSTRAP_SERVERS"]
    address = f"kafka://{servers}/{folder.name.replace('_', '-')[:60]}"
    make_topics(address, folder)
    return address
