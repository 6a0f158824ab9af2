"""The topics of the log, and how much each holds."""

from __future__ import annotations

from helix_lab.domain.model.event import CONVERSATIONS, TOPICS
from helix_lab.lab import Lab
from tests.flow.labs import say


def count_topics(lab: Lab) -> dict[str, int]:
    return {topic.topic: topic.events for topic in lab.list_topics().topics}


def test_an_empty_log_has_every_topic_and_no_event(lab: Lab) -> None:
    assert dict.fromkeys(TOPICS, 0) == count_topics(lab)


def test_every_event_counts_once_in_its_topic(lab: Lab) -> None:
    lab.start_conversation(conversation_id="c")
    lab.append_messages("c", messages=[say(str(number)) for number in range(9)])
    lab.append_messages("c", messages=[{**say("again"), "message_id": "m"}])
    lab.append_messages("c", messages=[{**say("again"), "message_id": "m"}])

    assert {**dict.fromkeys(TOPICS, 0), CONVERSATIONS: 11} == count_topics(lab)
