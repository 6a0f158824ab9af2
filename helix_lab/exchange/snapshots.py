"""Snapshots: all memories in the shared log, so that nobody need read it from its beginning.

A snapshot is its parts and, after them, its completion. One that was cut off, or that lacks a
part, is passed over for the one before.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import msgspec

from helix_lab.domain.memory.snapshots import Digest, count_updates, pick_parts
from helix_lab.domain.model.event import (
    MEMORY_EVENTS,
    MEMORY_SNAPSHOTS,
    SNAPSHOT_COMPLETED,
    Draft,
    Entry,
)
from helix_lab.exchange.standing import WrittenSnapshot
from helix_lab.ports.event_log import EventLog
from helix_lab.queries.memory_snapshots import MemoryState, read_state
from helix_lab.record.snapshots import (
    PART_BYTES,
    PART_SIZE,
    SNAPSHOTS_KEY,
    complete,
    write_part,
)
from helix_lab.record.writer import Writer
from helix_lab.records.database import Records


def make_drafts(state: MemoryState, *, node_id: str, offset: int) -> Iterator[Draft]:
    """The events of a snapshot, one after the other; the last one makes it whole."""
    snapshot_id = uuid.uuid4().hex
    digest, parts, memories = Digest(), 0, 0
    for part in _split(state):
        parts, memories = parts + 1, memories + len(part)
        digest.add(part)
        yield write_part(snapshot_id, parts, part)
    yield complete(
        snapshot_id,
        node_id=node_id,
        offset=offset,
        parts=parts,
        memories=memories,
        digest=str(digest),
        nodes=state.nodes,
    )


def _split(state: MemoryState) -> Iterator[list[dict[str, Any]]]:
    """Parts of which none is much larger than `PART_BYTES`."""
    for rows in state.read_parts(PART_SIZE):
        part: list[dict[str, Any]] = []
        size = 0
        for row in rows:
            length = len(msgspec.json.encode(row))
            if part and size + length > PART_BYTES:
                yield part
                part, size = [], 0
            part.append(row)
            size += length
        yield part


class Snapshot:
    """A snapshot that is whole, as it lies in the shared log."""

    def __init__(self, completion: Entry, parts: list[Entry]) -> None:
        self.data = completion.event.data
        self.completed_at = completion.event.time
        self._completion = completion
        self._parts = parts

    @property
    def offset(self) -> int:
        """All of the shared log's memory events before it are in the snapshot."""
        return int(self.data["offset"])

    @property
    def vector(self) -> dict[str, int]:
        """How many updates of each node are in it."""
        return count_updates(self.data)

    def to_entries(self) -> list[Entry]:
        """Its events as they are taken in among the memory events of a node, the completion last.

        There they are in one order with the updates.
        """
        return [replace(entry, topic=MEMORY_EVENTS) for entry in (*self._parts, self._completion)]


class Snapshots:
    """Those of one shared log.

    Args:
        writer: of this node.
    """

    def __init__(self, shared: EventLog, writer: Writer, *, node_id: str) -> None:
        self._shared = shared
        self._writer = writer
        self._node_id = node_id
        self._described: tuple[int, WrittenSnapshot | None] = (0, None)

    def find_latest(self, *, beyond: int) -> Snapshot | None:
        """The latest one that is whole and stands for more of the log than is read."""
        for completion in reversed(self._list_completions()):
            if completion.event.data["offset"] <= beyond:
                continue
            parts = self._read_parts(completion)
            if parts is not None:
                return Snapshot(completion, parts)
        return None

    def describe_latest(self) -> WrittenSnapshot | None:
        """The latest one; read again only when the topic has grown, for it is asked often."""
        end = sum(self._shared.end_offsets([MEMORY_SNAPSHOTS]).values())
        if end != self._described[0]:
            self._described = (end, self._find_described())
        return self._described[1]

    def _find_described(self) -> WrittenSnapshot | None:
        completions = self._list_completions()
        if not completions:
            return None
        event = completions[-1].event
        updates = sum(count_updates(event.data).values())
        return WrittenSnapshot(event.time, event.node_id, event.data["memories"], updates)

    def take(self, records: Records, *, offset: int, send: Callable[[], object]) -> bool:
        """Write what the store holds; False if some updates wait for others.

        Args:
            records: the store.
            offset: all before it in the shared log is in the store.
            send: carries all that is in the store to the shared log.
        """
        with read_state(records) as state:
            if state.waiting:
                return False
            send()
            for draft in make_drafts(state, node_id=self._node_id, offset=offset):
                self._shared.append(self._writer.stamp([draft]))
        return True

    def _list_completions(self) -> list[Entry]:
        """By the place that they stand for."""
        entries = self._shared.read_key(MEMORY_SNAPSHOTS, SNAPSHOTS_KEY)
        found = [entry for entry in entries if entry.event.type == SNAPSHOT_COMPLETED.name]
        return sorted(found, key=lambda entry: (entry.event.data["offset"], entry.offset))

    def _read_parts(self, completion: Entry) -> list[Entry] | None:
        data = completion.event.data
        entries = self._shared.read_key(MEMORY_SNAPSHOTS, data["snapshot_id"])
        return pick_parts(entries, parts=data["parts"], digest=data["digest"])
