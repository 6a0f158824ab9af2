"""Ids, times and data of events."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helix_lab.domain.model.errors import InvalidEvent
from helix_lab.domain.model.event import (
    EVENT_TYPES,
    TOPICS,
    Entry,
    Event,
    from_micros,
    make_event_id,
    order_of,
    to_micros,
)
from helix_lab.domain.model.event_json import (
    MAX_DEPTH,
    check_fields,
    decode_data,
    differing_fields,
    encode_data,
)
from helix_lab.testing.event_log.fixtures import make_event
from helix_lab.testing.strategies import events, json_objects

parts = st.lists(st.text(st.characters(), max_size=3), max_size=4)
zones = st.integers(-23 * 60, 23 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
times = st.datetimes(datetime(2, 1, 1), datetime(9998, 12, 31), timezones=zones)  # noqa: DTZ001


# Ids and times --------------------------------------------------------------------------


@given(parts, parts)
def test_ids_are_equal_exactly_when_their_parts_are(one: list[str], other: list[str]) -> None:
    assert (one == other) == (make_event_id(*one) == make_event_id(*other))


@given(st.text(min_size=2), st.integers(1))
def test_moving_a_letter_between_parts_changes_the_id(text: str, cut: int) -> None:
    cut = cut % len(text)
    assert make_event_id(text[:cut], text[cut:]) != make_event_id(text)


def test_an_id_is_the_same_on_every_machine_and_every_day() -> None:
    assert "36528ef3369f61e13c49ab5350c69547" == make_event_id("message", "c1", "1")


@given(times)
def test_micros_hold_a_time_exactly(time: datetime) -> None:
    assert time == from_micros(to_micros(time))
    assert timedelta() == from_micros(to_micros(time)).utcoffset()


@given(st.integers(-(10**16), 10**17))
def test_a_time_holds_micros_exactly(micros: int) -> None:
    assert micros == to_micros(from_micros(micros))


@given(times, times)
def test_micros_keep_the_order_of_times(one: datetime, other: datetime) -> None:
    assert (one < other) == (to_micros(one) < to_micros(other))


# Types and order ------------------------------------------------------------------------


def test_every_type_is_registered_under_its_name_and_has_a_topic() -> None:
    assert all(name == event_type.name for name, event_type in EVENT_TYPES.items())
    assert all(name.startswith("helixagent.") and name.count(".") == 2 for name in EVENT_TYPES)
    assert {event_type.topic for event_type in EVENT_TYPES.values()} == set(TOPICS)


def test_the_order_is_by_clock_and_then_by_id() -> None:
    def entry(offset: int, clock: int, event_id: str) -> Entry:
        return Entry("t", 0, offset, make_event(clock=clock, event_id=event_id))

    entries = [entry(0, 2, "a"), entry(1, 1, "b"), entry(2, 1, "a")]

    assert [2, 1, 0] == [entry.offset for entry in sorted(entries, key=order_of)]


# Data -----------------------------------------------------------------------------------


@given(json_objects())
def test_data_come_back_from_json_as_they_were(data: dict[str, Any]) -> None:
    assert repr(data) == repr(decode_data(encode_data(make_event(data=data))))


def test_any_mapping_may_be_data() -> None:
    event = make_event(data=MappingProxyType({"a": 1}))

    assert b'{"a":1}' == encode_data(event)


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (float("nan"), "NaN"),
        ({1: "a"}, "JSON values"),
        ((1,), "tuple"),
        ("\udc00", "surrogate"),
        (object(), "object"),
        ([[]] * MAX_DEPTH, None),
    ],
)
def test_data_are_refused_with_the_reason(value: object, reason: str | None) -> None:
    event = make_event(data={"a": [value]})

    if reason is None:
        assert {"a": [value]} == decode_data(encode_data(event))
    else:
        with pytest.raises(InvalidEvent, match=f"{event.event_id}.*{reason}"):
            encode_data(event)


@given(events())
def test_any_event_that_a_log_can_keep_is_accepted(event: Event) -> None:
    check_fields(event)


@given(json_objects())
def test_the_order_of_names_is_no_difference(data: dict[str, Any]) -> None:
    event = make_event(event_id="e", subject="m", data=data)
    turned = make_event(event_id="e", subject="m", data=dict(reversed(data.items())), clock=9)

    assert [] == differing_fields(event, turned)


@pytest.mark.parametrize(
    ("one", "other"), [(1, True), (0, None), ("1", 1), ([], {}), ("é", "e\u0301")]
)
def test_unlike_values_are_a_difference(one: object, other: object) -> None:
    first, second = (make_event(subject="m", data={"a": value}) for value in (one, other))

    assert ["data"] == differing_fields(first, second)


def test_all_that_differs_is_named() -> None:
    first = make_event("c1", type="t1", subject="m1", data={})
    second = make_event("c2", type="t2", subject="m2", data={"a": 1})

    assert ["type", "key", "subject", "data"] == differing_fields(first, second)
