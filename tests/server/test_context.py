"""Contexts over real sockets: the guide's commands, streams, and a chat with a real HTTP server."""

from __future__ import annotations

import json
import re
import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from helix_lab.domain.model.errors import ProviderRefused, UnknownConversation
from helix_lab.doors.client import Client
from helix_lab.testing.fake_llm import FakeLLM, Fault
from tests.flow.talks import talk
from tests.server.live import TOKEN, LiveServer, serve, wait_for

# As the guide's "Context Compression Quality Low" says.
REMEDY = {"CONTEXT_COMPRESSION_STRATEGY": "entity", "CONTEXT_COMPRESSION_RATIO": "0.40"}


@pytest.fixture(scope="module")
def fake() -> Iterator[FakeLLM]:
    with FakeLLM() as server:
        yield server


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory, fake: FakeLLM) -> Iterator[LiveServer]:
    """A server with a provider and with the settings of the remedy."""
    sage = {"name": "sage", "base_url": fake.base_url, "model": "sage"}
    sage |= {"context_window_tokens": 2_000}  # type: ignore[dict-item]
    home = tmp_path_factory.mktemp("context")
    with serve(home, HELIX_PROVIDERS=json.dumps([sage]), **REMEDY) as live:
        yield live


@pytest.fixture(scope="module")
def web(own: LiveServer) -> Iterator[httpx.Client]:
    with own.client() as client:
        yield client


def start(web: httpx.Client, conversation_id: str, count: int) -> str:
    begun = web.post("v1/conversations", json={"conversation_id": conversation_id, "user_id": "u"})
    assert 201 == begun.status_code
    if count:
        path = f"v1/conversations/{conversation_id}/messages"
        assert 201 == web.post(path, json=talk(count)).status_code
    return conversation_id


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_the_remedy_of_the_guide_for_a_low_quality_works_as_written(
    own: LiveServer, web: httpx.Client
) -> None:
    conversation_id = start(web, "remedy", 120)
    tokens = web.post("v1/context/replay", json={"conversation_id": conversation_id}).json()
    budget = tokens["stats"]["total_tokens"] - 1
    body = {"conversation_id": conversation_id, "max_tokens": budget}

    stats = web.post("v1/context/replay", json=body).json()["compression_stats"]
    windowed = web.post("v1/context/replay", json={**body, "compression_strategy": "window"})
    shown = subprocess.run(
        [
            *("curl", "--silent", f"{own.url}v1/analytics/compression/stats"),
            *("-H", f"Authorization: token {TOKEN}"),
        ],
        capture_output=True,
        check=True,
        timeout=30,
    )

    measures = json.loads(shown.stdout)
    assert ("entity", 0.4) == (stats["strategy"], stats["requested_ratio"])
    assert stats["quality_score"] > windowed.json()["compression_stats"]["quality_score"]
    assert stats["meets_minimum"] == (stats["quality_score"] >= 0.95)
    assert {"entity", "window"} <= set(measures["strategies"])
    assert {"count", "avg_ratio", "avg_quality"} <= set(measures["strategies"]["entity"])
    assert measures["total_compressions"] >= 2
    assert measures["p95_compression_time_ms"] >= 0 < measures["avg_compression_time_ms"]


