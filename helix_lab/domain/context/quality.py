"""Quality: how much of what matters a compressed context still says.

It reads the text of a context alone, so it judges any context that cites its messages, a
model's summary too. It measures words, not grammar, and needs neither questions nor a model.
No compressor may use it as its objective: what is aimed at stops being a measure.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain

import numpy as np

from helix_lab.domain.context import vocabulary as v
from helix_lab.domain.context import weights as w
from helix_lab.domain.context.analysis import Analysis, Ints
from helix_lab.domain.context.arrays import distinct, ranges
from helix_lab.domain.context.digest import Compressed, Quality
from helix_lab.domain.context.splitting import split
from helix_lab.domain.context.vocabulary import fold, strip


def score(analysis: Analysis, compressed: Compressed) -> Quality:
    """The quality of a context of the analysed conversation, by its text alone.

    A component of which the conversation has nothing does not count; without any, all that
    counts is the share of the chunks. An empty conversation is kept in full.
    """
    if not len(analysis.types):
        return Quality(1.0, 1.0, 1.0, 1.0, 1.0, 1.0)
    kept = find_kept(analysis, compressed)
    shares = analysis.outline.yardstick.measure(kept, analysis.outline.sentence[kept])
    statements, strict, entities, numbers, negations = shares
    others = [
        (w.ENTITIES_SHARE, entities),
        (w.NUMBERS_SHARE, numbers),
        (w.NEGATIONS_SHARE, negations),
    ]
    whole = len(kept) / len(analysis.types)
    return Quality(
        score=_sum([(w.STATEMENTS_SHARE, statements), *others], whole),
        statements=_or(statements),
        entities=_or(entities),
        numbers=_or(numbers),
        negations=_or(negations),
        strict=_sum([(w.STATEMENTS_SHARE, strict), *others], whole),
    )


def _sum(parts: list[tuple[float, float | None]], otherwise: float) -> float:
    there = [(weight, value) for weight, value in parts if value is not None]
    if not there:
        return otherwise
    return sum(weight * value for weight, value in there) / sum(weight for weight, _ in there)


def _or(value: float | None) -> float:
    return 1.0 if value is None else value


def find_kept(analysis: Analysis, compressed: Compressed) -> Ints:
    """The chunks of the conversation that a context says, by the messages that it cites."""
    numbers = analysis.positions
    words = _Words(analysis)
    whole: list[int] = []
    found: list[list[int]] = []
    owners: list[int] = []
    texts = [(line.text, line.message_ids) for line in compressed.summary]
    for recent in compressed.recent_messages:
        place = numbers.get(recent.message_id)
        if place is not None and analysis.messages[place].content == recent.text:
            whole.append(place)
        else:
            texts.append((recent.text, (recent.message_id,)))
    for text, message_ids in texts:
        for place in _places(numbers, message_ids):
            found.append(words.read(text, place))
            owners.append(place)
    lengths = np.fromiter(map(len, found), np.int64, len(found))
    said = np.fromiter(chain.from_iterable(found), np.int64, int(lengths.sum()))
    said_words = _find(analysis, np.repeat(np.array(owners, np.int64), lengths), said)
    begins, ends = analysis.offsets[:-1][whole], analysis.offsets[1:][whole]
    return distinct(np.concatenate((said_words, ranges(begins, ends - begins))))


def _places(numbers: dict[str, int], message_ids: Iterable[str]) -> list[int]:
    return [numbers[message_id] for message_id in message_ids if message_id in numbers]


def _find(analysis: Analysis, owners: Ints, found: Ints) -> Ints:
    """As many chunks of each word of a message as were found."""
    is_known = found >= 0
    words = len(analysis.vocabulary.word_ids)
    said, counts = np.unique(owners[is_known] * words + found[is_known], return_counts=True)
    places = distinct(said // max(1, words))
    begins = analysis.offsets[places]
    lengths = analysis.offsets[places + 1] - begins
    chunks = analysis.outline.yardstick.by_word[ranges(begins, lengths)]
    keys = np.repeat(places, lengths) * words + analysis.words_by_type[analysis.types[chunks]]
    first: Ints = np.asarray(np.searchsorted(keys, said, side="left"))
    there = np.searchsorted(keys, said, side="right") - first
    return chunks[ranges(first, np.minimum(counts, there))]


class _Words:
    """Chunks of a context as words of the conversation; -1 for those that it does not have."""

    def __init__(self, analysis: Analysis) -> None:
        self._analysis = analysis
        self._found = _Memory(analysis)
        self._whole = analysis.outline.yardstick.split_anew

    def read(self, text: str, place: int) -> list[int]:
        """The words of what a context says of a message."""
        if place in self._whole or "`" in text:
            chunks = self._split_like(text, place)
        else:
            chunks = text.split()
        return list(map(self._found.__getitem__, chunks))

    def _split_like(self, text: str, place: int) -> list[str]:
        offsets, types = self._analysis.offsets, self._analysis.types
        begin = types[offsets[place] : offsets[place] + 1]
        flags = self._analysis.vocabulary.flags[int(begin[0])] if len(begin) else 0
        if flags & v.SENTENCE:
            return [v.SENTENCE_MARK + line for line in text.split("\n") if line]
        return split(text, self._analysis.messages[place].role)


class _Memory(dict[str, int]):
    """Chunk → word."""

    def __init__(self, analysis: Analysis) -> None:
        super().__init__()
        self._words = analysis.vocabulary.word_ids

    def __missing__(self, chunk: str) -> int:
        number = self._words.get(fold(v.Vocabulary.raw(chunk)), -1)
        if number < 0:
            number = self._words.get(fold(strip(chunk)), -1)
        self[chunk] = number
        return number
