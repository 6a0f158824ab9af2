"""Drafts of the events about learning: pauses of conversations, insights, and reviews."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from helix_lab.domain.model.event import (
    CONVERSATION_PAUSED,
    INSIGHT_MADE,
    INSIGHT_SUPERSEDED,
    PATTERN_REVIEWED,
    Draft,
    make_event_id,
)

_OF_PATTERN = (
    "user_id", "pattern_type", "subject", "object",
    "subject_name", "object_name", "subject_type", "object_type",
)  # fmt: skip


def pause_conversation(conversation_id: str, *, last_clock: int, idle_s: float) -> Draft:
    """Nobody spoke for so long after the last word; once for each last word."""
    data = {"conversation_id": conversation_id, "last_clock": last_clock, "idle_s": idle_s}
    event_id = make_event_id("conversation.paused", conversation_id, str(last_clock))
    return Draft(event_id, CONVERSATION_PAUSED, conversation_id, conversation_id, data)


def make_insight(insight: Mapping[str, Any]) -> Draft:
    """A pattern passed the thresholds."""
    event_id = make_event_id("insight.made", insight["insight_id"])
    return Draft(event_id, INSIGHT_MADE, insight["pattern_id"], insight["insight_id"], insight)


def supersede_insight(
    insight_id: str, pattern_id: str, *, reason: str, superseded_by: str | None = None
) -> Draft:
    """An insight no longer holds; this ends it once."""
    data = {"insight_id": insight_id, "pattern_id": pattern_id, "reason": reason}
    if superseded_by is not None:
        data["superseded_by"] = superseded_by
    event_id = make_event_id("insight.superseded", insight_id)
    return Draft(event_id, INSIGHT_SUPERSEDED, pattern_id, insight_id, data)


def review_pattern(
    pattern: Mapping[str, Any],
    action: str,
    *,
    value: str | None = None,
    note: str | None = None,
    at: str | None = None,
) -> Draft:
    """A person said something of a pattern.

    To confirm or correct it again says nothing new; `at` tells one muting from another.
    """
    data: dict[str, Any] = {"pattern_id": pattern["pattern_id"], "action": action}
    data["pattern"] = {name: pattern[name] for name in _OF_PATTERN}
    if value is not None:
        data["value"] = value
    if note is not None:
        data["note"] = note
    parts = (pattern["pattern_id"], action, value or "", at or "")
    event_id = make_event_id("pattern.reviewed", *parts)
    return Draft(event_id, PATTERN_REVIEWED, pattern["pattern_id"], pattern["pattern_id"], data)
