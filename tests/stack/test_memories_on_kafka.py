"""Nodes that exchange their memories over Kafka, and what they do while it is away."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from helix_lab.domain.model.errors import InvalidRequest, NodeIdInUse
from helix_lab.domain.model.event import MEMORY_EVENTS
from helix_lab.lab import Lab, open_lab
from helix_lab.settings import Settings, read_settings
from helix_lab.stack.stack import Stack
from tests.flow.labs import say, wait_until
from tests.flow.nodes import read_rows, show
from tests.stack.kafka import address_on, broker, stopped

PATIENCE_S = 90.0
OpenNode = Callable[..., Lab]
__all__ = ["broker"]
pytestmark = [pytest.mark.services("kafka"), pytest.mark.timeout(400)]


@pytest.fixture
def address(broker: Stack, tmp_path: Path) -> str:
    # With as many partitions as the guide's own commands may have made: nodes use the first alone.
    return address_on(broker, tmp_path)


@pytest.fixture
def open_node(tmp_path: Path, address: str) -> Iterator[OpenNode]:
    """Opens nodes by name; they meet on Kafka, and only there."""
    with ExitStack() as stack:

        def open_it(name: str, **settings: Any) -> Lab:
            given = {"memory_log": address, "folder": tmp_path / name, **settings}
            folder = given.pop("folder")
            return stack.enter_context(open_lab(settings=Settings(folder, name, port=0, **given)))

        yield open_it


def has_status(lab: Lab, status: str) -> bool:
    return bool(status == lab.get_sync_status().status)


def are_same(labs: list[Lab], count: int) -> bool:
    shown = [show(lab) for lab in labs]
    return len(shown[0]) == count and all(shown[0] == other for other in shown)


def test_three_nodes_converge_work_on_alone_and_catch_up(
    open_node: OpenNode, broker: Stack, tmp_path: Path
) -> None:
    labs = [open_node(name, memory_strategy="merge_all") for name in ("east", "north", "west")]
    east, north, west = labs
    for number, lab in enumerate(labs):
        lab.create_memory(f"fact {number}", memory_id=f"m{number}", tags=[lab.settings.node_id])
    wait_until(lambda: are_same(labs, 3), timeout_s=PATIENCE_S)

    with stopped(broker):
        wait_until(lambda: all(has_status(lab, "unreachable") for lab in labs), timeout_s=90)
        level_at = east.get_sync_status().last_sync_timestamp
        for lab in labs:
            lab.update_memory("m0", content=f"Prefer {lab.settings.node_id}")
        west.create_memory("made while Kafka was away", memory_id="m3")
        assert "Prefer west" == west.get_memory("m0").content
        assert level_at == east.get_sync_status().last_sync_timestamp
        north.close()

    for lab in (east, west):
        wait_until(partial(has_status, lab, "active"), timeout_s=PATIENCE_S)
    north = open_node("north", memory_strategy="merge_all")
    labs = [east, north, west]
    wait_until(lambda: are_same(labs, 4), timeout_s=PATIENCE_S)
    wait_until(lambda: east.get_memory("m0").has_conflict, timeout_s=PATIENCE_S)
    content = east.get_memory("m0").content
    assert all(name in content for name in ("east", "north", "west"))
    for lab in labs:
        (conflict,) = lab.list_memory_conflicts(state="open").conflicts
        values = {value.value for value in conflict.values["content"]}
        assert {"Prefer east", "Prefer north", "Prefer west"} == values

    with pytest.raises(NodeIdInUse):
        open_node("west", folder=tmp_path / "another")


def test_a_new_node_begins_with_a_snapshot_on_kafka(open_node: OpenNode) -> None:
    east = open_node("east")
    for number in range(5):
        east.create_memory(f"fact {number}", memory_id=f"m{number}")
    east.force_sync()
    assert east.services.exchange.write_snapshot()
    pace = east.services.exchange
    east.update_memory("m1", content="after the snapshot")
    east.force_sync()

    west = open_node("west")
    wait_until(lambda: are_same([east, west], 5), timeout_s=PATIENCE_S)

    assert pace.stand().state == "active"
    places = west.services.exchange._meeting.shared.end_offsets([MEMORY_EVENTS])  # type: ignore[union-attr]
    assert [(MEMORY_EVENTS, 0)] == [place for place, end in places.items() if end]


def test_labs_whose_log_is_on_kafka_share_conversations_and_exchange_memories(
    open_node: OpenNode, address: str, broker: Stack
) -> None:
    labs = [open_node(name, log_url=address) for name in ("east", "west")]
    east, west = labs
    east.start_conversation(conversation_id="c")
    west.append_messages("c", [say("hello")])
    east.create_memory("Prefer", memory_id="m1")
    wait_until(lambda: are_same(labs, 1), timeout_s=PATIENCE_S)

    with stopped(broker):
        assert "without Kafka" == west.update_memory("m1", content="without Kafka").content

    wait_until(lambda: "without Kafka" == east.get_memory("m1").content, timeout_s=PATIENCE_S)
    assert 1 == east.get_conversation("c").message_count
    rows = read_rows(west, without=("change",))
    west.close()
    west = open_node("west", log_url=address)
    assert rows == read_rows(west, without=("change",))
    assert "geheim" not in str(west.get_sync_status().model_dump())


def test_the_variables_say_where_memories_are_exchanged() -> None:
    kafka = {"KAFKA_BOOTSTRAP_SERVERS": "h1:9092"}
    enabled = {**kafka, "MEMORY_EVENT_SOURCING_ENABLED": "true"}

    assert read_settings(environment=kafka).memory_log is None
    assert "kafka://h1:9092" == read_settings(environment=enabled).memory_log
    named = {"HELIX_MEMORY_LOG": "kafka://u:geheim@h2/lab"}
    assert "kafka://u:geheim@h2/lab" == read_settings(environment=named).memory_log
    assert "geheim" not in repr(read_settings(environment=named))
    with pytest.raises(InvalidRequest, match="begins with 'amqp'"):
        read_settings(environment={"HELIX_MEMORY_LOG": "amqp://u:geheim@h"})
    assert (
        0 == read_settings(environment={"MEMORY_SNAPSHOT_INTERVAL": "0"}).memory_snapshot_interval_s
    )
    with pytest.raises(InvalidRequest, match="MEMORY_SNAPSHOT_INTERVAL is 'often'"):
        read_settings(environment={"MEMORY_SNAPSHOT_INTERVAL": "often"})
