"""Quality: how much of what matters a compressed context still says.

It reads the text of a context alone, so it judges any context that cites its messages, a
model's summary too. It measures words, not grammar, and needs neither questions nor a model.
No compressor may use it as its objective: what is aimed at stops being a measure.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from helix_lab.domain.context import vocabulary as v
from helix_lab.domain.context import weights as w
from helix_lab.domain.context.analysis import Analysis, Ints
from helix_lab.domain.context.digest import Compressed, Quality
from helix_lab.domain.context.features import Bools, Features
from helix_lab.domain.context.ranking import Floats
from helix_lab.domain.context.splitting import split
from helix_lab.domain.context.vocabulary import fold, strip

_MOST_STRONG = 8
_LEAST_STRONG = 2
_OF_QUESTIONS = 0.3


def score(analysis: Analysis, compressed: Compressed) -> Quality:
    """The quality of a context of the analysed conversation, by its text alone.

    A component of which the conversation has nothing does not count; without any, all that
    counts is the share of the chunks. An empty conversation is kept in full.
    """
    if not len(analysis.types):
        return Quality(1.0, 1.0, 1.0, 1.0, 1.0, 1.0)
    yardstick = analysis.yardstick
    kept = find_kept(analysis, compressed)
    entities = _share(yardstick.is_entity, kept)
    numbers = _share(yardstick.is_number, kept)
    negations = _share(yardstick.is_negation, kept)
    statements = yardstick.statements.share(kept)
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
        strict=_sum([(w.STATEMENTS_SHARE, yardstick.strict.share(kept)), *others], whole),
    )


def _sum(parts: list[tuple[float, float | None]], otherwise: float) -> float:
    there = [(weight, value) for weight, value in parts if value is not None]
    if not there:
        return otherwise
    return sum(weight * value for weight, value in there) / sum(weight for weight, _ in there)


def _or(value: float | None) -> float:
    return 1.0 if value is None else value


def _share(wanted: Bools, kept: Ints) -> float | None:
    count = int(np.count_nonzero(wanted))
    return int(np.count_nonzero(wanted[kept])) / count if count else None


@dataclass(frozen=True, eq=False)
class Statements:
    """Sentences with two strong words and more, and what each weighs.

    Attributes:
        weights: per chunk, what it adds to the recall; 0 for those that do not count.
        total: of all weights.
    """

    weights: Floats
    total: float

    def share(self, kept: Ints) -> float | None:
        """Weighted share of the strong words kept."""
        return min(1.0, float(self.weights[kept].sum()) / self.total) if self.total else None


@dataclass(frozen=True, eq=False)
class Yardstick:
    """What a context is measured by; the same for every context of a conversation.

    Attributes:
        keys: message and word of each chunk, in ascending order; equal keys in order of place.
        order: the chunk of each key.
        split_anew: messages with blocks or sentences that are kept whole.
    """

    statements: Statements
    strict: Statements
    is_entity: Bools
    is_number: Bools
    is_negation: Bools
    keys: Ints
    order: Ints
    split_anew: frozenset[int]


def read_yardstick(analysis: Analysis) -> Yardstick:
    """What a context of this conversation is measured by."""
    features = analysis.features
    is_fact = features.is_content | features.has(v.NUMBER | v.TIME)
    return Yardstick(
        statements=_statements(features, is_fact & ~features.has(v.FILLER | v.PICTURE)),
        strict=_statements(features, is_fact),
        is_entity=features.is_entity,
        is_number=features.is_number,
        is_negation=features.has(v.NEGATION),
        keys=features.ordered_keys,
        order=features.by_key,
        split_anew=frozenset(
            np.unique(features.message[features.has(v.BLOCK | v.SENTENCE)]).tolist()
        ),
    )


def _statements(features: Features, is_strong: Bools) -> Statements:
    strong = is_strong & (features.occurrence_in_sentence == 0)
    count = features.count_in_sentence(strong)
    whole = np.zeros(features.sentences, dtype=bool)
    whole[features.sentence[features.has(v.BLOCK | v.SENTENCE)]] = True
    states = features.has(v.NUMBER | v.TIME) | features.is_entity
    weight = np.ones(features.sentences)
    for mask in (features.has(v.FIRST_PERSON), states):
        weight += features.count_in_sentence(mask) > 0
    weight *= np.where(whole, _MOST_STRONG, np.minimum(count, _MOST_STRONG))
    weight *= np.where(features.count_in_sentence(features.has(v.ASKS)) > 0, _OF_QUESTIONS, 1)
    counts = whole | (count >= _LEAST_STRONG)
    places = np.flatnonzero(strong & counts[features.sentence])
    sentence = features.sentence[places]
    weights = np.zeros(len(features.word))
    weights[places] = weight[sentence] / count[sentence]
    return Statements(weights, float(weights.sum()))


def find_kept(analysis: Analysis, compressed: Compressed) -> Ints:
    """The chunks of the conversation that a context says, by the messages that it cites."""
    numbers = analysis.positions
    words = _Words(analysis)
    whole: list[int] = []
    found: list[int] = []
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
            said = words.read(text, place)
            found += said
            owners += [place] * len(said)
    said_words = _find(analysis, np.array(owners, np.int64), np.array(found, np.int64))
    begins, ends = analysis.offsets[:-1][whole], analysis.offsets[1:][whole]
    return np.unique(np.concatenate((said_words, _ranges(begins, ends - begins))))


def _places(numbers: dict[str, int], message_ids: Iterable[str]) -> list[int]:
    return [numbers[message_id] for message_id in message_ids if message_id in numbers]


def _find(analysis: Analysis, owners: Ints, found: Ints) -> Ints:
    """As many chunks of each word of a message as were found."""
    known = found >= 0
    said, counts = np.unique(
        owners[known] * analysis.features.words + found[known], return_counts=True
    )
    keys = analysis.yardstick.keys
    first: Ints = np.asarray(np.searchsorted(keys, said, side="left"))
    there = np.searchsorted(keys, said, side="right") - first
    return analysis.yardstick.order[_ranges(first, np.minimum(counts, there))]


def _ranges(begins: Ints, lengths: Ints) -> Ints:
    """All numbers of some ranges, one range after the other."""
    ends = np.cumsum(lengths)
    total = int(ends[-1]) if len(ends) else 0
    numbers: Ints = np.arange(total) + np.repeat(begins - (ends - lengths), lengths)
    return numbers


class _Words:
    """Chunks of a context as words of the conversation; -1 for those that it does not have."""

    def __init__(self, analysis: Analysis) -> None:
        self._analysis = analysis
        self._found = _Memory(analysis)
        self._whole = analysis.yardstick.split_anew

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
