"""The guide's section "Distributed Memory", line by line, with two real servers on two ports."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import httpx
import pytest

from tests.server.live import serve, wait_for
from tests.stack.kafka import make_address, make_topics
from tests.tiers import Running

Nodes = tuple[httpx.Client, httpx.Client]


@pytest.fixture(
    scope="module",
    params=["file", pytest.param("kafka", marks=pytest.mark.services("kafka"))],
)
def nodes(
    tmp_path_factory: pytest.TempPathFactory,
    running_services: Running,
    request: pytest.FixtureRequest,
) -> Iterator[Nodes]:
    home = tmp_path_factory.mktemp("nodes")
    place = {"HELIX_MEMORY_LOG": str(home / "shared.sqlite")}
    if request.param == "kafka":
        address = make_address(running_services)
        make_topics(address, home)
        place = {"HELIX_LOG_URL": address}
    more = {
        **place,
        "MEMORY_EVENT_SOURCING_ENABLED": "true",
        "MEMORY_CRDT_STRATEGY": "merge_all",
    }
    with (
        serve(home / "node1", NODE_ID="node-us-east-1", **more) as node1,
        serve(home / "node2", NODE_ID="node-us-west-1", **more) as node2,
        node1.client() as east,
        node2.client() as west,
    ):
        yield east, west


def ask(client: httpx.Client, method: str, path: str, **options: Any) -> Any:
    answer = client.request(method, path, **options)
    assert answer.is_success, answer.text
    return answer.json()


def test_a_memory_of_node_1_is_available_on_node_2(nodes: Nodes) -> None:
    east, west = nodes
    body = '{"content": "User prefers OAuth2 for authentication"}'

    made = east.post("v1/memory", content=body)
    assert 201 == made.status_code
    path = f"v1/memory/{made.json()['memory_id']}"

    wait_for(lambda: west.get(path).is_success, "the exchange")
    assert made.json() == west.get(path).json()
    (update,) = ask(west, "GET", f"{path}/history")["updates"]
    assert ("created", "node-us-east-1") == (update["action"], update["node_id"])
    status = ask(west, "GET", "v1/memory/sync/status")
    assert ("node-us-west-1", "active") == (status["node_id"], status["status"])
    assert 1 <= status["events_consumed"]
    assert status["last_sync_timestamp"]
    assert 0 <= status["sync_lag_ms"]


def test_two_updates_at_once_are_merged_and_nothing_is_lost(nodes: Nodes) -> None:
    east, west = nodes
    ask(east, "POST", "v1/memory", json={"memory_id": "mem-123", "content": "Prefer"})
    wait_for(lambda: west.get("v1/memory/mem-123").is_success, "the exchange")
    # The servers exchange by themselves within some milliseconds: write until both were at once.
    wait_for(lambda: write_at_once(east, west), "two updates at once")

    for client in (east, west):
        wait_for(partial(is_merged, client), "the merge")
    memory = ask(east, "GET", "v1/memory/mem-123")
    assert memory == ask(west, "GET", "v1/memory/mem-123")
    conflict = ask(east, "GET", "v1/memory/conflicts?state=open&limit=1")["conflicts"][0]
    assert {conflict["node1"]["id"], conflict["node2"]["id"]} == {
        "node-us-east-1", "node-us-west-1"
    }  # fmt: skip
    assert conflict["node1"]["version"] == conflict["node2"]["version"] == memory["version"] - 1

    resolved = ask(
        west,
        "POST",
        f"v1/memory/conflicts/{conflict['conflict_id']}/resolve",
        json={"action": "choose", "node_id": "node-us-east-1"},
    )

    assert "Prefer OAuth2" == resolved["memory"]["content"]
    path = "v1/memory/mem-123"
    wait_for(lambda: ask(east, "GET", path) == ask(west, "GET", path), "the resolution")
    assert 1 <= ask(east, "GET", "v1/memory/sync/status")["conflicts_resolved"]


def write_at_once(east: httpx.Client, west: httpx.Client) -> bool:
    east.patch("v1/memory/mem-123", json={"content": "Prefer OAuth2"})
    west.patch("v1/memory/mem-123", json={"content": "Prefer JWT"})
    for client in (east, west):
        ask(client, "POST", "v1/memory/sync/force")
    return is_merged(east)


def is_merged(client: httpx.Client) -> bool:
    memory = ask(client, "GET", "v1/memory/mem-123")
    return bool(memory["has_conflict"]) and memory["content"] == "Prefer OAuth2 and JWT"


def test_a_stale_if_match_is_told_the_current_value(nodes: Nodes) -> None:
    east, _ = nodes
    ask(east, "POST", "v1/memory", json={"memory_id": "m-match", "content": "one"})
    path = "v1/memory/m-match"

    assert 200 == east.patch(path, json={"content": "two"}, headers={"If-Match": '"1"'}).status_code
    stale = east.patch(path, json={"content": "three"}, headers={"If-Match": '"1"'})
    odd = east.patch(path, json={"content": "three"}, headers={"If-Match": '"x", "y"'})

    assert 412 == stale.status_code
    assert "two" == stale.json()["error"]["details"]["current"]["content"]
    assert 400 == odd.status_code
    assert 412 == east.delete(path, headers={"If-Match": "1"}).status_code
    assert 200 == east.delete(path, headers={"If-Match": '"2"'}).status_code
    gone = east.patch(path, json={"content": "four"})
    assert 410 == gone.status_code
    assert "node-us-east-1" == gone.json()["error"]["details"]["deleted_by"]


def test_the_peers_are_told_with_their_signs_of_life(nodes: Nodes) -> None:
    east, west = nodes
    ask(west, "POST", "v1/memory/sync/force")
    ask(east, "POST", "v1/memory/sync/force")

    (peer,) = ask(east, "GET", "v1/memory/sync/peers")["peers"]

    assert ("node-us-west-1", "active") == (peer["node_id"], peer["status"])
    assert peer["last_heartbeat"]
    assert 404 == east.delete("v1/memory/sync/peers/node-eu-1").status_code
