"""Labs and logs on one broker, each with topics of its own."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from pathlib import Path

from helix_lab.adapters.log_kafka import KafkaEventLog
from helix_lab.domain.model.event import TOPICS
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
