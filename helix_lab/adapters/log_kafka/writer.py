"""Appending: threads that meet share one round to the cluster."""

from __future__ import annotations

import contextlib
import threading
import time
from collections import deque
from collections.abc import Collection, Iterable, Mapping, Sequence, Set
from pathlib import Path

from helix_lab.adapters.log_kafka.client_settings import MAX_MESSAGE_BYTES, WRITE_TIMEOUT_S
from helix_lab.adapters.log_kafka.cluster import Cluster
from helix_lab.adapters.log_kafka.copy import LocalCopy
from helix_lab.adapters.log_kafka.producing import Producers, SendFailed, Sending, is_uncertain
from helix_lab.adapters.log_kafka.reader import Reader
from helix_lab.adapters.log_kafka.tail import Place
from helix_lab.adapters.log_kafka.topics import check_topics
from helix_lab.adapters.log_kafka.wire import Row, to_own_row, to_value
from helix_lab.domain.model.errors import DuplicateId, HelixError, TooLarge, Unavailable
from helix_lab.domain.model.event import Entry, Event
from helix_lab.domain.model.event_json import differing_fields

_OVERHEAD_BYTES = 4096
_PATIENCE_S = 2.0
"""How long an append waits for a cluster that is known to be away."""
_PREPARE_TIMEOUT_S = 8.0
_ANY = -1
_KEYS_KEPT = 100_000


class Batch:
    """What one caller appends, made ready before its turn, and what became of it.

    Raises:
        InvalidEvent: an event that the log could not give back as it was.
        TooLarge: an event that Kafka would not take.
    """

    def __init__(self, events: Sequence[tuple[str, Event]]) -> None:
        self.events = events
        self.values = [to_value(event) for _, event in events]
        for (_, event), value in zip(events, self.values, strict=True):
            if len(value) > MAX_MESSAGE_BYTES - _OVERHEAD_BYTES:
                text = (
                    f"event {event.event_id!r} has {len(value)} bytes of data; the log on "
                    f"Kafka takes {MAX_MESSAGE_BYTES} at most"
                )
                raise TooLarge(text, event_id=event.event_id)
        self.sendings: dict[str, Sending] = {}
        self.entries: list[Entry] = []
        self.error: HelixError | None = None
        self.is_done = False

    def result(self) -> list[Entry]:
        """The entries of the events; raises what went wrong instead."""
        if self.error:
            raise self.error
        return self.entries


