"""Snapshots: nodes that are new or were away begin with one; coming back under a new name."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from helix_lab.adapters.log_sqlite import SqliteEventLog
from helix_lab.domain.memory.record import Kind, Update
from helix_lab.domain.model.errors import NodeRemoved, Unavailable
from helix_lab.domain.model.event import (
    MEMORY_CONFLICTS,
    MEMORY_EVENTS,
    MEMORY_SNAPSHOTS,
    SNAPSHOT_COMPLETED,
    SNAPSHOT_WRITTEN,
)
from helix_lab.lab import Lab
from helix_lab.projections.memory_adoption import Adoption
from helix_lab.record.memories import update_memory
from helix_lab.record.snapshots import SNAPSHOTS_KEY
from tests.flow.labs import rebuild, wait_until
from tests.flow.nodes import OpenNode, pause, read_refusals, read_rows, settle, show

MANY = 1200
PLACES = ("change", "found_at", "ended_at", "ended_by", "strategy")


def write_many(lab: Lab, number: int = MANY) -> None:
    """Updates of twelve memories, so many that nobody wants to read them one by one."""
    node_id = lab.services.node_id
    known = lab.get_sync_status().nodes
    drafts = []
    for at in range(number):
        first = at < 12
        update = Update(
            f"many-{at % 12}",
            Kind.CREATE if first else Kind.EDIT,
            1 + at // 12,
            lab.services.writer.tick(),
            {"content": f"value {at}"},
            ("new",) if first else (),
        )
        seq = known.get(node_id, 0) + at + 1
        drafts.append(
            update_memory(update, node_id=node_id, seq=seq, seen={**known, node_id: seq - 1})
        )
    lab.services.writer.record(drafts)


def read_shared(path: Path, topic: str, type_: str) -> list[Any]:
    with SqliteEventLog(path) as log:
        entries = log.read(topic, 0, start_offset=0, limit=10_000)
        return [entry.event for entry in entries if entry.event.type == type_]


def count_updates_in_log(lab: Lab) -> int:
    entries = lab.services.log.read(MEMORY_EVENTS, 0, start_offset=0, limit=10_000)
    return sum(entry.event.type.startswith("helixagent.memory.") for entry in entries)


def read_states(lab: Lab) -> list[dict[str, Any]]:
    """The memories as replicas hold them, whoever compacted what."""
    return read_rows(lab, without=("state", "is_settled", *PLACES))[0]


@pytest.fixture
def shared(tmp_path: Path) -> Path:
    return tmp_path / "shared.sqlite"


def test_a_new_node_begins_with_the_latest_snapshot_and_reads_on(
    open_node: OpenNode, shared: Path
) -> None:
    east = open_node("east")
    pause(east)
    write_many(east)
    settle(east)
    assert east.services.exchange.write_snapshot()
    east.update_memory("many-3", content="after the snapshot", tags_added=["late"])
    east.delete_memory("many-4")
    settle(east)

    west = open_node("west")
    settle(west)

    assert read_states(east) == read_states(west)
    assert 2 == count_updates_in_log(west)
    assert MANY + 2 == count_updates_in_log(east)
    assert ["many-3"] == [memory["memory_id"] for memory in show(west) if "late" in memory["tags"]]
    assert "value" in west.list_memories(q="1195").memories[0].content
    west.update_memory("many-5", content="of west")
    settle(west, east)
    assert "of west" == east.get_memory("many-5").content
    assert not east.get_memory("many-5").has_conflict
    before = read_rows(west)
    rebuild(west, "memory")
    assert before == read_rows(west)
    (history,) = west.get_memory_history("many-5").updates
    assert "of west" == history.changes["content"]
    assert [] == west.get_memory_history("many-6").updates


def test_a_snapshot_does_not_wait_while_the_keeper_rests(open_node: OpenNode) -> None:
    exchange = open_node("east").services.exchange
    exchange.sync()

    with ThreadPoolExecutor(1) as threads, exchange._steps["keep"]:
        assert threads.submit(exchange.write_snapshot).result(20)


def test_a_node_that_was_away_keeps_what_it_wrote_meanwhile(open_node: OpenNode) -> None:
    east, west = open_node("east"), open_node("west")
    pause(east, west)
    for memory_id in ("m1", "m2", "m3", "many-0"):
        east.create_memory("Prefer", memory_id=memory_id, tags=["first"])
    settle(east, west)
    west.update_memory("m1", content="Prefer JWT")
    west.update_memory("m2", tags_added=["away"])
    west.create_memory("made while away", memory_id="m4")
    west.delete_memory("m3")
    east.update_memory("m1", content="Prefer OAuth2")
    east.delete_memory("many-0")
    write_many(east)
    settle(east)
    assert east.services.exchange.write_snapshot()

    settle(west)
    settle(east, west)

    assert count_updates_in_log(west) < 20
    assert read_states(east) == read_states(west)
    assert ["away", "first"] == east.get_memory("m2").tags
    conflicts = [lab.list_memory_conflicts(state="open").conflicts for lab in (east, west)]
    assert ["m1"] == [conflict.memory_id for conflict in conflicts[0]]
    assert [c.values for c in conflicts[0]] == [c.values for c in conflicts[1]]
    before = read_rows(west)
    rebuild(west, "memory")
    assert before == read_rows(west)


def test_a_conflict_that_ended_meanwhile_ends_by_the_snapshot(open_node: OpenNode) -> None:
    east, west = open_node("east"), open_node("west")
    pause(east, west)
    east.create_memory("Prefer", memory_id="m1")
    settle(east, west)
    east.update_memory("m1", content="Prefer OAuth2")
    west.update_memory("m1", content="Prefer JWT")
    settle(east, west)
    assert ["open"] == [c.state for c in west.list_memory_conflicts().conflicts]
    east.update_memory("m1", content="Prefer passkeys")
    write_many(east)
    settle(east)
    assert east.services.exchange.write_snapshot()

    settle(west)

    (conflict,) = west.list_memory_conflicts().conflicts
    assert "resolved" == conflict.state
    assert "Prefer passkeys" == west.get_memory("m1").content


def cut_off(log: SqliteEventLog, snapshot: list[Any]) -> None:
    """All but the completion."""
    log.append([(MEMORY_SNAPSHOTS, event) for event in snapshot[:-1]])


def lack_a_part(log: SqliteEventLog, snapshot: list[Any]) -> None:
    log.append([(MEMORY_SNAPSHOTS, event) for event in snapshot[1:]])


def change_a_part(log: SqliteEventLog, snapshot: list[Any]) -> None:
    first = snapshot[0]
    memories = [{**memory, "updated_by": "nobody"} for memory in first.data["memories"]]
    changed = replace(first, data={**first.data, "memories": memories})
    log.append([(MEMORY_SNAPSHOTS, event) for event in (changed, *snapshot[1:])])


@pytest.mark.parametrize("damage", [cut_off, lack_a_part, change_a_part])
def test_of_a_damaged_snapshot_the_one_before_is_used(
    open_node: OpenNode, shared: Path, damage: Callable[[SqliteEventLog, list[Any]], None]
) -> None:
    east = open_node("east")
    pause(east)
    write_many(east)
    settle(east)
    assert east.services.exchange.write_snapshot()
    east.update_memory("many-1", content="later")
    settle(east)
    with SqliteEventLog(shared) as log:
        (end,) = log.end_offsets([MEMORY_EVENTS]).values()
        first = [e.event for e in log.read(MEMORY_SNAPSHOTS, 0, start_offset=0, limit=100)]
        second = [
            replace(
                event,
                event_id=f"second-{number}",
                key="second" if event.type == SNAPSHOT_WRITTEN.name else event.key,
                subject="second",
                data={**event.data, "snapshot_id": "second"},
            )
            for number, event in enumerate(first)
        ]
        second[-1] = replace(second[-1], data={**second[-1].data, "offset": end})
        damage(log, second)

    west = open_node("west")
    settle(west)

    assert read_states(east) == read_states(west)
    assert "later" == west.get_memory("many-1").content
    assert 1 == count_updates_in_log(west)


def test_a_snapshot_among_the_memory_events_is_no_snapshot(
    open_node: OpenNode, shared: Path
) -> None:
    east, west = open_node("east"), open_node("west")
    pause(east, west)
    write_many(east, 24)
    settle(east, west)
    assert east.services.exchange.write_snapshot()
    with SqliteEventLog(shared) as log:
        written = log.read(MEMORY_SNAPSHOTS, 0, start_offset=0, limit=10)
        log.append(
            [
                (MEMORY_EVENTS, replace(entry.event, event_id=f"spoofed-{number}"))
                for number, entry in enumerate(written)
            ]
        )
    settle(west)

    assert 2 == sum("no place among the memory events" in why for why in read_refusals(west))
    assert read_states(east) == read_states(west)


def test_snapshots_are_written_by_themselves_when_enough_was_written(
    open_node: OpenNode, shared: Path
) -> None:
    east = open_node("east", memory_snapshot_interval_s=0.2)
    write_many(east)

    def list_completed() -> list[Any]:
        return read_shared(shared, MEMORY_SNAPSHOTS, SNAPSHOT_COMPLETED.name)

    wait_until(list_completed)

    east.update_memory("many-1", content="too little for another one")
    east.force_sync()
    (completed,) = list_completed()
    assert MANY == sum(node["seq"] for node in completed.data["nodes"])
    parts = read_shared(shared, MEMORY_SNAPSHOTS, SNAPSHOT_WRITTEN.name)
    assert 12 == sum(len(part.data["memories"]) for part in parts)
    assert SNAPSHOTS_KEY == completed.key


class _PowerFailure(Exception):
    pass


def test_a_node_that_dies_while_it_takes_a_snapshot_in_begins_again(
    open_node: OpenNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    east = open_node("east")
    pause(east)
    write_many(east)
    settle(east)
    assert east.services.exchange.write_snapshot()

    def fail(*_: object) -> None:
        raise _PowerFailure

    with monkeypatch.context() as patch:
        patch.setattr(Adoption, "_look_at_conflicts", fail)  # all is written, and not committed
        west = open_node("west")
        wait_until(lambda: "PowerFailure" in str(west.get_info().projection_faults))
        west.close()
    west = open_node("west")
    settle(west)

    assert read_states(east) == read_states(west)


@pytest.fixture
def removed(open_node: OpenNode) -> tuple[Lab, Lab]:
    """East, and west that was declared gone with updates that it never sent."""
    east, west = open_node("east"), open_node("west")
    pause(east, west)
    for memory_id in ("m1", "m2", "m3"):
        east.create_memory("Prefer", memory_id=memory_id)
    settle(east, west)
    west.update_memory("m1", content="Prefer JWT")
    west.create_memory("made while away", memory_id="m4")
    west.update_memory("m3", importance=0.5)
    east.remove_sync_peer("west")
    east.update_memory("m1", content="Prefer OAuth2")
    east.delete_memory("m3")
    settle(east, east)
    with pytest.raises(NodeRemoved):
        west.force_sync()
    west.close()
    return east, west


def test_a_removed_node_comes_back_under_a_new_name_with_what_it_wrote(
    removed: tuple[Lab, Lab], open_node: OpenNode, tmp_path: Path
) -> None:
    east, _ = removed

    again = open_node("west-2", folder=tmp_path / "west")
    pause(again)
    settle(again, east, again)

    assert read_states(east) == read_states(again)
    assert {"m1", "m2", "m4"} == {memory["memory_id"] for memory in show(east)}
    (conflict,) = east.list_memory_conflicts(state="open").conflicts
    assert "west-2" in {conflict.node1.id, conflict.node2 and conflict.node2.id}
    assert {"Prefer OAuth2", "Prefer JWT"} == {v.value for v in conflict.values["content"]}
    again.close()
    twice = open_node("west-2", folder=tmp_path / "west")
    pause(twice)
    settle(twice, east)
    assert 2 == twice.get_sync_status().events_published
    before = read_states(twice)
    rebuild(twice, "memory")
    assert before == read_states(twice) == read_states(east)


def test_a_node_that_comes_back_writes_nothing_before_it_met_the_others(
    removed: tuple[Lab, Lab], open_node: OpenNode, tmp_path: Path, shared: Path
) -> None:
    away = tmp_path / "away.sqlite"
    removed[0].close()
    shared.rename(away)
    shared.mkdir()
    again = open_node("west-2", folder=tmp_path / "west")

    with pytest.raises(Unavailable, match="under another node's name"):
        again.create_memory("too early", memory_id="m9")

    shared.rmdir()
    away.rename(shared)
    wait_until(lambda: "active" == again.get_sync_status().status)
    assert 1 == again.create_memory("now", memory_id="m9").version
    assert "Prefer JWT" in str(again.list_memory_conflicts().conflicts)


def test_conflicts_are_told_once_with_all_values_and_their_end(
    open_node: OpenNode, shared: Path
) -> None:
    east, west = open_node("east"), open_node("west")
    pause(east, west)
    east.create_memory("Prefer", memory_id="m1")
    settle(east, west)
    east.update_memory("m1", content="Prefer OAuth2")
    west.update_memory("m1", content="Prefer JWT")
    settle(east, west)
    (conflict,) = east.list_memory_conflicts().conflicts
    east.resolve_memory_conflict(conflict.conflict_id, "choose", node_id="west")
    settle(east, west)
    for lab in (east, west):
        lab.services.exchange.resume()

    def read_ends() -> list[Any]:
        return read_shared(shared, MEMORY_CONFLICTS, "helixagent.conflict.ended")

    wait_until(read_ends)

    wait_until(lambda: read_shared(shared, MEMORY_CONFLICTS, "helixagent.conflict.found"))
    (found,) = read_shared(shared, MEMORY_CONFLICTS, "helixagent.conflict.found")
    (ended,) = read_ends()
    assert "west" == found.node_id  # it wrote the last of the values
    assert ("east", "resolved") == (ended.node_id, ended.data["state"])
    assert conflict.conflict_id == found.subject == ended.subject
    values = [value["value"] for value in found.data["fields"]["content"]]
    assert ["Prefer OAuth2", "Prefer JWT"] == values
    assert "last_write_wins" == found.data["strategy"]
    with east.services.records.read() as connection:
        query = sa.text("SELECT state FROM memory_conflict_told")
        wait_until(lambda: ["resolved"] == list(connection.execute(query).scalars()))
