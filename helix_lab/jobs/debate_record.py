"""What is recorded of a debate, read back: its turns and how it ended."""

from __future__ import annotations

from collections.abc import Sequence

from helix_lab.domain.debate import Turn
from helix_lab.domain.model.event import DEBATE_COMPLETED, TURN_ANSWERED, TURN_FAILED, Entry

TURN_ENDS = frozenset({TURN_ANSWERED.name, TURN_FAILED.name})


def to_turn(entry: Entry) -> Turn:
    """The turn that an answered or failed one is to the rules of debates."""
    data = entry.event.data
    return Turn(
        round=data["round"],
        role=data["role"],
        seat=data["seat"],
        text=data.get("text", ""),
        choice=data.get("choice"),
        confidence=data.get("confidence"),
        is_failed=entry.event.type == TURN_FAILED.name,
        error=data.get("error_message", ""),
    )


def find_outcome(entries: Sequence[Entry]) -> str | None:
    """How the debate ended; None if it has not."""
    ends = [entry for entry in entries if entry.event.type == DEBATE_COMPLETED.name]
    return str(ends[0].event.data["outcome"]) if ends else None


def key_of(entry: Entry) -> tuple[int, str, str]:
    """Round, role and seat of a turn's event."""
    data = entry.event.data
    return (data["round"], data["role"], data["seat"])
