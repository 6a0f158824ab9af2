"""Nodes that exchange memories through a shared log file: real labs, each with its own folder."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from helix_lab.domain.model.errors import Conflict, InvalidRequest, MemoryDeleted, UnknownConflict
from helix_lab.lab import Lab, open_lab
from helix_lab.settings import Settings
from tests.flow.labs import wait_until
from tests.flow.nodes import OpenNode, pause, read_rows, settle, show


def open_pair(open_node: OpenNode, **settings: Any) -> tuple[Lab, Lab]:
    """Two nodes of the test's own that know one memory, and are apart."""
    east, west = open_node("east", **settings), open_node("west", **settings)
    pause(east, west)
    east.create_memory("Prefer", memory_id="m1")
    settle(east, west)
    return east, west


@pytest.fixture(scope="module")
def nodes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Lab, Lab]]:
    """Two nodes that hear of each other only when a test lets them; all tests share them."""
    folder = tmp_path_factory.mktemp("nodes")
    shared = str(folder / "shared.sqlite")
    with ExitStack() as stack:
        labs = [
            stack.enter_context(
                open_lab(settings=Settings(folder / name, name, port=0, memory_log=shared))
            )
            for name in ("east", "west")
        ]
        pause(*labs)
        yield labs[0], labs[1]


@pytest.fixture
def split(nodes: tuple[Lab, Lab], request: pytest.FixtureRequest) -> tuple[Lab, Lab, str]:
    """Both nodes know a memory of the test's own, version 1; then they are apart."""
    east, west = nodes
    memory_id = request.node.name[:200]
    settle(west)
    east.create_memory("Prefer", memory_id=memory_id)
    settle(east, west)
    return east, west, memory_id


def test_a_memory_of_one_node_comes_to_the_other_by_itself(open_node: OpenNode) -> None:
    east, west = open_node("east"), open_node("west")

    east.create_memory("User prefers OAuth2", memory_id="m1", tags=["auth"])
    wait_until(lambda: show(west))

    assert show(east) == show(west)
    status = west.get_sync_status()
    assert ("active", 1, 0) == (status.status, status.events_consumed, status.events_published)
    assert ["east"] == [peer.node_id for peer in status.peers]
    assert status.last_sync_timestamp is not None


def test_two_versions_2_become_a_version_3_on_both_nodes(open_node: OpenNode) -> None:
    east, west = open_pair(open_node, memory_strategy="merge_all")

    east.update_memory("m1", content="Prefer OAuth2")
    west.update_memory("m1", content="Prefer JWT")
    assert [2, 2] == [lab.get_memory("m1").version for lab in (east, west)]
    settle(east, west)

    for lab in (east, west):
        memory = lab.get_memory("m1")
        assert ("Prefer OAuth2 and JWT", 3) == (memory.content, memory.version)
        assert memory.has_conflict
    assert show(east) == show(west)
    assert east.list_memory_conflicts() == west.list_memory_conflicts()


def test_nodes_with_other_strategies_keep_the_same_values(open_node: OpenNode) -> None:
    east, west = open_node("east"), open_node("west", memory_strategy="merge_all")
    pause(east, west)
    east.create_memory("Prefer OAuth2", memory_id="m1")
    west.create_memory("Prefer JWT", memory_id="m1")
    settle(east, west)

    assert "Prefer JWT" == east.get_memory("m1").content
    assert "Prefer OAuth2 and JWT" == west.get_memory("m1").content
    assert east.get_memory("m1", strategy="merge_all").content == west.get_memory("m1").content


