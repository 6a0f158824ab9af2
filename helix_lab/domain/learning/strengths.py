"""Who wins a debate: strengths of debaters and of the side, learned from results.

A Bradley–Terry model (1952) with an advantage of the first side, as for the home team in sports.
A result may be graded: a clear win says more of the strengths than a narrow one. A ridge keeps
who was seldom seen near the middle, so a newcomer is as strong as the average.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from helix_lab.domain.model.errors import InvalidRequest

if TYPE_CHECKING:
    from numpy.typing import NDArray

RIDGE = 1.0
_MAX_STEPS = 50
_CLOSE_ENOUGH = 1e-9
_MARGIN_SCALE = 2.0


@dataclass(frozen=True, slots=True)
class Match:
    """A judged debate of two.

    Attributes:
        first, second: who argued on the first side (PRO) and on the second.
        first_share: how much the first won, 0 to 1; 0.5 is a tie, 1 and 0 are plain wins.
    """

    first: str
    second: str
    first_share: float


@dataclass(frozen=True, slots=True)
class Strengths:
    """What was learned of debaters, as log odds; with no match everything is even.

    Attributes:
        side: how much being first is worth.
        by_name: strength of each; whoever is missing counts 0, the average.
    """

    matches: int = 0
    side: float = 0.0
    by_name: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))

    def predict(self, first: str, second: str) -> float:
        """The probability, 0 to 1, that the first wins, before anything is judged."""
        ahead = self.by_name.get(first, 0.0) - self.by_name.get(second, 0.0)
        return 1 / (1 + math.exp(-self.side - ahead))


def share_of_margin(margin: float) -> float:
    """The share won for a signed margin in points of judges; 0.5 for 0, near 1 from 1.5 on."""
    return 1 / (1 + math.exp(-_MARGIN_SCALE * margin))


def learn_strengths(matches: Sequence[Match], *, ridge: float = RIDGE) -> Strengths:
    """Fit strengths to results.

    Raises:
        InvalidRequest: a share outside 0 to 1, an empty name, or a ridge that is not over 0.
    """
    if not ridge > 0:
        message = f"ridge must be over 0, not {ridge}: who always won has no finite strength"
        raise InvalidRequest(message, field="ridge")
    for match in matches:
        _check(match)
    if not matches:
        return Strengths()
    names = sorted({name for match in matches for name in (match.first, match.second)})
    columns = {name: number for number, name in enumerate(names, 1)}
    table = np.zeros((len(matches), len(names) + 1))
    table[:, 0] = 1.0
    for row, match in zip(table, matches, strict=True):
        # Where one debates itself both cancel out: that tells of the side alone.
        row[columns[match.first]] += 1.0
        row[columns[match.second]] -= 1.0
    wanted = np.array([match.first_share for match in matches])
    penalty = np.full(len(names) + 1, ridge)
    weights = _fit(table, wanted, penalty).tolist()
    by_name = dict(zip(names, weights[1:], strict=True))
    return Strengths(len(matches), weights[0], MappingProxyType(by_name))


def _fit(
    table: NDArray[np.float64], wanted: NDArray[np.float64], penalty: NDArray[np.float64]
) -> NDArray[np.float64]:
    weights = np.zeros(table.shape[1])
    for _ in range(_MAX_STEPS):
        chances = 1 / (1 + np.exp(-table @ weights))
        slope = table.T @ (wanted - chances) - penalty * weights
        curve = (table.T * (chances * (1 - chances))) @ table + np.diag(penalty)
        step = np.linalg.solve(curve, slope)
        weights = weights + step / max(1.0, float(np.abs(step).max()))
        if float(np.abs(step).max()) < _CLOSE_ENOUGH:
            break
    return np.asarray(weights)


def _check(match: Match) -> None:
    if not 0 <= match.first_share <= 1:
        message = f"the share of {match.first!r} must be from 0 to 1, not {match.first_share}"
        raise InvalidRequest(message, field="first_share")
    if not match.first or not match.second:
        message = "a debater needs a name; one is empty"
        raise InvalidRequest(message, field="matches")
