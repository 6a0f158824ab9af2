"""JSON Lines: one message a line, or one conversation a line in OpenAI's chat form.

A message without an id gets one from its conversation, its position in it, its role, time
and content: reading the file again gives the same ids, and two equal messages in a row
are two. A conversation without an id gets one from its line, and from how often the same
line came before. Fields that are not known are kept as metadata.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from helix_lab.domain.model.errors import InvalidRequest
from helix_lab.domain.model.event import make_event_id
from helix_lab.record.drafts import add_message, describe_conversation, start_conversation
from helix_lab.record.importers.decoding import decode_object
from helix_lab.record.importers.fields import (
    read_id,
    read_list,
    read_object,
    read_text,
    read_time,
    read_word,
    require_id,
    split_title,
)
from helix_lab.record.importers.items import Item, Records, Refusal, make_item
from helix_lab.record.importers.openai_chat import read_content, read_role
from helix_lab.record.importers.tally import Tally

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from helix_lab.domain.model.event import Draft

MAX_ITEM_MESSAGES = 500
_MAX_ITEM_BYTES = 4 << 20


def is_message(value: Mapping[str, Any]) -> bool:
    """Whether a JSON object has the shape of one message."""
    return "conversation_id" in value and "role" in value and "messages" not in value


def is_openai_chat(value: Mapping[str, Any]) -> bool:
    """Whether a JSON object has the shape of a conversation in OpenAI's chat form."""
    return isinstance(value.get("messages"), list)


# One message a line ---------------------------------------------------------------------


def read_messages(records: Records) -> Iterator[Item | Refusal]:
    """Messages in items of at most 500 lines; a bad line is refused alone."""
    reader = _MessageReader()
    run = _Run()
    for record in records.raw:
        if isinstance(record, Refusal):
            yield record
            continue
        number, raw = record
        try:
            drafts = reader.read(raw)
            run.add(number, len(raw), drafts)
        except InvalidRequest as error:
            yield Refusal(records.name(number), error.message)
            continue
        if run.is_full:
            yield run.close(records)
            run = _Run()
    if run.by_id:
        yield run.close(records)


@dataclass(slots=True)
class _Run:
    """Drafts of consecutive lines."""

    by_id: dict[str, Draft] = field(default_factory=dict)
    first: int = 0
    last: int = 0
    lines: int = 0
    raw_bytes: int = 0

    @property
    def is_full(self) -> bool:
        return self.lines >= MAX_ITEM_MESSAGES or self.raw_bytes >= _MAX_ITEM_BYTES

    def add(self, number: int, raw_bytes: int, drafts: list[Draft]) -> None:
        for draft in drafts:
            first = self.by_id.setdefault(draft.event_id, draft)
            if first is not draft and first.data != draft.data:
                message = f"message_id {draft.subject!r} is used before, with different content"
                raise InvalidRequest(message, field="message_id")
        self.first = self.first if self.lines else number
        self.last = number
        self.lines += 1
        self.raw_bytes += raw_bytes

    def close(self, records: Records) -> Item:
        name = records.name(self.first, self.last)
        return Item(name, list(self.by_id.values()), is_divisible=True)


class _MessageReader:
    """Reads lines; remembers how many each conversation had and which have begun."""

    def __init__(self) -> None:
        self._seen = Tally()
        self._current = ""
        self._lines = 0
        self._has_begun = False

    def read(self, raw: bytes) -> list[Draft]:
        value = decode_object(raw)
        conversation_id = require_id(value.pop("conversation_id", None), "conversation_id")
        if conversation_id != self._current:
            self._turn_to(conversation_id)
        position = self._lines
        # A refused line counts too: once it is mended and read again, the others keep their ids.
        self._lines += 1
        message = _to_message(conversation_id, value, position)
        if self._has_begun:
            return [message]
        self._has_begun = True
        # No more than the id: another file may begin with another line of the conversation,
        # and must state the same fact.
        start = start_conversation(conversation_id, source="jsonl")
        return [replace(start, time=message.time), message]

    def _turn_to(self, conversation_id: str) -> None:
        # The lowest bit says whether the conversation has begun.
        if self._current:
            self._seen[self._current] = self._lines << 1 | self._has_begun
        self._current = conversation_id
        seen = self._seen[conversation_id]
        self._lines, self._has_begun = seen >> 1, bool(seen & 1)


