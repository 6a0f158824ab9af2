"""Succession: which of two messages on the same matter holds now.

A newer statement of the same speaker that shares the rare words of an older one and gives
another number, or says that something changed, replaces it. One that denies what the other
affirms contradicts it: then both are shown, since nobody can tell which one is meant.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
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
_PARTS = re.compile(r"[^\W_]+")
_ALIKE: Final = 0.3
_LEAST_SHARED: Final = 2
_LONGEST = 60


@dataclass(frozen=True, slots=True)
class Statement:
    """A sentence as it is compared: rare words, numbers, and whether it denies."""

    stems: frozenset[str]
    numbers: frozenset[str]
    denies: bool
    changes: bool


def read_statements(analysis: Analysis, position: int) -> list[Statement]:
    """The sentences of a message that state something."""
    features = analysis.features
    begin, end = analysis.offsets[position : position + 2].tolist()
    bounds = np.flatnonzero(np.diff(features.sentence[begin:end])) + 1
    edges = [begin, *(bounds + begin).tolist(), end]
    made = [_read(analysis, first, last) for first, last in zip(edges, edges[1:], strict=False)]
    return [one for one in made if one is not None]


def _read(analysis: Analysis, begin: int, end: int) -> Statement | None:
    features, texts = analysis.features, analysis.vocabulary.texts
    if end - begin > _LONGEST * 2:
        return None
    stems: set[str] = set()
    numbers: set[str] = set()
    said: list[str] = []
    flags = features.flags[begin:end].tolist()
    for number, flag in zip(analysis.types[begin:end].tolist(), flags, strict=True):
        text = texts[number].lower()
        said.append(text)
        if flag & (v.BLOCK | v.SYMBOL | v.BREAK):
            continue
        if flag & v.DIGITS:
            numbers.add(text)
        elif not flag & (v.FUNCTION | v.FILLER | v.NEGATION):
            if flag & (v.NUMBER | v.MONTH | v.TIME):
                numbers.add(text)
            stems.update(stem(part) for part in _PARTS.findall(v.fold(text)))
    if len(stems) < _LEAST_SHARED:
        return None
    denies = any(flag & v.NEGATION for flag in flags)
    changes = _CHANGES.search(" ".join(said)) is not None
    return Statement(frozenset(stems), frozenset(numbers), denies, changes)


def compare(
    older: Sequence[Statement], newer: Sequence[Statement], rarity: dict[str, float]
) -> Kind | None:
    """How the newer of two messages stands to the older one, if they are on the same matter.

    `rarity` weighs the stems; those of the query are the matter itself.
    """
    for later in newer:
        for earlier in older:
            shared = (later.stems & earlier.stems) - later.numbers
            if len(shared) < _LEAST_SHARED or not shared.intersection(rarity):
                continue
            if _weigh(shared, rarity) < _ALIKE * _weigh_least(later, earlier, rarity):
                continue
            if later.denies != earlier.denies:
                return "contradiction"
            if later.numbers - earlier.numbers and (earlier.numbers or later.changes):
                return "update"
    return None


def _weigh(stems: frozenset[str] | set[str], rarity: dict[str, float]) -> float:
    return sum(rarity.get(one, 1.0) for one in stems)


def _weigh_least(a: Statement, b: Statement, rarity: dict[str, float]) -> float:
    return min(_weigh(a.stems - a.numbers, rarity), _weigh(b.stems - b.numbers, rarity))
