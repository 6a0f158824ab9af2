"""How the clients of Kafka are set up, and the times that follow from it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

REQUEST_TIMEOUT_S = 5.0
WRITE_TIMEOUT_S = 15.0
"""How long an append may take; a leader that died is replaced within it."""

MAX_MESSAGE_BYTES = 16 * 2**20
"""Of one event; topics that `topics apply` makes take as much."""

_FETCH_WAIT_MS = 50

COMMON: Mapping[str, Any] = {
    "client.id": "helix-lab",
    "log_level": 0,  # what matters comes by error_cb, and into our own messages
    "reconnect.backoff.ms": 50,
    "reconnect.backoff.max.ms": 500,
    "retry.backoff.ms": 50,
    "socket.connection.setup.timeout.ms": 5000,
    "topic.metadata.refresh.interval.ms": 5000,
    "allow.auto.create.topics": False,
}
CONSUMER: Mapping[str, Any] = {
    "group.id": "helix-lab",  # librdkafka wants one; nothing is committed to it
    "enable.auto.commit": False,
    "auto.offset.reset": "error",
    "isolation.level": "read_committed",
    # The end of a transaction is no message: only this tells that it was passed.
    "enable.partition.eof": True,
    "fetch.wait.max.ms": _FETCH_WAIT_MS,
    "fetch.error.backoff.ms": 50,
    "fetch.queue.backoff.ms": 0,
    "queued.max.messages.kbytes": 65_536,
    "fetch.message.max.bytes": MAX_MESSAGE_BYTES,
}
MEMBER: Mapping[str, Any] = {
    # Each member has its share of each topic. A sticky strategy counts the partitions of all topics
    # alike: one member may get all of the busy one.
    "partition.assignment.strategy": "range",
    # One that is silent so long is given up; the broker's own least.
    "session.timeout.ms": 6000,
    "heartbeat.interval.ms": 1000,
}
PRODUCER: Mapping[str, Any] = {
    "acks": "all",
    "enable.idempotence": True,
    "partitioner": "murmur2",  # as Java's: Kafka's own tools put a key where we do
    "compression.type": "lz4",
    "linger.ms": 5,
    "message.max.bytes": MAX_MESSAGE_BYTES,
    "message.timeout.ms": int(WRITE_TIMEOUT_S * 1000),
    "request.timeout.ms": int(REQUEST_TIMEOUT_S * 1000),
    "queue.buffering.max.messages": 1_000_000,
}
NOT_TO_A_PRODUCER: Final = ("allow.auto.create.topics",)