def test_a_conflict_is_listed_with_all_values_and_who_wrote_them(
    split: tuple[Lab, Lab, str],
) -> None:
    east, west, m1 = split
    east.update_memory(m1, content="Prefer OAuth2", importance=0.9)
    west.update_memory(m1, content="Prefer JWT")
    settle(east, west)

    (conflict,) = east.list_memory_conflicts(memory_id=m1).conflicts

    assert ("concurrent_update", "open") == (conflict.conflict_type, conflict.state)
    assert ["east", "west"] == [conflict.node1.id, conflict.node2 and conflict.node2.id]
    values = [(value.node_id, value.value) for value in conflict.values["content"]]
    assert [("east", "Prefer OAuth2"), ("west", "Prefer JWT")] == values
    assert ["content"] == list(conflict.values)
    assert "Prefer JWT" == conflict.resolution.result["content"]
    assert [] == east.list_memory_conflicts(since="2999-01-01T00:00:00Z").conflicts
    assert [] == east.list_memory_conflicts(memory_id="another").conflicts


@pytest.mark.parametrize(
    ("how", "content"),
    [
        ({"action": "choose", "node_id": "east"}, "Prefer OAuth2"),
        ({"action": "edit", "content": "Prefer passkeys"}, "Prefer passkeys"),
    ],
)
def test_a_resolution_and_its_undoing_come_to_all_nodes(
    split: tuple[Lab, Lab, str], how: dict[str, Any], content: str
) -> None:
    east, west, m1 = split
    east.update_memory(m1, content="Prefer OAuth2")
    west.update_memory(m1, content="Prefer JWT")
    settle(east, west)
    conflict_id = east.list_memory_conflicts(memory_id=m1).conflicts[0].conflict_id

    east.resolve_memory_conflict(conflict_id, **how)
    settle(east, west)

    (conflict,) = west.list_memory_conflicts(memory_id=m1, state="resolved").conflicts
    assert ("east", 4) == (conflict.resolution.resolved_by, conflict.resolution.version)
    assert content == west.get_memory(m1).content
    assert 1 <= west.get_sync_status().conflicts_resolved
    west.resolve_memory_conflict(conflict_id, action="undo")
    settle(west, east)
    assert ["Prefer JWT"] * 2 == [lab.get_memory(m1).content for lab in (east, west)]
    assert show(east) == show(west)


def test_both_nodes_may_resolve_one_conflict_and_that_is_a_new_one(
    split: tuple[Lab, Lab, str],
) -> None:
    east, west, m1 = split
    east.update_memory(m1, content="Prefer OAuth2")
    west.update_memory(m1, content="Prefer JWT")
    settle(east, west)
    conflict_id = east.list_memory_conflicts(memory_id=m1).conflicts[0].conflict_id

    east.resolve_memory_conflict(conflict_id, action="choose", node_id="east")
    west.resolve_memory_conflict(conflict_id, action="choose", node_id="west")
    settle(east, west)

    assert show(east) == show(west)
    (found,) = west.list_memory_conflicts(memory_id=m1, state="open").conflicts
    assert conflict_id != found.conflict_id


def test_a_delete_that_saw_all_values_ends_the_conflict(split: tuple[Lab, Lab, str]) -> None:
    east, west, m1 = split
    east.update_memory(m1, content="Prefer OAuth2")
    west.update_memory(m1, content="Prefer JWT")
    settle(east, west)

    east.delete_memory(m1)
    settle(east, west)

    for lab in (east, west):
        (conflict,) = lab.list_memory_conflicts(memory_id=m1).conflicts
        assert ("resolved", "east") == (conflict.state, conflict.resolution.resolved_by)


def test_a_delete_beside_an_edit_is_a_conflict_and_can_be_chosen(
    split: tuple[Lab, Lab, str],
) -> None:
    east, west, m1 = split
    east.delete_memory(m1)
    west.update_memory(m1, content="Prefer JWT")
    settle(east, west)
    assert "Prefer JWT" == east.get_memory(m1).content
    (conflict,) = west.list_memory_conflicts(memory_id=m1).conflicts
    assert "concurrent_delete" == conflict.conflict_type

    west.resolve_memory_conflict(conflict.conflict_id, action="choose", node_id="east")
    settle(west, east)

    for lab in (east, west):
        with pytest.raises(MemoryDeleted):
            lab.get_memory(m1)


