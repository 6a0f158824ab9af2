"""Records of memories as JSON, and back; and the state of the replica that they belong to."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from helix_lab.domain.memory.record import STABLE, Dot, Entry, Head, Kind, Record, Update
from helix_lab.domain.memory.replica import Commit, Replica
from helix_lab.records.tables import MEMORY_EARLY, MEMORY_NODE

_SETTLED = (0, *STABLE)


def dump_record(record: Record) -> dict[str, Any]:
    """The record as JSON values; what is empty, and dots that all have seen, take no room."""
    if record.is_settled and len(record.heads) == 1 and not record.is_erased:
        return _dump_settled(record)
    state: dict[str, Any] = {"heads": [list(head) for head in record.heads]}
    if record.entries:
        state["entries"] = {
            name: [[e.value] if e[:3] == _SETTLED else list(e) for e in entries]
            for name, entries in record.entries.items()
        }
    if record.tags:
        state["tags"] = {tag: _dump_dots(dots) for tag, dots in record.tags.items()}
    if record.life:
        state["life"] = _dump_dots(record.life)
    if record.is_erased:
        state["erased"] = True
    return state


def _dump_settled(record: Record) -> dict[str, Any]:
    """The form of most memories, in which hardly more than the values is left."""
    (head,) = record.heads
    state: dict[str, Any] = {"h": [head.clock, head.depth, head.kind]}
    if record.entries:
        state["v"] = {name: entries[0].value for name, entries in record.entries.items()}
    if record.tags:
        state["t"] = list(record.tags)
    if not record.life:
        state["dead"] = 1
    return state


def _load_settled(state: dict[str, Any]) -> Record:
    clock, depth, kind = state["h"]
    return Record(
        heads=[Head(clock, *STABLE, depth, Kind(kind))],
        entries={name: [Entry(*_SETTLED, value)] for name, value in state.get("v", {}).items()},
        tags={tag: [STABLE] for tag in state.get("t", [])},
        life=[] if "dead" in state else [STABLE],
    )


def load_record(state: dict[str, Any]) -> Record:
    """The record that was dumped."""
    if "h" in state:
        return _load_settled(state)
    return Record(
        heads=[Head(c, n, s, depth, Kind(kind)) for c, n, s, depth, kind in state["heads"]],
        entries={
            name: [Entry(*_SETTLED, *e) if len(e) == 1 else Entry(*e) for e in entries]
            for name, entries in state.get("entries", {}).items()
        },
        tags={tag: _load_dots(dots) for tag, dots in state.get("tags", {}).items()},
        life=_load_dots(state.get("life", [])),
        is_erased=state.get("erased", False),
    )


def _dump_dots(dots: list[Dot]) -> list[list[Any]]:
    return [[] if dot == STABLE else list(dot) for dot in dots]


def _load_dots(dots: list[list[Any]]) -> list[Dot]:
    return [(dot[0], dot[1]) if dot else STABLE for dot in dots]


def load_replica(connection: sa.Connection, node_id: str) -> Replica:
    """What a node knows of itself and of the others, without the memories.

    A node that never joined others is its only member.
    """
    replica = Replica(node_id)
    for row in connection.execute(sa.select(MEMORY_NODE).order_by(MEMORY_NODE.c.node_id)):
        replica.vector[row.node_id] = row.seq
        replica.acknowledged[row.node_id] = row.acknowledged if row.is_member else None
        if row.node_id == node_id:
            replica.promise = row.acknowledged
    replica.add_member(node_id)
    for row in connection.execute(sa.select(MEMORY_EARLY)):
        commit = Commit(
            row.node_id, row.seq, row.update["seen"], [load_update(row.update["update"])]
        )
        replica.early[row.node_id, row.seq] = commit
    return replica


def dump_update(update: Update) -> list[Any]:
    """An update as JSON values."""
    return list(update)


def load_update(values: list[Any]) -> Update:
    """The update that was dumped."""
    memory_id, kind, depth, clock, changes, added, removed = values
    return Update(memory_id, Kind(kind), depth, clock, changes, tuple(added), tuple(removed))
