"""Selection: which messages stay word for word, which units of the others, as one text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from helix_lab.domain.context import names
from helix_lab.domain.context import vocabulary as v
from helix_lab.domain.context.analysis import Analysis, Ints
from helix_lab.domain.context.digest import Line, RecentMessage, Strategy, speaker_of
from helix_lab.domain.context.features import Bools
from helix_lab.domain.context.ranking import MARK_COST, Ranking
from helix_lab.domain.context.rendering import render
from helix_lab.domain.model.errors import BudgetTooSmall

RECENT_SHARE: dict[Strategy, float] = {"window": 0.5, "entity": 0.0, "full": 0.0, "hybrid": 0.1}
"""How much of the budget the newest messages may take, word for word."""
_DECISIONS_SHARE = 0.04
_MOST_DECISIONS = 10
_ROUNDS = 12


@dataclass(frozen=True, slots=True)
class Selection:
    """What a budget holds."""

    lines: tuple[Line, ...]
    recent: tuple[RecentMessage, ...]
    decisions: tuple[Line, ...]
    entities: tuple[str, ...]
    notes: tuple[str, ...]
    text: str
    tokens: int


def select(analysis: Analysis, budget_tokens: int, strategy: Strategy) -> Selection:
    """What a budget holds by a strategy."""
    if not analysis.messages:
        _require(budget_tokens, 1)
        return Selection((), (), (), (), (), "", 0)
    if budget_tokens >= analysis.original_tokens:
        whole = _finish(analysis, [], _recent(analysis, 0), (), budget_tokens)
        if whole is not None:
            return whole
    return _Search(analysis, budget_tokens, strategy).run()


def _require(budget_tokens: int, needed_tokens: int) -> None:
    if budget_tokens >= needed_tokens:
        return
    msg = (
        f"a budget of {budget_tokens} tokens holds nothing of this conversation: "
        f"give at least {needed_tokens}"
    )
    raise BudgetTooSmall(
        msg, field="budget_tokens", budget_tokens=budget_tokens, needed_tokens=needed_tokens
    )


class _Search:
    """Finds the units that fill a budget; the counter has the last word."""

    def __init__(self, analysis: Analysis, budget_tokens: int, strategy: Strategy) -> None:
        self._analysis = analysis
        self._budget = budget_tokens
        self._strategy = strategy
        is_entity = strategy == "entity"
        self._ranking: Ranking = analysis.entity_ranking if is_entity else analysis.ranking
        self._first_recent = self._find_recent(int(budget_tokens * RECENT_SHARE[strategy] * 100))
        self._recent = _recent(analysis, self._first_recent)
        self._is_open = np.arange(len(analysis.messages)) < self._first_recent
        self._forced = self._find_decisions()

    def run(self) -> Selection:
        """The fullest text that fits; the search ends because the room shrinks each round."""
        fixed = self._analysis.count_tokens(render(self._analysis, [], self._recent))
        room = 100 * (self._budget - fixed) - self._frame()
        best: Selection | None = None
        for _ in range(_ROUNDS):
            made = self._try(room)
            if made is not None:
                size = made.tokens
                if best is None or size > best.tokens:
                    best = made
                slack = self._budget - size
                if slack * 200 <= self._budget or self._is_all(room):
                    break
                room += slack * 95
            else:
                if best is not None:
                    break
                room -= max(100, 100 * (self._last - self._budget) + self._budget // 4)
                if room <= 0:
                    break
        return best or self._least()

    def _is_all(self, room: int) -> bool:
        total = self._ranking.cost.sum() + MARK_COST * len(self._is_open)
        return bool(room >= total)

    def _try(self, room: int) -> Selection | None:
        kept = self._ranking.pick(self._is_open, self._forced, room)
        lines = write_lines(self._analysis, self._ranking, kept)
        decisions = tuple(self._decision_lines(kept))
        return self._finish(lines, decisions)

    def _finish(self, lines: list[Line], decisions: tuple[Line, ...]) -> Selection | None:
        if not lines and not self._recent:
            self._last = self._budget + 1
            return None
        if self._strategy == "entity":
            lines = names.group(self._analysis, lines, self._budget)
        text = render(self._analysis, lines, self._recent)
        self._last = self._analysis.count_tokens(text)
        if self._last > self._budget:
            return None
        return Selection(
            tuple(lines),
            tuple(self._recent),
            decisions,
            names.kept(self._analysis, text),
            notes(self._analysis),
            text,
            self._last,
        )

    def _frame(self) -> int:
        """Hundredths of a token of the legend and the headers, roughly."""
        return 300 + 100 * sum(4 for day in self._analysis.days[: self._first_recent] if day)

    def _find_recent(self, room: int) -> int:
        """The first of the newest messages that fit."""
        sizes = np.cumsum(self._analysis.sizes[::-1])
        return len(sizes) - int(np.searchsorted(sizes, room, side="right"))

    def _least(self) -> Selection:
        """The one unit that is worth most of those that fit, else the error that says how much."""
        ranking = self._ranking
        cheapest = int(np.argmin(np.where(ranking.is_restoring, np.inf, ranking.cost)))
        self._recent, self._forced = [], np.zeros_like(self._forced)
        self._is_open[:] = True
        smallest = self._one(cheapest)
        needed = min(self._analysis.original_tokens, smallest)
        _require(self._budget, needed)
        for unit in ranking.order[:200].tolist():
            if self._one(unit) <= self._budget:
                break
        else:
            self._one(cheapest)
        made = self._finish(self._lines, ())
        if made is None:
            _require(self._budget, self._budget + 1)
            raise AssertionError
        return made

    def _one(self, unit: int) -> int:
        """Tokens of a digest of one unit."""
        kept = np.zeros(len(self._ranking.cost), dtype=bool)
        kept[unit] = True
        self._lines = write_lines(self._analysis, self._ranking, kept)
        return self._analysis.count_tokens(render(self._analysis, self._lines, []))

    def _find_decisions(self) -> Bools:
        """The units of the sentences that are kept whole because they decide something."""
        return np.zeros(len(self._ranking.cost), dtype=bool)

    def _decision_lines(self, kept: Bools) -> list[Line]:
        del kept
        return []


def _recent(analysis: Analysis, first: int) -> list[RecentMessage]:
    return [
        RecentMessage(m.message_id, m.role, speaker_of(m), m.content, m.time)
        for m in analysis.messages[first:]
    ]


def _finish(
    analysis: Analysis,
    lines: list[Line],
    recent: list[RecentMessage],
    decisions: tuple[Line, ...],
    budget_tokens: int,
) -> Selection | None:
    text = render(analysis, lines, recent)
    tokens = analysis.count_tokens(text)
    if tokens > budget_tokens:
        return None
    return Selection(
        tuple(lines),
        tuple(recent),
        decisions,
        names.kept(analysis, text),
        (),
        text,
        tokens,
    )


def write_lines(analysis: Analysis, ranking: Ranking, kept: Bools) -> list[Line]:
    """A line for each message of which something is kept, in the order of the messages."""
    chunks = np.flatnonzero(kept[ranking.unit])
    if not len(chunks):
        return []
    features = analysis.features
    types = analysis.types[chunks]
    texts = list(map(analysis.vocabulary.texts.__getitem__, types.tolist()))
    _restore(analysis, ranking, kept, chunks, types, texts)
    owners = features.message[chunks]
    starts = np.flatnonzero(np.concatenate(([True], owners[1:] != owners[:-1])))
    ends = [*starts[1:].tolist(), len(texts)]
    is_special = (features.flags[chunks] & (v.BLOCK | v.SENTENCE)) != 0
    specials = set(owners[is_special].tolist())
    lines: list[Line] = []
    for owner, start, end in zip(owners[starts].tolist(), starts.tolist(), ends, strict=True):
        message = analysis.messages[owner]
        parts = texts[start:end]
        text = _join(parts, is_special[start:end].tolist()) if owner in specials else " ".join(parts)
        text = text.strip()
        if text:
            lines.append(Line(text, (message.message_id,), speaker_of(message), message.time))
    return lines


def _restore(
    analysis: Analysis, ranking: Ranking, kept: Bools, chunks: Ints, types: Ints, texts: list[str]
) -> None:
    """Give sentences that are kept whole their punctuation back."""
    whole = np.zeros(analysis.features.sentences, dtype=bool)
    whole[ranking.sentence[kept & ranking.is_restoring]] = True
    places = np.flatnonzero(whole[analysis.features.sentence[chunks]])
    if len(places):
        raws = list(analysis.vocabulary)
        for place, number in zip(places.tolist(), types[places].tolist(), strict=True):
            texts[place] = analysis.vocabulary.raw(raws[number]) if texts[place] else ""


def _join(parts: Sequence[str], is_special: Sequence[bool]) -> str:
    """Blocks and whole sentences on lines of their own."""
    text = ""
    was_special = False
    for part, special in zip(parts, is_special, strict=True):
        gap = "\n" if special or was_special else " "
        text += (gap if text else "") + part
        was_special = special
    return text


def notes(analysis: Analysis) -> tuple[str, ...]:
    """What a reader must know of how this conversation was read."""
    flags = analysis.features.flags
    owners = analysis.features.message[(flags & v.SENTENCE) != 0]
    count = len(np.unique(owners))
    if not count:
        return ()
    return (
        f"{count} of {len(analysis.messages)} messages are not in English: "
        "they were shortened by whole sentences",
    )
