"""Evidence: what one message says of things, kept so that each edge can be explained and undone."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Collection, Sequence
from typing import Final

import msgspec

from helix_lab.domain.knowledge.extraction import Extractor
from helix_lab.domain.knowledge.identity import Identity, identify
from helix_lab.domain.knowledge.mention import GRAPH_TYPES, Mention
from helix_lab.domain.knowledge.relations import find_relations

MAX_PAIRED: Final = 64
"""Of the things that one message names, the most mentioned ones that are paired with each other.
The pairs grow with the square: without a limit one message of 100,000 names would be 5 billion."""

MAX_NAME_CHARACTERS: Final = 500
"""A longer stretch of text is no name."""

_SENTENCE_END = re.compile(r"(?<=[.!?…])\s+|\n+|(?<=[。！？])")


class Named(msgspec.Struct, frozen=True, array_like=True):
    """A thing that a message names.

    Attributes:
        entity_id: by the name alone, whatever was merged.
        surfaces: the spellings.
        count: how often it is named.
        sentences: the numbers of those that name it.
    """

    entity_id: str
    name: str
    type: str
    surfaces: tuple[str, ...]
    count: int
    confidence: float
    sentences: tuple[int, ...]


class Statement(msgspec.Struct, frozen=True, array_like=True):
    """A relation that a message states; by entity ids as in `Named`."""

    source: str
    target: str
    type: str
    confidence: float


class Evidence(msgspec.Struct, frozen=True):
    """What one message says.

    Attributes:
        message_id: of the event.
        time: RFC 3339 in UTC with six digits, so that as text it sorts as in time.
        named: the most mentioned first.
    """

    message_id: str
    conversation_id: str
    time: str
    named: tuple[Named, ...] = ()
    statements: tuple[Statement, ...] = ()


def read_evidence(
    text: str,
    extractor: Extractor,
    *,
    message_id: str,
    conversation_id: str,
    time: str,
    speakers: Collection[str] = (),
) -> Evidence:
    """What a message says; empty where it names nothing."""
    mentions = [
        mention
        for mention in extractor.extract(text, speakers=speakers)
        if mention.type in GRAPH_TYPES and len(mention.name) <= MAX_NAME_CHARACTERS
    ]
    known = [identify(mention.name, mention.type) for mention in mentions]
    return Evidence(
        message_id,
        conversation_id,
        time,
        _gather(text, mentions, known),
        _state(text, mentions, known),
    )


def _gather(text: str, mentions: Sequence[Mention], known: Sequence[Identity]) -> tuple[Named, ...]:
    starts = [found.end() for found in _SENTENCE_END.finditer(text)]
    groups: dict[str, list[tuple[Mention, Identity]]] = defaultdict(list)
    for mention, identity in zip(mentions, known, strict=True):
        groups[identity.entity_id].append((mention, identity))
    named = [
        Named(
            entity_id,
            group[0][1].name,
            group[0][1].type,
            tuple(dict.fromkeys(mention.name for mention, _ in group)),
            len(group),
            max(mention.confidence for mention, _ in group),
            tuple(dict.fromkeys(bisect_right(starts, mention.start) for mention, _ in group)),
        )
        for entity_id, group in groups.items()
    ]
    named.sort(key=lambda thing: -thing.count)  # stable: the first named first
    return tuple(named)


def _state(
    text: str, mentions: Sequence[Mention], known: Sequence[Identity]
) -> tuple[Statement, ...]:
    best: dict[tuple[str, str, str], float] = {}
    for relation in find_relations(text, mentions):
        source, target = known[relation.source].entity_id, known[relation.target].entity_id
        key = (source, target, relation.type)
        best[key] = max(relation.confidence, best.get(key, 0.0))
    return tuple(Statement(*key, confidence) for key, confidence in best.items())
