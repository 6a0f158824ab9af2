"""Requests: what is checked before an operation runs, and how a fault is told."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta, timezone
from typing import Annotated, Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field

from helix_lab.domain.model.errors import InvalidRequest
from helix_lab.operations.messages import AppendMessages
from helix_lab.operations.operation import Id, Instant, Request, Text, is_optional, parse_request
from helix_lab.operations.table import OPERATIONS


class Example(Request):
    """A request with every kind of field."""

    id: Id = "x"
    text: Text = ""
    at: Instant | None = None
    count: Annotated[int, Field(ge=1, le=10)] = 1
    size: float = 0.0
    is_on: bool = False
    kind: Literal["a", "b"] = "a"


def test_what_is_given_and_what_is_assumed_are_one_request() -> None:
    request = parse_request(Example, {"id": "é/1", "count": 3})

    assert Example(id="é/1", count=3) == request
    assert (request.text, request.is_on, request.at) == ("", False, None)


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"id": ""}, "id"),
        ({"id": "x" * 201}, "id"),
        ({"id": "a\nb"}, "id"),
        ({"id": "a\x7f"}, "id"),
        ({"id": "a\0"}, "id"),
        ({"id": "\ud800"}, "id"),
        ({"id": 5}, "id"),
        ({"id": None}, "id"),
        ({"text": "a\0b"}, "text"),
        ({"text": "\udfff"}, "text"),
        ({"text": b"bytes"}, "text"),
        ({"count": 0}, "count"),
        ({"count": 11}, "count"),
        ({"count": True}, "count"),
        ({"count": "3"}, "count"),
        ({"count": 3.0}, "count"),
        ({"size": "1.5"}, "size"),
        ({"is_on": "yes"}, "is_on"),
        ({"is_on": 1}, "is_on"),
        ({"kind": "c"}, "kind"),
        ({"at": "yesterday"}, "at"),
        ({"at": "2026-01-30T10:00:00"}, "at"),
        ({"at": datetime(2026, 1, 30)}, "at"),  # noqa: DTZ001 - naive on purpose
        ({"at": 1_769_767_200}, "at"),
        ({"at": "1769767200"}, "at"),
        ({"at": 1.5}, "at"),
        ({"at": "0001-01-01T00:00:00+14:00"}, "at"),
        ({"at": "2026-02-30T00:00:00Z"}, "at"),
    ],
)
def test_a_value_that_does_not_fit_is_refused_with_its_field(
    values: dict[str, Any], field: str
) -> None:
    with pytest.raises(InvalidRequest, match=f"field '{field}'") as caught:
        parse_request(Example, values)

    assert field == caught.value.details["field"]


def test_an_unknown_field_is_named_with_those_that_are_allowed() -> None:
    with pytest.raises(InvalidRequest) as caught:
        parse_request(Example, {"cont": 3})

    expected = "field 'cont': unknown field; allowed: id, text, at, count, size, is_on, kind"
    assert expected == caught.value.message


def test_all_faults_are_listed_and_the_first_is_told() -> None:
    with pytest.raises(InvalidRequest, match=r"and 2 more\)$") as caught:
        parse_request(Example, {"count": 0, "kind": "c", "x": 1})

    assert ["count", "kind", "x"] == [fault["field"] for fault in caught.value.details["faults"]]


def test_a_fault_inside_of_a_list_is_named_by_its_place() -> None:
    messages = [{"role": "user", "content": "a"}, {"role": "nobody", "content": "b"}]

    with pytest.raises(InvalidRequest) as caught:
        parse_request(AppendMessages, {"conversation_id": "c", "messages": messages})

    assert "messages.1.role" == caught.value.details["field"]


def test_a_fault_never_repeats_what_was_sent() -> None:
    with pytest.raises(InvalidRequest) as caught:
        parse_request(Example, {"count": "sk-secret", "kind": "sk-secret"})

    assert "sk-secret" not in str(caught.value)
    assert "sk-secret" not in repr(caught.value.details)


def test_lenient_requests_read_numbers_and_booleans_out_of_strings() -> None:
    values = {"count": "3", "size": "1.5", "is_on": "true"}

    assert Example(count=3, size=1.5, is_on=True) == parse_request(Example, values, lenient=True)


@pytest.mark.parametrize(
    "values", [{"count": "three"}, {"count": "3.5"}, {"count": ""}, {"is_on": "maybe"}, {"at": "5"}]
)
def test_lenient_requests_still_refuse_what_is_no_such_value(values: dict[str, Any]) -> None:
    with pytest.raises(InvalidRequest):
        parse_request(Example, values, lenient=True)


@pytest.mark.parametrize(
    "given_at",
    [
        "2026-01-30T10:00:00Z",
        "2026-01-30T11:00:00+01:00",
        datetime(2026, 1, 30, 10, tzinfo=UTC),
        datetime(2026, 1, 30, 4, 30, tzinfo=timezone(-timedelta(hours=5, minutes=30))),
    ],
)
def test_a_moment_is_kept_in_utc(given_at: Any) -> None:
    request = parse_request(Example, {"at": given_at})

    assert request.at is not None
    assert ("2026-01-30T10:00:00+00:00", UTC) == (request.at.isoformat(), request.at.tzinfo)


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")))
def test_any_other_text_is_taken_as_it_is(text: str) -> None:
    assert text == parse_request(Example, {"text": text}).text


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
def test_no_operation_takes_a_number_that_is_none(operation: Any) -> None:
    fields = operation.request.model_fields.items()
    for name in [name for name, field in fields if field.annotation is float]:
        for value in (math.nan, math.inf, -math.inf):
            with pytest.raises(InvalidRequest):
                parse_request(operation.request, {name: value})


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
def test_every_operation_names_a_field_that_it_does_not_know(operation: Any) -> None:
    with pytest.raises(InvalidRequest) as caught:
        parse_request(operation.request, {"no_such_field": 1}, lenient=True)

    faults = {fault["field"]: fault["problem"] for fault in caught.value.details["faults"]}
    assert "unknown field" in faults["no_such_field"]


def test_an_optional_type_is_known() -> None:
    assert [True, True, False, False] == [
        is_optional(str | None),
        is_optional(Instant | None),
        is_optional(str),
        is_optional(str | int),
    ]
