"""A naive event log in lists and dicts, and a machine that drives a real one beside it."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import count
from typing import TYPE_CHECKING

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from helix_lab.domain.model.errors import DuplicateId
from helix_lab.domain.model.event import CONVERSATIONS, DEBATES, Event, order_of
from helix_lab.testing.event_log.fixtures import read_from
from helix_lab.testing.strategies import events

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from helix_lab.ports.event_log import EventLog

TOPICS = (CONVERSATIONS, DEBATES)
KEYS = ("a", "b", "B", "")

_runs = count(1)
_few_events = events(
    event_ids=st.sampled_from("0123456789"),
    keys=st.sampled_from(KEYS),
    clocks=st.integers(1, 5),
    data=st.sampled_from([{}, {"x": 1}, {"x": True}, {"x": 1.5, "y": "ü"}, {"y": "ü", "x": 1.5}]),
).map(lambda event: replace(event, type="helixagent.message.added", subject="m"))
_batches = st.lists(st.tuples(st.sampled_from(TOPICS), _few_events), max_size=4)


def check_against_model(open_log: Callable[[], EventLog], *, examples: int) -> None:
    """Take random steps on a log and on a list of its events; both must show the same."""

    class Machine(_Machine):
        def open_log(self) -> EventLog:
            return open_log()

    run_state_machine_as_test(
        Machine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=20,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


class _Model:
    """The events of one run in the order of appending, by id."""

    def __init__(self) -> None:
        self.events: dict[str, tuple[str, Event]] = {}

    def append(self, batch: Sequence[tuple[str, Event]]) -> list[tuple[str, Event]] | None:
        """What the log should answer; None where it should refuse."""
        after = dict(self.events)
        for topic, event in batch:
            first = after.setdefault(event.event_id, (topic, event))[1]
            if _content(first) != _content(event):
                return None
        self.events = after
        return [after[event.event_id] for _, event in batch]

    def of_topic(self, topic: str) -> list[Event]:
        return [event for name, event in self.events.values() if name == topic]


class _Machine(RuleBasedStateMachine):
    """The storage lives on from run to run, so each run has names of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.prefix = f"run{next(_runs)}-"
        self.log = self.open_log()
        self.model = _Model()
        self.starts = self.log.end_offsets(TOPICS)
        self.clock = self.log.greatest_clock()

    def open_log(self) -> EventLog:
        raise NotImplementedError

    @rule(batch=_batches)
    def append(self, batch: list[tuple[str, Event]]) -> None:
        batch = [(topic, self._own(event)) for topic, event in batch]
        expected = self.model.append(batch)
        try:
            answer = [(entry.topic, entry.event) for entry in self.log.append(batch)]
        except DuplicateId:
            assert expected is None
        else:
            assert expected == answer

    @precondition(lambda self: self.model.events)
    @rule()
    def reopen(self) -> None:
        self.log.close()
        self.log = self.open_log()

    @rule(topic=st.sampled_from(TOPICS), limit=st.integers(1, 5))
    def read(self, topic: str, limit: int) -> None:
        expected = self.model.of_topic(topic)

        mine = [entry.event for entry in read_from(self.log, self._starts_of(topic), limit=limit)]
        assert sorted(map(_whole, expected)) == sorted(map(_whole, mine))
        for key in {event.key for event in expected}:
            assert [e for e in expected if e.key == key] == [e for e in mine if e.key == key]

    @rule(topic=st.sampled_from(TOPICS), key=st.sampled_from(KEYS))
    def read_key(self, topic: str, key: str) -> None:
        key = self.prefix + key
        expected = [event for event in self.model.of_topic(topic) if event.key == key]

        entries = self.log.read_key(topic, key)

        assert sorted(expected, key=_order) == [entry.event for entry in entries]
        assert sorted(entries, key=order_of) == entries

    @invariant()
    def clock_is_the_greatest(self) -> None:
        clocks = [event.clock for _, event in self.model.events.values()]
        assert max([self.clock, *clocks]) == self.log.greatest_clock()

    def teardown(self) -> None:
        self.log.close()

    def _own(self, event: Event) -> Event:
        return replace(event, event_id=self.prefix + event.event_id, key=self.prefix + event.key)

    def _starts_of(self, topic: str) -> dict[tuple[str, int], int]:
        return {place: start for place, start in self.starts.items() if place[0] == topic}


def _content(event: Event) -> tuple[str, str, str, str]:
    return (event.type, event.key, event.subject, json.dumps(event.data, sort_keys=True))


def _order(event: Event) -> tuple[int, str]:
    return (event.clock, event.event_id)


def _whole(event: Event) -> str:
    return repr(event)
