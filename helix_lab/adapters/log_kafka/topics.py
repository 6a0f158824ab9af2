"""The topics on the cluster: made on purpose, and checked before anything is written to them."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING

from confluent_kafka import KafkaException
from confluent_kafka.admin import (  # type: ignore[attr-defined] # it names them in no __all__
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    NewPartitions,
    NewTopic,
    ResourceType,
)

from helix_lab.adapters.log_kafka.client_settings import MAX_MESSAGE_BYTES, REQUEST_TIMEOUT_S
from helix_lab.domain.model.errors import Conflict
from helix_lab.domain.model.event import COMPRESSIONS, CONVERSATIONS, DEBATES, MEMORY_EVENTS
from helix_lab.ports.event_log import TopicState

if TYPE_CHECKING:
    from concurrent.futures import Future
    from typing import Any

    from helix_lab.adapters.log_kafka.cluster import Cluster

PARTITIONS: Mapping[str, int] = {
    CONVERSATIONS: 16,
    DEBATES: 4,
    MEMORY_EVENTS: 1,  # nodes need one order of joining, writing and acknowledging
    COMPRESSIONS: 4,
}
_USUAL_PARTITIONS = 4
_MAKING_TIMEOUT_S = 30.0
_BROKER_DECIDES = -1
_SAFE_BROKERS = 3
_KEPT_FOR_EVER = {
    "cleanup.policy": "delete",  # which deletes nothing while retention is unlimited
    "retention.ms": "-1",
    "retention.bytes": "-1",
}
_CORRECTABLE = ("retention.ms", "retention.bytes")


def apply_topics(
    cluster: Cluster, topics: Mapping[str, int | None], *, is_growing: bool
) -> list[TopicState]:
    """Make topics that are missing, correct retention, and add partitions where asked to.

    Args:
        cluster: where.
        topics: how many partitions each is to have; None is the usual number.
        is_growing: add partitions to a topic that has fewer.

    Raises:
        Conflict: a topic is compacted, or has fewer partitions.
        Unavailable: the cluster does not answer, or refuses.
    """
    cluster.look()
    wanted = {
        topic: count or PARTITIONS.get(topic, _USUAL_PARTITIONS) for topic, count in topics.items()
    }
    there = {topic: cluster.partitions[topic] for topic in wanted if topic in cluster.partitions}
    settings = _read_settings(cluster, there)
    _check_policy(cluster, settings)
    _check_partitions(cluster, there, wanted, is_growing=is_growing)
    _make(cluster, {topic: wanted[topic] for topic in wanted if topic not in there})
    corrected = _correct(cluster, settings)
    grown = {topic: wanted[topic] for topic, count in there.items() if count < wanted[topic]}
    _grow(cluster, grown)
    _await_partitions(cluster, wanted)
    return [
        TopicState(
            topic,
            cluster.partitions[topic],
            "made"
            if topic not in there
            else "changed"
            if topic in {*corrected, *grown}
            else "none",
        )
        for topic in wanted
    ]


def check_topics(cluster: Cluster) -> None:
    """Refuse to work with topics that are missing, or that lose what is in them.

    Raises:
        Unavailable: what is wrong, and the command that makes it right.
    """
    missing = [topic for topic in cluster.topics if topic not in cluster.partitions]
    if missing:
        names = ", ".join(map(cluster.name_topic, missing))
        reason = f"make its topics by: helix-lab topics apply; it has none of the name {names}"
        raise cluster.unavailable(reason)
    settings = _read_settings(cluster, cluster.partitions)
    try:
        _check_policy(cluster, settings)
    except Conflict as error:
        raise cluster.unavailable(str(error)) from error
    wrong = _list_wrong(settings)
    if wrong:
        topic, lost = next(iter(wrong.items()))
        found = ", ".join(f"{name}={settings[topic][name]}" for name in lost)
        reason = (
            "correct a topic by: helix-lab topics apply; "
            f"{cluster.name_topic(topic)} has {found} and would lose old events"
        )
        raise cluster.unavailable(reason)


def _read_settings(cluster: Cluster, topics: Mapping[str, int]) -> dict[str, dict[str, str]]:
    asked = {
        ConfigResource(ResourceType.TOPIC, cluster.name_topic(topic)): topic for topic in topics
    }
    if not asked:
        return {}
    answers = cluster.admin.describe_configs(list(asked), request_timeout=REQUEST_TIMEOUT_S)
    found = {}
    for resource, answer in answers.items():
        entries: dict[str, Any] = _result(cluster, answer)
        found[cluster.find_topic(resource.name)] = {
            name: str(entries[name].value) for name in _KEPT_FOR_EVER
        }
    return found


def _check_policy(cluster: Cluster, settings: Mapping[str, Mapping[str, str]]) -> None:
    for topic, found in settings.items():
        if found["cleanup.policy"] != _KEPT_FOR_EVER["cleanup.policy"]:
            name = cluster.name_topic(topic)
            message = (
                f"topic {name} has cleanup.policy={found['cleanup.policy']}, which throws away all "
                "but the newest event of a conversation. If nothing is lost yet: kafka-configs.sh "
                f"--alter --entity-type topics --entity-name {name} "
                "--add-config cleanup.policy=delete,retention.ms=-1"
            )
            raise Conflict(message, topic=name)


def _check_partitions(
    cluster: Cluster, there: Mapping[str, int], wanted: Mapping[str, int], *, is_growing: bool
) -> None:
    for topic, count in there.items():
        if count < wanted[topic] and not is_growing:
            message = (
                f"topic {cluster.name_topic(topic)} has {count} partitions, and {wanted[topic]} "
                "are wanted. Add them with --grow (a conversation stays in its partition), or "
                "name another number with --partitions"
            )
            raise Conflict(message, topic=cluster.name_topic(topic), partitions=count)


def _list_wrong(settings: Mapping[str, Mapping[str, str]]) -> dict[str, list[str]]:
    found = {
        topic: [name for name in _CORRECTABLE if own[name] != _KEPT_FOR_EVER[name]]
        for topic, own in settings.items()
    }
    return {topic: names for topic, names in found.items() if names}


def _make(cluster: Cluster, missing: Mapping[str, int]) -> None:
    if not missing:
        return
    settings = {**_KEPT_FOR_EVER, "max.message.bytes": str(MAX_MESSAGE_BYTES)}
    if len(cluster.admin.list_topics(timeout=REQUEST_TIMEOUT_S).brokers) >= _SAFE_BROKERS:
        settings["min.insync.replicas"] = "2"
    made = cluster.admin.create_topics(
        [
            NewTopic(cluster.name_topic(topic), count, _BROKER_DECIDES, config=settings)
            for topic, count in missing.items()
        ],
        request_timeout=_MAKING_TIMEOUT_S,
    )
    for answer in made.values():
        _result(cluster, answer)


def _correct(cluster: Cluster, settings: Mapping[str, Mapping[str, str]]) -> list[str]:
    wrong = _list_wrong(settings)
    if not wrong:
        return []
    changes = [
        ConfigResource(
            ResourceType.TOPIC,
            cluster.name_topic(topic),
            incremental_configs=[
                ConfigEntry(name, _KEPT_FOR_EVER[name], incremental_operation=AlterConfigOpType.SET)
                for name in names
            ],
        )
        for topic, names in wrong.items()
    ]
    answers = cluster.admin.incremental_alter_configs(changes, request_timeout=REQUEST_TIMEOUT_S)
    for answer in answers.values():
        _result(cluster, answer)
    return list(wrong)


def _grow(cluster: Cluster, grown: Mapping[str, int]) -> None:
    if not grown:
        return
    answers = cluster.admin.create_partitions(
        [NewPartitions(cluster.name_topic(topic), count) for topic, count in grown.items()],
        request_timeout=_MAKING_TIMEOUT_S,
    )
    for answer in answers.values():
        _result(cluster, answer)


def _await_partitions(cluster: Cluster, wanted: Mapping[str, int]) -> None:
    """Wait until the brokers tell of them: what was made is not everywhere at once."""
    deadline = time.monotonic() + _MAKING_TIMEOUT_S
    while any(cluster.partitions.get(topic, 0) < count for topic, count in wanted.items()):
        if time.monotonic() > deadline:
            reason = "the topics that were made do not appear"
            raise cluster.unavailable(reason)
        time.sleep(0.05)
        cluster.look()


def _result(cluster: Cluster, answer: Future[Any]) -> Any:
    try:
        return answer.result(_MAKING_TIMEOUT_S + 1)
    except (KafkaException, TimeoutError) as error:
        cluster.note(error)
        raise cluster.unavailable() from error
