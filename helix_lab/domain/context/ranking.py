"""Ranking: in which order the units of a conversation enter a digest, whatever its budget.

A unit is what is kept whole or dropped whole: a word, a date of several chunks, a negation
with the word that it negates, a block, the function words of a sentence. A unit's place is
its value per cost. The first units of a message also pay for the mark that tells who speaks
(a knapsack with set-up costs, greedy along the upper hull).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from helix_lab.domain.context import vocabulary as v
from helix_lab.domain.context import weights as w
from helix_lab.domain.context.analysis import Analysis, Ints
from helix_lab.domain.context.features import Bools, Features

Floats = NDArray[np.float64]

MARK_COST = 80
"""Hundredths of a token of a mark, by the built-in counter."""
_NEGATED_WITHIN = 6
_SHORTEST_DECISION = 4
_LONGEST_DECISION = 40
_RESTORED = 1e-6
"""Function words come after everything else."""


@dataclass(frozen=True, eq=False)
class Ranking:
    """The units of a conversation.

    Attributes:
        unit: per chunk, its unit.
        message: per unit, its message.
        cost: per unit, hundredths of a token, without marks.
        order: the units, best first.
        value: per chunk, 0 to 1.
        is_restoring: per unit, whether it holds the function words of a sentence.
    """

    unit: Ints
    message: Ints
    cost: Ints
    order: Ints
    value: Floats
    is_restoring: Bools


def rank(analysis: Analysis, *, prefers_entities: bool = False) -> Ranking:
    """Put all units of a conversation in order."""
    features = analysis.features
    value = value_chunks(features, len(analysis.messages))
    if prefers_entities:
        value = value * np.where(
            features.any_in_sentence(features.is_entity), w.ENTITY_SENTENCE, w.OTHER_SENTENCE
        )
    return _make(analysis, features, value)


def _make(analysis: Analysis, features: Features, value: Floats) -> Ranking:
    leader, gain = _join(features, value)
    is_silent = leader >= len(leader)
    unit, count = _number(leader, len(leader) + features.sentences)
    first = np.zeros(count, dtype=np.int64)
    first[unit[::-1]] = np.arange(len(unit))[::-1]
    message, is_restoring = features.message[first], is_silent[first]
    cost: Floats = np.bincount(unit, weights=features.cost, minlength=count).astype(np.float64)
    gains = np.bincount(unit, weights=gain, minlength=count)
    density = gains / np.maximum(cost, 1)
    # Function words bring the punctuation of their sentence along, and rank by the sentence.
    raw = analysis.vocabulary.array(analysis.vocabulary.raw_costs)[analysis.types]
    size = np.maximum(np.bincount(features.sentence, minlength=features.sentences), 1)
    mean = np.bincount(features.sentence, weights=value, minlength=features.sentences) / size
    sentence = features.sentence[first]
    extra = np.bincount(
        features.sentence, weights=raw - features.cost, minlength=features.sentences
    )
    cost = cost + is_restoring * extra[sentence]
    density = np.where(is_restoring, _RESTORED * (mean[sentence] + 1e-3), density)
    key = _pay_marks(message, density, cost)
    order = np.lexsort((np.arange(count), -key))
    return Ranking(unit, message, cost.astype(np.int64), order, value, is_restoring)


def _number(leader: Ints, greatest: int) -> tuple[Ints, int]:
    """Units by number, in the order of their leaders, and how many there are."""
    is_leader = np.zeros(greatest + 1, dtype=np.int64)
    is_leader[leader] = 1
    numbers = np.cumsum(is_leader)
    return numbers[leader] - 1, int(numbers[-1])


def value_chunks(features: Features, messages: int) -> Floats:
    """The value of each chunk, 0 to 1."""
    states = features.has(v.NUMBER | v.TIME) | features.is_entity
    strong = features.is_strong & (features.occurrence_in_sentence == 0)
    strong_count = features.count_in_sentence(strong)[features.sentence]
    z = w.BASE + w.CONTENT * features.is_content
    z += w.NUMBER * features.has(v.NUMBER) + w.TIME * features.has(v.TIME)
    z += w.ENTITY * features.is_entity + w.SPEAKER * features.is_speaker
    z += w.CAPITAL * (features.has(v.CAPITAL) & ~features.is_first)
    z += w.FILLER * features.has(v.FILLER)
    z += w.QUESTION * features.any_in_sentence(features.has(v.ASKS))
    z += w.FIRST_PERSON * features.any_in_sentence(features.has(v.FIRST_PERSON))
    z += w.SECOND_PERSON * features.any_in_sentence(features.has(v.SECOND_PERSON))
    z += w.STRONG_WORDS * np.minimum(strong_count, 10)
    decides = features.any_in_sentence(features.has(v.DECIDES))
    z += w.DECISION * decides + w.DECISION_FILLER * (decides & features.has(v.FILLER))
    z += w.RECURS * features.recurs + w.FIRST_WORD * features.is_first
    z += w.ECHOED * features.is_echoed + w.ADVERB * features.has(v.ADVERB)
    z += w.CAPTION * features.any_in_sentence(features.has(v.CAPTION))
    z += w.ANSWERS * _answers(features, messages)[features.message]
    fillers = features.count_in_sentence(features.has(v.FILLER))
    share = fillers / np.maximum(features.count_in_sentence(features.is_content), 1)
    z += w.FILLER_SHARE * share[features.sentence]
    value: Floats = 1 / (1 + np.exp(-z))
    forced = states & (strong_count >= 2) & ~features.is_speaker  # noqa: PLR2004
    value = np.where(forced, np.maximum(value, w.FORCED), value)
    value *= np.where(features.occurrence > 0, w.REPEATED_IN_MESSAGE, 1)
    value *= np.where(features.occurrence_in_sentence > 0, w.REPEATED_IN_SENTENCE, 1)
    value = np.where(features.has(v.PICTURE), w.PICTURE, value)
    return np.where(features.has(v.SYMBOL | v.BREAK), 0.0, value)


def rank_decisions(analysis: Analysis) -> Ints:
    """The sentences that settle something, most value first; neither questions nor essays."""
    features = analysis.features
    count = features.count_in_sentence(~features.has(v.SYMBOL))
    value = np.bincount(
        features.sentence, weights=analysis.ranking.value, minlength=features.sentences
    )
    settles = features.count_in_sentence(features.has(v.RESOLVES)) > 0
    settles &= features.count_in_sentence(features.has(v.ASKS | v.BLOCK | v.SENTENCE)) == 0
    settles &= (count >= _SHORTEST_DECISION) & (count <= _LONGEST_DECISION)
    found = np.flatnonzero(settles)
    return found[np.argsort(-value[found], kind="stable")]


def _answers(features: Features, messages: int) -> Bools:
    """Per message: whether the one before asks something."""
    answers = np.zeros(messages + 1, dtype=bool)
    answers[features.message[features.has(v.ASKS)] + 1] = True
    return answers[:messages]


def _join(features: Features, value: Floats) -> tuple[Ints, Floats]:
    """Per chunk: the first chunk of its unit, and what it adds to the unit's gain."""
    count = len(value)
    tokens = np.maximum(features.cost, 1) / 100
    gain = value * tokens**w.COST_POWER * 100
    gain = np.where(features.has(v.BLOCK), w.BLOCK * 100 * np.sqrt(tokens), gain)
    gain = np.where(features.has(v.SENTENCE), (w.SENTENCE_BASE + value / 2) * features.cost, gain)
    leader = np.maximum.accumulate(np.where(features.is_joined, 0, np.arange(count)))
    negations = np.flatnonzero(features.has(v.NEGATION))
    content = np.flatnonzero(features.is_content)
    gain[negations] = w.LONE_NEGATION * 100
    if len(content) and len(negations):
        place = np.minimum(np.searchsorted(content, negations), len(content) - 1)
        target = content[place]
        is_near = (target > negations) & (target - negations <= _NEGATED_WITHIN)
        is_near &= features.sentence[target] == features.sentence[negations]
        leader[negations[is_near]] = leader[target[is_near]]
        gain[negations[is_near]] = w.NEGATION_GAIN * 100
    silent = ~features.is_said
    # The function words of a sentence are one unit, led by an imaginary chunk behind the last.
    leader[silent] = count + features.sentence[silent]
    return leader, gain


def _pay_marks(message: Ints, density: Floats, cost: Floats) -> Floats:
    """The key of each unit: the first ones of a message share the cost of its mark."""
    count = len(message)
    if not count:
        return density
    order = np.lexsort((np.arange(count), -density, message))
    owner = message[order]
    costs = cost[order]
    gains = density[order] * costs
    begins = np.ones(count, dtype=bool)
    begins[1:] = owner[1:] != owner[:-1]
    starts = np.flatnonzero(begins)
    group = np.cumsum(begins) - 1
    total_gain, total_cost = np.cumsum(gains), np.cumsum(costs)
    before_gain = (total_gain - gains)[starts][group]
    before_cost = (total_cost - costs)[starts][group]
    bundled = (total_gain - before_gain) / (total_cost - before_cost + MARK_COST)
    best = np.maximum.reduceat(bundled, starts)[group]
    reaches = np.where(bundled >= best, np.arange(count), -1)
    last = np.maximum.reduceat(reaches, starts)[group]
    key = np.empty(count)
    key[order] = np.where(np.arange(count) <= last, best, density[order])
    return key
