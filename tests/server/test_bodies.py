from __future__ import annotations

import json

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from helix_lab.domain.model.errors import InvalidRequest
from helix_lab_server.json_body import MAX_DEPTH, read_json

STORABLE = st.text(st.characters(codec="utf-8", exclude_characters="\0"))
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | STORABLE,
    lambda inner: st.lists(inner) | st.dictionaries(STORABLE, inner),
)  # fmt: skip


@given(JSON_VALUES)
def test_any_json_value_is_read_as_it_was_written(value: object) -> None:
    assert value == read_json(json.dumps(value).encode())


@pytest.mark.parametrize("body", [b"", b"  \r\n"])
def test_an_empty_body_is_an_empty_object(body: bytes) -> None:
    assert {} == read_json(body)


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (b'{"a": ', "line 1, column 7"),
        (b'{"a": 1} x', "line 1, column 10"),
        (b'{"a": NaN}', "NaN"),
        (b'{"a": [-Infinity]}', "-Infinity"),
        (b'{"a": {"b": 1e999}}', "'a.b': the number is out of range"),
        (b'{"a": [1, {"b": "x\\u0000"}]}', "'a.1.b': must not contain the NUL character"),
        (b'{"a": {"x\\u0000": 1}}', "'a': must not contain the NUL character"),
        (b'{"a": "\\ud800"}', "'a': must not contain unpaired surrogates"),
        (b'{"a": 1, "a": 2}', "'a': is given twice"),
        (b'{"a": "\xff"}', "not UTF-8: byte 7 is 0xff"),
        ('{"a": "ä"}'.encode("latin-1"), "not UTF-8"),
        ('{"a": "x"}'.encode("utf-16"), "not UTF-8"),
        (b'{"a": ' + b"9" * 5000 + b"}", "too long"),
        (b"[" * (MAX_DEPTH + 1) + b"]" * (MAX_DEPTH + 1), "nested"),
        (b"[" * 1_000_000, "nested"),
        (b'{"a":' * 100_000, "nested"),
    ],
)
def test_a_body_that_cannot_be_kept_is_refused_with_the_reason(body: bytes, problem: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        read_json(body)

    assert problem in refused.value.message


def test_a_byte_order_mark_is_no_fault() -> None:
    assert {"a": 1} == read_json(b'\xef\xbb\xbf{"a": 1}')


@pytest.mark.parametrize(
    "body",
    [b"{", b'{"title": NaN}', b'{"title": "\xff"}', b"[" * 100_000, b'"text"', b"[]", b"null"],
)
def test_a_broken_body_is_the_senders_fault(client: httpx.Client, body: bytes) -> None:
    answer = client.post("v1/conversations", content=body)

    assert (400, "INVALID_REQUEST") == (answer.status_code, answer.json()["error"]["code"])


def test_a_message_of_eight_million_characters_comes_back_whole(client: httpx.Client) -> None:
    conversation_id = client.post("v1/conversations", json={}).json()["conversation_id"]
    content = "0123456789abcde\n" * (8 * 2**20 // 16)

    answer = client.post(
        f"v1/conversations/{conversation_id}/messages", json={"role": "user", "content": content}
    )

    replayed = client.post("v1/context/replay", json={"conversation_id": conversation_id}).json()
    assert 201 == answer.status_code
    assert content == replayed["messages"][0]["content"]


def test_a_message_over_the_limit_is_refused_with_the_field(client: httpx.Client) -> None:
    conversation_id = client.post("v1/conversations", json={}).json()["conversation_id"]

    answer = client.post(
        f"v1/conversations/{conversation_id}/messages",
        json={"role": "user", "content": "x" * 10_000_000},
    )

    assert 400 == answer.status_code
    assert "messages.0.content" == answer.json()["error"]["details"]["field"]


@pytest.mark.parametrize("is_chunked", [False, True])
def test_a_body_over_the_limit_of_the_route_is_too_large(
    client: httpx.Client, *, is_chunked: bool
) -> None:
    body = b'{"title": "' + b"x" * (65 * 2**20) + b'"}'

    answer = client.post("v1/conversations", content=iter([body]) if is_chunked else body)

    assert (413, "TOO_LARGE") == (answer.status_code, answer.json()["error"]["code"])


def test_a_path_that_is_not_utf8_is_refused(client: httpx.Client) -> None:
    answer = client.get("v1/conversations/%ff%fe")

    assert 400 == answer.status_code
    assert "conversation_id" == answer.json()["error"]["details"]["field"]
