"""The storage that the tests of an event log run on, and events to put there."""

from __future__ import annotations

import abc
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import TYPE_CHECKING, Any

import pytest

from helix_lab.domain.model.clock import make_hybrid_time
from helix_lab.domain.model.event import Entry, Event

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from helix_lab.ports.event_log import EventLog

PATIENCE_S = 20.0
"""How long a test waits for what should come soon; only a failing test waits that long."""

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)

_numbers = count(1)


class EventLogFixtures(abc.ABC):
    """What a test of an event log is given."""

    @pytest.fixture
    @abc.abstractmethod
    def open_log(self) -> Callable[[], EventLog]:
        """Opens the storage of this test, empty at first; every call gives another handle on it."""

    @pytest.fixture
    def log(self, open_log: Callable[[], EventLog]) -> Iterator[EventLog]:
        """One handle on the storage of this test."""
        with open_log() as log:
            yield log


def make_event(key: str = "c1", **fields: Any) -> Event:
    """An event unlike any other, with the given fields."""
    number = next(_numbers)
    defaults: dict[str, Any] = {
        "event_id": f"e{number}",
        "type": "helixagent.message.added",
        "node_id": "node-1",
        "subject": f"m{number}",
        "time": NOON + timedelta(microseconds=number),
        "clock": make_hybrid_time(1_772_366_400_000, number),
        "data": {"role": "user", "content": f"Hello {number}"},
    }
    return Event(key=key, **(defaults | fields))


def place_of(entry: Entry) -> tuple[int, int]:
    """Sort key that gives the order in one topic."""
    return (entry.partition, entry.offset)


def read_topic(log: EventLog, topic: str, *, limit: int = 1000) -> list[Entry]:
    """Everything in a topic, read page by page, by partition and offset."""
    return read_from(log, dict.fromkeys(sorted(log.end_offsets([topic])), 0), limit=limit)


def read_from(log: EventLog, starts: Mapping[tuple[str, int], int], *, limit: int) -> list[Entry]:
    """Everything from the given offsets on, read page by page."""
    entries: list[Entry] = []
    for (topic, partition), start in starts.items():
        next_offset = start
        while page := log.read(topic, partition, start_offset=next_offset, limit=limit):
            entries += page
            next_offset = page[-1].offset + 1
    return entries
