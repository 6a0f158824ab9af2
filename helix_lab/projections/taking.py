"""Taking a batch in: entries become rows, and what is refused becomes dead letters."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from helix_lab.domain.model.event import Entry
from helix_lab.projections.projection import Projection

LOGGER = logging.getLogger(__name__)


class DeadLetters(Protocol):
    """Keeps the entries that projections refused."""

    def add_dead_letters(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Keep projection, topic, partition, offset, event_id, event_type and reason of each."""

    def forget_dead_letters(self, projection: str) -> None:
        """Drop those of one projection, which begins anew."""


def take_in(
    projection: Projection[Any], entries: Sequence[Entry], dead_letters: DeadLetters
) -> list[Any]:
    """The rows of a batch, in the order of the log; refused entries are kept as dead letters."""
    projection.prepare(entries)
    rows: list[Any] = []
    refused: list[dict[str, Any]] = []
    for entry in entries:
        try:
            row = projection.project(entry)
        except Exception as error:
            refused.append(_describe(projection.name, entry, error))
        else:
            if row is not None:
                rows.append(row)
    if refused:
        dead_letters.add_dead_letters(refused)
    return rows


def _describe(name: str, entry: Entry, error: Exception) -> dict[str, Any]:
    reason = f"{type(error).__name__}: {error}"
    LOGGER.warning(
        "%s refuses %s at %s/%d@%d: %s",
        name,
        entry.event.type,
        entry.topic,
        entry.partition,
        entry.offset,
        reason,
    )
    return {
        "projection": name,
        "topic": entry.topic,
        "partition": entry.partition,
        "offset": entry.offset,
        "event_id": entry.event.event_id,
        "event_type": entry.event.type,
        "reason": reason,
    }
