"""What can go wrong between nodes: names used twice, wrong clocks, a log that is away or new."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from helix_lab.domain.model.clock import physical_ms
from helix_lab.domain.model.errors import (
    NodeAlone,
    NodeIdInUse,
    NodeRemoved,
    Unavailable,
    UnknownNode,
)
from tests.flow.labs import wait_until
from tests.flow.nodes import (
    DAY_MS,
    OpenNode,
    Stranger,
    pause,
    read_refusals,
    read_rows,
    settle,
    show,
)


@pytest.fixture
def stranger(tmp_path: Path) -> Iterator[Stranger]:
    stranger = Stranger(tmp_path / "shared.sqlite", "stranger")
    yield stranger
    stranger.close()


def test_a_second_node_of_the_same_name_is_refused(open_node: OpenNode, tmp_path: Path) -> None:
    east = open_node("east")

    with pytest.raises(NodeIdInUse, match="NODE_ID of its own"):
        open_node("east", folder=tmp_path / "another")

    assert east.create_memory("mine", memory_id="m1").version == 1
    open_node("west", folder=tmp_path / "another")  # the folder was let go


def test_a_copy_of_a_data_folder_is_noticed(open_node: OpenNode, tmp_path: Path) -> None:
    open_node("east").close()
    shutil.copytree(tmp_path / "east", tmp_path / "copy")
    first = open_node("east")
    first.force_sync()
    second = open_node("east", folder=tmp_path / "copy")
    second.force_sync()

    with pytest.raises(NodeIdInUse):
        first.force_sync()

    assert "refused" == first.get_sync_status().status
    with pytest.raises(NodeIdInUse):
        first.create_memory("which of us?", memory_id="m1")


def test_a_clock_a_day_ahead_is_told_and_not_obeyed(
    open_node: OpenNode, stranger: Stranger
) -> None:
    stranger.join()
    stranger.write("m1", ahead_ms=DAY_MS, content="from tomorrow")
    east = open_node("east")
    settle(east)

    (peer,) = east.list_sync_peers().peers
    assert peer.clock_ahead_ms is not None
    assert DAY_MS - 60_000 < peer.clock_ahead_ms <= DAY_MS
    assert physical_ms(east.services.writer.tick()) < time.time_ns() // 1_000_000 + 60_000
    assert physical_ms(east.services.log.greatest_clock()) < time.time_ns() // 1_000_000 + 60_000
    assert "of today" == east.update_memory("m1", content="of today").content
    assert not east.get_memory("m1").has_conflict


def test_events_under_a_wrong_name_are_refused_and_kept_with_the_reason(
    open_node: OpenNode, stranger: Stranger
) -> None:
    stranger.write("m1", content="never joined")
    stranger.join()
    stranger.write("m2", content="in the name of east", node_id="east")
    east = open_node("east")

    settle(east)

    assert [] == show(east)
    reasons = sorted(read_refusals(east))
    assert ["has not joined" in reasons[1], "cannot have made update 2" in reasons[0]] == [True] * 2


def test_a_node_that_is_removed_is_heard_no_more_and_told(
    open_node: OpenNode, stranger: Stranger
) -> None:
    east, west = open_node("east"), open_node("west")
    pause(east, west)
    settle(east, west)
    west.create_memory("not sent", memory_id="m1")

    (peer,) = east.remove_sync_peer("west").peers

    assert ("removed", "east") == (peer.status, peer.removed_by)
    with pytest.raises(NodeRemoved, match="removed from the exchange of memories by 'east'"):
        west.force_sync()
    with pytest.raises(NodeRemoved):
        west.update_memory("m1", content="no")
    with pytest.raises(UnknownNode):
        east.remove_sync_peer("nobody")
    assert ["removed"] == [peer.status for peer in east.remove_sync_peer("west").peers]


def test_a_removed_node_does_not_hold_back_what_is_to_be_forgotten(open_node: OpenNode) -> None:
    east, west = open_node("east"), open_node("west")
    pause(east, west)
    east.create_memory("short", memory_id="m1")
    east.delete_memory("m1")
    settle(east)
    assert "deleted" == east.get_memory_history("m1").updates[-1].action
    assert 1 == len(read_rows(east)[0])

    east.remove_sync_peer("west")

    assert 0 == len(read_rows(east)[0])


def test_a_node_works_on_while_the_shared_log_is_away(open_node: OpenNode, tmp_path: Path) -> None:
    west = open_node("west")
    place = tmp_path / "away" / "shared.sqlite"
    place.mkdir(parents=True)  # a folder where the file should be
    east = open_node("east", memory_log=str(place))

    east.create_memory("written alone", memory_id="m1")

    status = east.get_sync_status()
    assert ("unreachable", 1) == (status.status, status.events_published)
    assert status.problem is not None
    with pytest.raises(Unavailable):
        east.force_sync()
    place.rmdir()
    place.symlink_to(tmp_path / "shared.sqlite")
    wait_until(lambda: show(west))
    assert "written alone" == west.get_memory("m1").content
    wait_until(lambda: east.get_sync_status().status == "active")


def test_a_shared_log_that_was_replaced_is_filled_again(
    open_node: OpenNode, tmp_path: Path
) -> None:
    east, west = open_node("east"), open_node("west")
    east.create_memory("one", memory_id="m1")
    settle(east, west)
    west.create_memory("two", memory_id="m2")
    settle(west, east)
    east.close()
    west.close()
    for path in tmp_path.glob("shared.sqlite*"):
        path.unlink()

    east, west = open_node("east"), open_node("west")
    east.create_memory("three", memory_id="m3")
    settle(east, west, east)
    north = open_node("north")
    settle(north)

    assert ["m1", "m2", "m3"] == sorted(memory["memory_id"] for memory in show(north))
    assert show(east) == show(north)


def test_a_folder_from_a_backup_takes_its_own_updates_back(
    open_node: OpenNode, tmp_path: Path
) -> None:
    east = open_node("east")
    east.create_memory("before", memory_id="m1")
    settle(east)
    east.close()
    shutil.copytree(tmp_path / "east", tmp_path / "backup")
    east = open_node("east")
    east.update_memory("m1", content="after")
    settle(east)
    east.close()
    shutil.rmtree(tmp_path / "east")
    shutil.copytree(tmp_path / "backup", tmp_path / "east")

    east = open_node("east")
    changed = east.update_memory("m1", importance=0.1)

    assert ("after", 3) == (changed.content, changed.version)
    settle(east)
    assert "active" == east.get_sync_status().status


def test_a_lab_that_was_alone_tells_all_when_it_joins(open_node: OpenNode) -> None:
    alone = open_node("east", memory_log=None)
    alone.create_memory("from before", memory_id="m1")
    status = alone.get_sync_status()
    assert ("alone", []) == (status.status, status.peers)
    with pytest.raises(NodeAlone, match="HELIX_MEMORY_LOG"):
        alone.force_sync()
    alone.close()

    east, west = open_node("east"), open_node("west")
    settle(east, west)

    assert "from before" == west.get_memory("m1").content
