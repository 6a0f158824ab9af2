"""Learning: what finished conversations and debates show, counted; insights and reviews."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import ClassVar

import msgspec

from helix_lab.domain.collecting import collecting_seldom
from helix_lab.domain.knowledge.evidence import Evidence
from helix_lab.domain.knowledge.extraction import Extractor
from helix_lab.domain.model.event import (
    CONVERSATIONS,
    DEBATES,
    LEARNING_INSIGHTS,
    MESSAGE_ADDED,
    Entry,
    Event,
)
from helix_lab.projections.graph import to_saying
from helix_lab.projections.graph_process import EvidenceProcess, Saying, read_saying
from helix_lab.projections.learning_facts import Row, read_row
from helix_lab.projections.learning_writing import write_rows
from helix_lab.projections.projection import Checkpoint, Projection, check_is_known
from helix_lab.records.database import Records
from helix_lab.records.learning_tables import LEARNING_TABLES

LOGGER = logging.getLogger(__name__)


class LearningProjection(Projection[Row]):
    """Fills the tables of learning.

    What is noticed of each message is kept until its conversation ends; then it is learned from.
    A message that comes after the end waits for the next one.

    Args:
        records: the store.
        extractor: finds the things that a text names.
    """

    name = "learning"
    topics = (CONVERSATIONS, DEBATES, LEARNING_INSIGHTS)
    batch_size: ClassVar[int] = 500
    gather_s: ClassVar[float] = 0.1

    def __init__(self, records: Records, extractor: Extractor) -> None:
        self._records = records
        self._extractor = extractor
        self._process = EvidenceProcess()
        self._read_before: dict[str, Evidence] = {}

    def prepare(self, entries: Sequence[Entry]) -> None:
        """See `Projection.prepare`; a full batch, of which more may follow, goes to a process."""
        self._read_before = {}
        if len(entries) < self.batch_size:
            self._process.close()
            return
        sayings = [saying for entry in entries if (saying := _find_saying(entry.event))]
        try:
            read = self._process.read(sayings)
        except (OSError, EOFError, msgspec.DecodeError) as error:
            LOGGER.warning("the process that reads messages is gone: %s", error)
            self._process.close()
        else:
            self._read_before = {evidence.message_id: evidence for evidence in read}

    def close(self) -> None:
        """See `Projection.close`."""
        self._process.close()

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
        known = self._read_before.pop(event.event_id, None)
        saying = None if known else to_saying(event)
        return known or (read_saying(saying, self._extractor) if saying else None)


def _find_saying(event: Event) -> Saying | None:
    """The text of a message; what is refused is refused when its turn comes."""
    try:
        return to_saying(event) if event.type == MESSAGE_ADDED.name else None
    except msgspec.ValidationError:
        return None
