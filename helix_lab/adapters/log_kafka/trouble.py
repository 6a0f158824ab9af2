"""What a consumer of the copy reports instead of a message, and what is done about it."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from confluent_kafka import KafkaError, KafkaException

if TYPE_CHECKING:
    from helix_lab.adapters.log_kafka.cluster import Cluster
    from helix_lab.adapters.log_kafka.copy import LocalCopy

LOGGER = logging.getLogger(__name__)


def meet(error: KafkaError, cluster: Cluster, copy: LocalCopy) -> None:
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
