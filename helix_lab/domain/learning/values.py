"""The values of learning: what is noticed, what it shows, and what is counted."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Literal

import msgspec

from helix_lab.domain.model.event import make_event_id

PatternType = Literal[
    "user_intent",
    "user_preference",
    "entity_cooccurrence",
    "debate_strategy",
    "conversation_flow",
    "provider_performance",
]
PATTERN_TYPES: Final[tuple[PatternType, ...]] = (
    "user_intent",
    "user_preference",
    "entity_cooccurrence",
    "debate_strategy",
    "conversation_flow",
    "provider_performance",
)
PREFERENCES: Final = ("communication_style", "response_format", "code_language", "language")
EVERYBODY: Final = ""
"""The user of what is learned from all users."""


class Thing(msgspec.Struct, frozen=True, array_like=True):
    """An entity that a message names."""

    entity_id: str
    name: str
    type: str
    count: int


class Noticed(msgspec.Struct, frozen=True, omit_defaults=True):
    """What was noticed of one message or turn. It does not hold the text.

    Attributes:
        role: "user", "assistant", … of a message; "answer", "failed" of what a provider did.
        wishes: preference type → value, as the text asks for it.
        shows: the same, as the text has it, without asking.
        words: marks of its content words, to find a question that is asked again.
    """

    role: str
    tokens: int = 0
    intent: str | None = None
    wishes: dict[str, str] = {}
    shows: dict[str, str] = {}
    things: tuple[Thing, ...] = ()
    words: tuple[int, ...] = ()
    provider: str | None = None
    position: str | None = None
    response_time_ms: float | None = None
    confidence: float | None = None
    has_failed: bool = False
    user_id: str | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """A message or turn of an occasion."""

    part_id: str
    said_at: datetime
    noticed: Noticed


@dataclass(frozen=True, slots=True)
class Group:
    """What could show a pattern, such as conversations of a user that name Docker."""

    kind: str
    subject: str
    name: str

    def identify(self, user_id: str) -> str:
        """Its id for one user, or for `EVERYBODY`."""
        return make_event_id("learning.group", user_id, self.kind, self.subject)


@dataclass(frozen=True, slots=True)
class Pattern:
    """What may be learned; `group` counts how often it could have shown.

    Of a pattern with two groups the smaller one counts.
    """

    type: PatternType
    subject: str
    object: str
    group: Group
    description: str
    subject_name: str = ""
    subject_type: str | None = None
    object_name: str = ""
    object_type: str | None = None
    other_group: Group | None = None

    def identify(self, user_id: str) -> str:
        """Its id for one user, or for `EVERYBODY`: the same whenever and wherever it is seen."""
        return make_event_id("learning.pattern", user_id, self.type, self.subject, self.object)


@dataclass(frozen=True, slots=True)
class Observation:
    """What one occasion shows of one pattern.

    Attributes:
        support: how often it held, at most as often as its group counts here.
        parts: ids of the messages or turns that show it.
        rating: from 0 to 1: a confidence, or whether the conversation succeeded.
        is_personal: it is learned for the user, too, not only for all.
        is_general: it is learned for all.
    """

    pattern: Pattern
    support: int
    parts: tuple[str, ...]
    rating: float | None = None
    time_ms: float | None = None
    is_personal: bool = True
    is_general: bool = True


@dataclass(frozen=True, slots=True)
class Occasion:
    """A finished conversation or debate.

    Attributes:
        parts: in their order.
        outcome: how it ended, where somebody said so.
        winner: of a debate: (provider, position).
        is_decided: of a debate: it has a winner, or is a tie.
    """

    parts: tuple[Part, ...]
    user_id: str | None = None
    outcome: str | None = None
    winner: tuple[str, str] | None = None
    is_decided: bool = False


@dataclass(frozen=True, slots=True)
class Lesson:
    """What an occasion shows: observations, and how often each group counts."""

    observations: tuple[Observation, ...] = ()
    groups: dict[Group, int] = field(default_factory=dict)
