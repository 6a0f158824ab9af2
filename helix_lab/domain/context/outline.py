"""Outline: what digests are picked from and measured by, laid out so that each costs what it holds.

A long conversation has a million chunks, and a digest of it a few thousand. All that follows
from the conversation alone is here, as arrays; what a budget asks for are places in them.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np

from helix_lab.domain.context.analysis import Analysis, Ints
from helix_lab.domain.context.arrays import narrow, ranges
from helix_lab.domain.context.features import Bools
from helix_lab.domain.context.ranking import MARK_COST, Ranking
from helix_lab.domain.context.yardstick import Yardstick, read_yardstick

HEADER_COST = 400
"""Hundredths of a token of the header of a day, by the built-in counter."""
_MANY: Final = 8
"""From this share of all units on it is faster to look at each of them."""


@dataclass(frozen=True, eq=False)
class Order:
    """Units, the best first.

    Attributes:
        units: their numbers.
        cost: of each unit by number.
    """

    units: Ints
    cost: Ints

    @cached_property
    def spent(self) -> Ints:
        """What the units cost together up to each place, without marks."""
        return np.cumsum(self.cost[self.units], dtype=np.int64)


@dataclass(frozen=True, eq=False)
class Pile:
    """Units in the order in which they enter a digest.

    Attributes:
        spent: what the units up to each place cost together, marks and headers included.
        budget: up to which it reaches.
    """

    units: Ints
    spent: Ints
    budget: int

    def take(self, budget: int) -> Ints:
        """The units within a budget that it reaches."""
        return self.units[: int(np.searchsorted(self.spent, budget, side="right"))]


@dataclass(frozen=True, eq=False)
class Outline:
    """The units and sentences of a conversation, and what each is worth.

    Attributes:
        unit: per chunk, its unit.
        sentence: per chunk, its sentence.
        cost: per unit, hundredths of a token, without marks.
        message: per unit, its message.
        restoring: the first of the units that hold the function words of a sentence; all
            behind it do.
        days: per message, the number of its day, from 1.
        best: the units in the order in which they enter a digest.
    """

    unit: Ints
    sentence: Ints
    cost: Ints
    message: Ints
    restoring: int
    days: Ints
    best: Order
    yardstick: Yardstick

    @cached_property
    def chunks(self) -> Ints:
        """All chunks, unit by unit."""
        return narrow(np.argsort(self.unit, kind="stable"))

    @cached_property
    def begins(self) -> Ints:
        """Where the chunks of each unit begin in `chunks`, and the end."""
        sizes = np.bincount(self.unit, minlength=len(self.cost))
        return narrow(np.concatenate(([0], np.cumsum(sizes))))

    @cached_property
    def cost_before(self) -> Ints:
        """What all units before each message cost, and all in all."""
        sums = np.bincount(self.message, weights=self.cost, minlength=len(self.days))
        return np.concatenate(([0], np.cumsum(sums))).astype(np.int64)

    def pile(self, order: Order, *, until: int, forced: Ints, budget: int) -> Pile:
        """The best units of the messages before `until` that may fit a budget.

        What is forced comes first. `budget` is in hundredths of a token.
        """
        passed_over = int(self.cost_before[-1] - self.cost_before[until])
        passed_over += int(self.cost[forced].sum())
        within = int(np.searchsorted(order.spent, budget + passed_over, side="right"))
        best = order.units[:within]
        if until < len(self.days):
            best = best[self.message[best] < until]
        if len(forced):
            is_forced = np.zeros(len(self.cost), dtype=bool)
            is_forced[forced] = True
            best = best[~is_forced[best]]
        found = np.concatenate((forced, best))
        owners = self.message[found]
        spent = np.cumsum(
            self.cost[found].astype(np.int64)
            + MARK_COST * _find_first(owners, len(self.days))
            + HEADER_COST * _find_first(self.days[owners], len(self.days) + 1)
        )
        return Pile(found, spent, budget)

    def chunks_of(self, units: Ints) -> Ints:
        """The chunks of some units, in the order of the conversation."""
        if len(units) * _MANY > len(self.cost):
            kept = np.zeros(len(self.cost), dtype=bool)
            kept[units] = True
            return np.flatnonzero(kept[self.unit])
        begins = self.begins[units]
        return np.sort(self.chunks[ranges(begins, self.begins[units + 1] - begins)])

    def restored_by(self, units: Ints) -> Ints:
        """The sentences whose function words are among some units."""
        restoring = units[units >= self.restoring]
        if not len(restoring):
            return self.sentence[:0]
        return self.sentence[self.chunks[self.begins[restoring]]]

    def sentence_at(self, number: int) -> slice:
        """The chunks of a sentence."""
        # Of the same width: numpy would widen the whole array for the sake of two numbers.
        edges = np.array((number, number + 1), self.sentence.dtype)
        return slice(*np.searchsorted(self.sentence, edges).tolist())


def outline(analysis: Analysis) -> Outline:
    """Lay out what follows from a conversation alone."""
    ranking = analysis.ranking
    return Outline(
        unit=narrow(ranking.unit),
        sentence=narrow(analysis.features.sentence),
        cost=narrow(ranking.cost),
        message=narrow(ranking.message),
        restoring=_first_restoring(ranking),
        days=analysis.day_numbers,
        best=order_of(ranking),
        yardstick=read_yardstick(analysis),
    )


def order_of(ranking: Ranking) -> Order:
    """In which order units enter a digest."""
    return Order(narrow(ranking.order), narrow(ranking.cost))


def _first_restoring(ranking: Ranking) -> int:
    return len(ranking.cost) - int(np.count_nonzero(ranking.is_restoring))


def _find_first(owners: Ints, count: int) -> Bools:
    """Which entries are the first of their owner."""
    seen = np.full(count, -1)
    seen[owners[::-1]] = np.arange(len(owners))[::-1]
    first = np.zeros(len(owners), dtype=bool)
    first[seen[seen >= 0]] = True
    return first
