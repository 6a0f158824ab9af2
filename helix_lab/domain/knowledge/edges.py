"""Edges: nodes and edges of the graph as sums over evidence, whatever order it comes in.

Every number here is a sum, a least or a greatest over messages. So a graph that is filled message
by message is the graph that is filled at once, and that of fewer messages is what these support.

**Strength.** Each message that supports a relation is a witness that may be wrong. With
independent witnesses of confidences c₁…cₙ the relation holds with 1 − ∏(1 − cᵢ). An edge keeps
−log₂ ∏(1 − cᵢ), its `weight`, as a sum of multiples of 1/1024, which floats add exactly; then
`strength = 1 − 0.5 ** weight`. A sentence that names both has the confidence 0.5; a pattern such
as "… runs on …" has its own. Nothing decays.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import combinations
from typing import Final

from helix_lab.domain.knowledge.evidence import MAX_PAIRED, Evidence

RELATED: Final = "related_to"
"""Type of the relation of two things that one sentence names; the lesser id is its source."""

EXCLUSIVE: Final = frozenset({"works_at", "lives_in"})
"""Relations of which a thing has one at a time: a new one ends the old one."""

_SENTENCE_CONFIDENCE = 0.5
_MOST_CONFIDENCE = 0.98
_STEPS = 1024

Resolve = Callable[[str], str]
Pair = tuple[str, str]


def to_bits(confidence: float) -> float:
    """The weight that one witness adds: −log₂(1 − confidence), in steps of 1/1024."""
    doubt = 1.0 - min(max(confidence, 0.0), _MOST_CONFIDENCE)
    return round(-math.log2(doubt) * _STEPS) / _STEPS


def to_strength(bits: float) -> float:
    """From 0 to 1; to six digits, as the engines compute it."""
    return float(round(1.0 - 0.5**bits, 6))


@dataclass(slots=True)
class EntityPart:
    """What some messages add to an entity.

    Attributes:
        named_at: place of the name that is shown; the least wins, an own name before a merged one.
    """

    named_at: str
    name: str
    type: str
    aliases: set[str] = field(default_factory=set)
    mentions: int = 0
    messages: int = 0
    confidence: float = 0.0
    first_at: str = ""
    last_at: str = ""


@dataclass(slots=True)
class EdgePart:
    """What some messages add to an edge."""

    count: int = 0
    bits: float = 0.0
    first_at: str = ""
    last_at: str = ""

    def add(self, time: str, *, count: int = 1, bits: float = 0.0) -> None:
        """Count one message."""
        if not self.first_at or time < self.first_at:
            self.first_at = time
        self.last_at = max(self.last_at, time)
        self.count += count
        self.bits += bits


@dataclass(frozen=True, slots=True)
class Claim:
    """A message that states an exclusive relation."""

    time: str
    message_id: str
    target: str
    bits: float


@dataclass(slots=True)
class Parts:
    """What some messages add to the graph.

    Attributes:
        named: (message id, entity id) → how often.
        mentioned: (entity id, conversation id).
        together: (lesser id, greater id), in one message.
        related: (source, target, type).
        claims: (source, type) of exclusive relations.
    """

    entities: dict[str, EntityPart] = field(default_factory=dict)
    named: dict[Pair, int] = field(default_factory=lambda: defaultdict(int))
    mentioned: dict[Pair, EdgePart] = field(default_factory=lambda: defaultdict(EdgePart))
    together: dict[Pair, EdgePart] = field(default_factory=lambda: defaultdict(EdgePart))
    related: dict[tuple[str, str, str], EdgePart] = field(
        default_factory=lambda: defaultdict(EdgePart)
    )
    claims: dict[Pair, list[Claim]] = field(default_factory=lambda: defaultdict(list))


def sum_up(
    evidence: Iterable[Evidence], resolve: Resolve, only: Collection[str] | None = None
) -> Parts:
    """What messages add, with merged entities as one.

    Args:
        evidence: each message once.
        resolve: entity id → the id that it shows as.
        only: leave out what touches none of these entities.
    """
    parts = Parts()
    for message in evidence:
        shown = {thing.entity_id: resolve(thing.entity_id) for thing in message.named}
        _add_entities(parts, message, shown, only)
        _add_pairs(parts, message, shown, only)
        _add_statements(parts, message, shown, only)
    return parts


def _add_entities(
    parts: Parts, message: Evidence, shown: dict[str, str], only: Collection[str] | None
) -> None:
    time, seen = message.time, set()
    for thing in message.named:
        entity_id = shown[thing.entity_id]
        if only is not None and entity_id not in only:
            continue
        named_at = f"{int(thing.entity_id != entity_id)}{time}{message.message_id}"
        part = parts.entities.get(entity_id)
        if part is None:
            part = EntityPart(named_at, thing.name, thing.type, first_at=time, last_at=time)
            parts.entities[entity_id] = part
        elif named_at < part.named_at:
            part.named_at, part.name, part.type = named_at, thing.name, thing.type
        part.aliases.update(thing.surfaces, (thing.name,))
        part.mentions += thing.count
        part.messages += entity_id not in seen
        part.confidence = max(part.confidence, thing.confidence)
        part.first_at, part.last_at = min(time, part.first_at), max(time, part.last_at)
        parts.named[message.message_id, entity_id] += thing.count
        parts.mentioned[entity_id, message.conversation_id].add(time, count=thing.count)
        seen.add(entity_id)


def _add_pairs(
    parts: Parts, message: Evidence, shown: dict[str, str], only: Collection[str] | None
) -> None:
    sentences: dict[str, set[int]] = defaultdict(set)
    for thing in message.named[:MAX_PAIRED]:
        sentences[shown[thing.entity_id]].update(thing.sentences)
    for first, second in _pairs(sentences, only):
        parts.together[first, second].add(message.time)
        if not sentences[first].isdisjoint(sentences[second]):
            edge = parts.related[first, second, RELATED]
            edge.add(message.time, bits=to_bits(_SENTENCE_CONFIDENCE))


def _pairs(ids: Iterable[str], only: Collection[str] | None) -> Iterator[Pair]:
    for first, second in combinations(sorted(ids), 2):
        if only is None or first in only or second in only:
            yield first, second


def _add_statements(
    parts: Parts, message: Evidence, shown: dict[str, str], only: Collection[str] | None
) -> None:
    best: dict[tuple[str, str, str], float] = {}
    for said in message.statements:
        source, target = shown[said.source], shown[said.target]
        if source != target and (only is None or source in only or target in only):
            key = (source, target, said.type)
            best[key] = max(to_bits(said.confidence), best.get(key, 0.0))
    for (source, target, kind), bits in best.items():
        if kind in EXCLUSIVE:
            claim = Claim(message.time, message.message_id, target, bits)
            parts.claims[source, kind].append(claim)
        else:
            parts.related[source, target, kind].add(message.time, bits=bits)


@dataclass(frozen=True, slots=True)
class Interval:
    """While a thing had one exclusive relation; `until_at` is None while it has it."""

    target: str
    edge: EdgePart
    until_at: str | None


def to_intervals(claims: Iterable[Claim]) -> list[Interval]:
    """The exclusive relations of one thing and type, one after the other.

    Claims in a row on the same target support one edge. It ends where the next target is claimed.
    """
    runs: list[tuple[str, EdgePart]] = []
    for claim in sorted(claims, key=lambda claim: (claim.time, claim.message_id, claim.target)):
        if not runs or runs[-1][0] != claim.target:
            runs.append((claim.target, EdgePart()))
        runs[-1][1].add(claim.time, bits=claim.bits)
    ends: list[str | None] = [edge.first_at for _, edge in runs[1:]] + [None]
    return [
        Interval(target, edge, until_at)
        for (target, edge), until_at in zip(runs, ends, strict=True)
    ]
