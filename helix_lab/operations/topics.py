"""Operations on the topics of the event log: list them, and make them ready."""

from __future__ import annotations

from collections import Counter
from typing import Literal

from pydantic import Field

from helix_lab.domain.model.errors import Conflict
from helix_lab.domain.model.event import EXCHANGED_TOPICS, TOPICS
from helix_lab.operations.operation import Operation, Request, Response
from helix_lab.operations.services import Services

MAX_PARTITIONS = 1000


class ListTopics(Request):
    """Nothing to say."""


class ApplyTopics(Request):
    """How many partitions topics are to have."""

    partitions: int | None = Field(
        None,
        ge=1,
        le=MAX_PARTITIONS,
        description="of each topic; left out, 16 for conversations, 1 for memories, 4 for others",
    )
    grow: bool = Field(
        default=False,
        description="add partitions to a topic that has fewer; what it holds stays in place",
    )


class AppliedTopic(Response):
    """A topic that is ready for events."""

    topic: str
    partitions: int
    change: Literal["made", "changed", "none"]


class AppliedTopics(Response):
    """All topics, in the order of their declaration."""

    topics: list[AppliedTopic]


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


def apply_topics(services: Services, request: ApplyTopics) -> AppliedTopics:
    """Make topics that are missing, and put right the settings of those that are there."""
    found = services.log.apply_topics(
        dict.fromkeys(TOPICS, request.partitions), is_growing=request.grow
    )
    states = {state.topic: state for state in found}
    shared = services.exchange.apply_topics(
        dict.fromkeys(EXCHANGED_TOPICS, request.partitions), is_growing=request.grow
    )
    for state in shared:
        # Where both are one cluster the first of them has made the topic.
        if states[state.topic].change == "none":
            states[state.topic] = state
    return AppliedTopics(
        topics=[
            AppliedTopic(topic=state.topic, partitions=state.partitions, change=state.change)
            for state in states.values()
        ]
    )


OPERATIONS = (
    Operation(
        name="apply_topics",
        summary="Make the topics of the event log ready on Kafka: once, before the first event",
        method="POST",
        path="/v1/topics",
        scope="admin",
        request=ApplyTopics,
        response=AppliedTopics,
        run=apply_topics,
        errors=(Conflict,),
    ),
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