def test_errors_have_the_status_that_tells_them(web: httpx.Client) -> None:
    start(web, "errors", 5)
    asked: list[tuple[str, dict[str, Any], int, str]] = [
        ("v1/context/replay", {"conversation_id": "ghost"}, 404, "CONVERSATION_NOT_FOUND"),
        (
            "v1/context/replay",
            {"conversation_id": "errors", "max_tokens": 0},
            400,
            "INVALID_REQUEST",
        ),
        (
            "v1/context/replay",
            {"conversation_id": "errors", "max_tokens": 1},
            400,
            "BUDGET_TOO_SMALL",
        ),
        (
            "v1/context/replay",
            {"conversation_id": "errors", "compression_strategy": "zip"},
            400,
            "INVALID_REQUEST",
        ),
        ("v1/context/recall", {"query": "x"}, 400, "INVALID_REQUEST"),
        ("v1/context/recall", {"query": "x", "user_id": "nobody"}, 404, "NOT_FOUND"),
        (
            "v1/context/recall",
            {"query": "x", "conversation_id": "ghost"},
            404,
            "CONVERSATION_NOT_FOUND",
        ),
        ("v1/conversations/ghost/chat", {"content": "x"}, 404, "CONVERSATION_NOT_FOUND"),
        (
            "v1/conversations/errors/chat",
            {"content": "x", "provider": "nobody"},
            400,
            "UNKNOWN_PROVIDER",
        ),
    ]

    for path, body, status, code in asked:
        answer = web.post(path, json=body)
        assert (status, code) == (answer.status_code, answer.json()["error"]["code"]), body
    for path in ("compression", "stats"):
        assert 404 == web.get(f"v1/context/{path}/ghost").status_code


def test_a_long_history_comes_line_by_line(web: httpx.Client) -> None:
    conversation_id = start(web, "long", 1_500)
    body = {"conversation_id": conversation_id}
    whole = web.post("v1/context/replay", json=body).json()

    headers = {"Accept": "application/x-ndjson"}
    with web.stream("POST", "v1/context/replay", json=body, headers=headers) as answer:
        lines = [json.loads(line) for line in answer.iter_lines()]

    assert (200, "application/x-ndjson") == (answer.status_code, answer.headers["content-type"])
    assert whole["messages"] == [{**line["message"], "metadata": None} for line in lines[:-1]]
    assert whole["stats"]["total_tokens"] == lines[-1]["stats"]["total_tokens"]


