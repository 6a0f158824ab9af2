"""The websocket of the knowledge graph, on a real server."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import Callable, Sequence
from typing import Any

import httpx
import pytest
from tornado.httpclient import HTTPRequest
from tornado.websocket import WebSocketClientConnection, websocket_connect

from helix_lab.projections.graph_feed import GraphFeed
from helix_lab_server.knowledge_updates import KnowledgeUpdatesHandler, make_wake
from tests.server.live import TOKEN, LiveServer

PATH = "v1/ws/knowledge/updates"
LIMIT_S = 30.0


def ask(server: LiveServer, query: str = "") -> HTTPRequest:
    url = server.url.replace("http://", "ws://").rstrip("/") + f"/{PATH}{query}"
    return HTTPRequest(url, headers={"Authorization": f"token {TOKEN}"})


async def receive(
    connection: WebSocketClientConnection, is_wanted: Callable[[dict[str, Any]], bool]
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The first frame that is wanted, and those before it."""
    passed: list[dict[str, Any]] = []
    while True:
        text = await asyncio.wait_for(connection.read_message(), LIMIT_S)
        assert text is not None, f"closed after {passed}"
        frame = json.loads(text)
        if is_wanted(frame):
            return frame, passed
        passed.append(frame)


async def close(connection: WebSocketClientConnection) -> None:
    connection.close()
    while await asyncio.wait_for(connection.read_message(), LIMIT_S) is not None:
        pass


def say(client: httpx.Client, text: str) -> None:
    conversation_id = uuid.uuid4().hex
    body = {"conversation_id": conversation_id}
    client.post("v1/conversations", json=body).raise_for_status()
    said = {"role": "user", "content": text}
    client.post(f"v1/conversations/{conversation_id}/messages", json=said).raise_for_status()


def names(name: str) -> Callable[[dict[str, Any]], bool]:
    return lambda frame: frame.get("entity", {}).get("name") == name


def test_a_follower_is_told_of_new_entities_and_goes_on_where_it_left(
    server: LiveServer, client: httpx.Client
) -> None:
    name = f"Zorp{uuid.uuid4().hex[:6]}"

    async def follow() -> tuple[Any, ...]:
        first = await websocket_connect(ask(server))
        greeting, _ = await receive(first, lambda _: True)
        await asyncio.to_thread(say, client, f"We use `{name}.run()` with Kubernetes.")
        frame, _ = await receive(first, names(f"{name}.run()"))
        await close(first)
        await asyncio.to_thread(say, client, f"We use `{name}.stop()` with Docker.")
        again = await websocket_connect(ask(server, f"?since={frame['offset']}"))
        later, passed = await receive(again, names(f"{name}.stop()"))
        await close(again)
        return greeting, frame, later, passed

    greeting, frame, later, passed = asyncio.run(follow())

    assert "subscribed" == greeting["type"]
    assert "entity_created" == frame["type"]
    assert {"id", "name", "type"} == set(frame["entity"])
    assert frame["timestamp"].endswith("Z")
    assert "entity_created" == later["type"]
    assert not any(names(f"{name}.run()")(one) and one == frame for one in passed)


def test_an_offset_of_another_life_is_told_as_missed(server: LiveServer) -> None:
    async def follow() -> list[Any]:
        connection = await websocket_connect(ask(server, "?since=0123456789ab-7"))
        found, passed = await receive(connection, lambda frame: frame["type"] == "subscribed")
        await close(connection)
        return [*passed, found]

    missed, _ = asyncio.run(follow())

    assert ("missed", None) == (missed["type"], missed["count"])


class Following(KnowledgeUpdatesHandler):
    """A follower that keeps what it would send."""

    def __init__(self, feed: GraphFeed, position: int) -> None:
        self._feed = feed
        self._position = position
        self.sent: list[dict[str, Any]] = []

    async def send_all(self) -> list[dict[str, Any]]:
        await self._send_news()
        return self.sent

    async def _write(self, frames: Sequence[dict[str, Any]]) -> None:
        self.sent += frames


def test_who_leaves_after_being_told_what_it_missed_goes_on_behind_that() -> None:
    feed = GraphFeed(most_kept=3)
    feed.publish([{"n": number} for number in range(10)])

    missed, *frames = asyncio.run(Following(feed, 2).send_all())

    assert ("missed", 5) == (missed["type"], missed["count"])
    position = feed.to_position(missed["offset"])
    assert position is not None
    again = asyncio.run(Following(feed, position).send_all())
    assert frames == again
    assert [7, 8, 9] == [frame["n"] for frame in again]


def test_news_after_the_end_of_the_server_do_not_stop_the_graph() -> None:
    feed = GraphFeed()
    loop = asyncio.new_event_loop()
    wake = make_wake(loop, asyncio.Event())
    loop.close()

    with feed.listening(wake):
        feed.publish([{}])

    assert 1 == feed.end


HANDSHAKE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
}


@pytest.mark.parametrize(
    ("query", "headers", "status"),
    [
        ("", {"Authorization": ""}, 403),
        ("", {"Authorization": "token wrong"}, 403),
        ("?since=yesterday", {"Authorization": f"token {TOKEN}"}, 400),
    ],
)
def test_who_may_not_come_in_is_refused_before_it_opens(
    server: LiveServer, query: str, headers: dict[str, str], status: int
) -> None:
    answer = httpx.get(f"{server.url}{PATH}{query}", headers=HANDSHAKE | headers)

    assert status == answer.status_code


def test_a_page_of_another_origin_cannot_use_the_cookie(server: LiveServer) -> None:
    with server.client() as client:
        client.get("v1/info").raise_for_status()
        known = client.cookies
    assert known
    there = HANDSHAKE | {"Origin": "https://elsewhere.example"}

    with httpx.Client(base_url=server.url, cookies=known) as page:
        assert 403 <= page.get(PATH, headers=there).status_code <= 404


def test_a_plain_request_is_told_that_it_is_a_websocket(client: httpx.Client) -> None:
    answer = client.get(PATH)

    assert 400 == answer.status_code
    assert "websocket" in answer.json()["error"]["message"]
