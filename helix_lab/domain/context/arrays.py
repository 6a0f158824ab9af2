"""Arrays: ranges of numbers, distinct numbers, and numbers in half the memory."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]


def ranges(begins: Ints, lengths: Ints) -> Ints:
    """All numbers of some ranges, one range after the other."""
    ends = np.cumsum(lengths)
    total = int(ends[-1]) if len(ends) else 0
    numbers: Ints = np.arange(total) + np.repeat(begins - (ends - lengths), lengths)
    return numbers


def distinct(numbers: Ints) -> Ints:
    """Each number once, in ascending order; of some thousands much faster than `numpy.unique`."""
    ordered = np.sort(numbers)
    is_new = np.ones(len(ordered), dtype=bool)
    is_new[1:] = ordered[1:] != ordered[:-1]
    return ordered[is_new]


def narrow(numbers: Ints) -> Ints:
    """The numbers in four bytes each where they fit, as counts of chunks do."""
    if numbers.size and int(numbers.max()) > np.iinfo(np.int32).max:
        return numbers
    half: NDArray[np.int32] = numbers.astype(np.int32)
    return half  # type: ignore[return-value] # the same numbers
