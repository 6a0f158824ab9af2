"""Cursors: an opaque word that leads back to where a page ended."""

from __future__ import annotations

import base64
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helix_lab.domain.model.errors import InvalidRequest
from helix_lab.operations.conversations import ListConversations
from helix_lab.operations.operation import parse_request
from helix_lab.operations.paging import make_cursor, read_cursor

MOMENTS = st.datetimes(timezones=st.just(UTC))
IDS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=200)


@given(MOMENTS, IDS)
def test_a_cursor_leads_back_to_its_moment_and_id(moment: datetime, item_id: str) -> None:
    assert (moment, item_id) == read_cursor(make_cursor(moment, item_id))


@given(MOMENTS, IDS)
def test_a_cursor_can_stand_in_a_url_as_it_is(moment: datetime, item_id: str) -> None:
    allowed = set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_")

    assert set(make_cursor(moment, item_id)) <= allowed


def test_the_longest_id_makes_a_cursor_that_a_request_takes() -> None:
    cursor = make_cursor(datetime(9999, 12, 31, tzinfo=UTC), "\U0010ffff" * 200)

    assert cursor == parse_request(ListConversations, {"cursor": cursor}).cursor


def test_no_cursor_is_the_first_page() -> None:
    assert read_cursor(None) is None


def encode(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "x",
        "é",
        "====",
        "not a cursor",
        "\0",
        "\ud800",
        encode(b""),
        encode(b"/id"),
        encode(b"12"),
        encode(b"12/"),
        encode(b"soon/id"),
        encode(b"1.5/id"),
        encode(b"\xff/id"),
        encode(b"1/\xff"),
        encode(b"9" * 30 + b"/id"),
        encode(b"9" * 5000 + b"/id"),
        encode(b"-" + b"9" * 18 + b"/id"),
    ],
)
def test_what_is_no_cursor_of_ours_is_refused_by_name(cursor: str) -> None:
    with pytest.raises(InvalidRequest, match="next_cursor") as caught:
        read_cursor(cursor)

    assert "cursor" == caught.value.details["field"]


@given(st.text(max_size=100))
def test_any_text_is_a_cursor_or_refused(text: str) -> None:
    try:
        found = read_cursor(text)
    except InvalidRequest:
        return
    assert found is not None
    assert found[1]
