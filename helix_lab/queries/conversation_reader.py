"""Conversation reader: one conversation in memory, which grows with the log."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from helix_lab.domain.collecting import collecting_seldom
from helix_lab.domain.context.analysis import Analysis, analyse
from helix_lab.domain.context.history import History, Message, build_history
from helix_lab.domain.context.storing import StoredMessages, is_storable, restore, store
from helix_lab.domain.model.errors import UnknownConversation
from helix_lab.domain.model.event import CONVERSATIONS, MESSAGE_ADDED, Entry, order_of
from helix_lab.ports.event_log import EventLog
from helix_lab.queries.context_store import ContextStore, Position, Stored

_OFFSETS = "log_offsets"


@dataclass(frozen=True, slots=True)
class Reading:
    """A conversation at one position of the log; never changed.

    Attributes:
        message_count: messages of the current branch.
        event_count: events that tell it.
        through_offset: of the newest of them; -1 where there is none.
        model_tokens: size of the current branch, contents alone.
        fingerprint: tells this set of events of the conversation from others, in any process.
    """

    conversation_id: str
    message_count: int
    event_count: int
    through_offset: int
    model_tokens: int
    fingerprint: str
    _tell: Callable[[], History] = field(repr=False)
    _analyse: Callable[[], Analysis] = field(repr=False)
    _written: dict[str, bytes] = field(default_factory=dict, repr=False, compare=False)

    @property
    def history(self) -> History:
        """All messages; read from the log where only the analysis was at hand."""
        return self._tell()

    def analyse(self) -> Analysis:
        """What compression and recall need to know; made once, and only of what is new."""
        return self._analyse()

    def write_once(self, form: str, write: Callable[[], bytes]) -> bytes:
        """The history in some form, written when it is first asked for.

        It is kept as long as this reading is: the next event makes another one.
        """
        written = self._written.get(form)
        if written is None:
            written = self._written[form] = write()
        return written


class ConversationReader:
    """Reads one conversation, and what was added to it since. Safe in threads."""

    def __init__(
        self, log: EventLog, conversation_id: str, context_store: ContextStore | None
    ) -> None:
        self._log = log
        self._conversation_id = conversation_id
        self._store = context_store
        self._lock = threading.RLock()
        self._analysing = threading.Lock()
        self._entries: list[Entry] = []
        self._next_offset = 0
        self._through_of_stored = -1
        self._told: History | None = None
        self._reading: Reading | None = None
        self._analysis: Analysis | None = None

    def refresh(self) -> Reading:
        """The conversation as it is now.

        Raises:
            UnknownConversation: the log has nothing of it.
        """
        with self._lock, collecting_seldom():
            if self._reading is None and self._store is not None:
                self._reading = self._restore(self._store)
            fresh = self._log.read_key(
                CONVERSATIONS, self._conversation_id, start_offset=self._next_offset
            )
            if fresh or self._reading is None:
                self._add(sorted(self._read_stored() + fresh, key=order_of))
                self._reading = self._make(list(self._entries), self._analyse)
                self._told = None
            return self._reading

    def read_part(self, is_part: Callable[[Entry], bool]) -> Reading:
        """The conversation as some of its events tell it."""
        with self._lock:
            if stored := self._read_stored():
                self._add(stored)
            entries = list(self._entries)
            whole = self._reading
        part = [entry for entry in entries if is_part(entry)]
        if whole is not None and len(part) == whole.event_count == len(entries):
            return whole
        return self._make(part, lambda reading: analyse(reading.history.messages))

    # The log.

    def _read_stored(self) -> list[Entry]:
        """The entries behind a stored analysis, as long as they are not in memory."""
        if self._entries or self._reading is None:
            return []
        through = self._reading.through_offset
        entries = self._log.read_key(CONVERSATIONS, self._conversation_id)
        return [entry for entry in entries if entry.offset <= through]

    def _add(self, fresh: Sequence[Entry]) -> None:
        if not fresh and not self._entries:
            raise UnknownConversation(self._conversation_id)
        is_in_order = not self._entries or order_of(self._entries[-1]) < order_of(fresh[0])
        self._entries.extend(fresh)
        if not is_in_order:
            self._entries.sort(key=order_of)
        ends = [entry.offset + 1 for entry in fresh]
        self._next_offset = max([self._next_offset, *ends])

    def _make(self, entries: Sequence[Entry], analyse_it: Callable[[Reading], Analysis]) -> Reading:
        history = build_history(entry.event for entry in entries)
        reading = Reading(
            self._conversation_id,
            len(history.messages),
            len(entries),
            max((entry.offset for entry in entries), default=-1),
            history.model_tokens,
            _digest(entries),
            lambda: history,
            lambda: analyse_it(reading),
        )
        return reading

    def _tell_stored(self) -> History:
        """The history that a stored analysis was made of."""
        with self._lock, collecting_seldom():
            if stored := self._read_stored():
                self._add(stored)
            if self._told is None:
                through = self._through_of_stored
                self._told = build_history(e.event for e in self._entries if e.offset <= through)
            return self._told

    # The analysis.

    def _analyse(self, reading: Reading) -> Analysis:
        messages = reading.history.messages
        with self._analysing:
            known = self._analysis
            if known is not None and isinstance(known.messages, StoredMessages):
                known = _recognise(known, messages)
            if known is not None and known.messages == tuple(messages):
                self._analysis = known
                return known
            made = analyse(messages, previous=known)
            if known is None or len(known.messages) <= len(made.messages):
                # An older reading must not take the place of a newer one's analysis.
                self._analysis = made
                self._keep(reading, made)
            return made

    def _keep(self, reading: Reading, analysis: Analysis) -> None:
        if self._store is None or not is_storable(analysis):
            return
        if self._store.wants(analysis.original_tokens):
            self._store.keep(self._conversation_id, lambda: self._write(reading, analysis))

    def _write(self, reading: Reading, analysis: Analysis) -> Stored:
        with self._lock:
            entries = [e for e in self._entries if e.offset <= reading.through_offset]
        offsets = {
            entry.event.data["message_id"]: entry.offset
            for entry in entries
            if entry.event.type == MESSAGE_ADDED.name
        }
        last = next(e for e in reversed(entries) if e.offset == reading.through_offset)
        texts, arrays = store(analysis)
        arrays[_OFFSETS] = np.array([offsets[one] for one in analysis.message_ids], np.int64)
        position = Position(
            reading.through_offset,
            last.event.event_id,
            reading.event_count,
            reading.model_tokens,
            reading.fingerprint,
        )
        return Stored(position, texts, arrays)

    def _restore(self, context_store: ContextStore) -> Reading | None:
        """The reading that a stored analysis was made of, if the log still has it."""
        stored = context_store.find(self._conversation_id)
        if stored is None:
            return None
        position = stored.position
        try:
            offsets = stored.arrays[_OFFSETS].tolist()
            analysis = restore(stored.texts, stored.arrays, lambda *to: self._read(offsets, *to))
        except (KeyError, ValueError, IndexError, TypeError):
            context_store.drop(self._conversation_id)
            return None
        analysis_ids = analysis.message_ids
        last = self._log.read_key(
            CONVERSATIONS, self._conversation_id, start_offset=position.through_offset, limit=1
        )
        if not last or last[0].event.event_id != position.event_id:
            context_store.drop(self._conversation_id)
            return None
        self._analysis = analysis
        self._through_of_stored = position.through_offset
        self._next_offset = position.through_offset + 1
        return Reading(
            self._conversation_id,
            len(analysis_ids),
            position.event_count,
            position.through_offset,
            position.model_tokens,
            position.fingerprint,
            self._tell_stored,
            lambda: analysis,
        )

    def _read(self, offsets: Sequence[int], start: int, stop: int) -> list[Message]:
        """The messages of a stored analysis from one place to another."""
        wanted = {offset: place for place, offset in enumerate(offsets[start:stop])}
        entries = self._log.read_key(
            CONVERSATIONS,
            self._conversation_id,
            start_offset=min(wanted),
            limit=1 if len(wanted) == 1 else None,
        )
        found = {wanted[e.offset]: e.event for e in entries if e.offset in wanted}
        events = [found[place] for place in range(len(wanted))]
        return [Message(event.data["message_id"], event.time, event.data) for event in events]


def _recognise(known: Analysis, messages: Sequence[Message]) -> Analysis | None:
    """A restored analysis with messages that are in memory, if it is of their beginning.

    An id stands for one event for ever, so equal ids are equal messages.
    """
    begin = messages[: len(known.messages)]
    if list(known.message_ids) != [message.message_id for message in begin]:
        return None
    return replace(known, messages=tuple(begin))


def _digest(entries: Sequence[Entry]) -> str:
    # Ids alone could be those of another lab, which was told the same names by its users.
    text = "\n".join([f"{entry.event.event_id} {entry.event.clock}" for entry in entries])
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
