"""The event log in two places: some topics in a log of this node's own, the rest in another.

On Kafka the labs of a cluster share its conversations, but each node keeps its memories in a log
of its own and exchanges them (`docs/decisions/0019-exchange.md`); so it can write while Kafka is
away. It knows the port alone.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping, Sequence

from helix_lab.domain.model.clock import HybridTime
from helix_lab.domain.model.event import Entry, Event
from helix_lab.ports.event_log import EventLog, TopicState

_LOOK_S = 0.05


class LogByTopic(EventLog):
    """Each topic in the log that it belongs to. Safe in threads.

    Args:
        own: for the topics `own_topics`.
        other: for the rest. It makes the topics of both where it makes topics at all.
    """

    def __init__(self, own: EventLog, other: EventLog, *, own_topics: Collection[str]) -> None:
        self._own = own
        self._other = other
        self._own_topics = frozenset(own_topics)

    def append(self, events: Sequence[tuple[str, Event]]) -> list[Entry]:
        """See `EventLog.append`.

        Events of both logs are not all or none: if the second refuses, those of the first stay,
        and the same events with the same ids may be appended again.
        """
        if not events:
            return self._own.append([])
        parts = [[pair for pair in events if self._find(pair[0]) is log] for log in self._logs]
        entries: dict[str, Entry] = {}
        for log, part in zip(self._logs, parts, strict=True):
            if part:
                entries.update({entry.event.event_id: entry for entry in log.append(part)})
        return [entries[event.event_id] for _, event in events]

    def read(self, topic: str, partition: int, *, start_offset: int, limit: int) -> Sequence[Entry]:
        """See `EventLog.read`."""
        return self._find(topic).read(topic, partition, start_offset=start_offset, limit=limit)

    def read_key(
        self, topic: str, key: str, *, start_offset: int = 0, limit: int | None = None
    ) -> list[Entry]:
        """See `EventLog.read_key`."""
        return self._find(topic).read_key(topic, key, start_offset=start_offset, limit=limit)

    def end_offsets(self, topics: Sequence[str]) -> dict[tuple[str, int], int]:
        """See `EventLog.end_offsets`."""
        if not topics:
            return self._own.end_offsets([])
        found: dict[tuple[str, int], int] = {}
        for log in self._logs:
            wanted = [topic for topic in topics if self._find(topic) is log]
            if wanted:
                found |= log.end_offsets(wanted)
        return found

    def wait_for_append(self, seen: Mapping[tuple[str, int], int], *, timeout_s: float) -> bool:
        """See `EventLog.wait_for_append`; for topics of both logs it looks now and then."""
        parts = [
            (log, {place: end for place, end in seen.items() if self._find(place[0]) is log})
            for log in self._logs
        ]
        concerned = [(log, part) for log, part in parts if part] or parts[:1]
        if len(concerned) == 1:
            log, part = concerned[0]
            return log.wait_for_append(part, timeout_s=timeout_s)
        deadline = time.monotonic() + timeout_s
        while True:
            for log, part in concerned:
                if log.wait_for_append(part, timeout_s=_LOOK_S / 2):
                    return True
            if time.monotonic() >= deadline:
                return False

    def wake(self) -> None:
        """See `EventLog.wake`."""
        for log in self._logs:
            log.wake()

    def greatest_clock(self) -> HybridTime:
        """See `EventLog.greatest_clock`."""
        return max(log.greatest_clock() for log in self._logs)

    def apply_topics(
        self, partitions: Mapping[str, int | None], *, is_growing: bool = False
    ) -> list[TopicState]:
        """See `EventLog.apply_topics`."""
        return self._other.apply_topics(partitions, is_growing=is_growing)

    def erase(self, changes: Mapping[str, Event | None]) -> None:
        """See `EventLog.erase`; the one that may refuse goes first."""
        self._other.erase(changes)
        self._own.erase(changes)

    def probe(self) -> None:
        """See `EventLog.probe`."""
        for log in self._logs:
            log.probe()

    def close(self) -> None:
        """See `EventLog.close`."""
        for log in self._logs:
            log.close()

    @property
    def _logs(self) -> tuple[EventLog, EventLog]:
        # The one that may be away is written first: then nothing is there in part.
        return self._other, self._own

    def _find(self, topic: str) -> EventLog:
        return self._own if topic in self._own_topics else self._other
