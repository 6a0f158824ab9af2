"""The log on Kafka keeps the contract of the port, on a real broker."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from helix_lab.adapters.log_kafka import KafkaEventLog
from helix_lab.domain.model.event import CONVERSATIONS, DEBATES
from helix_lab.ports.event_log import EventLog
from helix_lab.testing.event_log import EventLogTests
from tests.stack.kafka import make_address, make_topics
from tests.tiers import Running

TOPICS = (CONVERSATIONS, DEBATES)
pytestmark = [pytest.mark.services("kafka"), pytest.mark.timeout(300)]


class TestKafkaEventLog(EventLogTests):
    model_examples = 8

    @pytest.fixture
    def open_log(self, tmp_path: Path, running_services: Running) -> Callable[[], EventLog]:
        address = make_address(running_services)
        make_topics(address, tmp_path, TOPICS)
        return lambda: KafkaEventLog(address, tmp_path / "lab", topics=TOPICS)
