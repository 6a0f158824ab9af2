"""Readings: conversations as the log tells them, kept in memory while nothing new is said."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

from cachetools import TTLCache

from helix_lab.domain.context.analysis import Analysis, analyse
from helix_lab.domain.context.history import History, build_history
from helix_lab.domain.model.errors import UnknownConversation
from helix_lab.domain.model.event import CONVERSATIONS, Entry, order_of
from helix_lab.ports.event_log import EventLog
from helix_lab.queries.collecting import collecting_seldom
from helix_lab.queries.history import is_as_of

T = TypeVar("T")

MAX_KEPT_MESSAGES = 200_000
"""A longer conversation is read anew each time: it would take the memory of all others."""


@dataclass(frozen=True, slots=True)
class Reading:
    """A conversation at one position of the log; never changed.

    Attributes:
        event_count: events that tell it.
        through_offset: of the newest of them; -1 where there is none.
        model_tokens: size of the current branch, contents alone.
        fingerprint: tells this set of events of the conversation from others.
    """

    conversation_id: str
    history: History
    event_count: int
    through_offset: int
    model_tokens: int
    fingerprint: int
    _analyse: Callable[[], Analysis] = field(repr=False)

    def analyse(self) -> Analysis:
        """What compression and recall need to know; made once, and only of what is new."""
        return self._analyse()


class Readings:
    """Reads conversations, and keeps the ones that were asked for last. Safe in threads.

    What is kept is compared with the log at every use, so a new message is seen at once. The
    age only decides how long memory is held.

    Args:
        log: where conversations are read.
        size: conversations kept at most, and as many values of `remember`; 0 keeps nothing.
        ttl_s: how long each is kept.
    """

    def __init__(self, log: EventLog, *, size: int, ttl_s: float) -> None:
        self._log = log
        self._size = size
        self._lock = threading.Lock()
        # An empty cache of size 0 would refuse what is put into it.
        self._kept: TTLCache[str, _Kept] = TTLCache(max(size, 1), ttl_s)
        self._values: TTLCache[Hashable, object] = TTLCache(max(size, 1), ttl_s)
        self._making: dict[Hashable, threading.Lock] = {}

    def read(self, conversation_id: str, *, as_of: datetime | int | None = None) -> Reading:
        """The conversation as it is now, or as it was.

        Args:
            conversation_id: whose.
            as_of: only what was said until a time, or what was recorded up to an offset.

        Raises:
            UnknownConversation: the log has nothing of it.
        """
        kept, reading = self._refresh(conversation_id)
        if as_of is None:
            return reading
        return kept.read_part(lambda entry: is_as_of(entry, as_of))

    def read_part(self, conversation_id: str, is_part: Callable[[Entry], bool]) -> Reading:
        """The conversation as some of its events tell it.

        Raises:
            UnknownConversation: the log has nothing of it.
        """
        kept, _ = self._refresh(conversation_id)
        return kept.read_part(is_part)

    def _refresh(self, conversation_id: str) -> tuple[_Kept, Reading]:
        with self._lock:
            kept = self._kept.get(conversation_id)
        kept = kept or _Kept(conversation_id)
        reading = kept.refresh(self._log)
        if len(reading.history.messages) <= MAX_KEPT_MESSAGES and self._size:
            with self._lock:
                self._kept[conversation_id] = kept
        return kept, reading

    def is_kept(self, conversation_id: str) -> bool:
        """Whether the conversation is in memory now."""
        with self._lock:
            return conversation_id in self._kept

    def remember(self, key: Hashable, make: Callable[[], T]) -> tuple[T, bool]:
        """The value of a key and whether it was made anew; one thread makes, others wait.

        The key must name the position of the log that the value was made from.
        """
        with self._lock:
            if key in self._values:
                return self._values[key], False  # type: ignore[return-value] # of the same make
            lock = self._making.setdefault(key, threading.Lock())
        try:
            with lock:
                with self._lock:
                    if key in self._values:
                        return self._values[key], False  # type: ignore[return-value]
                value = make()
                if self._size:
                    with self._lock:
                        self._values[key] = value
                return value, True
        finally:
            with self._lock:
                self._making.pop(key, None)


class _Kept:
    """One conversation in memory, which grows with the log."""

    def __init__(self, conversation_id: str) -> None:
        self._conversation_id = conversation_id
        self._lock = threading.Lock()
        self._analysing = threading.Lock()
        self._entries: list[Entry] = []
        self._next_offset = 0
        self._reading: Reading | None = None
        self._analysis: Analysis | None = None

    def refresh(self, log: EventLog) -> Reading:
        with self._lock, collecting_seldom():
            fresh = log.read_key(
                CONVERSATIONS, self._conversation_id, start_offset=self._next_offset
            )
            if fresh or self._reading is None:
                self._add(fresh)
                self._reading = self._make(self._entries, analyse_it=self._analyse)
            return self._reading

    def read_part(self, is_part: Callable[[Entry], bool]) -> Reading:
        with self._lock:
            entries = list(self._entries)
            whole = self._reading
        part = [entry for entry in entries if is_part(entry)]
        if whole is not None and len(part) == whole.event_count == len(entries):
            return whole
        return self._make(part, analyse_it=lambda history: analyse(history.messages))

    def _add(self, fresh: Sequence[Entry]) -> None:
        if not fresh and not self._entries:
            raise UnknownConversation(self._conversation_id)
        is_in_order = not self._entries or order_of(self._entries[-1]) < order_of(fresh[0])
        self._entries.extend(fresh)
        if not is_in_order:
            self._entries.sort(key=order_of)
        self._next_offset = max(entry.offset for entry in self._entries) + 1

    def _make(
        self, entries: Sequence[Entry], *, analyse_it: Callable[[History], Analysis]
    ) -> Reading:
        history = build_history(entry.event for entry in entries)
        return Reading(
            self._conversation_id,
            history,
            len(entries),
            max((entry.offset for entry in entries), default=-1),
            history.model_tokens,
            hash(tuple(entry.offset for entry in entries)),
            lambda: analyse_it(history),
        )

    def _analyse(self, history: History) -> Analysis:
        with self._analysing:
            known = self._analysis
            if known is None or known.messages != tuple(history.messages):
                # An older reading must not take the place of a newer one's analysis.
                made = analyse(history.messages, previous=known)
                if known is None or len(known.messages) <= len(made.messages):
                    self._analysis = made
                return made
            return known
