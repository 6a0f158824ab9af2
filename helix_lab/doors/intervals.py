"""Estimates with their intervals, as a picture in a notebook and as text in a terminal."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from helix_lab.domain.learning.confidence import measure_interval

_COLUMNS = 40
_LINE_PX, _NAME_PX, _BAR_PX, _TEXT_PX = 26, 190, 330, 320
_FEWEST = 6
"""Of fewer values no interval between two of them holds the median with 95 %."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A measure of a few things that stands for many.

    Attributes:
        name: whose measure it is.
        value: what was measured.
        low, high: the 95 % interval; None where too little is known for one.
        count: how many things were measured.
    """

    name: str
    value: float
    low: float | None
    high: float | None
    count: int


def estimate_share(name: str, support: int, trials: int) -> Estimate | None:
    """A share in percent with Wilson's interval; None without trials."""
    if not trials:
        return None
    low, high = measure_interval(support, trials)
    return Estimate(name, 100 * support / trials, 100 * low, 100 * high, trials)


def estimate_median(name: str, values: Sequence[float]) -> Estimate | None:
    """The median, between two of the values that hold it with 95 % or more; None without values.

    The ranks of the two are those of the sign test (Conover, Practical Nonparametric Statistics,
    3.2), which supposes nothing of how the values are distributed.
    """
    if not values:
        return None
    ordered = sorted(values)
    count = len(ordered)
    half = count // 2
    median = ordered[half] if count % 2 else (ordered[half - 1] + ordered[half]) / 2
    rank = find_low_rank(count)
    low, high = (None, None) if rank is None else (ordered[rank - 1], ordered[count - rank])
    return Estimate(name, median, low, high, count)


def find_low_rank(count: int) -> int | None:
    """The rank, from 1, of the lower end; the upper end has the same from above."""
    if count < _FEWEST:
        return None
    # The normal approximation of the binomial, on its safe side.
    return math.floor((count + 1) / 2 - 0.98 * math.sqrt(count))


class IntervalPlot:
    """Estimates below each other on one scale, which begins at zero.

    Args:
        title: what is measured, and what is better.
        estimates: one a line; those that are None are left out.
        unit: of the values.
        digits: how many decimals are shown.
    """

    def __init__(
        self, title: str, estimates: Sequence[Estimate | None], *, unit: str, digits: int = 0
    ) -> None:
        self.title = title
        self.estimates = [found for found in estimates if found is not None]
        self._unit = unit
        self._digits = digits
        ends = [end for row in self.estimates for end in (row.value, row.high or 0.0)]
        self._most = max(ends, default=0.0) or 1.0

    def __repr__(self) -> str:
        width = max((len(row.name) for row in self.estimates), default=0)
        lines = [
            f"{row.name:>{width}} {self._draw(row)} {self._tell(row)}" for row in self.estimates
        ]
        return "\n".join([self._heading(), *lines])

    def _repr_html_(self) -> str:
        height = _LINE_PX * len(self.estimates)
        whole = _NAME_PX + _BAR_PX + _TEXT_PX
        lines = "".join(self._paint(row, place) for place, row in enumerate(self.estimates))
        return (
            f'<figure style="margin:0"><figcaption>{escape(self._heading())}</figcaption>'
            f'<svg role="img" aria-label="{escape(repr(self))}" viewBox="0 0 {whole} {height}" '
            f'style="width:100%;max-width:{whole}px" font-family="sans-serif" font-size="13" '
            f'fill="currentColor" stroke="currentColor">{lines}</svg></figure>'
        )

    def _heading(self) -> str:
        if not self.estimates:
            return f"{self.title}: nothing was measured."
        return f"{self.title} ({self._unit}; 95 % intervals)"

    def _tell(self, row: Estimate) -> str:
        value = self._show(row.value)
        if row.low is None or row.high is None:
            return f"{value} {self._unit}, too few for an interval, n = {row.count:,}"
        between = f"{self._show(row.low)} to {self._show(row.high)}"
        return f"{value} {self._unit}, {between}, n = {row.count:,}"

    def _show(self, value: float) -> str:
        return f"{value:,.{self._digits}f}"

    def _draw(self, row: Estimate) -> str:
        cells = [" "] * (_COLUMNS + 1)
        if row.low is not None and row.high is not None:
            begin, end = self._place(row.low), self._place(row.high)
            cells[begin : end + 1] = "─" * (end - begin + 1)
            cells[begin], cells[end] = "├", "┤"
        cells[self._place(row.value)] = "●"
        return "".join(cells)

    def _place(self, value: float) -> int:
        return round(_COLUMNS * value / self._most)

    def _paint(self, row: Estimate, place: int) -> str:
        middle = _LINE_PX * place + _LINE_PX // 2
        name = _write(_NAME_PX - 12, middle, row.name, anchor="end")
        told = _write(_NAME_PX + _BAR_PX + 14, middle, self._tell(row), anchor="start")
        whisker = ""
        if row.low is not None and row.high is not None:
            begin, end = self._scale(row.low), self._scale(row.high)
            whisker = f'<path fill="none" d="M{begin} {middle - 5}v10m0-5H{end}m0-5v10"></path>'
        dot = f'<circle cx="{self._scale(row.value)}" cy="{middle}" r="5" stroke="none"></circle>'
        return name + whisker + dot + told

    def _scale(self, value: float) -> str:
        return f"{_NAME_PX + _BAR_PX * value / self._most:.1f}"


def _write(left: int, middle: int, text: str, *, anchor: str) -> str:
    return (
        f'<text x="{left}" y="{middle}" dy=".35em" text-anchor="{anchor}" stroke="none">'
        f"{escape(text)}</text>"
    )
