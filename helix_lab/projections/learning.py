"""Learning: what finished conversations and debates show, counted; insights and reviews."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from helix_lab.domain.collecting import collecting_seldom
from helix_lab.domain.knowledge.evidence import Evidence
from helix_lab.domain.model.event import (
    CONVERSATIONS,
    DEBATES,
    LEARNING_INSIGHTS,
    MESSAGE_ADDED,
    Entry,
    Event,
)
from helix_lab.projections.evidence_reader import EvidenceReader
from helix_lab.projections.graph import find_sayings, to_saying
from helix_lab.projections.learning_facts import Row, read_row
from helix_lab.projections.learning_writing import write_rows
from helix_lab.projections.projection import Checkpoint, Projection, check_is_known
from helix_lab.records.database import Records
from helix_lab.records.learning_tables import LEARNING_TABLES


class LearningProjection(Projection[Row]):
    """Fills the tables of learning.

    What is noticed of each message is kept until its conversation ends; then it is learned from.
    A message that comes after the end waits for the next one.

    Args:
        records: the store.
        reader: finds the things that messages name.
    """

    name = "learning"
    topics = (CONVERSATIONS, DEBATES, LEARNING_INSIGHTS)
    batch_size: ClassVar[int] = 500
    gather_s: ClassVar[float] = 0.1

    def __init__(self, records: Records, reader: EvidenceReader) -> None:
        self._records = records
        self._reader = reader

    def prepare(self, entries: Sequence[Entry]) -> None:
        """See `Projection.prepare`; a full batch, of which more may follow, goes to a process."""
        if len(entries) < self.batch_size:
            self._reader.rest(self.name)
        else:
            self._reader.prepare(self.name, find_sayings(entries, [MESSAGE_ADDED.name]))

    def close(self) -> None:
        """See `Projection.close`."""
        self._reader.rest(self.name)

    def project(self, entry: Entry) -> Row | None:
        """See `Projection.project`."""
        check_is_known(entry)
        event = entry.event
        return read_row(event, self._read_evidence(event))

    def write(self, rows: Sequence[Row], checkpoint: Checkpoint) -> None:
        """See `Projection.write`; one transaction."""
        with collecting_seldom(), self._records.write() as connection:
            write_rows(self._records, connection, rows)
            self._records.move_checkpoint(connection, self.name, checkpoint)

    def read_checkpoint(self) -> dict[tuple[str, int], int]:
        """See `Projection.read_checkpoint`."""
        return self._records.read_checkpoint(self.name)

    def clear(self) -> None:
        """See `Projection.clear`."""
        with self._records.write() as connection:
            for table in LEARNING_TABLES:
                connection.execute(table.delete())
            self._records.forget_checkpoint(connection, self.name)

    def _read_evidence(self, event: Event) -> Evidence | None:
        if event.type != MESSAGE_ADDED.name:
            return None
        saying = to_saying(event)
        return self._reader.read(saying) if saying else None
