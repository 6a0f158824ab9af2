"""What comes from the consumer of the copy: messages, ends of partitions, and errors."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from confluent_kafka import KafkaError, KafkaException

from helix_lab.adapters.log_kafka.wire import Row, to_row

if TYPE_CHECKING:
    from collections.abc import Iterable

    from confluent_kafka import Message

    from helix_lab.adapters.log_kafka.cluster import Cluster
    from helix_lab.adapters.log_kafka.copy import LocalCopy
    from helix_lab.adapters.log_kafka.tail import Place

LOGGER = logging.getLogger(__name__)


def sort_out(
    messages: Iterable[Message], cluster: Cluster, copy: LocalCopy
) -> tuple[dict[Place, list[Row]], dict[Place, int]]:
    """What is new to the copy, by partition, and where each partition has come to.

    Raises:
        KafkaException: as `_meet`.
    """
    fresh: dict[Place, list[Row]] = {}
    ends: dict[Place, int] = {}
    for message in messages:
        topic, offset = message.topic(), message.offset()
        error = message.error()
        if error is not None and error.code() != KafkaError._PARTITION_EOF:  # noqa: SLF001
            _meet(error, cluster, copy)
            continue
        if topic is None or offset is None:
            continue
        place = (cluster.find_topic(topic), message.partition() or 0)
        if error is not None:
            ends[place] = max(ends.get(place, 0), offset)
            continue
        ends[place] = offset + 1
        if offset >= copy.positions.get(place, 0):  # what we wrote is there already
            fresh.setdefault(place, []).append(to_row(message, place[0]))
    return fresh, ends


def _meet(error: KafkaError, cluster: Cluster, copy: LocalCopy) -> None:
    """Note an error; one that reading cannot go on after is raised.

    Raises:
        KafkaException: the consumer must be made anew.
    """
    cluster.note(error)
    if error.code() in {KafkaError._AUTO_OFFSET_RESET, KafkaError.OFFSET_OUT_OF_RANGE}:  # noqa: SLF001
        LOGGER.warning(
            "the topics do not have what the copy of the event log goes on from (%s): it is "
            "filled anew. Were they made anew, or is their retention limited? Rebuild the "
            "stores: helix-lab rebuild",
            error.str(),
        )
        copy.forget()
        raise KafkaException(error)
    if error.code() in {
        KafkaError.UNKNOWN_TOPIC_OR_PART,
        KafkaError.TOPIC_AUTHORIZATION_FAILED,
    }:
        raise KafkaException(error)
