"""From a message to what is noticed of it, and from an occasion to what it shows."""

from __future__ import annotations

import re
import zlib
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final

from helix_lab.domain.learning.entities import learn_cooccurrences
from helix_lab.domain.learning.flow import learn_flow
from helix_lab.domain.learning.intent import INTENTS, OUT_OF_SCOPE, find_intent
from helix_lab.domain.learning.preferences import find_shown, find_wishes, learn_preferences
from helix_lab.domain.learning.providers import learn_performance, learn_strategies
from helix_lab.domain.learning.values import (
    Group,
    Lesson,
    Noticed,
    Observation,
    Occasion,
    Part,
    Pattern,
    Thing,
)

_CONTENT_WORD = re.compile(r"[^\W_]{4,}")
_MOST_WORDS: Final = 40
_FEWEST_WORDS: Final = 3
_READ: Final = 2_000
_MOST_THINGS: Final = 24
"""Of one message."""


def notice_message(
    text: str,
    role: str,
    *,
    tokens: int,
    things: Sequence[Thing] = (),
    provider: str | None = None,
    response_time_ms: float | None = None,
    user_id: str | None = None,
) -> Noticed:
    """What matters of a message to learning."""
    is_user = role == "user"
    return Noticed(
        role=role,
        tokens=tokens,
        intent=find_intent(text, has_code="```" in text) if is_user else None,
        wishes=find_wishes(text) if is_user else {},
        shows=find_shown(text, is_user=is_user) if role in ("user", "assistant") else {},
        things=tuple(things[:_MOST_THINGS]),
        words=_mark_words(text) if is_user else (),
        provider=None if is_user else provider,
        response_time_ms=response_time_ms,
        user_id=user_id,
    )


def learn_conversation(conversation: Occasion) -> Lesson:
    """What a finished conversation shows; from each kind as much as it has."""
    parts = conversation.parts
    return merge_lessons(
        (
            learn_intent(parts),
            learn_preferences(parts),
            learn_cooccurrences(parts),
            learn_flow(parts, conversation.outcome),
            learn_performance(parts),
        )
    )


def learn_debate(debate: Occasion) -> Lesson:
    """What a finished debate shows."""
    return merge_lessons((learn_strategies(debate), learn_performance(debate.parts)))


def learn_intent(parts: Sequence[Part]) -> Lesson:
    """The intent that most messages of the user have, one a conversation."""
    asked = [(part.part_id, part.noticed.intent) for part in parts if part.noticed.intent]
    if not asked:
        return Lesson()
    counts = Counter(intent for _, intent in asked if intent != OUT_OF_SCOPE)
    order = {intent: place for place, intent in enumerate(INTENTS)}
    main = min(counts, key=lambda intent: (-counts[intent], order[intent]), default=OUT_OF_SCOPE)
    shown = tuple(part_id for part_id, intent in asked if intent == main)
    return Lesson((Observation(make_intent(main), 1, shown),), {_INTENTS: 1})


_INTENTS = Group("intent", "conversations", "conversations")


def make_intent(intent: str) -> Pattern:
    """The pattern of an intent."""
    text = f"Conversations are for {intent.replace('_', ' ')}"
    return Pattern("user_intent", intent, "", _INTENTS, text)


def merge_lessons(lessons: Iterable[Lesson]) -> Lesson:
    """One lesson of several, whose groups differ."""
    observations: list[Observation] = []
    groups: dict[Group, int] = {}
    for lesson in lessons:
        observations += lesson.observations
        groups |= lesson.groups
    return Lesson(tuple(observations), groups)


def _mark_words(text: str) -> tuple[int, ...]:
    words = {zlib.crc32(word.encode()) & 0xFFFF for word in _list_words(text)}
    return tuple(sorted(words)[:_MOST_WORDS]) if len(words) >= _FEWEST_WORDS else ()


def _list_words(text: str) -> list[str]:
    return _CONTENT_WORD.findall(text[:_READ].lower())
