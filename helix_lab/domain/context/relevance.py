"""Relevance: how well each message fits a query, by clues of words alone.

A message is found by its own words, by those of its neighbours and its day, by who is named
and by what it states. Each clue is scaled to its greatest value over all conversations.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from helix_lab.domain.context import lexicon
from helix_lab.domain.context import vocabulary as v
from helix_lab.domain.context.analysis import Analysis
from helix_lab.domain.context.index import Index, bm25, stem, stems_of

Floats = NDArray[np.float64]

WEIGHTS: dict[str, float] = {
    "words": 3.3,
    "before": 1.2,
    "after": 0.8,
    "two_before": 0.6,
    "day": 2.2,
    "coverage": 1.0,
    "speaker": 1.2,
    "asks": -0.4,
    "salience": 2.0,
    "when": 0.5,
    "length": -3.0,
    "user": 2.0,
}
"""What a clue weighs; docs/decisions/0011-compression.md says where they come from."""
_USUAL_DAY = 25
"""Messages of a day beyond which the words of the day say less and less of each."""
_LONG = 100
"""Tokens beyond which a message pays for its length."""
_WHEN = re.compile(r"\b(?:when|what (?:date|day|time|year|month)|how long|deadline)\b", re.I)


@dataclass(frozen=True, slots=True)
class Query:
    """What is looked for.

    Attributes:
        terms: stems and what each weighs.
        asks_when: whether it asks for a time.
    """

    text: str
    terms: dict[str, float]
    asks_when: bool


def read_query(text: str) -> Query:
    """The words of a query."""
    fillers = {stem(word) for word in lexicon.FILLER}
    terms = {term: 0.4 if term in fillers else 1.0 for term in stems_of(text)}
    return Query(text, terms, _WHEN.search(text) is not None)


def relevance(analyses: Sequence[Analysis], query: Query) -> list[Floats]:
    """How well each message of each conversation fits."""
    clues = [read_clues(analysis, query) for analysis in analyses]
    scores: list[Floats] = []
    greatest = {
        name: max((float(np.abs(one[name]).max(initial=0)) for one in clues), default=0) or 1.0
        for name in WEIGHTS
    }
    for one in clues:
        total = np.zeros(len(one["words"]))
        for name, weight in WEIGHTS.items():
            total += weight * one[name] / greatest[name]
        scores.append(total)
    return scores


def read_clues(analysis: Analysis, query: Query) -> dict[str, Floats]:
    """The clues of each message of a conversation."""
    index = analysis.index
    names = {stem(part) for name in analysis.speakers for part in v.fold(name).split()}
    terms = {term: weight for term, weight in query.terms.items() if term not in names}
    own = bm25(index, {**_kin(index, terms), **terms})
    days = bm25(index, terms, index.session)
    traits = analysis.traits
    return {
        "words": own,
        "before": _shift(own, 1),
        "after": _shift(own, -1),
        "two_before": _shift(own, 2),
        "day": days[index.session] * min(1.0, _USUAL_DAY * len(days) / max(1, index.messages)),
        "coverage": _coverage(index, terms),
        "speaker": _named(analysis, query),
        "asks": traits.asks,
        "salience": traits.salience,
        "when": traits.times if query.asks_when else np.zeros(len(own)),
        "length": traits.length,
        "user": traits.is_user,
    }


def _kin(index: Index, terms: dict[str, float]) -> dict[str, float]:
    found: dict[str, float] = {}
    for term, weight in terms.items():
        for other, share in index.kin(term):
            found[other] = max(found.get(other, 0.0), share * weight)
    return found


def _shift(scores: Floats, by: int) -> Floats:
    """The score of the message that many places before."""
    shifted = np.zeros_like(scores)
    if by > 0:
        shifted[by:] = scores[:-by]
    else:
        shifted[:by] = scores[-by:]
    return shifted


def _coverage(index: Index, terms: dict[str, float]) -> Floats:
    """Share of the query's weight, rare words counting more, that each message holds."""
    held = np.zeros(index.messages)
    total = 0.0
    for term, weight in terms.items():
        messages, _ = index.find(term)
        rarity = weight * float(np.log1p(index.messages / (1 + len(messages))))
        held[messages] += rarity
        total += rarity
    return held / total if total else held


def _named(analysis: Analysis, query: Query) -> Floats:
    """1 for messages of a speaker whom the query names."""
    named = {
        speaker
        for speaker in analysis.speakers
        if any(stem(part) in query.terms for part in v.fold(speaker).split())
    }
    if not named:
        return np.zeros(len(analysis.messages))
    return np.isin(
        analysis.traits.speaker, [analysis.speakers.index(name) for name in named]
    ).astype(float)


@dataclass(frozen=True, eq=False)
class Traits:
    """What every message is, whatever the query."""

    asks: Floats
    salience: Floats
    times: Floats
    length: Floats
    is_user: Floats
    speaker: NDArray[np.int64]


def read_traits(analysis: Analysis) -> Traits:
    """What every message of a conversation is."""
    features, count = analysis.features, len(analysis.messages)
    content = features.is_content
    value = np.bincount(
        features.message[content], weights=analysis.ranking.value[content], minlength=count
    )
    size = np.bincount(features.message[content], minlength=count)
    numbers = {speaker: n for n, speaker in enumerate(analysis.speakers)}
    return Traits(
        asks=_any(features.message[features.has(v.ASKS)], count),
        salience=value / np.maximum(size, 1),
        times=_any(features.message[features.has(v.TIME | v.NUMBER)], count),
        length=np.log(np.maximum(1.0, analysis.sizes / 100 / _LONG)),
        is_user=np.array(
            [m.role == "user" and not m.data.get("name") for m in analysis.messages], dtype=float
        ),
        speaker=np.array([numbers[name] for name in analysis.spoken_by], dtype=np.int64),
    )


def _any(messages: NDArray[np.int64], count: int) -> Floats:
    found = np.zeros(count)
    found[messages] = 1
    return found


def weigh_terms(analyses: Sequence[Analysis], query: Query) -> dict[str, float]:
    """What each stem of the query that was ever said weighs, rare ones more."""
    indexes = [analysis.index for analysis in analyses if analysis.messages]
    messages = sum(index.messages for index in indexes)
    held = {term: sum(len(index.find(term)[0]) for index in indexes) for term in query.terms}
    return {
        term: weight * math.log1p(messages / held[term])
        for term, weight in query.terms.items()
        if held[term]
    }


def cover(analyses: Sequence[Analysis], query: Query, text: str) -> float:
    """Share of the query's words, rare ones counting more, that a text holds."""
    held = set(stems_of(text))
    weights = weigh_terms(analyses, query)
    total = sum(weights.values())
    return sum(w for term, w in weights.items() if term in held) / total if total else 0.0
