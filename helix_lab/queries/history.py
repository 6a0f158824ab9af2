"""Replay: a conversation read again from the log."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from helix_lab.domain.context.history import Message, build_history, is_readable
from helix_lab.domain.model.errors import UnknownConversation
from helix_lab.domain.model.event import (
    BRANCH_SELECTED,
    CONVERSATIONS,
    DEBATES,
    MESSAGE_ADDED,
    Entry,
    order_of,
)
from helix_lab.ports.event_log import EventLog

PAGE_ENTRIES = 2_000


def is_as_of(entry: Entry, as_of: datetime | int) -> bool:
    """Whether an event was said until a time, or recorded up to an offset."""
    return entry.offset <= as_of if isinstance(as_of, int) else entry.event.time <= as_of


@dataclass(frozen=True, slots=True)
class Told:
    """A conversation in pages, read as they are asked for.

    Attributes:
        pages: the messages of the current branch, oldest first. Pages are read from the log one
            by one, so a history of any length takes the memory of one.
    """

    pages: Iterator[list[Message]]
    event_count: int
    through_offset: int


def stream_history(
    log: EventLog, conversation_id: str, *, as_of: datetime | int | None = None
) -> Told:
    """The messages of a conversation, page by page; what is added meanwhile is left out.

    The log is read twice: first to see whether its order is that of the conversation. Where it
    is not (branches, or events of several nodes), the whole has to be put in order at once.

    Raises:
        UnknownConversation: the log has nothing of it.
    """
    looked = _Look(as_of)
    for page in _read_pages(log, conversation_id):
        looked.add(page)
    if not looked.has_any:
        raise UnknownConversation(conversation_id)
    if looked.is_plain:
        pages = _plain_pages(log, conversation_id, looked)
    else:
        entries = [e for e in log.read_key(CONVERSATIONS, conversation_id) if looked.takes(e)]
        history = build_history(entry.event for entry in entries)
        pages = iter([list(history.messages)])
    return Told(pages, looked.event_count, looked.through_offset)


class _Look:
    """What one pass over a conversation finds out, in memory that does not grow."""

    def __init__(self, as_of: datetime | int | None) -> None:
        self._as_of = as_of
        self._last: Entry | None = None
        self._leaf: str | None = None
        self._end_offset = 0
        self.has_any = False
        self.is_plain = True
        self.event_count = 0
        self.through_offset = -1

    def add(self, page: list[Entry]) -> None:
        self.has_any = self.has_any or bool(page)
        self._end_offset = max(self._end_offset, *(entry.offset + 1 for entry in page))
        for entry in page:
            if self.takes(entry):
                self._look_at(entry)

    def takes(self, entry: Entry) -> bool:
        if entry.offset >= self._end_offset:
            return False
        return self._as_of is None or is_as_of(entry, self._as_of)

    def _look_at(self, entry: Entry) -> None:
        event = entry.event
        self.event_count += 1
        self.through_offset = max(self.through_offset, entry.offset)
        if self._last is not None and order_of(entry) < order_of(self._last):
            self.is_plain = False
        self._last = entry
        if event.type == BRANCH_SELECTED.name:
            self.is_plain = self.is_plain and event.data.get("message_id") == self._leaf
        elif event.type == MESSAGE_ADDED.name and is_readable(event):
            parent = event.data.get("parent_id")
            self.is_plain = self.is_plain and (parent is None or parent == self._leaf)
            self._leaf = event.data["message_id"]


def _read_pages(log: EventLog, conversation_id: str) -> Iterator[list[Entry]]:
    start_offset = 0
    while page := log.read_key(
        CONVERSATIONS, conversation_id, start_offset=start_offset, limit=PAGE_ENTRIES
    ):
        yield page
        start_offset = max(entry.offset for entry in page) + 1


def _plain_pages(log: EventLog, conversation_id: str, looked: _Look) -> Iterator[list[Message]]:
    for page in _read_pages(log, conversation_id):
        yield [
            Message(entry.event.data["message_id"], entry.event.time, entry.event.data)
            for entry in page
            if entry.event.type == MESSAGE_ADDED.name
            and looked.takes(entry)
            and is_readable(entry.event)
        ]


def has_conversation(log: EventLog, conversation_id: str) -> bool:
    """Whether anything of a conversation is recorded."""
    return any(log.read_key(topic, conversation_id, limit=1) for topic in (CONVERSATIONS, DEBATES))
