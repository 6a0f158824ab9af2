"""Addresses of Kafka: what is understood, and what is refused without showing a password."""

from __future__ import annotations

import pytest

from helix_lab.adapters.log_kafka.address import read_address
from helix_lab.domain.model.errors import InvalidRequest


def test_servers_get_the_usual_port() -> None:
    assert "h1:9092,h2:9093,[::1]:9094" == read_address("kafka://h1,h2:9093,[::1]:9094").servers


def test_a_prefix_is_before_the_names_of_topics() -> None:
    assert "topic" == read_address("kafka://h").name_topic("topic")
    assert "team-a.topic" == read_address("kafka://h/team-a/").name_topic("topic")


@pytest.mark.parametrize(
    ("url", "protocol"),
    [
        ("kafka+ssl://h", "SSL"),
        ("kafka://u:p%40ss@h", "SASL_PLAINTEXT"),
        ("kafka+ssl://u:p%40ss@h?mechanism=SCRAM-SHA-512&ca=/ca.pem", "SASL_SSL"),
    ],
)
def test_security_is_as_the_address_says(url: str, protocol: str) -> None:
    found = read_address(url).security

    assert protocol == found["security.protocol"]
    assert found.get("sasl.password", "p@ss") == "p@ss"
    assert ("SCRAM-SHA-512" in url) == (found.get("sasl.mechanism") == "SCRAM-SHA-512")
    assert "p@ss" not in repr(read_address(url))


@pytest.mark.parametrize(
    "url",
    [
        "amqp://u:geheim@h",
        "kafka://",
        "kafka://u:geheim@",
        "kafka://geheim@h",
        "kafka://u:geheim/x@h",
        "kafka://u:12/geheim@h",
        "kafka://u:geheim#x@h",
        "kafka://h:0",
        "kafka://h:99999",
        "kafka://h:9092,",
        "kafka://h/a prefix",
        "kafka://u:geheim@h?mechanism=MAGIC",
        "kafka://u:geheim@h?unknown=1",
    ],
)
def test_another_form_is_refused_without_its_password(url: str) -> None:
    with pytest.raises(InvalidRequest, match="must be kafka://") as refused:
        read_address(url)

    assert "geheim" not in str(refused.value)
