"""Nodes that exchange memories through a shared log file: real labs, each with its own folder."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from helix_lab.lab import Lab, open_lab
from helix_lab.settings import Settings
from tests.flow.labs import wait_until

OpenNode = Callable[..., Lab]


@pytest.fixture
def open_node(tmp_path: Path) -> Iterator[OpenNode]:
    with ExitStack() as stack:

        def open_it(name: str, **settings: Any) -> Lab:
            given = {"memory_log": str(tmp_path / "shared.sqlite"), **settings}
            folder = given.pop("folder", tmp_path / name)
            return stack.enter_context(open_lab(settings=Settings(folder, name, port=0, **given)))

        yield open_it


def settle(*labs: Lab) -> None:
    """Let all nodes take in and acknowledge all."""
    for _ in range(2):
        for lab in labs:
            lab.force_sync()


def show(lab: Lab) -> list[dict[str, Any]]:
    return [memory.model_dump() for memory in lab.list_memories(limit=1000).memories]


def test_a_memory_of_one_node_comes_to_the_other_by_itself(open_node: OpenNode) -> None:
    east, west = open_node("east"), open_node("west")

    east.create_memory("User prefers OAuth2", memory_id="m1", tags=["auth"])
    wait_until(lambda: show(west))

    assert show(east) == show(west)
    status = west.get_sync_status()
    assert ("active", 1, 0) == (status.status, status.events_consumed, status.events_published)
    assert ["east"] == [peer.node_id for peer in status.peers]


def test_both_versions_2_become_a_version_3_on_both_nodes(open_node: OpenNode) -> None:
    east = open_node("east", memory_strategy="merge_all")
    west = open_node("west", memory_strategy="merge_all")
    east.create_memory("Prefer", memory_id="m1")
    settle(east, west)
    east.services.exchange.pause()
    west.services.exchange.pause()

    east.update_memory("m1", content="Prefer OAuth2")
    west.update_memory("m1", content="Prefer JWT")
    assert [2, 2] == [lab.get_memory("m1").version for lab in (east, west)]
    settle(east, west)

    for lab in (east, west):
        memory = lab.get_memory("m1")
        assert ("Prefer OAuth2 and JWT", 3, True) == (
            memory.content, memory.version, memory.has_conflict
        )  # fmt: skip
    assert show(east) == show(west)
    assert east.list_memory_conflicts() == west.list_memory_conflicts()
