"""Succession: which of two messages on the same matter holds now.

A newer statement of the same speaker that shares the rare words of an older one and gives
another number for the same thing, or says that something changed, replaces it. One that denies
what the other tells contradicts it: then both are shown, since nobody can tell which one is
meant. A denial reaches to the end of its clause. An assistant without a name advises: what it
says is no fact of the matter.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, Literal

import numpy as np

from helix_lab.domain.context import vocabulary as v
from helix_lab.domain.context.analysis import Analysis
from helix_lab.domain.context.index import stem

Kind = Literal["update", "contradiction"]

_CHANGES = re.compile(
    r"\b(?:now|recently|updated?|changed?|moved|rescheduled|extended|increased|decreased|reduced"
    r"|raised|improved|grown?|grew|reached|instead|no longer|switched|revised|postponed|shifted"
    r"|added|adding|latest|current(?:ly)?|actually|expanded|brought)\b",
    re.I,
)
_DENIES = re.compile(
    r"never|no longer|(?:have|has|had|did|does|do|was|is|were|are)(?:n['’]t| not)", re.I
)
_OPINIONS = frozenset(("know", "sure", "understand", "think", "want"))
_CLAUSE: Final = 12
"""Words behind a denial that it may still be about."""
_CLAUSE_ENDS = frozenset(",;:.!?")
_PARTS = re.compile(r"[^\W_]+")
_SIGNS = re.compile(r"[$€£¥%]")
_MATTER: Final = 0.4
"""Share of the query's rarity that both sentences must hold."""
_DENIED: Final = 0.3
"""The same of what one of them denies and the other tells."""
_LEAST_SHARED: Final = 2
_LONGEST = 120
_SAYS_NOTHING: Final = v.FUNCTION | v.SYMBOL | v.BREAK | v.DIGITS | v.BLOCK | v.FILLER


@dataclass(frozen=True, slots=True)
class Statement:
    """A sentence as it is compared.

    Attributes:
        values: each number with what it counts ("%", "month", the next word).
        denied: the stems of what it says never was, or is no longer.
        changes: says that something is different now.
    """

    stems: frozenset[str]
    values: frozenset[tuple[str, str]]
    denied: frozenset[str]
    changes: bool


def read_statements(analysis: Analysis, position: int) -> list[Statement]:
    """The sentences of a message that state something."""
    features = analysis.features
    begin, end = analysis.offsets[position : position + 2].tolist()
    bounds = np.flatnonzero(np.diff(features.sentence[begin:end])) + 1
    edges = [begin, *(bounds + begin).tolist(), end]
    made = [_read(analysis, first, last) for first, last in pairwise(edges)]
    return [one for one in made if one is not None]


def _read(analysis: Analysis, begin: int, end: int) -> Statement | None:
    if end - begin > _LONGEST:
        return None
    numbers = analysis.types[begin:end].tolist()
    flags = analysis.features.flags[begin:end].tolist()
    texts = [analysis.vocabulary.texts[number].lower() for number in numbers]
    raws = [analysis.vocabulary.raw_of(number) for number in numbers]
    stems = [_stems(text, flag) for text, flag in zip(texts, flags, strict=True)]
    said: frozenset[str] = frozenset().union(*stems)
    if len(said) < _LEAST_SHARED:
        return None
    return Statement(
        stems=said,
        values=frozenset(_values(texts, flags)),
        denied=_find_denied(texts, raws, stems),
        changes=_CHANGES.search(" ".join(texts)) is not None,
    )


def _stems(text: str, flag: int) -> set[str]:
    if flag & (v.BLOCK | v.SYMBOL | v.BREAK | v.DIGITS | v.FUNCTION):
        return set()
    return {stem(part) for part in _PARTS.findall(v.fold(text))}


def _find_denied(
    texts: Sequence[str], raws: Sequence[str], stems: Sequence[set[str]]
) -> frozenset[str]:
    """What stands behind a denial, to the end of its clause."""
    denied: set[str] = set()
    left = 0
    for place, text in enumerate(texts):
        if _DENIES.fullmatch(" ".join(texts[place : place + 2])) or _DENIES.fullmatch(text):
            is_opinion = place + 1 < len(texts) and texts[place + 1] in _OPINIONS
            left = 0 if is_opinion else _CLAUSE
        elif left:
            denied |= stems[place]
            left = 0 if raws[place][-1:] in _CLAUSE_ENDS or text == "but" else left - 1
    return frozenset(denied)


def _values(texts: Sequence[str], flags: Sequence[int]) -> Iterator[tuple[str, str]]:
    """Each number with what it counts."""
    for place, (text, flag) in enumerate(zip(texts, flags, strict=True)):
        if not flag & v.DIGITS:
            continue
        sign = _SIGNS.search(text)
        if sign:
            yield text, sign[0]
        elif place and flags[place - 1] & v.MONTH:
            yield text, "date"
        else:
            near = [n for n in (place + 1, place - 1) if 0 <= n < len(texts)]
            of = [stem(texts[n]) for n in near if not flags[n] & _SAYS_NOTHING]
            yield from ((text, one) for one in of or [""])


def compare(
    older: Sequence[Statement], newer: Sequence[Statement], rarity: Mapping[str, float]
) -> tuple[float, Kind] | None:
    """How the newer of two messages stands to the older one, if they are on the same matter.

    `rarity` weighs the stems of the query, which is the matter. The number is the share of it
    that both hold: of several that replace a message, the one that shares most is meant.
    """
    total = sum(rarity.values()) or 1.0
    best: tuple[float, Kind] | None = None
    for later in newer:
        for earlier in older:
            shared = later.stems & earlier.stems
            if len(shared) < _LEAST_SHARED:
                continue
            denied = (later.denied ^ earlier.denied) & shared
            against = sum(rarity.get(one, 0.0) for one in denied) / total
            share = sum(rarity.get(one, 0.0) for one in shared) / total
            if against >= _DENIED and (best is None or share > best[0]):
                best = share, "contradiction"
            elif share >= _MATTER and _updates(earlier, later) and (not best or share > best[0]):
                best = share, "update"
    return best


def _updates(earlier: Statement, later: Statement) -> bool:
    """Whether a count of the same thing differs, or a new number comes with a word of change."""
    new = later.values - earlier.values
    if not new or not earlier.values:
        return False
    return later.changes or bool({of for _, of in new} & {of for _, of in earlier.values})
