"""The operation that lists the topics of the event log, and how much each holds."""

from __future__ import annotations

from collections import Counter

from pydantic import Field

from helix_lab.domain.model.event import TOPICS
from helix_lab.operations.operation import Operation, Request, Response
from helix_lab.operations.services import Services


class ListTopics(Request):
    """Nothing to say."""


class Topic(Response):
    """A named stream of events."""

    topic: str
    partitions: int
    events: int = Field(
        description="where its partitions end, summed: too many by the gaps that offsets may have"
    )


class Topics(Response):
    """All topics, in the order of their declaration."""

    topics: list[Topic]


def list_topics(services: Services, request: ListTopics) -> Topics:  # noqa: ARG001
    """Topics by where they end: what it costs does not grow with what they hold."""
    events: Counter[str] = Counter()
    partitions: Counter[str] = Counter()
    for (topic, _), end_offset in services.log.end_offsets(TOPICS).items():
        events[topic] += end_offset
        partitions[topic] += 1
    return Topics(
        topics=[
            Topic(topic=topic, partitions=partitions[topic], events=events[topic])
            for topic in TOPICS
        ]
    )


OPERATIONS = (
    Operation(
        name="list_topics",
        summary="List the topics of the event log, and how much each holds",
        method="GET",
        path="/v1/topics",
        scope="read",
        request=ListTopics,
        response=Topics,
        run=list_topics,
    ),
)