class Writer:
    """Appends for one process. Safe in threads.

    Who gets the turn first writes all that is queued: an event alone by a producer of its own,
    since one message is whole or not there; more of them in one transaction. An id that another
    batch of the same round brings is waited for: that batch goes into the next round.
    """

    def __init__(
        self,
        cluster: Cluster,
        copy: LocalCopy,
        reader: Reader,
        identity: Path,
        *,
        in_order: Collection[str] = (),
    ) -> None:
        self._in_order = frozenset(in_order)
        self._cluster = cluster
        self._copy = copy
        self._reader = reader
        self._producers = Producers(cluster, identity)
        self._turn = threading.Lock()
        self._waiting: deque[Batch] = deque()
        self._are_topics_right = False
        self._partitions: dict[tuple[str, str], int] = {}

    def append(self, batch: Batch) -> list[Entry]:
        """Write a batch durably, alone or with others, and return its entries."""
        self._waiting.append(batch)
        try:
            with self._turn:
                while not batch.is_done:
                    self._reader.check_open()
                    self._write_waiting(batch)
        except BaseException:
            # An interrupted caller gets no answer: its batch must not be written later.
            with contextlib.suppress(ValueError):
                self._waiting.remove(batch)
            raise
        return batch.result()

    def close(self) -> None:
        """Finish the append under way and let the producers go."""
        with self._turn:
            self._producers.close()

    def _write_waiting(self, leader: Batch) -> None:
        group: list[Batch] = []
        ids: set[str] = set()
        while self._waiting:
            own = {event.event_id for _, event in self._waiting[0].events}
            if group and ids & own:
                break
            ids |= own
            group.append(self._waiting.popleft())
        try:
            self._write(group)
        except BaseException:
            # The leader was interrupted; the others lead themselves when their turn comes.
            self._waiting.extendleft(batch for batch in reversed(group) if batch is not leader)
            raise
        for batch in group:
            batch.is_done = True

    def _write(self, group: list[Batch]) -> None:
        deadline = time.monotonic() + WRITE_TIMEOUT_S
        try:
            self._prepare(group)
            if all(len(batch.events) == 1 for batch in group):
                self._copy.flush_if_full()  # the others do that while they are sent
        except Unavailable as error:
            for batch in group:
                batch.error = self._cluster.write_failed(error)
            return
        open_batches = [batch for batch in group if batch.error is None]
        with self._reader.resting():
            self._send(open_batches, deadline)
            written = [batch for batch in open_batches if batch.error is None]
            rows = _list_rows(written)
            ends = {place: found[-1].offset + 1 for place, found in rows.items()}
            taken = self._take_over(written, rows, ends)
        self._await_copy([batch for batch in written if batch.error is None], ends, deadline)
        for batch in written:
            if batch.error is None:
                self._settle(batch, taken)

    def _take_over(
        self,
        written: Sequence[Batch],
        rows: Mapping[Place, Sequence[Row]],
        ends: Mapping[Place, int],
    ) -> set[Place]:
        """Give the copy what was written; gives the partitions where it took it."""
        in_transaction = {
            (sending.topic, sending.partition)
            for batch in written
            if len(batch.sendings) > 1
            for sending in batch.sendings.values()
        }
        # A transaction is sent after what is sent singly: where it was, its end is the last.
        transactions = {place: ends[place] for place in in_transaction}
        try:
            return self._reader.take_over(rows, transactions)
        except Unavailable as error:
            # Such as a full disk: Kafka has the events, but where cannot be kept.
            for batch in written:
                batch.error = self._cluster.write_failed(error, is_certain=False)
            return set()

    def _prepare(self, group: Iterable[Batch]) -> None:
        """Look what is in the log already, and say where the rest goes."""
        self._reader.await_cluster(_PATIENCE_S)
        if not self._are_topics_right:
            self._cluster.look()
            check_topics(self._cluster)
            self._are_topics_right = True
        self._reader.catch_up(self._cluster.followed, timeout_s=_PREPARE_TIMEOUT_S)
        for batch in group:
            known = self._copy.find_places([event.event_id for _, event in batch.events])
            try:
                self._plan(batch, known)
            except DuplicateId as error:
                batch.error = error

    def _plan(self, batch: Batch, known: Mapping[str, tuple[str, int, int]]) -> None:
        # Those of a round that was broken off are in the log by now, or are sent again.
        batch.sendings = {}
        for (topic, event), value in zip(batch.events, batch.values, strict=True):
            if event.event_id in known:
                _check_same(self._copy.find_entry(event.event_id).event, event)
                continue
            if event.event_id in batch.sendings:
                _check_same(batch.sendings[event.event_id].event, event)
                continue
            partition = 0 if topic in self._in_order else self._find_partition(topic, event.key)
            batch.sendings[event.event_id] = Sending(topic, partition, event, value)

    def _find_partition(self, topic: str, key: str) -> int:
        """Where a key began; kept, for it never moves."""
        known = self._partitions.get((topic, key))
        if known is None:
            known = self._copy.find_partition(topic, key)
            if known is None:
                return _ANY
            if len(self._partitions) >= _KEYS_KEPT:
                self._partitions.clear()
            self._partitions[topic, key] = known
        return known

    def _send(self, batches: Sequence[Batch], deadline: float) -> None:
        single = [batch for batch in batches if len(batch.sendings) == 1]
        self._producers.send([s for batch in single for s in batch.sendings.values()], deadline)
        for batch in single:
            (sending,) = batch.sendings.values()
            if sending.offset < 0:
                batch.error = self._cluster.write_failed(
                    sending.error.str() if sending.error else "",
                    is_certain=not is_uncertain(sending),
                )
        many = [batch for batch in batches if len(batch.sendings) > 1]
        together = [sending for batch in many for sending in batch.sendings.values()]
        try:
            self._producers.send_together(together, deadline, self._copy.flush_if_full)
        except (SendFailed, Unavailable) as error:
            reason = error.error if isinstance(error, SendFailed) else error
            is_certain = not isinstance(error, SendFailed) or error.is_certain
            for batch in many:
                batch.error = self._cluster.write_failed(reason, is_certain=is_certain)

    def _await_copy(
        self, batches: Sequence[Batch], ends: Mapping[Place, int], deadline: float
    ) -> None:
        """Wait until what was written can be read."""
        if any(place[1] >= self._cluster.partitions.get(place[0], 0) for place in ends):
            self._reader.look_soon()  # the topic has grown
        if self._reader.wait_for(ends, deadline):
            return
        reason = "it is written, but cannot be read yet"
        for batch in batches:
            if batch.sendings:
                batch.error = self._cluster.write_failed(reason, is_certain=False)

    def _settle(self, batch: Batch, taken: Set[Place]) -> None:
        """The entries of a batch; another node may have been first with the same id.

        Not where the copy took what was written: nothing of another node lay before it.
        """
        own = batch.sendings.values()
        if len(own) == len(batch.events) and all(
            (one.topic, one.partition) in taken for one in own
        ):
            batch.entries = [Entry(s.topic, s.partition, s.offset, s.event) for s in own]
            return
        places = {
            event_id: (sending.topic, sending.partition, sending.offset)
            for event_id, sending in batch.sendings.items()
            if (sending.topic, sending.partition) in taken
        }
        others = [event.event_id for _, event in batch.events if event.event_id not in places]
        entries: dict[str, Entry] = {}
        try:
            places |= self._copy.find_places(others)
            for topic, event in batch.events:
                sent = batch.sendings.get(event.event_id)
                place = places[event.event_id]
                if sent and place == (topic, sent.partition, sent.offset):
                    entries[event.event_id] = Entry(*place, sent.event)
                elif event.event_id not in entries:
                    entries[event.event_id] = self._copy.find_entry(event.event_id)
                    _check_same(entries[event.event_id].event, event)
        except DuplicateId as error:
            batch.error = error
            return
        except Unavailable as error:
            # The copy cannot be read; what was written is in Kafka.
            batch.error = self._cluster.write_failed(error, is_certain=False)
            return
        batch.entries = [entries[event.event_id] for _, event in batch.events]


def _list_rows(batches: Iterable[Batch]) -> dict[Place, list[Row]]:
    """What was written, by partition and in its order, as the copy keeps it."""
    rows: dict[Place, list[Row]] = {}
    for batch in batches:
        for sending in batch.sendings.values():
            place = (sending.topic, sending.partition)
            if place not in rows:
                rows[place] = []
            rows[place].append(to_own_row(sending.event, sending.value, sending.offset))
    for found in rows.values():
        found.sort()
    return rows


def _check_same(first: Event, event: Event) -> None:
    differing = differing_fields(first, event)
    if differing:
        message = (
            f"event {event.event_id!r} is in the log with another {' and '.join(differing)}; "
            "nothing of its batch was written. A fact of its own needs an id of its own"
        )
        raise DuplicateId(message, event_id=event.event_id, fields=differing)
