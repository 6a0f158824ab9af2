"""Index: where each stem of a conversation stands, and how well messages fit a query."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from helix_lab.domain.context import lexicon
from helix_lab.domain.context import vocabulary as v
from helix_lab.domain.context.analysis import Analysis, Ints
from helix_lab.domain.context.splitting import split

Floats = NDArray[np.float64]

_SUFFIX = re.compile(r"(?:ational|ations?|ings?|edly|ies|ied|ed|es|ers?|ly|s|y|e)$")
_PARTS = re.compile(r"[^\W_]+")
_SHORTEST_STEM = 3
_SATURATION = 1.2
_NORMALISATION = 0.6
_KIN_PREFIX = 4
_KIN = 0.6
_KIN_WEIGHT = 0.4


def stem(word: str) -> str:
    """A word without its usual endings, for comparison only."""
    short = _SUFFIX.sub("", word)
    if len(short) > _SHORTEST_STEM and short[-1] == short[-2]:
        short = short[:-1]
    return short if len(short) >= _SHORTEST_STEM else word


@dataclass(frozen=True, eq=False)
class Index:
    """Postings of one conversation.

    Attributes:
        stems: stem → number.
        message: of each posting, ordered by stem.
        count: of each posting, how often the stem stands there.
        begins: where the postings of each stem begin, and the end.
        lengths: stems of each message.
        session: of each message, the number of its day.
    """

    stems: dict[str, int]
    message: Ints
    count: Ints
    begins: Ints
    lengths: Ints
    session: Ints

    @cached_property
    def ordered(self) -> list[str]:
        """The stems in alphabetical order."""
        return sorted(self.stems)

    @property
    def messages(self) -> int:
        """How many messages there are."""
        return len(self.lengths)

    def find(self, word: str) -> tuple[Ints, Ints]:
        """Messages that have a stem, and how often."""
        number = self.stems.get(word)
        if number is None:
            return self.message[:0], self.count[:0]
        where = slice(int(self.begins[number]), int(self.begins[number + 1]))
        return self.message[where], self.count[where]

    def kin(self, word: str) -> list[tuple[str, float]]:
        """Other stems with a long common beginning, and how much they count."""
        if len(word) < _KIN_PREFIX:
            return []
        place = bisect_left(self.ordered, word[:_KIN_PREFIX])
        found: list[tuple[str, float]] = []
        while place < len(self.ordered) and self.ordered[place].startswith(word[:_KIN_PREFIX]):
            other = self.ordered[place]
            alike = _common(word, other) / max(len(word), len(other))
            if other != word and alike >= _KIN:
                found.append((other, alike * _KIN_WEIGHT))
            place += 1
        return found


def _common(a: str, b: str) -> int:
    return next(
        (n for n, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b))
    )


def read_index(analysis: Analysis) -> Index:
    """The postings of a conversation."""
    features, vocabulary = analysis.features, analysis.vocabulary
    parts, lengths = _parts_of_words(list(vocabulary.word_ids))
    stems: dict[str, int] = {}
    numbers = np.array([stems.setdefault(part, len(stems)) for part in parts], dtype=np.int64)
    begins = np.concatenate(([0], np.cumsum(lengths)))
    counts = np.diff(begins)[features.word]
    owners = np.repeat(features.message, counts)
    places = np.repeat(begins[features.word], counts) + _ramp(counts)
    keys = numbers[places] * len(analysis.messages) + owners
    found, count = np.unique(keys, return_counts=True)
    stem_numbers = found // max(1, len(analysis.messages))
    return Index(
        stems=stems,
        message=found % max(1, len(analysis.messages)),
        count=count,
        begins=np.searchsorted(stem_numbers, np.arange(len(stems) + 1)),
        lengths=np.bincount(owners, minlength=len(analysis.messages)),
        session=analysis.day_numbers - 1,
    )


def _ramp(counts: Ints) -> Ints:
    """0 … n-1 for each n."""
    ends = np.cumsum(counts)
    return np.arange(int(ends[-1]) if len(ends) else 0) - np.repeat(ends - counts, counts)


def _parts_of_words(words: Iterable[str]) -> tuple[list[str], Ints]:
    """Stems of all words, one after the other, and how many each word has."""
    parts: list[str] = []
    lengths: list[int] = []
    for word in words:
        own = [word] if word.isalpha() else _PARTS.findall(word)
        own = [stem(part) for part in own if part not in lexicon.STOP]
        parts += own
        lengths.append(len(own))
    return parts, np.array(lengths, dtype=np.int64)


def stems_of(text: str) -> list[str]:
    """The stems of a text that are no function words, in order."""
    chunks = [v.fold(v.strip(v.Vocabulary.raw(chunk))) for chunk in split(text)]
    return [
        stem(part) for chunk in chunks for part in _PARTS.findall(chunk) if part not in lexicon.STOP
    ]


def bm25(index: Index, terms: dict[str, float], groups: Ints | None = None) -> Floats:
    """Okapi BM25 of every message, or of every group of messages, for weighted terms."""
    owners = np.arange(index.messages) if groups is None else groups
    count = int(owners.max()) + 1 if len(owners) else 0
    lengths = np.bincount(owners, weights=index.lengths, minlength=count)
    norm = 1 - _NORMALISATION + _NORMALISATION * lengths / max(1.0, float(lengths.mean() or 1))
    scores = np.zeros(count)
    for term, weight in terms.items():
        messages, counts = index.find(term)
        if not len(messages):
            continue
        frequency = np.bincount(owners[messages], weights=counts, minlength=count)
        held = frequency > 0
        rarity = np.log1p((count - held.sum() + 0.5) / (held.sum() + 0.5))
        scores += weight * rarity * frequency * (_SATURATION + 1) / (frequency + _SATURATION * norm)
    return scores
