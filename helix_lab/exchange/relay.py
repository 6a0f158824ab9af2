"""The relay: carries what this node wrote to the shared log, and what others wrote from there.

Each node's own log is its truth; the shared log is where they meet. Both ways an event is known
by its id, so whatever is carried twice, after a crash or a lost answer, changes nothing.
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime

from helix_lab.domain.model.clock import MAX_DRIFT_MS, physical_ms
from helix_lab.domain.model.errors import (
    Conflict,
    DuplicateId,
    HelixError,
    NodeIdInUse,
    NodeRemoved,
    Unavailable,
)
from helix_lab.domain.model.event import MEMORY_EVENTS, NODE_JOINED, NODE_REMOVED, Entry
from helix_lab.ports.event_log import EventLog
from helix_lab.record.writer import Writer
from helix_lab.records.database import Records

BATCH = 2000
_CHECKPOINT_S = 1.0
_NODE_EVENTS = "helixagent.node."
_SNAPSHOT_EVENTS = "helixagent.snapshot."
_PLACE = (MEMORY_EVENTS, 0)

Positions = dict[tuple[str, int], int]


class Checkpoint:
    """How far one way was carried; written now and then, for what is carried twice does no harm."""

    def __init__(self, records: Records, name: str) -> None:
        self.positions: Positions = records.read_checkpoint(name)
        self._records = records
        self._name = name
        self._written_at = 0.0

    def move(self, place: tuple[str, int], offset: int) -> None:
        """All below the offset was carried."""
        self.positions[place] = offset
        if time.monotonic() - self._written_at > _CHECKPOINT_S:
            self.write()

    def rewind(self) -> None:
        """Begin anew."""
        self.positions = {}
        with self._records.write() as connection:
            self._records.forget_checkpoint(connection, self._name)

    def write(self) -> None:
        """Keep it."""
        self._written_at = time.monotonic()
        with self._records.write() as connection:
            self._records.move_checkpoint(connection, self._name, self.positions)


class Relay:
    """Carries events between the log of a node and the shared one. Safe in threads.

    Attributes:
        delay_ms: from the recording of the latest event of another node until it came here, by
            the two nodes' clocks; None before the first.
        ahead_ms: by node, how far the clock of an update was ahead of this node's when it came,
            where that was more than five minutes.
        refused: how many events another log held under the id of one that is here.

    Args:
        local: the log of this node.
        shared: where the nodes meet.
        address: of the shared log; the checkpoints belong to it.
        own_seq: number of the last update of this node that is in its log.
    """

    def __init__(
        self,
        local: EventLog,
        shared: EventLog,
        records: Records,
        writer: Writer,
        *,
        node_id: str,
        instance: str,
        address: str,
        own_seq: Callable[[], int],
    ) -> None:
        self.delay_ms: int | None = None
        self.ahead_ms: dict[str, int] = {}
        self.refused = 0
        self.sent_seq = 0
        self._local = local
        self._shared = shared
        self._records = records
        self._writer = writer
        self._node_id = node_id
        self._instance = instance
        self._own_seq = own_seq
        self._known_seq = 0
        mark = hashlib.blake2b(address.encode(), digest_size=6).hexdigest()
        self._out = Checkpoint(records, f"exchange/{mark}/sent")
        self._in = Checkpoint(records, f"exchange/{mark}/taken")
        self._sending = threading.Lock()
        self._taking = threading.Lock()

    def send(self) -> int:
        """Carry this node's new updates to the shared log; gives their number.

        Raises:
            NodeIdInUse: the shared log has other updates under this node's name and numbers.
            Unavailable: a log cannot be used; what is not carried is carried later.
        """
        sent = 0
        with self._sending:
            for place, end in self._local.end_offsets([MEMORY_EVENTS]).items():
                while (start := self._out.positions.get(place, 0)) < end:
                    entries = self._local.read(*place, start_offset=start, limit=BATCH)
                    sent += self._append_own(entries)
                    self._out.move(place, entries[-1].offset + 1 if entries else end)
        return sent

    def _append_own(self, entries: Sequence[Entry]) -> int:
        own = [entry.event for entry in entries if self._is_own_update(entry)]
        if own:
            try:
                self._shared.append([(MEMORY_EVENTS, event) for event in own])
            except DuplicateId as error:
                raise NodeIdInUse(self._node_id) from error
            self.sent_seq = max(self.sent_seq, *(event.data["seq"] for event in own))
        return len(own)

    def _is_own_update(self, entry: Entry) -> bool:
        event = entry.event
        return event.node_id == self._node_id and not event.type.startswith(
            (_NODE_EVENTS, _SNAPSHOT_EVENTS)
        )

    @property
    def taken_to(self) -> int:
        """All of the shared log's memory events before this offset are here."""
        return self._in.positions.get(_PLACE, 0)

    def adopt(self, snapshot: Iterable[Entry], *, offset: int) -> None:
        """Take a snapshot in, in place of all that lies before an offset of the shared log.

        Args:
            snapshot: its entries among the memory events, the completion last.
            offset: what it stands for.
        """
        with self._taking:
            for entry in snapshot:
                self._writer.take_in([entry])
            self._in.move(_PLACE, offset)
            self._in.write()

    def receive(self) -> int:
        """Take in what is new in the shared log; gives the number of events.

        Raises:
            NodeIdInUse: another node joined under this name.
            NodeRemoved: this node was declared gone.
            Unavailable: a log cannot be used.
        """
        taken = 0
        with self._taking:
            ends = self._shared.end_offsets([MEMORY_EVENTS])
            self._check_form(ends)
            for place, end in ends.items():
                while (start := self._in.positions.get(place, 0)) < end:
                    entries = self._shared.read(*place, start_offset=start, limit=BATCH)
                    taken += self._take(entries)
                    self._in.move(place, entries[-1].offset + 1 if entries else end)
        return taken

    def _check_form(self, ends: Mapping[tuple[str, int], int]) -> None:
        scattered = [partition for (_, partition), end in ends.items() if partition and end]
        if scattered:
            message = (
                f"the shared log has events of {MEMORY_EVENTS} in partition {scattered[0]}; nodes "
                "use partition 0 alone, since joining, writing and acknowledging need one order: "
                "name another log, or on Kafka another prefix, by HELIX_MEMORY_LOG"
            )
            raise Unavailable(message, service="memory log")
        if any(self._in.positions.get(place, 0) > end for place, end in ends.items()):
            # Another log stands at this address: it learns all, and is read from its beginning.
            self._in.rewind()
            with self._sending:
                self._out.rewind()

    def _take(self, entries: Sequence[Entry]) -> int:
        for entry in entries:
            self._look_at(entry)
        foreign = [entry for entry in entries if not self._is_known(entry)]
        for entry in foreign:
            if entry.event.type.startswith(_SNAPSHOT_EVENTS):
                self._refuse(entry, Conflict("a snapshot has no place among the memory events"))
        foreign = [e for e in foreign if not e.event.type.startswith(_SNAPSHOT_EVENTS)]
        if not foreign:
            return 0
        try:
            self._writer.take_in(foreign)
        except DuplicateId:
            self._take_singly(foreign)
        return len(foreign)

    def _take_singly(self, entries: Sequence[Entry]) -> None:
        for entry in entries:
            try:
                self._writer.take_in([entry])
            except DuplicateId as error:
                self._refuse(entry, error)

    def _refuse(self, entry: Entry, error: HelixError) -> None:
        self.refused += 1
        row = {
            "projection": "exchange",
            "topic": entry.topic,
            "partition": entry.partition,
            "offset": entry.offset,
            "event_id": entry.event.event_id,
            "event_type": entry.event.type,
            "reason": f"node {entry.event.node_id!r}: {error}",
        }
        self._records.add_dead_letters([row])

    def _is_known(self, entry: Entry) -> bool:
        """One's own updates are here, unless the data folder came back from a backup."""
        if not self._is_own_update(entry):
            return False
        seq = entry.event.data.get("seq")
        if not isinstance(seq, int):
            return False
        if seq > self._known_seq:
            self._known_seq = self._own_seq()
        return seq <= self._known_seq

    def _look_at(self, entry: Entry) -> None:
        event = entry.event
        if event.node_id != self._node_id:
            now_ms = time.time_ns() // 1_000_000
            age = datetime.now(UTC) - event.time
            self.delay_ms = max(0, round(age.total_seconds() * 1000))
            self._look_at_clock(event.node_id, event.data.get("clock"), now_ms)
        about_me = event.data.get("node_id") == self._node_id
        if about_me and event.type == NODE_JOINED.name:
            if event.data.get("instance") != self._instance:
                raise NodeIdInUse(self._node_id)
        elif about_me and event.type == NODE_REMOVED.name:
            raise NodeRemoved(self._node_id, removed_by=str(event.data.get("removed_by")))

    def _look_at_clock(self, node_id: str, clock: object, now_ms: int) -> None:
        if isinstance(clock, str) and clock.isdecimal():
            ahead_ms = physical_ms(int(clock)) - now_ms
            if ahead_ms > MAX_DRIFT_MS:
                self.ahead_ms[node_id] = max(ahead_ms, self.ahead_ms.get(node_id, 0))

    def is_level(self) -> bool:
        """Whether all that is in the shared log is taken in, and all of this node's is sent."""
        return not self.count_waiting_in() and not self.count_waiting_out()

    def count_waiting_in(self) -> int:
        """Offsets of the shared log that are not read yet."""
        ends = self._shared.end_offsets([MEMORY_EVENTS])
        return sum(max(0, end - self._in.positions.get(at, 0)) for at, end in ends.items())

    def count_waiting_out(self) -> int:
        """Offsets of this node's log that are not looked through yet."""
        ends = self._local.end_offsets([MEMORY_EVENTS])
        return sum(max(0, end - self._out.positions.get(at, 0)) for at, end in ends.items())

    def wait_for_local(self, timeout_s: float) -> None:
        """Wait until this node's log has more."""
        places = list(self._local.end_offsets([MEMORY_EVENTS]))
        self._local.wait_for_append(
            {place: self._out.positions.get(place, 0) for place in places}, timeout_s=timeout_s
        )

    def wait_for_shared(self, timeout_s: float) -> None:
        """Wait until the shared log has more."""
        places = list(self._shared.end_offsets([MEMORY_EVENTS]))
        self._shared.wait_for_append(
            {place: self._in.positions.get(place, 0) for place in places}, timeout_s=timeout_s
        )

    def keep(self) -> None:
        """Keep the checkpoints."""
        self._out.write()
        self._in.write()
