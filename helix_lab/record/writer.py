"""`record`: validate, stamp, append. The only way into the event log."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

from helix_lab.domain.model.clock import HybridClock, HybridTime
from helix_lab.domain.model.errors import InvalidEvent
from helix_lab.domain.model.event import TOPICS, Draft, Entry, Event
from helix_lab.domain.model.event_json import check_fields
from helix_lab.ports.event_log import EventLog
from helix_lab.record.schemas import check_draft


class Writer:
    """Records facts for one node. Safe in threads.

    Args:
        log: where they go.
        node_id: who records.
    """

    def __init__(self, log: EventLog, *, node_id: str) -> None:
        self._log = log
        self._node_id = node_id
        self._clock = HybridClock(lambda: time.time_ns() // 1_000_000, last=log.greatest_clock())

    def record(self, drafts: Sequence[Draft]) -> list[Entry]:
        """Make facts durable, all or none; returns their entries in the given order.

        A fact that is recorded already changes nothing and gives its first entry.

        Raises:
            InvalidEvent: one does not fit the schema of its type.
            DuplicateId: an id was recorded with other content.
            LogWriteFailed: the log could not make them durable.
        """
        return self._log.append(self.stamp(drafts))

    def stamp(self, drafts: Sequence[Draft]) -> list[tuple[str, Event]]:
        """Facts as events of this node, with their topics, to be appended to a log.

        Raises:
            InvalidEvent: one does not fit the schema of its type.
        """
        for draft in drafts:
            check_draft(draft)
        first = self._clock.tick(max(len(drafts), 1))
        now = datetime.now(UTC)
        return [
            (draft.type.topic, self._stamp(draft, first + position, now))
            for position, draft in enumerate(drafts)
        ]

    def tick(self) -> HybridTime:
        """A hybrid time of this node, greater than all that it gave before."""
        return self._clock.tick()

    def take_in(self, entries: Sequence[Entry]) -> list[Entry]:
        """Make events of other nodes durable as they told them; returns their entries here.

        Their place in the order of this log is that of their coming: the clocks of others do not
        move this one. What is here already stays as it is.

        Raises:
            DuplicateId: an id is here with other content; nothing was written.
            LogWriteFailed: the log could not make them durable.
        """
        first = self._clock.tick(max(len(entries), 1))
        return self._log.append(
            [
                (entry.topic, replace(entry.event, clock=first + position))
                for position, entry in enumerate(entries)
            ]
        )

    def restore(self, events: Sequence[tuple[str, Event]]) -> list[Entry]:
        """Make (topic, event) pairs durable as they were recorded once, with their clocks.

        What is here already stays as it is. What this node records next comes after them.

        Raises:
            InvalidEvent: one is of a topic that no log has, or of values that it does not take.
            DuplicateId: an id is here with other content; nothing was written.
            LogWriteFailed: the log could not make them durable.
        """
        for topic, event in events:
            if topic not in TOPICS:
                message = f"event {event.event_id!r} names the unknown topic {topic!r}"
                raise InvalidEvent(message, event_id=event.event_id, field="topic")
            check_fields(event)
            self._clock.observe(event.clock)
        return self._log.append(events)

    def _stamp(self, draft: Draft, clock: int, now: datetime) -> Event:
        return Event(
            event_id=draft.event_id,
            type=draft.type.name,
            node_id=self._node_id,
            key=draft.key,
            subject=draft.subject,
            time=draft.time or now,
            clock=clock,
            data=draft.data,
            version=draft.type.version,
        )
