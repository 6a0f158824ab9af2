"""The herald: tells the topic of conflicts what was found, and how it ended.

Every node finds the same conflicts, so one of them tells of each: the one that wrote the last of
the values, and of an end the one whose update ended it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from helix_lab.domain.model.errors import DuplicateId
from helix_lab.domain.model.event import Draft
from helix_lab.ports.event_log import EventLog
from helix_lab.queries.memory_conflicts import list_untold, note_told
from helix_lab.record.conflicts import end_conflict, find_conflict
from helix_lab.record.writer import Writer
from helix_lab.records.database import Records

_AT_ONCE = 500
_OPEN = "open"


class Herald:
    """Publishes conflicts to the shared log; each once, whatever is cut off."""

    def __init__(self, shared: EventLog, writer: Writer, records: Records, *, node_id: str) -> None:
        self._shared = shared
        self._writer = writer
        self._records = records
        self._node_id = node_id

    def tell(self) -> int:
        """Tell what was not told yet; gives the number of events."""
        told = 0
        while rows := list_untold(self._records, limit=_AT_ONCE):
            drafts = [draft for row in rows for draft in self._draft(row)]
            for draft in drafts:
                self._publish(draft)
            note_told(self._records, rows)
            told += len(drafts)
        return told

    def _draft(self, row: Mapping[str, Any]) -> Iterator[Draft]:
        if row["told"] is None and row["writers"][-1]["node_id"] == self._node_id:
            yield find_conflict(row)
        if row["state"] != _OPEN and row["ended_by"] == self._node_id:
            yield end_conflict(row)

    def _publish(self, draft: Draft) -> None:
        try:
            self._shared.append(self._writer.stamp([draft]))
        except DuplicateId:
            return  # told before, when this lab showed its memories by another strategy
