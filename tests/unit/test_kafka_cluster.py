"""The clients of a cluster that does not answer."""

from __future__ import annotations

import pytest

from helix_lab.adapters.log_kafka import cluster
from helix_lab.adapters.log_kafka.address import read_address
from helix_lab.adapters.log_kafka.cluster import Cluster
from helix_lab.domain.model.errors import Unavailable
from helix_lab.stack.ports import LOOPBACK, find_free_port


def fail_to_look(kafka: Cluster) -> None:
    with pytest.raises(Unavailable):
        kafka.look(timeout_s=0.1)


def test_a_client_without_an_answer_for_long_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    kafka = Cluster(read_address(f"kafka://{LOOPBACK}:{find_free_port(set())}"), ["topic"])
    first = kafka.admin

    fail_to_look(kafka)
    assert first is kafka.admin  # it may be connecting still

    monkeypatch.setattr(cluster, "RENEW_AFTER_S", 0.0)
    fail_to_look(kafka)
    assert first is not kafka.admin
