"""Whom to believe: how reliable voters were, alone and where they agree, and votes so weighted.

A conditional logit (McFadden 1974) over the options of a question and one more, "none of them is
right", whose score is 0. An option's score is a sum of learned weights: of each voter that is for
it, of each pair that agrees on it, of being one of many options. A ridge keeps the weights of what
was seldom seen near 0, so an unknown voter counts like the average one, and the confidence of a
vote is the softmax itself: it is fitted to be true, not rescaled afterwards.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from helix_lab.domain.learning.confidence import measure_interval
from helix_lab.domain.learning.votes import Ballot, Case, Decision, count_majority, decide, group
from helix_lab.domain.model.errors import InvalidRequest

if TYPE_CHECKING:
    from numpy.typing import NDArray

RIDGE = 1.0
"""Weight of the penalty on squared weights, in cases: a voter seen less often stays near 0."""

_MAX_STEPS = 50
_CLOSE_ENOUGH = 1e-8
_ALONE = "backed by anyone"
_AGREED = "backed by several"
_RIVALS = "rivals"
_MASS = "votes against"

Feature = str | tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Record:
    """How often a voter was right.

    Attributes:
        right, total: of the cases in which it did not abstain.
        low, high: the 95 % interval of the rate after Wilson (1927).
    """

    right: int
    total: int
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Reliability:
    """What was learned of voters; without any case it knows nothing and votes count alike.

    Attributes:
        cases: how many questions it was learned from.
        weights: what speaks for an option: a voter's or a pair's name, and some common ones.
        records: voter → how often it was right.
    """

    cases: int = 0
    weights: Mapping[Feature, float] = field(default_factory=lambda: MappingProxyType({}))
    records: Mapping[str, Record] = field(default_factory=lambda: MappingProxyType({}))

    def weigh(self, ballots: Sequence[Ballot]) -> Decision:
        """The option that is most likely right, and how likely that is.

        Without evidence (no case learned from) this is the majority, without a confidence.

        Raises:
            InvalidRequest: somebody voted twice, or a voter has no name.
        """
        groups = group(ballots)
        if not groups or not self.cases:
            return count_majority(ballots)
        unknown = sorted({b.voter for b in ballots} - self.records.keys())
        basis = f"by the reliability learned from {self.cases} questions"
        if unknown:
            basis += f"; never seen before, so counted as average: {', '.join(unknown)}"
        return decide(self.chances(groups), basis, is_learned=True)

    def chances(self, groups: Mapping[str, Sequence[str]]) -> dict[str, float]:
        """Option → probability that it is right; what is left of 1 is that none is."""
        scores = [
            sum(value * self.weights.get(name, 0.0) for name, value in features.items())
            for features in _describe(groups)
        ]
        top = max(0.0, *scores)
        powers = [math.exp(score - top) for score in scores]
        total = math.fsum(powers) + math.exp(-top)
        return {option: power / total for option, power in zip(groups, powers, strict=True)}


def learn_reliability(cases: Sequence[Case], *, ridge: float = RIDGE) -> Reliability:
    """Fit the weights to cases whose right options are known.

    Raises:
        InvalidRequest: a case with a double vote, or a ridge that is not over 0.
    """
    if not ridge > 0:
        message = f"ridge must be over 0, not {ridge}: without it rare voters have no finite weight"
        raise InvalidRequest(message, field="ridge")
    grouped = [(group(case.ballots), case.right) for case in cases]
    told = [(groups, right) for groups, right in grouped if groups]
    if not told:
        return Reliability()
    described = [_describe(groups) for groups, _ in told]
    names = sorted({name for case in described for row in case for name in row}, key=str)
    options, places, starts = _lay_out(described, {name: n for n, name in enumerate(names)})
    hits = np.array([option in right for groups, right in told for option in groups], dtype=float)
    weights = _fit(options[:, : len(names)], hits, places, starts, ridge=ridge)
    learned = dict(zip(names, weights.tolist(), strict=True))
    return Reliability(len(told), MappingProxyType(learned), MappingProxyType(_count(told)))


# the logit ------------------------------------------------------------------------------


def _describe(groups: Mapping[str, Sequence[str]]) -> list[dict[Feature, float]]:
    """What speaks for and against each option."""
    total = sum(map(len, groups.values()))
    rows: list[dict[Feature, float]] = []
    for backers in groups.values():
        row: dict[Feature, float] = {(name,): 1.0 for name in backers}
        row |= dict.fromkeys(combinations(sorted(backers), 2), 1.0)
        row[_ALONE] = 1.0
        row[_AGREED] = math.log(len(backers))
        row[_RIVALS] = math.log(len(groups))
        row[_MASS] = math.log1p(total - len(backers))
        rows.append(row)
    return rows


def _lay_out(
    described: Sequence[Sequence[Mapping[Feature, float]]], columns: Mapping[Feature, int]
) -> tuple[NDArray[np.float64], NDArray[np.intp], NDArray[np.intp]]:
    """Options as rows; the case of each; where each case begins."""
    sizes = [len(case) for case in described]
    table = np.zeros((sum(sizes), len(columns)))
    rows = (row for case in described for row in case)
    for number, row in enumerate(rows):
        for name, value in row.items():
            table[number, columns[name]] = value
    places = np.repeat(np.arange(len(sizes)), sizes)
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]]).astype(np.intp)
    return table, places, starts


def _fit(
    options: NDArray[np.float64],
    hits: NDArray[np.float64],
    places: NDArray[np.intp],
    starts: NDArray[np.intp],
    *,
    ridge: float,
) -> NDArray[np.float64]:
    """The weights of the greatest penalised likelihood, by Newton's method; it is concave.

    A case with several right options shares its weight among them.
    """
    right = np.add.reduceat(hits, starts)
    wanted = hits / np.maximum(right, 1)[places]
    weights = np.zeros(options.shape[1])
    for _ in range(_MAX_STEPS):
        chances = _softmax(options @ weights, places, starts)
        slope = options.T @ (wanted - chances) - ridge * weights
        weighted = options * chances[:, None]
        means = np.add.reduceat(weighted, starts, axis=0)
        curve = options.T @ weighted - means.T @ means + ridge * np.eye(len(weights))
        step = np.linalg.solve(curve, slope)
        # Far from the top a full step may overshoot; shorter ones still climb.
        weights = weights + step / max(1.0, float(np.abs(step).max()))
        if float(np.abs(step).max()) < _CLOSE_ENOUGH:
            break
    return weights


def _softmax(
    scores: NDArray[np.float64], places: NDArray[np.intp], starts: NDArray[np.intp]
) -> NDArray[np.float64]:
    """Probabilities of each option in its case, beside "none" with the score 0."""
    tops = np.maximum(np.maximum.reduceat(scores, starts), 0.0)
    powers = np.exp(scores - tops[places])
    totals = np.add.reduceat(powers, starts) + np.exp(-tops)
    return np.asarray(powers / totals[places])


def _count(told: Sequence[tuple[Mapping[str, Sequence[str]], frozenset[str]]]) -> dict[str, Record]:
    counts: dict[str, list[int]] = {}
    for groups, right in told:
        for option, backers in groups.items():
            for name in backers:
                seen = counts.setdefault(name, [0, 0])
                seen[0] += option in right
                seen[1] += 1
    return {
        name: Record(hits, total, *measure_interval(hits, total))
        for name, (hits, total) in sorted(counts.items())
    }
