"""How sure a pattern is: a share with an interval, and a forecast.

Of `trials` occasions at which a pattern could have shown it held at `support`.

- **Confidence** is the expected share of the next occasions at which it holds:
  `(support + a) / (trials + b)`, where a and b stand for what is expected before anything is
  seen. With a = 1, b = 2 it is Laplace's rule of succession. It lies in 0 to 1, never at an end.
- The **interval** is Wilson's (1927), 95 %: which shares agree with what was counted.
- With a **half-life**, counts weigh half after each half-life in which the pattern was not seen
  again; so its confidence goes back to what is expected before anything is seen.
"""

from __future__ import annotations

import math
from datetime import datetime, timedelta
from typing import Final

from helix_lab.domain.learning.values import PatternType

_Z: Final = 1.959963984540054
_USUAL: Final = (1.0, 2.0)
_PAIRS: Final = (0.5, 2.0)
"""Most pairs are chance: a pair that was seen once is not expected to be seen again."""

REVIEW_WEIGHT: Final = 5
"""Occasions that a person's word counts for."""


def find_prior(pattern_type: PatternType) -> tuple[float, float]:
    """What is expected before anything is seen: (support, trials)."""
    return _PAIRS if pattern_type == "entity_cooccurrence" else _USUAL


def measure_confidence(support: float, trials: float, prior: tuple[float, float]) -> float:
    """The expected share of the next occasions at which it holds."""
    return (support + prior[0]) / (trials + prior[1])


def measure_interval(support: float, trials: float) -> tuple[float, float]:
    """Wilson's interval of 95 % for the share; (0, 1) where nothing was counted.

    Raises:
        ValueError: more support than trials, or less than none.
    """
    if not 0 <= support <= trials:
        message = f"support is {support}; it must lie between 0 and the trials, {trials}"
        raise ValueError(message)
    if not trials:
        return 0.0, 1.0
    share, square = support / trials, _Z * _Z
    middle = (share + square / (2 * trials)) / (1 + square / trials)
    half = (
        _Z
        * math.sqrt(share * (1 - share) / trials + square / (4 * trials * trials))
        / (1 + square / trials)
    )
    # At the ends it is exact; rounding must not leave the share outside.
    return max(0.0, min(middle - half, share)), min(1.0, max(middle + half, share))


def fade(
    support: float, trials: float, *, last_seen: datetime, now: datetime, half_life_days: float
) -> tuple[float, float]:
    """Support and trials as they weigh now; 0 days is no half-life."""
    if not half_life_days or now <= last_seen:
        return support, trials
    weight = 0.5 ** ((now - last_seen) / timedelta(days=half_life_days))
    return support * weight, trials * weight
