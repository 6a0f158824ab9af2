"""The columns of the lake's datasets, as plain values: readers and writers make schemas of them.

A file says in its metadata which dataset and version it holds (`DATASET_KEY`, `VERSION_KEY`).
Within a version columns are only added, at the end, and may be null.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Kind = Literal["text", "json", "int32", "int64", "float64", "boolean", "moment", "date"]
"""What a column holds. `json` is text that holds one JSON value; `moment` is a timestamp in
microseconds, UTC."""

VERSION = 1
DATASET_KEY = "helix.dataset"
VERSION_KEY = "helix.schema_version"


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a dataset.

    Attributes:
        meaning: what stands there, and when it is null.
    """

    name: str
    kind: Kind
    meaning: str
    is_nullable: bool = True


@dataclass(frozen=True, slots=True)
class Dataset:
    """A kind of file in the lake.

    Attributes:
        name: its folder.
        row: what one row is.
        is_partitioned: its files lie in `year=/month=/day=` folders, which readers show as
            columns of whole numbers.
    """

    name: str
    row: str
    columns: tuple[Column, ...]
    is_partitioned: bool


def _needed(name: str, kind: Kind, meaning: str) -> Column:
    return Column(name, kind, meaning, is_nullable=False)


CONVERSATIONS = Dataset(
    "conversations",
    "a message",
    (
        _needed("conversation_id", "text", "the conversation"),
        _needed("message_id", "text", "the message, unique in its conversation"),
        _needed("position", "int32", "place in the conversation, from 0, in the order of replay"),
        _needed("role", "text", "user, assistant, system or tool"),
        _needed("content", "text", "what was said"),
        _needed("created_at", "moment", "when it was said"),
        Column("user_id", "text", "whose message it is; of the conversation where it has none"),
        Column("title", "text", "of the conversation, as it was when it was archived"),
        Column("provider", "text", "who answered; null for what a person said"),
        Column("model", "text", "the model that answered"),
        _needed("tokens", "int64", "size of the content by the lab's own counter"),
        Column("latency_ms", "float64", "how long the answer took, where it is known"),
        Column("input_tokens", "int64", "of the request, as the provider counted them"),
        Column("output_tokens", "int64", "of the answer, as the provider counted them"),
        Column("cost_usd", "float64", "of the request, where the price is known"),
        Column("parent_id", "text", "message that this one answers, where the history branches"),
        Column("name", "text", "name of the speaker, where it has one"),
        Column("metadata", "json", "free facts of the source; null where there are none"),
        _needed("event", "json", "the event; its data.content is empty: it stands in `content`"),
    ),
    is_partitioned=True,
)

DEBATES = Dataset(
    "debates",
    "a turn of a debate",
    (
        _needed("debate_id", "text", "the debate"),
        _needed("conversation_id", "text", "the conversation that it belongs to"),
        _needed("turn", "int32", "place in the debate, from 0, in the order of recording"),
        _needed("round", "int32", "the exchange, from 1"),
        _needed("role", "text", "what was asked for: answer, vote or judge"),
        _needed("seat", "text", "name of the seat, unique in the debate"),
        _needed("position", "text", "what the seat argues as: researcher, critic, PRO, …"),
        _needed("provider", "text", "who was asked"),
        _needed("model", "text", "the model that was asked"),
        Column("response", "text", "the answer; null where the turn failed"),
        Column("confidence", "float64", "of the answer, 0 to 1, where it said one"),
        Column("response_time_ms", "float64", "how long the answer took"),
        Column("ttft_ms", "float64", "how long its first token took"),
        Column("input_tokens", "int64", "of the request, as the provider counted them"),
        Column("output_tokens", "int64", "of the answer, as the provider counted them"),
        Column("cost_usd", "float64", "of the request, where the price is known"),
        Column("finish_reason", "text", "why the answer ended"),
        Column("choice", "text", "the seat that a vote or a judge chose"),
        Column("error_code", "text", "why there is no answer; null where there is one"),
        Column("error_message", "text", "the same in words"),
        _needed("created_at", "moment", "when the turn ended"),
        Column("topic", "text", "of the debate"),
        Column("protocol", "text", "of the debate: majority, moderated, …"),
        Column("user_id", "text", "who asked for the debate"),
        Column("outcome", "text", "decided, tie, failed, cancelled; null while it runs"),
        Column("winner_seat", "text", "the seat that won; null where none did"),
        Column("winner_position", "text", "what it argued as"),
        Column("winner_provider", "text", "its provider"),
        Column("winner_model", "text", "its model"),
        Column("winner_confidence", "float64", "of the verdict, 0 to 1"),
        Column("total_rounds", "int32", "rounds of the debate, once it ended"),
        Column("metadata", "json", "free facts of the source; null where there are none"),
        _needed("event", "json", "the event; its data.text is empty: it stands in `response`"),
    ),
    is_partitioned=True,
)

EVENTS = Dataset(
    "events",
    "an event of a conversation that is neither a message nor a turn",
    (
        _needed("conversation_id", "text", "the conversation"),
        _needed("event_id", "text", "the event"),
        _needed("topic", "text", "the stream of the log that holds it"),
        _needed("type", "text", "such as helixagent.conversation.started"),
        _needed("subject", "text", "what it is about"),
        _needed("created_at", "moment", "when it happened"),
        _needed("event", "json", "the whole event"),
    ),
    is_partitioned=True,
)

ENTITIES = Dataset(
    "entities",
    "an entity in a conversation that mentions it, as the graph held it at the snapshot",
    (
        _needed("entity_id", "text", "the entity"),
        _needed("entity_name", "text", "its name"),
        _needed("entity_type", "text", "PERSON, ORGANIZATION, TECHNOLOGY, …"),
        _needed("conversation_id", "text", "the conversation"),
        _needed("mention_count", "int64", "mentions in the conversation"),
        Column("confidence", "float64", "of the entity, 0 to 1"),
        Column("first_seen", "moment", "first mention in the conversation"),
        Column("last_seen", "moment", "last mention in the conversation"),
        _needed("snapshot_at", "moment", "when the snapshot was taken"),
        _needed("year", "int32", "of the last mention, or of the snapshot where it is not known"),
        _needed("month", "int32", "likewise"),
        _needed("day", "int32", "likewise"),
    ),
    is_partitioned=False,
)

ANALYTICS = Dataset(
    "analytics",
    "a provider's model on a day; both are empty for what people said",
    (
        _needed("date", "date", "the day, UTC"),
        _needed("provider", "text", "the provider"),
        _needed("model", "text", "the model"),
        _needed("messages", "int64", "messages said"),
        _needed("conversations", "int64", "conversations with a message that day"),
        _needed("tokens", "int64", "of the messages, by the lab's own counter"),
        _needed("requests", "int64", "requests to the provider, of chats and of debates"),
        _needed("errors", "int64", "of them without a usable answer"),
        Column("avg_response_time_ms", "float64", "of the requests, where it is known"),
        Column("p95_response_time_ms", "float64", "likewise"),
        Column("cost_usd", "float64", "of the requests whose price is known"),
    ),
    is_partitioned=False,
)

DATASETS: Mapping[str, Dataset] = {
    dataset.name: dataset for dataset in (CONVERSATIONS, DEBATES, EVENTS, ENTITIES, ANALYTICS)
}
"""Every dataset by its folder."""
