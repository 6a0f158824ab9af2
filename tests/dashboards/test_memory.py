"""The page Memory, on two nodes that exchange theirs: how they stand, and its buttons."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from helix_lab import Lab, open_lab
from helix_lab.settings import Settings
from tests.flow.nodes import pause, settle

pn = pytest.importorskip("panel", reason="needs the extra dashboards")

from helix_lab.doors.dashboards.pages import MAKERS  # noqa: E402 - only where Panel is


@pytest.fixture(scope="module")
def nodes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Lab, Lab]]:
    """East and west, which hear of each other only when a test lets them."""
    folder = tmp_path_factory.mktemp("nodes")
    shared = str(folder / "shared.sqlite")
    with ExitStack() as stack:
        east, west = (
            stack.enter_context(
                open_lab(settings=Settings(folder / name, name, port=0, memory_log=shared))
            )
            for name in ("east", "west")
        )
        pause(east, west)
        yield east, west


@pytest.fixture
def split(nodes: tuple[Lab, Lab], request: pytest.FixtureRequest) -> Iterator[str]:
    """A memory of the test's own that both changed, and that is the only one in conflict."""
    east, west = nodes
    memory_id: str = request.node.name
    east.create_memory("Prefer", memory_id=memory_id)
    settle(east, west)
    east.update_memory(memory_id, content="Prefer <b>OAuth2</b>")
    west.update_memory(memory_id, content="Prefer JWT")
    settle(east, west)
    yield memory_id
    settle(west, east)
    if is_kept(east, memory_id):
        east.delete_memory(memory_id)
    settle(east, west)


def is_kept(lab: Lab, memory_id: str) -> bool:
    return memory_id in [memory.memory_id for memory in lab.list_memories().memories]


def text_of(page: Any) -> str:
    return "\n".join(pane.object for pane in page.select(pn.pane.HTML))


def list_buttons(page: Any) -> dict[str, Any]:
    return {button.label: button for button in page.select(pn.widgets.Button)}


async def press(button: Any) -> None:
    """Press as a browser does, and wait until what that starts has ended."""
    button.clicks += 1
    await asyncio.gather(*asyncio.all_tasks() - {asyncio.current_task()})


def test_a_lab_without_memories_says_how_to_keep_one(lab: Lab) -> None:
    text = text_of(MAKERS["memory"](lab))

    assert "helix-lab memory create" in text
    assert "node-1 (this one)" in text
    assert "This node is alone" in text
    assert "No conflict." in text


def test_nodes_are_shown_with_their_heartbeats_and_the_last_snapshot(
    nodes: tuple[Lab, Lab], split: str
) -> None:
    east, west = nodes
    assert west.services.exchange.write_snapshot()
    assert east.services.exchange.write_snapshot()

    text = text_of(MAKERS["memory"](east))

    status = east.get_sync_status()
    (peer,), snapshot = status.peers, status.last_snapshot
    assert peer.last_heartbeat is not None
    assert snapshot is not None
    assert ("east", sum(status.nodes.values())) == (snapshot.node_id, snapshot.updates)
    assert f">{peer.last_heartbeat:%Y-%m-%d %H:%M:%S}<" in text
    assert f">{snapshot.written_at:%Y-%m-%d %H:%M:%S}<" in text
    assert ">east (this one)<" in text
    assert split in text


@pytest.mark.parametrize(
    ("label", "content"),
    [("Take what east wrote", "Prefer <b>OAuth2</b>"), ("Take what west wrote", "Prefer JWT")],
    ids=["east", "west"],
)
def test_both_values_stand_side_by_side_until_a_button_chooses(
    nodes: tuple[Lab, Lab], split: str, label: str, content: str
) -> None:
    east, west = nodes
    page = MAKERS["memory"](east)
    row = text_of(page).split(">content<")[1].split("</tr>")[0]
    assert row.index("Prefer &lt;b&gt;OAuth2") < row.index("Prefer JWT")

    asyncio.run(press(list_buttons(page)[label]))

    settle(east, west)
    assert [content] * 2 == [lab.get_memory(split).content for lab in (east, west)]
    assert not west.get_memory(split).has_conflict
    assert label not in list_buttons(page)
    assert f"{split}: conflict resolved by east" in text_of(page)


def test_a_resolution_is_undone_by_its_button(nodes: tuple[Lab, Lab], split: str) -> None:
    east, _ = nodes
    page = MAKERS["memory"](east)
    shown = east.get_memory(split).content
    asyncio.run(press(list_buttons(page)["Take what east wrote"]))
    assert shown != east.get_memory(split).content

    first = page.select(pn.widgets.Button)[0]
    assert "Undo what east chose" == first.label
    asyncio.run(press(first))

    assert shown == east.get_memory(split).content


def test_a_delete_beside_an_edit_can_be_taken(nodes: tuple[Lab, Lab], split: str) -> None:
    east, west = nodes
    east.update_memory(split, content="Prefer tokens")
    settle(east, west)
    west.update_memory(split, content="Prefer passkeys")
    east.delete_memory(split)
    settle(east, west)
    page = MAKERS["memory"](west)

    asyncio.run(press(list_buttons(page)["Delete it, as east did"]))

    assert not is_kept(west, split)


def test_what_was_changed_meanwhile_is_not_replaced_by_a_late_button(
    nodes: tuple[Lab, Lab], split: str
) -> None:
    east, west = nodes
    page = MAKERS["memory"](east)
    button = list_buttons(page)["Take what east wrote"]
    west.update_memory(split, content="Prefer passkeys")
    settle(west, east)
    asyncio.run(press(button))

    assert "has changed meanwhile" in text_of(page)
    assert "Prefer passkeys" == east.get_memory(split).content
