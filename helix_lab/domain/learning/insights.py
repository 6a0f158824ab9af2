"""Insights: patterns above the thresholds, in words made of what was counted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

_HIGH: Final = (10, 0.9)
_MEDIUM: Final = (5, 0.7)

_TITLES: Final = {
    "user_intent": "{who} mostly for {subject}",
    "user_preference": "{subject}: {object}",
    "entity_cooccurrence": "{subject} and {object} go together",
    "debate_strategy": "{subject} is strong as {object}",
    "conversation_flow": "Conversations are {subject}",
    "provider_performance": "{subject} answers reliably",
}
_DESCRIPTIONS: Final = {
    "user_intent": "{support} of {trials} conversations{of} were for {subject}.",
    "user_preference": "{support} of {trials} conversations{of} that show a {subject} show "
    "{object}.",
    "entity_cooccurrence": "{support} of the {trials} conversations{of} that are much about the "
    "rarer of {subject} and {object} are about both.",
    "debate_strategy": "{subject} won {support} of {trials} debates as {object}.",
    "conversation_flow": "{support} of {trials} conversations{of} were {subject}, with {object} "
    "messages.",
    "provider_performance": "{subject} gave a usable answer to {support} of {trials} calls.",
}


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Above which a pattern is an insight.

    Attributes:
        min_frequency: occasions that show it.
        min_confidence: below it, an insight no longer holds.
        insight_threshold: the confidence with which one is made.
    """

    min_frequency: int = 3
    min_confidence: float = 0.70
    insight_threshold: float = 0.80


def measure_impact(frequency: int, confidence: float) -> str:
    """The guide's table: high, medium or low."""
    for name, (least, sure) in (("high", _HIGH), ("medium", _MEDIUM)):
        if frequency >= least and confidence >= sure:
            return name
    return "low"


def write_title(pattern: Mapping[str, Any]) -> str:
    """A few words that name it."""
    return _TITLES[pattern["pattern_type"]].format(**_fill(pattern))


def write_description(pattern: Mapping[str, Any]) -> str:
    """A sentence that says what was counted."""
    text = _DESCRIPTIONS[pattern["pattern_type"]].format(**_fill(pattern))
    return text[0].upper() + text[1:]


def describe_pattern(pattern: Mapping[str, Any]) -> str:
    """The guide's short text of a pattern, with its share where it has one."""
    if pattern["pattern_type"] == "debate_strategy":
        share = pattern["support"] / pattern["trials"] if pattern["trials"] else 0.0
        return f"{pattern['description']} {share:.0%} of time"
    return str(pattern["description"])


def holds(frequency: int, confidence: float, thresholds: Thresholds, *, is_made: bool) -> bool:
    """Whether a pattern is an insight; one that is made stays until it falls below the minimum."""
    needed = thresholds.min_confidence if is_made else thresholds.insight_threshold
    return frequency >= thresholds.min_frequency and confidence >= needed


def _fill(pattern: Mapping[str, Any]) -> dict[str, Any]:
    user_id = pattern["user_id"]
    plain = pattern["pattern_type"] in ("user_intent", "user_preference")
    subject = pattern["subject_name"] or pattern["subject"]
    return {
        "subject": subject.replace("_", " ") if plain else subject,
        "object": pattern["object_name"] or pattern["object"],
        "support": pattern["support"],
        "trials": pattern["trials"],
        "who": f"{user_id} comes" if user_id else "Users come",
        "of": f" of {user_id}" if user_id else "",
    }
