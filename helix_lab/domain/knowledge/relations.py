"""Relations that a text states between two things that it names.

Only what stands between two neighbouring names is read, by patterns of English. What a text
denies, asks or wishes is no relation. So they are few, and mostly right; that two things are
named together is another matter, and the graph counts it by itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from helix_lab.domain.knowledge.mention import GRAPH_TYPES, Mention

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

_LISTED: Final = re.compile(r"\s*(?:,|,?\s+(?:and|or)|\s*/|\s*&|\s*\+)\s*(?:the\s+)?$")
_MOST_LISTED: Final = 8
_DOUBT = re.compile(
    r"\b(?:do|does|did|can|could|should|would|will|may|might|if|whether|is|are|was|were|has|have|why)"
    r"\s+(?:the\s+|my\s+|our\s+|your\s+)?$",
    re.IGNORECASE,
)
_DOUBT_CHARACTERS: Final = 24
_DENIED = re.compile(r"\b(?:not|never|no|without|instead)\b|n['’]t\b", re.IGNORECASE)
_GOES_ON = re.compile(
    r"(?:\s+[\w-]+)?\s+(?!and\b|or\b|but\b|that\b|which\b|for\b|with\b|in\b)[a-z]"
)

_THINGS: Final = frozenset(GRAPH_TYPES) - {"person", "place", "date", "event"}
_ANY: Final = frozenset(GRAPH_TYPES) - {"date"}
_WHO: Final = frozenset({"person"})
_WHERE: Final = frozenset({"place"})
_WHOM: Final = frozenset({"organisation", "other"})
_MAKERS: Final = frozenset({"person", "organisation", "other"})

_BEFORE_VERB = (
    r"(?:\s+v?\d[\w.]*)?(?:,?\s+(?:which|that|who))?"
    r"(?:\s+(?:also|now|then|still|often|mostly|currently|internally|always|really|just|already))?\s+"
)
_ARTICLE = r"(?:\s+(?:the|a|an|our|my|their|its|your))?\s+"
_KIN = (
    "brother|sister|son|daughter|wife|husband|mother|father|mom|dad|mum|cousin|uncle|aunt|niece|"
    "nephew|fiancée?|grandson|granddaughter|grandmother|grandfather"
)
_FRIENDS = "friend|best friend|close friend|buddy|pal|roommate|colleague|coworker|co-worker"


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


@dataclass(frozen=True, slots=True)
class _Pattern:
    """What may stand between two names, and what it says of them.

    Attributes:
        is_turned: it is said of the second name: `X is used by Y`.
    """

    type: str
    between: re.Pattern[str]
    left: frozenset[str]
    right: frozenset[str]
    confidence: float
    is_turned: bool = False


def _pattern(
    kind: str,
    between: str,
    left: frozenset[str] = _THINGS,
    right: frozenset[str] = _THINGS,
    confidence: float = 0.8,
    *,
    turned: bool = False,
) -> _Pattern:
    whole = re.compile(f"{_BEFORE_VERB}(?:{between}){_ARTICLE}$", re.IGNORECASE)
    return _Pattern(kind, whole, left, right, confidence, turned)


_PATTERNS: Final = (
    _pattern("runs_on", r"(?:runs?|running|ran|deployed|hosted|runs? natively) (?:on|in|inside)"),
    _pattern("depends_on", r"(?:depends?|relies|rely|builds?|is built|based|is based) (?:up)?on"),
    _pattern("depends_on", r"(?:requires?|needs?)"),
    _pattern("uses", r"(?:uses?|using|used|leverages?|utili[sz]es?|adopted|runs|ran)", _ANY),
    _pattern("uses", r"(?:is|are|was|were) (?:used|adopted) (?:by|in)", _THINGS, _ANY, turned=True),
    _pattern("part_of", r"(?:is|are|was) (?:a )?(?:part|member|component|module|subset) of", _ANY),
    _pattern("part_of", r"(?:belongs?|belonged) to", _ANY),
    _pattern("part_of", r"(?:contains?|includes?|comprises?|ships with)", turned=True),
    _pattern(
        "works_at", r"(?:works?|worked|is working|was working|interned) (?:at|for)", _WHO, _WHOM
    ),
    _pattern("works_at", r"(?:joined|left)", _WHO, frozenset({"organisation"}), 0.7),
    _pattern(
        "lives_in", r"(?:lives?|lived|is living|grew up|moved|resides?) (?:in|to)", _WHO, _WHERE
    ),
    _pattern(
        "located_in",
        r"(?:is|are|was|lies|is located|is based|located|based) in",
        _WHERE | _WHOM,
        _WHERE,
    ),
    _pattern(
        "created_by",
        r"(?:is|was|were)? ?(?:created|written|built|made|developed|invented|founded|designed|"
        r"directed|composed|painted|recorded|maintained) by",
        _ANY,
        _MAKERS,
    ),
    _pattern(
        "created_by",
        r"(?:created|wrote|built|made|developed|invented|founded|designed|directed|composed|painted)",
        _MAKERS,
        _ANY - _WHO,
        0.7,
        turned=True,
    ),
    _pattern("replaces", r"(?:replaces?|replaced|supersedes?|superseded)"),
    _pattern(
        "replaces", r"(?:is|was|were|been|got) (?:replaced|superseded) (?:by|with)", turned=True
    ),
    _pattern("alternative_to", r"(?:is|as)? ?(?:an?|the)? ?(?:good |open.source )?alternative to"),
    _pattern("alternative_to", r"(?:vs\.?|versus|or|instead of|rather than)", confidence=0.5),
    _pattern("is_a", r"(?:is|are|was)(?: an?| the)?(?: kind of| type of| form of)?"),
)

_OF_PERSON: Final = (
    ("family_of", re.compile(rf"['’]s\s+(?:\w+\s+)?(?:{_KIN}),?\s+$", re.IGNORECASE)),
    (
        "family_of",
        re.compile(rf"(?:,|\s+(?:is|was))\s+(?:the\s+)?(?:{_KIN})\s+of\s+$", re.IGNORECASE),
    ),
    ("friend_of", re.compile(rf"['’]s\s+(?:\w+\s+)?(?:{_FRIENDS}),?\s+$", re.IGNORECASE)),
    ("friend_of", re.compile(rf"\s+(?:is|was)\s+(?:a\s+)?(?:{_FRIENDS})\s+of\s+$", re.IGNORECASE)),
)


def find_relations(text: str, mentions: Sequence[Mention]) -> list[Relation]:
    """The relations that the words between neighbouring mentions state, in order of the text.

    Args:
        text: what was said.
        mentions: of the same text, ordered and without overlap.
    """
    places = [place for place, mention in enumerate(mentions) if mention.type in GRAPH_TYPES]
    found: list[Relation] = []
    for number, (left, right) in enumerate(pairwise(places)):
        between = _between(text, mentions[left], mentions[right])
        if between is None or _is_doubtful(text, mentions[left], between):
            continue
        kind = _match(text, mentions[left], mentions[right], between)
        if kind is not None:
            listed = _listed(text, mentions, places[number + 1 : number + 2 + _MOST_LISTED])
            found += [_relate(left, target, kind) for target in listed]
    return found


def _between(text: str, left: Mention, right: Mention) -> str | None:
    gap = right.start - left.end
    return text[left.end : right.start] if 0 < gap <= MAX_GAP_CHARACTERS else None


def _is_doubtful(text: str, left: Mention, between: str) -> bool:
    if _DENIED.search(between) and not re.search(r"\binstead of\b", between):
        return True
    return bool(_DOUBT.search(text[max(0, left.start - _DOUBT_CHARACTERS) : left.start]))


def _match(text: str, left: Mention, right: Mention, between: str) -> _Pattern | None:
    if left.type == right.type == "person":
        for kind, pattern in _OF_PERSON:
            if pattern.match(between):
                return _Pattern(kind, pattern, _WHO, _WHO, 0.9)
    for known in _PATTERNS:
        if left.type in known.left and right.type in known.right and known.between.match(between):
            is_cut = known.type == "is_a" and _GOES_ON.match(text, right.end)
            return None if is_cut else known
    return None


def _listed(text: str, mentions: Sequence[Mention], places: Sequence[int]) -> Iterator[int]:
    """The first of some mentions, and those that are listed after it: `uses A, B and C`."""
    yield places[0]
    for left, right in pairwise(places):
        between = _between(text, mentions[left], mentions[right])
        is_alike = mentions[left].type == mentions[right].type
        if between is None or not is_alike or not _LISTED.match(between):
            return
        yield right


def _relate(left: int, right: int, pattern: _Pattern) -> Relation:
    source, target = (right, left) if pattern.is_turned else (left, right)
    return Relation(source, target, pattern.type, pattern.confidence)
