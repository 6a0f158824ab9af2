"""Relations that a text states between two things that it names."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from helix_lab.domain.knowledge.mention import Mention

RELATION_TYPES: Final = (
    "uses",
    "runs_on",
    "is_a",
    "part_of",
    "depends_on",
    "works_at",
    "lives_in",
    "located_in",
    "created_by",
    "replaces",
    "alternative_to",
    "family_of",
    "friend_of",
)
"""What the relations are called."""

MAX_GAP_CHARACTERS: Final = 60
"""Between two mentions that a pattern may join."""

_PATTERNS: Final = (("uses", re.compile(r"^\s+(?:uses|use|used)\s+(?:the\s+)?$", re.I), 0.8),)


@dataclass(frozen=True, slots=True)
class Relation:
    """A statement that joins two mentions.

    Attributes:
        source, target: places of the two in the list of mentions.
        type: one of `RELATION_TYPES`.
        confidence: from 0 to 1, of the pattern.
    """

    source: int
    target: int
    type: str
    confidence: float


def find_relations(text: str, mentions: Sequence[Mention]) -> list[Relation]:
    """The relations that the words between neighbouring mentions state, in order of the text.

    Args:
        text: what was said.
        mentions: of the same text, ordered and without overlap.
    """
    found = []
    for place in range(len(mentions) - 1):
        start, end = mentions[place].end, mentions[place + 1].start
        if end - start > MAX_GAP_CHARACTERS:
            continue
        between = text[start:end]
        for kind, pattern, confidence in _PATTERNS:
            if pattern.match(between):
                found.append(Relation(place, place + 1, kind, confidence))
                break
    return found
