"""Readings: conversations as the log tells them, kept in memory while nothing new is said."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime

from cachetools import TTLCache

from helix_lab.domain.model.event import Entry
from helix_lab.ports.event_log import EventLog
from helix_lab.queries.context_store import ContextStore
from helix_lab.queries.conversation_reader import ConversationReader, Reading
from helix_lab.queries.history import is_as_of

__all__ = ["MAX_KEPT_MESSAGES", "Reading", "Readings"]

MAX_KEPT_MESSAGES = 200_000
"""A longer conversation is read anew each time: it would take the memory of all others."""


class Readings:
    """Reads conversations, and keeps the ones that were asked for last. Safe in threads.

    What is kept is compared with the log at every use, so a new message is seen at once. The
    age only decides how long memory is held.

    Args:
        log: where conversations are read.
        size: conversations kept at most; 0 keeps nothing.
        ttl_s: how long each is kept.
        store: analyses on the disk, if any.
    """

    def __init__(
        self, log: EventLog, *, size: int, ttl_s: float, store: ContextStore | None = None
    ) -> None:
        self._log = log
        self._size = size
        self._store = store
        self._lock = threading.Lock()
        # An empty cache of size 0 would refuse what is put into it.
        self._kept: TTLCache[str, ConversationReader] = TTLCache(max(size, 1), ttl_s)

    def read(self, conversation_id: str, *, as_of: datetime | int | None = None) -> Reading:
        """The conversation as it is now, or as it was.

        Args:
            conversation_id: whose.
            as_of: only what was said until a time, or what was recorded up to an offset.

        Raises:
            UnknownConversation: the log has nothing of it.
        """
        reader, reading = self._refresh(conversation_id)
        if as_of is None:
            return reading
        return reader.read_part(lambda entry: is_as_of(entry, as_of))

    def read_part(self, conversation_id: str, is_part: Callable[[Entry], bool]) -> Reading:
        """The conversation as some of its events tell it.

        Raises:
            UnknownConversation: the log has nothing of it.
        """
        reader, _ = self._refresh(conversation_id)
        return reader.read_part(is_part)

    def _refresh(self, conversation_id: str) -> tuple[ConversationReader, Reading]:
        with self._lock:
            reader = self._kept.get(conversation_id)
        reader = reader or ConversationReader(self._log, conversation_id, self._store)
        reading = reader.refresh()
        if reading.message_count <= MAX_KEPT_MESSAGES and self._size:
            with self._lock:
                self._kept[conversation_id] = reader
        return reader, reading

    def forget(self) -> None:
        """Let go of all conversations, in memory and on the disk: the log tells other things."""
        with self._lock:
            self._kept.clear()
        if self._store is not None:
            self._store.clear()

    def is_kept(self, conversation_id: str) -> bool:
        """Whether the conversation is in memory now."""
        with self._lock:
            return conversation_id in self._kept