def test_a_client_that_leaves_in_the_middle_ends_the_stream(
    own: LiveServer, web: httpx.Client
) -> None:
    conversation_id = start(web, "left", 3_000)
    body = json.dumps({"conversation_id": conversation_id}).encode()
    address = httpx.URL(own.url)
    with socket.create_connection((address.host, address.port), timeout=20) as connection:
        head = (
            f"POST {address.path}v1/context/replay HTTP/1.1\r\nHost: {address.host}\r\n"
            f"Authorization: token {TOKEN}\r\nAccept: application/x-ndjson\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        )
        connection.sendall(head.encode() + body)
        assert connection.recv(4_096).startswith(b"HTTP/1.1 200")

    # The server goes on to answer others, and nothing broke.
    assert web.get("health").is_success
    assert "Traceback" not in own.read_log()


def test_an_error_before_the_first_line_has_its_status(web: httpx.Client) -> None:
    headers = {"Accept": "application/x-ndjson"}

    answer = web.post("v1/context/replay", json={"conversation_id": "ghost"}, headers=headers)

    assert (404, "CONVERSATION_NOT_FOUND") == (answer.status_code, answer.json()["error"]["code"])


def test_a_chat_streams_events_and_is_recorded(web: httpx.Client, fake: FakeLLM) -> None:
    conversation_id = start(web, "talk", 4)
    path = f"v1/conversations/{conversation_id}/chat"
    body = {"content": "Where do we go?", "message_id": "q"}

    with web.stream("POST", path, json=body, headers={"Accept": "text/event-stream"}) as answer:
        lines = [line for line in answer.iter_lines() if line]
    again = web.post(path, json=body)

    assert (201, "text/event-stream") == (answer.status_code, answer.headers["content-type"])
    assert all(line.startswith("data: ") for line in lines)
    *pieces, last = [json.loads(line.removeprefix("data: ")) for line in lines]
    assert len(pieces) > 1
    assert "".join(piece["text"] for piece in pieces) == last["reply"]["content"]
    assert again.json() == {**last["reply"], "is_repeated": True}
    messages = web.post("v1/context/replay", json={"conversation_id": conversation_id}).json()
    assert ["q", "q/reply"] == [m["message_id"] for m in messages["messages"][-2:]]
    shown = web.get(f"v1/conversations/{conversation_id}/prompts/q%2Freply").json()
    assert shown["is_as_sent"]
    assert [m["content"] for m in shown["messages"]] == [
        m["content"] for m in fake.requests[-1].body["messages"]
    ]


def test_a_failure_in_the_middle_of_a_stream_is_its_last_event(
    web: httpx.Client, fake: FakeLLM
) -> None:
    conversation_id = start(web, "broken", 0)
    fake.fail(Fault("malformed_sse"))
    headers = {"Accept": "application/x-ndjson"}

    answer = web.post(
        f"v1/conversations/{conversation_id}/chat", json={"content": "Hello"}, headers=headers
    )

    items = [json.loads(line) for line in answer.text.splitlines()]
    assert "text" in items[0]
    assert items[-1]["error"]["code"].startswith("PROVIDER_")


def test_a_failure_of_the_provider_is_503_and_does_not_tell_the_key(
    web: httpx.Client, fake: FakeLLM
) -> None:
    conversation_id = start(web, "refused", 0)
    fake.fail(Fault("status", status=400))

    answer = web.post(f"v1/conversations/{conversation_id}/chat", json={"content": "Hello"})

    error = answer.json()["error"]
    assert (503, "PROVIDER_REFUSED") == (answer.status_code, error["code"])
    assert conversation_id == error["details"]["conversation_id"]


def test_a_client_that_leaves_a_chat_stops_the_provider(
    own: LiveServer, web: httpx.Client, fake: FakeLLM
) -> None:
    conversation_id = start(web, "gone", 0)
    fake.fail(Fault("slow_drip"))
    path = f"v1/conversations/{conversation_id}/chat"
    headers = {"Accept": "text/event-stream", "Authorization": f"token {TOKEN}"}

    with (
        httpx.Client(base_url=own.url, headers=headers, timeout=60) as leaving,
        leaving.stream("POST", path, json={"content": "Hello", "message_id": "q"}) as answer,
    ):
        assert next(answer.iter_lines()).startswith("data: ")

    fake.wait_until_idle(timeout_s=30)
    failed = wait_for(
        lambda: web.get(f"v1/conversations/{conversation_id}/prompts/q").json().get("error_code"),
        "the record of the failure",
        limit_s=30,
    )
    assert "RUN_CANCELLED" == failed


def test_the_remote_client_streams_as_the_lab_does(own: LiveServer, web: httpx.Client) -> None:
    conversation_id = start(web, "remote", 40)
    separators = "one\u2028two\x85three"
    with Client(own.url, TOKEN) as client:
        client.append_messages(conversation_id, [{"role": "user", "content": separators}])

        *messages, end = client.stream_replay(conversation_id)
        *pieces, last = client.stream_chat(conversation_id, "Hello")

        assert (41, 41) == (len(messages), end["stats"]["total_messages"])
        assert separators == messages[-1]["message"]["content"]
        assert "".join(piece["text"] for piece in pieces) == last["reply"]["content"]
        with pytest.raises(UnknownConversation):
            next(client.stream_replay("ghost"))


def test_the_remote_client_raises_what_the_stream_ends_with(
    own: LiveServer, web: httpx.Client, fake: FakeLLM
) -> None:
    conversation_id = start(web, "raising", 0)
    with Client(own.url, TOKEN) as client:
        fake.fail(Fault("content_filter"))

        with pytest.raises(ProviderRefused):
            list(client.stream_chat(conversation_id, "Hello"))


def test_who_has_no_token_learns_nothing(own: LiveServer) -> None:
    with own.client(**{"X-None": "none"}) as stranger:
        for path in ("v1/context/replay", "v1/context/recall", "v1/conversations/c/chat"):
            answer = stranger.post(path, json={}, headers={"Accept": "text/event-stream"})
            assert 403 == answer.status_code


def test_the_troubleshooting_page_has_the_lines_of_the_guide() -> None:
    page = (Path(__file__).parents[2] / "docs/context.md").read_text(encoding="utf-8")

    for line in (
        "export CONTEXT_COMPRESSION_STRATEGY=entity",
        "export CONTEXT_COMPRESSION_RATIO=0.40",
        "/v1/analytics/compression/stats",
    ):
        assert re.search(re.escape(line), page), line
