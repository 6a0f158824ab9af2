"""Conflicts: what was written to one memory side by side, as a value of its own.

The same updates make the same conflict on every node: its id is made of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from helix_lab.domain.memory.record import Entry, Head, Kind, Record
from helix_lab.domain.model.event import make_event_id

CONCURRENT_UPDATE = "concurrent_update"
CONCURRENT_DELETE = "concurrent_delete"


@dataclass(frozen=True, slots=True)
class FoundConflict:
    """Updates of one memory of which none saw the others.

    Attributes:
        kind: `concurrent_update`: a field has several values; `concurrent_delete`: one node
            deleted what another one edited.
        heads: the latest updates.
        values: all values of the fields that have several.
    """

    conflict_id: str
    memory_id: str
    kind: str
    heads: tuple[Head, ...]
    values: Mapping[str, tuple[Entry, ...]]


def find_conflict(memory_id: str, record: Record) -> FoundConflict | None:
    """The conflict that a record holds now, if any."""
    values = {name: tuple(e) for name, e in sorted(record.entries.items()) if len(e) > 1}
    is_deleted_beside = len({head.kind is Kind.DELETE for head in record.heads}) > 1
    if not is_deleted_beside and not (values and record.is_alive):
        return None  # a delete that saw all values ended the conflict; the values stay in the log
    dots = {(entry.node, entry.seq) for entries in values.values() for entry in entries}
    if is_deleted_beside:
        dots |= {(head.node, head.seq) for head in record.heads}
    parts = [f"{node}/{seq}" for node, seq in sorted(dots)]
    return FoundConflict(
        conflict_id=make_event_id("memory.conflict", memory_id, *parts),
        memory_id=memory_id,
        kind=CONCURRENT_DELETE if is_deleted_beside else CONCURRENT_UPDATE,
        heads=tuple(record.heads),
        values=values,
    )
