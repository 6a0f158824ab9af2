"""Mentions: what archived messages and turns name, by the extraction that fills the graph."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, Final

from helix_lab.domain.batch.rows import (
    Columns,
    Row,
    from_millionths,
    list_rows,
    read_event,
    to_columns,
    to_millionths,
)
from helix_lab.domain.knowledge.evidence import Evidence, read_evidence
from helix_lab.domain.knowledge.extraction import open_extractor

MENTION_NAMES: Final = (
    "conversation_id",
    "message_id",
    "position",
    "time",
    "place",
    "entity_id",
    "name",
    "type",
    "aliases",
    "mentions",
    "confidence",
    "confidence_parts",
)
"""A thing that a message names. `place` is its rank in the message, `time` text that sorts;
`confidence_parts` is the confidence in millionths, to be summed."""


def read_messages(columns: Columns) -> dict[str, list[Any]]:
    """What the rows of the dataset `conversations` name."""
    names = ("conversation_id", "position", "content", "created_at", "event")
    found: list[tuple[Any, ...]] = []
    for conversation_id, position, content, time, event in list_rows(columns, names):
        known = read_event(event)
        speakers = () if known.data.user_id is None else (known.data.user_id,)
        evidence = read_evidence(
            content,
            open_extractor(),
            message_id=known.event_id,
            conversation_id=conversation_id,
            time=to_sortable(time),
            speakers=speakers,
        )
        found += _list_mentions(evidence, position)
    return to_columns(found, MENTION_NAMES)


def read_turns(columns: Columns) -> dict[str, list[Any]]:
    """What the answers in rows of the dataset `debates` name."""
    names = ("conversation_id", "turn", "role", "response", "created_at", "event")
    found: list[tuple[Any, ...]] = []
    for conversation_id, turn, role, response, time, event in list_rows(columns, names):
        if role != "answer" or response is None:
            continue
        evidence = read_evidence(
            response,
            open_extractor(),
            message_id=read_event(event).event_id,
            conversation_id=conversation_id,
            time=to_sortable(time),
        )
        found += _list_mentions(evidence, turn)
    return to_columns(found, MENTION_NAMES)


def _list_mentions(evidence: Evidence, position: int) -> Iterator[tuple[Any, ...]]:
    for place, thing in enumerate(evidence.named):
        yield (
            evidence.conversation_id,
            evidence.message_id,
            position,
            evidence.time,
            place,
            thing.entity_id,
            thing.name,
            thing.type,
            sorted({*thing.surfaces, thing.name}),
            thing.count,
            thing.confidence,
            to_millionths(thing.confidence),
        )


def to_sortable(time: datetime) -> str:
    """RFC 3339 in UTC with six digits, as the graph writes it: as text it sorts as in time."""
    return time.astimezone(UTC).isoformat(timespec="microseconds").removesuffix("+00:00") + "Z"


def weigh_entity(row: Row) -> Row:
    """An entity with its derived figures.

    `importance` is ln(mentions + 1) · mean confidence: what is often and surely named.
    """
    mean = from_millionths(row.pop("confidence_sum"), row["message_count"]) or 0.0
    return {
        **row,
        "avg_confidence": mean,
        "importance": round(math.log(row["mention_count"] + 1) * mean, 6),
    }


def weigh_pair(row: Row) -> Row:
    """Two entities with the lift of their being named together.

    `lift` is how many times more often a window names both than it would by chance.
    """
    expected = row.pop("source_windows") * row.pop("target_windows") / row.pop("all_windows")
    return {**row, "lift": round(row["cooccurrences"] / expected, 6)}