def _to_message(conversation_id: str, value: dict[str, Any], position: int) -> Draft:
    pop = value.pop
    stated_role, stated_time = pop("role", None), pop("created_at", None)
    role = read_role(stated_role)
    content, parts = read_content(pop("content", None))
    message_id = read_id(pop("message_id", None), "message_id")
    if message_id is None:
        moment = "" if stated_time is None else str(stated_time)
        message_id = make_event_id(conversation_id, str(position), role, moment, content)
    others = _read_others(value) if value else {}
    if parts or role != stated_role:
        others["metadata"] = _note_source(others.get("metadata"), stated_role, role, parts)
    return add_message(
        conversation_id,
        message_id,
        role=role,
        content=content,
        created_at=read_time(stated_time, "created_at"),
        **others,
    )


def _read_others(value: dict[str, Any]) -> dict[str, Any]:
    """The fields that few messages have; what nobody knows is metadata."""
    others: dict[str, Any] = {
        "parent_id": read_id(value.pop("parent_id", None), "parent_id"),
        "user_id": read_id(value.pop("user_id", None), "user_id"),
    }
    for name in ("name", "provider", "model"):
        others[name] = read_word(value.pop(name, None), name)
    metadata = read_object(value.pop("metadata", None), "metadata")
    others["metadata"] = {**value, **metadata} if value else metadata
    return others


def _note_source(
    metadata: Mapping[str, Any] | None, stated_role: str, role: str, parts: list[Any]
) -> dict[str, Any]:
    """Add what the message cannot say: the role it had, and the parts that are no text."""
    noted = dict(metadata or {})
    if stated_role != role:
        noted["source_role"] = stated_role
    if any(not isinstance(part, str) and part.get("type") != "text" for part in parts):
        noted["parts"] = parts
    return noted


# OpenAI's chat form ---------------------------------------------------------------------


class ChatReader:
    """Reads conversations in OpenAI's chat form; tells equal lines without an id apart."""

    def __init__(self) -> None:
        self._seen = Tally()

    def read(self, value: dict[str, Any], raw: bytes, name: str) -> Item:
        """One conversation.

        Raises:
            InvalidRequest: a field is not what it should be.
        """
        conversation_id = self._read_id(value, raw)
        created_at = _read_created(value)
        user_id = read_id(value.pop("user", None) or value.pop("user_id", None), "user")
        messages = read_list(value.pop("messages", None), "messages")
        if not messages:
            message = "messages is empty"
            raise InvalidRequest(message, field="messages")
        model, provider = value.pop("model", None), value.pop("provider", None)
        common = {"user": {"user_id": user_id}, "assistant": {"model": model, "provider": provider}}
        drafts = [
            start_conversation(
                conversation_id, user_id=user_id, source="jsonl", created_at=created_at
            ),
            *_describe(conversation_id, value, created_at),
            *(_read_turn(conversation_id, m, i, common) for i, m in enumerate(messages)),
        ]
        return make_item(name, drafts)

    def _read_id(self, value: dict[str, Any], raw: bytes) -> str:
        for key in ("conversation_id", "id"):
            stated = read_id(value.get(key), key)
            if stated is not None:
                del value[key]
                return stated
        digest = make_event_id("jsonl.conversation", raw.strip().decode())
        times = self._seen[digest] + 1
        self._seen[digest] = times
        return digest if times == 1 else make_event_id("jsonl.conversation", digest, str(times))


def _read_created(value: dict[str, Any]) -> datetime | None:
    for key in ("created", "created_at"):
        if value.get(key) is not None:
            return read_time(value.pop(key), key)
    return None


def _describe(
    conversation_id: str, value: dict[str, Any], created_at: datetime | None
) -> list[Draft]:
    title, metadata = split_title(read_text(value.pop("title", None), "title"))
    stated = read_object(value.pop("metadata", None), "metadata")
    metadata |= {**{k: v for k, v in value.items() if v is not None}, **stated}
    if not title and not metadata:
        return []
    known = metadata or None
    return [describe_conversation(conversation_id, title=title, metadata=known, time=created_at)]


def _read_turn(
    conversation_id: str, stated: Any, position: int, common: Mapping[str, Mapping[str, Any]]
) -> Draft:
    try:
        message = dict(read_object(stated, "message"))
        message.setdefault("message_id", message.pop("id", None))
        for field_name, value in common.get(str(message.get("role")), {}).items():
            message.setdefault(field_name, value)
        return _to_message(conversation_id, message, position)
    except InvalidRequest as error:
        text = f"messages[{position}]: {error.message}"
        raise InvalidRequest(text, **error.details) from None
