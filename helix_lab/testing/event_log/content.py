"""What goes in comes out, or is refused by name."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings

from helix_lab.domain.model.errors import InvalidEvent
from helix_lab.domain.model.event import CONVERSATIONS, Event
from helix_lab.testing.event_log.fixtures import NOON, EventLogFixtures, make_event, read_topic
from helix_lab.testing.strategies import events

if TYPE_CHECKING:
    from collections.abc import Callable

    from helix_lab.ports.event_log import EventLog


NASTY_TEXTS = {
    "emoji": "👩‍👩‍👧‍👦 🏳️‍🌈 é e\u0301",
    "right to left": "שלום \u202eabc\u202c مرحبا",
    "control": "".join(map(chr, range(32))) + "\x7f\x85\u2028\u2029\ufeff\uffff",
    "quotes": "'\"`; DROP TABLE entry; -- \\ \\u0000 %s ?1",
    "last plane": "\U0010ffff",
    "long": "0123456789" * 20_000,
    "blank": " \t\r\n ",
    "empty": "",
}
NOT_JSON = {
    "NaN": float("nan"),
    "infinity": float("-inf"),
    "lone surrogate": "\ud800",
    "tuple": (1, 2),
    "bytes": b"x",
    "date": NOON,
    "name that is no text": {1: "one"},
    "object": object(),
}


def nest(depth: int) -> dict[str, Any]:
    """Data that are nested `depth` levels deep."""
    data: dict[str, Any] = {}
    for _ in range(depth - 1):
        data = {"inner": data}
    return data


class ContentTests(EventLogFixtures):
    """Texts, data, and what no log can keep."""

    @pytest.mark.parametrize("name", NASTY_TEXTS)
    def test_texts_come_back_equal_to_the_byte(
        self, open_log: Callable[[], EventLog], name: str
    ) -> None:
        text = NASTY_TEXTS[name]
        short = text[:100]
        event = make_event(short, subject=short, node_id=short, data={"content": text, short: 1})
        with open_log() as log:
            log.append([(CONVERSATIONS, event)])

        with open_log() as log:
            (entry,) = log.read_key(CONVERSATIONS, short)

        assert event == entry.event
        assert text.encode() == entry.event.data["content"].encode()

    @settings(
        max_examples=50,
        deadline=None,
        suppress_health_check=[
            HealthCheck.function_scoped_fixture,
            HealthCheck.differing_executors,  # one class for each adapter
        ],
    )
    @given(event=events())
    def test_any_event_comes_back_equal(self, log: EventLog, event: Event) -> None:
        event = replace(event, event_id=make_event().event_id)  # one log for all examples
        (entry,) = log.append([(CONVERSATIONS, event)])

        (read,) = log.read(CONVERSATIONS, entry.partition, start_offset=entry.offset, limit=1)
        assert event == read.event
        assert repr(event.data) == repr(read.event.data)  # True is not 1, -0.0 is not 0.0

    @pytest.mark.parametrize("name", NOT_JSON)
    def test_data_that_json_cannot_hold_are_refused(self, log: EventLog, name: str) -> None:
        bad = make_event(data={"content": [NOT_JSON[name]]})

        with pytest.raises(InvalidEvent, match=f"{bad.event_id}.*data"):
            log.append([(CONVERSATIONS, make_event()), (CONVERSATIONS, bad)])

        assert [] == read_topic(log, CONVERSATIONS)

    def test_data_may_be_nested_deep_but_not_without_end(self, log: EventLog) -> None:
        deep = make_event(data=nest(200))
        log.append([(CONVERSATIONS, deep)])

        for depth in (201, 100_000):
            with pytest.raises(InvalidEvent, match="deep"):
                log.append([(CONVERSATIONS, make_event(data=nest(depth)))])
        assert [deep] == [entry.event for entry in read_topic(log, CONVERSATIONS)]

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("event_id", "\udfff"),
            ("key", "\udfff"),
            ("subject", "a\ud800"),
            ("node_id", "\ud800"),
            ("clock", 2**63),
            ("clock", -1),
            ("version", -1),
            ("time", NOON.replace(tzinfo=None)),
        ],
    )
    def test_a_field_that_cannot_be_kept_is_refused_by_name(
        self, log: EventLog, field: str, value: Any
    ) -> None:
        with pytest.raises(InvalidEvent) as caught:
            log.append([(CONVERSATIONS, make_event(**{field: value}))])

        assert field == caught.value.details["field"]
        assert [] == read_topic(log, CONVERSATIONS)
