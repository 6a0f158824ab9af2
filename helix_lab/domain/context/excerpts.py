"""Excerpts: a message in telegram style, for a query."""

from __future__ import annotations

import numpy as np

from helix_lab.domain.context import vocabulary as v
from helix_lab.domain.context.analysis import Analysis, Ints
from helix_lab.domain.context.digest import Line
from helix_lab.domain.context.relevance import Query
from helix_lab.domain.context.selection import write_chunks

LONG_TOKENS = 300
"""A longer message is not compared, and only excerpts of it are given beside the others."""
EXCERPT_TOKENS = 60


def is_short(analysis: Analysis, position: int) -> bool:
    """Whether a message is given whole, if at all."""
    return bool(analysis.sizes[position] <= 100 * LONG_TOKENS)


def shorten(analysis: Analysis, position: int, query: Query) -> Line | None:
    """A message without its function words and fillers; of a long one, the best sentences."""
    features = analysis.features
    begin, end = analysis.offsets[position : position + 2].tolist()
    chunks = np.arange(begin, end)
    says = features.is_said[begin:end].copy()
    if not is_short(analysis, position):
        says &= np.isin(chunks, _best_sentences(analysis, begin, end, query))
        says &= ~features.has(v.BLOCK)[begin:end]
    lines = write_chunks(analysis, chunks[says], chunks[:0])
    return lines[0] if lines else None


def _best_sentences(analysis: Analysis, begin: int, end: int, query: Query) -> Ints:
    """Chunks of the sentences of a long message that are worth most for the query."""
    features = analysis.features
    sentence = features.sentence[begin:end] - features.sentence[begin]
    wanted = np.isin(features.word[begin:end], _wanted_words(analysis, query))
    value = analysis.ranking.value[begin:end] + 2.0 * wanted
    size = np.bincount(sentence, weights=features.cost[begin:end] / 100)
    worth = np.bincount(sentence, weights=value) / np.maximum(size, 1)
    order = np.argsort(-worth, kind="stable")
    taken = order[np.cumsum(size[order]) <= EXCERPT_TOKENS * 2]
    return np.flatnonzero(np.isin(sentence, taken)) + begin


def _wanted_words(analysis: Analysis, query: Query) -> Ints:
    numbers = analysis.vocabulary.word_ids
    words = [v.fold(v.strip(part)) for part in query.text.split()]
    return np.array([numbers[word] for word in words if word in numbers], dtype=np.int64)
