"""Taking a batch in: entries become rows, and what is refused becomes dead letters."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from helix_lab.domain.model.event import Entry, Event
from helix_lab.projections.projection import Projection, Refused

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
            _refuse_nul(entry.event)
            row = projection.project(entry)
        except Exception as error:
            refused.append(_describe(projection.name, entry, error))
        else:
            if row is not None:
                rows.append(row)
    if refused:
        dead_letters.add_dead_letters(refused)
    return rows


def _refuse_nul(event: Event) -> None:
    """Nothing of ours has a NUL, and PostgreSQL keeps none.

    Raises:
        Refused: the event has one.
    """
    if _has_nul([event.event_id, event.node_id, event.key, event.subject, event.data]):
        message = "it holds a NUL character, which no store takes"
        raise Refused(message)


def _has_nul(value: object) -> bool:
    if isinstance(value, str):
        return "\0" in value
    if isinstance(value, Mapping):
        return any(_has_nul(name) or _has_nul(inner) for name, inner in value.items())
    return isinstance(value, list) and any(map(_has_nul, value))


def _describe(name: str, entry: Entry, error: Exception) -> dict[str, Any]:
    reason = _spell(f"{type(error).__name__}: {error}")
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
        "event_id": _spell(entry.event.event_id),
        "event_type": _spell(entry.event.type),
        "reason": reason,
    }


def _spell(text: str) -> str:
    """The text for the dead letters, which may be kept on PostgreSQL."""
    return text.replace("\0", "\\0")