def test_a_touch_that_a_delete_took_back_is_listed_and_can_be_chosen(
    split: tuple[Lab, Lab, str],
) -> None:
    east, west, m1 = split
    east.delete_memory(m1)
    west.update_memory(m1, importance=1.0)
    settle(east, west)
    (conflict,) = west.list_memory_conflicts(memory_id=m1).conflicts

    west.resolve_memory_conflict(conflict.conflict_id, action="choose", node_id="west")
    settle(west, east)

    assert ("Prefer", 1.0) == (east.get_memory(m1).content, east.get_memory(m1).importance)
    assert show(east) == show(west)


@pytest.mark.parametrize(
    ("how", "error", "words"),
    [
        ({"action": "choose", "node_id": "north"}, InvalidRequest, "one of east, west"),
        ({"action": "choose"}, InvalidRequest, "one of east, west"),
        ({"action": "edit"}, InvalidRequest, "nothing is given"),
        ({"action": "undo"}, Conflict, "nothing to undo"),
        ({"conflict_id": "x", "action": "undo"}, UnknownConflict, "no conflict 'x'"),
    ],
)
def test_a_resolution_that_means_nothing_is_refused(
    split: tuple[Lab, Lab, str], how: dict[str, Any], error: type[Exception], words: str
) -> None:
    east, west, m1 = split
    east.update_memory(m1, content="Prefer OAuth2")
    west.update_memory(m1, content="Prefer JWT")
    settle(east, west)
    conflict_id = east.list_memory_conflicts(memory_id=m1).conflicts[0].conflict_id

    with pytest.raises(error, match=words):
        east.resolve_memory_conflict(**{"conflict_id": conflict_id, **how})

    assert east.get_memory(m1).has_conflict


def test_a_conflict_that_has_grown_is_not_resolved_blindly(open_node: OpenNode) -> None:
    east, west = open_pair(open_node)
    north = open_node("north")
    pause(north)
    settle(north, east)
    for lab, content in ((east, "one"), (west, "two"), (north, "three")):
        lab.update_memory("m1", content=content)
    settle(east, west)
    conflict_id = east.list_memory_conflicts().conflicts[0].conflict_id
    settle(north, east, west)

    with pytest.raises(Conflict, match="has grown"):
        east.resolve_memory_conflict(conflict_id, action="choose", node_id="east")

    (found,) = north.list_memory_conflicts(state="open").conflicts
    assert ["one", "two", "three"] == [value.value for value in found.values["content"]]


def test_a_new_node_learns_all_from_the_shared_log(open_node: OpenNode) -> None:
    east, west = open_pair(open_node)
    east.update_memory("m1", content="Prefer OAuth2")
    west.update_memory("m1", content="Prefer JWT")
    for number in range(20):
        east.create_memory(f"fact {number}", memory_id=f"n{number}")
    east.delete_memory("n3")
    settle(east, west)

    north = open_node("north")
    settle(north)

    assert show(east) == show(north)
    north.create_memory("from the north", memory_id="n99")
    settle(north, east)
    assert "from the north" == east.get_memory("n99").content


def test_what_all_have_acknowledged_is_forgotten_and_shown_alike(open_node: OpenNode) -> None:
    east, west = open_pair(open_node)
    east.create_memory("gone soon", memory_id="m2")
    settle(east, west)
    west.delete_memory("m2")
    settle(west, east, west)

    memories, _ = read_rows(east)

    assert [("m1", True)] == [(row["memory_id"], row["is_settled"]) for row in memories]
    assert read_rows(east, without=("change",)) == read_rows(west, without=("change",))
    west.update_memory("m1", content="still goes on")
    settle(west, east)
    assert ("still goes on", 2) == (east.get_memory("m1").content, east.get_memory("m1").version)


def test_a_rebuilt_store_of_a_node_equals_the_live_one(open_node: OpenNode) -> None:
    east, west = open_pair(open_node)
    east.update_memory("m1", content="Prefer OAuth2")
    west.update_memory("m1", content="Prefer JWT")
    west.create_memory("gone", memory_id="m2")
    settle(east, west)
    east.delete_memory("m2")
    settle(east, west)
    live = read_rows(east)

    east.services.projections.rebuild("memory")

    assert live == read_rows(east)
