"""Learning on a real log and real records, without the rest of a lab."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from helix_lab.adapters.log_sqlite import SqliteEventLog
from helix_lab.domain.knowledge.extraction import open_extractor
from helix_lab.domain.model.event import Draft, Entry
from helix_lab.projections.evidence_reader import EvidenceReader
from helix_lab.projections.learning import LearningProjection
from helix_lab.record import drafts
from helix_lab.record.writer import Writer
from helix_lab.records.database import Records
from helix_lab.records.learning_tables import LEARNING_TABLES

START = datetime(2026, 1, 1, 10, tzinfo=UTC)


class School:
    """A log, and records that learn from it."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(exist_ok=True)
        self.log = SqliteEventLog(folder / "log.sqlite")
        self.records = Records.embedded(folder / "records.sqlite")
        self.writer = Writer(self.log, node_id="n")
        self.projection = LearningProjection(self.records, EvidenceReader(open_extractor()))

    def teach(self, facts: Sequence[Draft]) -> list[Entry]:
        """Record facts, and learn from them."""
        entries = self.writer.record(facts)
        self.learn(entries)
        return entries

    def learn(self, entries: Sequence[Entry]) -> None:
        """Take events in, as one batch."""
        rows = [self.projection.project(entry) for entry in entries]
        self.projection.write([row for row in rows if row is not None], {})

    def dump(self) -> dict[str, list[dict[str, Any]]]:
        """All that is learned, in an order of its own."""
        with self.records.read() as connection:
            return {
                table.name: [
                    dict(row)
                    for row in connection.execute(
                        sa.select(table).order_by(*table.primary_key)
                    ).mappings()
                ]
                for table in LEARNING_TABLES
            }

    def close(self) -> None:
        self.projection.close()
        self.records.close()
        self.log.close()


def talk(
    conversation_id: str,
    *texts: str,
    user_id: str | None = "ann",
    pause_s: float = 3.0,
    is_finished: bool = True,
    skipped: Sequence[str] = (),
) -> list[Draft]:
    """A conversation in turns, the user first; messages are m0, m1, …"""
    said = [drafts.start_conversation(conversation_id, user_id=user_id, source="test")]
    for number, text in enumerate(texts):
        if f"m{number}" in skipped:
            continue
        is_user = number % 2 == 0
        said.append(
            drafts.add_message(
                conversation_id,
                f"m{number}",
                role="user" if is_user else "assistant",
                content=text,
                created_at=START + timedelta(seconds=number * pause_s),
                provider=None if is_user else "claude",
                model=None if is_user else "sonnet",
            )
        )
    if is_finished:
        said.append(drafts.complete_conversation(conversation_id, outcome="successful"))
    return said
