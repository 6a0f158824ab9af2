"""Yardstick: what the quality of a context is measured by; the same for all of a conversation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from helix_lab.domain.context import vocabulary as v
from helix_lab.domain.context.analysis import Analysis, Ints
from helix_lab.domain.context.arrays import narrow
from helix_lab.domain.context.features import Bools, Features

Floats = NDArray[np.float64]

# What a chunk counts for, as bits.
STATES: Final = 1 << 0
STATES_STRICTLY: Final = 1 << 1
NAMES: Final = 1 << 2
NUMBERS: Final = 1 << 3
NEGATES: Final = 1 << 4

_MOST_STRONG = 8
_LEAST_STRONG = 2
_OF_QUESTIONS = 0.3


@dataclass(frozen=True, eq=False)
class Yardstick:
    """What each chunk counts for.

    Attributes:
        kinds: per chunk, for what it counts, as bits.
        statements: per sentence with two strong words and more, what each of them weighs.
        strict: the same with fillers as strong words.
        totals: what all chunks count together for each of the five kinds, by bit.
        by_word: the chunks of each message by the number of their word.
        split_anew: messages with blocks or sentences that are kept whole.
    """

    kinds: NDArray[np.uint8]
    statements: Floats
    strict: Floats
    totals: tuple[float, float, float, float, float]
    by_word: Ints
    split_anew: frozenset[int]

    def measure(self, kept: Ints, sentence: Ints) -> list[float | None]:
        """Share kept of statements, strict statements, names, numbers, negations.

        None where the conversation has nothing of the kind.
        """
        kinds = self.kinds[kept]
        found = self._weigh(kinds, sentence)
        return [
            min(1.0, part / total) if total else None
            for part, total in zip(found, self.totals, strict=True)
        ]

    def weigh(self, kind: int, sentence: Ints) -> Floats:
        """Per chunk of the whole conversation: what it counts for one of the two statements."""
        weights = self.statements if kind == STATES else self.strict
        return np.where((self.kinds & kind) != 0, weights[sentence], 0.0)

    def _weigh(self, kinds: NDArray[np.uint8], sentence: Ints) -> list[float]:
        states = sentence[(kinds & STATES) != 0]
        strictly = sentence[(kinds & STATES_STRICTLY) != 0]
        counts = [np.count_nonzero(kinds & bit) for bit in (NAMES, NUMBERS, NEGATES)]
        return [
            float(self.statements[states].sum()),
            float(self.strict[strictly].sum()),
            *map(float, counts),
        ]


def read_yardstick(analysis: Analysis) -> Yardstick:
    """What a context of this conversation is measured by."""
    features = analysis.features
    is_fact = features.is_content | features.has(v.NUMBER | v.TIME)
    states, statements = _statements(features, is_fact & ~features.has(v.FILLER | v.PICTURE))
    strictly, strict = _statements(features, is_fact)
    kinds = STATES * states | STATES_STRICTLY * strictly | NAMES * features.is_entity
    kinds |= NUMBERS * features.is_number | NEGATES * features.has(v.NEGATION)
    return Yardstick(
        kinds=kinds.astype(np.uint8),
        statements=statements,
        strict=strict,
        totals=(
            float(statements[features.sentence[states]].sum()),
            float(strict[features.sentence[strictly]].sum()),
            float(np.count_nonzero(features.is_entity)),
            float(np.count_nonzero(features.is_number)),
            float(np.count_nonzero(features.has(v.NEGATION))),
        ),
        by_word=narrow(features.by_key),
        split_anew=frozenset(
            np.unique(features.message[features.has(v.BLOCK | v.SENTENCE)]).tolist()
        ),
    )


def _statements(features: Features, is_strong: Bools) -> tuple[Bools, Floats]:
    """Which chunks count, and per sentence what each of its chunks weighs."""
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
    counts = (whole | (count >= _LEAST_STRONG)) & (count > 0)
    weights = np.where(counts, weight / np.maximum(count, 1), 0.0)
    return strong & counts[features.sentence], weights
