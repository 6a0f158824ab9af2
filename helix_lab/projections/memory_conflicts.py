"""The list of conflicts: each is kept with all values, and how it ended."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from helix_lab.domain.memory.conflicts import FoundConflict, find_conflict
from helix_lab.domain.memory.record import Entry, Record
from helix_lab.projections.memory_store import to_moment
from helix_lab.projections.memory_strategies import Shown
from helix_lab.records.database import Records, take_new
from helix_lab.records.tables import MEMORY_CONFLICT

if TYPE_CHECKING:
    from helix_lab.projections.memory_batch import Written

_CHUNK = 1000
OPEN, RESOLVED, GROWN = "open", "resolved", "grown"
_END = dict.fromkeys(("state", "ended_at", "ended_by", "ended_version"), take_new)


class Conflicts:
    """Looks at each memory after each update, within one transaction."""

    def __init__(
        self,
        records: Records,
        connection: sa.Connection,
        shown: Shown,
        memory_ids: Sequence[str],
    ) -> None:
        self._records = records
        self._connection = connection
        self._shown = shown
        self._open: dict[str, dict[str, dict[str, Any]]] = {}
        self._changed: dict[str, dict[str, Any]] = {}
        self._load(memory_ids)

    def look_at(self, memory_id: str, record: Record, written: Written) -> None:
        """Keep the conflict that an update made, and end those that it ended."""
        found = find_conflict(memory_id, record)
        if found is None and not self._find_open(memory_id):
            return
        for conflict_id, row in list(self._find_open(memory_id).items()):
            if found is None or found.conflict_id != conflict_id:
                self._end(row, record, written, RESOLVED if found is None else GROWN)
        if found is not None and found.conflict_id not in self._find_open(memory_id):
            self._begin(found, record)

    def write(self) -> None:
        """Write what was found and ended."""
        rows = list(self._changed.values())
        self._records.upsert(self._connection, MEMORY_CONFLICT, rows, merge=_END)

    def _load(self, memory_ids: Sequence[str]) -> None:
        for first in range(0, len(memory_ids), _CHUNK):
            some = memory_ids[first : first + _CHUNK]
            query = sa.select(MEMORY_CONFLICT).where(
                MEMORY_CONFLICT.c.state == OPEN, MEMORY_CONFLICT.c.memory_id.in_(some)
            )
            for row in self._connection.execute(query).mappings():
                self._open.setdefault(row["memory_id"], {})[row["conflict_id"]] = dict(row)

    def _find_open(self, memory_id: str) -> dict[str, dict[str, Any]]:
        return self._open.get(memory_id, {})

    def _begin(self, found: FoundConflict, record: Record) -> None:
        memory = self._shown.show(found.memory_id, record)
        row: dict[str, Any] = {
            "conflict_id": found.conflict_id,
            "memory_id": found.memory_id,
            "kind": found.kind,
            "found_at": max(to_moment(head.clock) for head in record.heads),
            "writers": [
                {
                    "node_id": head.node,
                    "seq": head.seq,
                    "version": head.depth,
                    "clock": str(head.clock),
                    "action": head.kind.name.lower(),
                }
                for head in found.heads
            ],
            "fields": {name: _to_values(entries) for name, entries in found.values.items()},
            "strategy": self._shown.choose(record)[0],
            "result": {name: memory.fields[name] for name in found.values},
            "version": memory.version,
            "state": OPEN,
            "ended_at": None,
            "ended_by": None,
            "ended_version": None,
        }
        self._open.setdefault(found.memory_id, {})[found.conflict_id] = row
        self._changed[found.conflict_id] = row

    def _end(self, row: dict[str, Any], record: Record, written: Written, state: str) -> None:
        row |= {
            "state": state,
            "ended_at": to_moment(written.update.clock),
            "ended_by": written.node_id,
            "ended_version": record.version,
        }
        self._find_open(row["memory_id"]).pop(row["conflict_id"])
        self._changed[row["conflict_id"]] = row


def _to_values(entries: Sequence[Entry]) -> list[Mapping[str, Any]]:
    return [
        {
            "node_id": entry.node,
            "seq": entry.seq,
            "clock": str(entry.clock),
            "value": entry.value,
        }
        for entry in entries
    ]
