"""Fitting: what units cost as text, reckoned without writing it."""

from __future__ import annotations

from typing import Final

import numpy as np

from helix_lab.domain.context.analysis import Analysis, Ints
from helix_lab.domain.context.arrays import distinct
from helix_lab.domain.context.outline import Order, Pile
from helix_lab.domain.context.rendering import MARKS, marks_of
from helix_lab.domain.context.tokens import cost_of
from helix_lab.domain.context.tokens import count_tokens as count_built_in

_DAY: Final = 391
_YEAR: Final = 200
"""Hundredths of a token of the header of a day, and of its year where that is another one."""
_LEGEND: Final = 300
_BRACKETS: Final = 160
_ROUNDS: Final = 4
_MARGIN: Final = 1000
"""What is left free: this part of the budget. A text that is too long must be written again."""


class Fitter:
    """Picks units for a room in a digest, in hundredths of a token."""

    def __init__(self, analysis: Analysis, order: Order, *, until: int, forced: Ints) -> None:
        self._analysis = analysis
        self._order = order
        self._until = until
        self._forced = forced
        self._pile: Pile | None = None
        self._years: dict[int, int] = {}
        marks = marks_of(analysis).items()
        self._marks = np.array([cost_of(mark) for _, mark in marks])
        self._legend = np.array(
            [cost_of(f"{mark} {name}") if mark in MARKS else 0 for name, mark in marks]
        )

    def pick(self, room: int) -> Ints:
        """The best units within a room, by what a mark and a header usually cost."""
        if self._pile is None or self._pile.budget < room:
            self._pile = self._analysis.outline.pile(
                self._order, until=self._until, forced=self._forced, budget=room + room // 8
            )
        return self._pile.take(room)

    def guess(self, room: int) -> int:
        """A room whose units take as text what is given, or a little less."""
        if self._analysis.count_tokens is not count_built_in or room <= _LEGEND:
            return room - _LEGEND
        margin = room // _MARGIN
        guessed = room - _LEGEND
        for _ in range(_ROUNDS):
            over = self._reckon(self.pick(guessed)) - (room - margin)
            if abs(over) <= margin // 2 or guessed <= over:
                break
            guessed -= over
        return max(1, guessed)

    def _reckon(self, units: Ints) -> int:
        """What units cost as text: words, legend, headers of days, marks of who goes on."""
        analysis, outline = self._analysis, self._analysis.outline
        messages = distinct(outline.message[units])
        if not len(messages):
            return 0
        days = outline.days[messages]
        is_new_day = np.diff(days, prepend=0) != 0
        speakers = analysis.speaker_numbers[messages]
        is_marked = is_new_day | (np.diff(speakers, prepend=-1) != 0)
        legend = self._legend[distinct(speakers)]
        firsts = messages[is_new_day].tolist()
        years = np.array([self._year_of(place) for place in firsts])
        return (
            int(outline.cost[units].sum(dtype=np.int64))
            + int(self._marks[speakers[is_marked]].sum())
            + int(legend.sum())
            + _BRACKETS
            + _DAY * len(firsts)
            + _YEAR * int(np.count_nonzero(np.diff(years, prepend=0)))
        )

    def _year_of(self, place: int) -> int:
        year = self._years.get(place)
        if year is None:
            year = self._years[place] = self._analysis.messages[place].time.year
        return year
