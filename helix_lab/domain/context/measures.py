"""Measures: numbers, dates and amounts of several chunks, which are kept whole or dropped whole."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from helix_lab.domain.context import vocabulary as v

_Bools = NDArray[np.bool_]
_Ints = NDArray[np.int64]

_LONGEST_RUN: Final = 6
"""Numbers one after the other are one number up to here (a phone number), beyond it a table."""


def settle(flags: _Ints, begins: _Bools) -> _Ints:
    """The flags of all chunks, of which some depend on what stands beside them.

    "1." is the number of a list where it opens a line that goes on, else a number that ends
    a sentence; "may" is a month beside a number. `begins` tells the first chunk of each message.
    """
    settled = flags.copy()
    if not len(flags):
        return settled
    after = np.append(flags[1:], v.BREAK)
    after[:-1][begins[1:]] = v.BREAK
    before = np.append(v.BREAK | v.ENDS, flags[:-1])
    before[begins] = v.BREAK | v.ENDS
    places = np.flatnonzero(flags & v.ENUMERATOR)
    opens = (before[places] & (v.ENDS | v.ENUMERATOR)) == v.ENDS
    is_listed = opens & ((after[places] & v.BREAK) == 0)
    goes_on = (after[places] & v.MONTH) != 0
    settled[places] &= np.where(is_listed, ~(v.NUMBER | v.DIGITS | v.ENDS), ~v.ENUMERATOR)
    settled[places[goes_on]] &= ~v.ENDS
    places = np.flatnonzero(flags & v.PERHAPS_MONTH)
    is_dated = ((before[places] & (v.DIGITS | v.ENDS)) == v.DIGITS) | (after[places] & v.DIGITS > 0)
    settled[places[is_dated]] = settled[places[is_dated]] & ~v.FUNCTION | v.MONTH
    return settled


def find_joined(flags: _Ints, is_first: _Bools) -> _Bools:
    """Which chunks belong to the number, date or amount that stands before them."""
    digits, month, unit = (_has(flags, bit) for bit in (v.DIGITS, v.MONTH, v.UNIT))
    number, link = _has(flags, v.NUMBER), _has(flags, v.LINK)
    scale = number & unit
    joined = np.zeros(len(flags), dtype=bool)
    joined[1:] = digits[:-1] & (month[1:] | unit[1:]) | month[:-1] & digits[1:]  # 5 May, 5 km
    joined[1:] |= number[:-1] & scale[1:] | scale[:-1] & (number[1:] | unit[1:])  # two million
    joined[1:] |= _has(flags, v.PREFIX)[:-1] & digits[1:]  # EUR 5
    joined |= _find_runs(_has(flags, v.RUNS_ON), digits)  # 555 1234 567
    joined[2:] |= month[:-2] & digits[1:-1] & digits[2:]  # May 5, 2024
    joined[2:] |= digits[:-2] & unit[1:-1] & unit[2:]  # 5 pm CET
    linked = digits[:-2] & link[1:-1] & (digits[2:] | month[2:])  # 5 to 7, 5th of May
    joined[1:-1] |= linked
    joined[2:] |= linked
    return joined & ~is_first


def _has(flags: _Ints, bit: int) -> _Bools:
    found: _Bools = (flags & bit) != 0
    return found


def _find_runs(runs_on: _Bools, digits: _Bools) -> _Bools:
    """Numbers with nothing but a space before them and a number before that."""
    follows = np.zeros(len(digits), dtype=bool)
    follows[1:] = runs_on[:-1] & digits[1:]
    places = np.flatnonzero(follows)
    if len(places):
        run = np.cumsum(np.diff(places, prepend=-1) != 1)
        follows[places[np.bincount(run)[run] >= _LONGEST_RUN]] = False
    return follows
