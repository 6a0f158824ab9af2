"""An event id is in the log at most once."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from helix_lab.domain.model.errors import DuplicateId
from helix_lab.domain.model.event import CONVERSATIONS, DEBATES
from helix_lab.testing.event_log.fixtures import (
    NOON,
    EventLogFixtures,
    make_event,
    place_of,
    read_topic,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from helix_lab.ports.event_log import EventLog


class IdentityTests(EventLogFixtures):
    """The same id again, with the same content or with other content."""

    def test_the_same_event_again_gives_its_first_entry(self, log: EventLog) -> None:
        event = make_event()
        first = log.append([(CONVERSATIONS, event)])

        later = replace(event, clock=event.clock + 5, node_id="node-2", time=NOON, version=2)
        assert first == log.append([(CONVERSATIONS, later)])
        assert first == read_topic(log, CONVERSATIONS)
        assert event.clock == log.greatest_clock()

    def test_the_same_event_twice_in_a_batch_is_written_once(self, log: EventLog) -> None:
        event = make_event(data={"a": 1, "b": [1.5, None]})
        again = replace(event, data={"b": [1.5, None], "a": 1})

        entries = log.append(
            [(CONVERSATIONS, event), (CONVERSATIONS, make_event()), (CONVERSATIONS, again)]
        )

        assert entries[0] == entries[2]
        assert entries[:2] == sorted(read_topic(log, CONVERSATIONS), key=place_of)

    def test_a_batch_of_old_and_new_writes_the_new(self, log: EventLog) -> None:
        old = make_event()
        first = log.append([(CONVERSATIONS, old)])

        entries = log.append([(CONVERSATIONS, make_event()), (CONVERSATIONS, old)])

        assert first == entries[1:]
        assert [*first, entries[0]] == read_topic(log, CONVERSATIONS)

    def test_the_same_event_after_a_restart_gives_its_first_entry(
        self, open_log: Callable[[], EventLog]
    ) -> None:
        event = make_event()
        with open_log() as log:
            first = log.append([(CONVERSATIONS, event)])

        with open_log() as log:
            assert first == log.append([(CONVERSATIONS, event)])
            assert first == log.read_key(CONVERSATIONS, "c1")

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("type", "helixagent.turn.answered"),
            ("key", "c2"),
            ("subject", "another"),
            ("data", {"role": "user", "content": True}),
        ],
    )
    def test_an_id_with_other_content_is_refused_with_its_batch(
        self, log: EventLog, field: str, value: Any
    ) -> None:
        event = make_event(data={"role": "user", "content": 1})
        first = log.append([(CONVERSATIONS, event)])
        ends = log.end_offsets([CONVERSATIONS, DEBATES])

        with pytest.raises(DuplicateId, match=event.event_id):
            log.append(
                [
                    (DEBATES, make_event()),
                    (CONVERSATIONS, make_event("new")),
                    (CONVERSATIONS, replace(event, **{field: value})),
                ]
            )

        assert ends == log.end_offsets([CONVERSATIONS, DEBATES])
        assert first == read_topic(log, CONVERSATIONS)
        assert [] == read_topic(log, DEBATES) + log.read_key(CONVERSATIONS, "new")
        assert event.clock == log.greatest_clock()

    def test_an_id_with_two_contents_in_one_batch_is_refused(self, log: EventLog) -> None:
        event = make_event()

        with pytest.raises(DuplicateId):
            log.append([(CONVERSATIONS, event), (CONVERSATIONS, replace(event, subject="other"))])

        assert [] == read_topic(log, CONVERSATIONS)
