"""Selection: which messages stay word for word, which units of the others, as one text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from helix_lab.domain.context import names
from helix_lab.domain.context import vocabulary as v
from helix_lab.domain.context.analysis import Analysis, Ints
from helix_lab.domain.context.digest import Line, RecentMessage, Strategy
from helix_lab.domain.context.fitting import Fitter
from helix_lab.domain.context.ranking import MARK_COST
from helix_lab.domain.context.rendering import render
from helix_lab.domain.model.errors import BudgetTooSmall

RECENT_SHARE: dict[Strategy, float] = {"window": 0.5, "entity": 0.0, "full": 0.0, "hybrid": 0.02}
"""How much of the budget the newest messages may take, word for word."""
_RECENT_TOKENS = 60
"""What a small budget leaves them, up to twice the share: of less, none would be left."""
_DECISIONS_SHARE = 0.02
_MOST_DECISIONS = 10
_ROUNDS = 12
_CLOSE = 30


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
        whole = _Search(analysis, budget_tokens, strategy, verbatim=True).all()
        if whole is not None:
            return _name(analysis, whole)
    return _name(analysis, _Search(analysis, budget_tokens, strategy).run())


def _name(analysis: Analysis, selection: Selection) -> Selection:
    """The selection with the names that its text holds."""
    return replace(selection, entities=names.kept(analysis, selection.text))


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

    def __init__(
        self, analysis: Analysis, budget_tokens: int, strategy: Strategy, *, verbatim: bool = False
    ) -> None:
        self._analysis = analysis
        self._budget = budget_tokens
        self._strategy = strategy
        self._outline = analysis.outline
        self._order = analysis.best_on_names if strategy == "entity" else self._outline.best
        share = RECENT_SHARE[strategy]
        recent = share * budget_tokens
        if strategy == "hybrid":
            recent = max(recent, min(2 * recent, _RECENT_TOKENS))
        self._first_recent = 0 if verbatim else self._find_recent(int(100 * recent))
        self._recent = _recent(analysis, self._first_recent)
        self._forced = self._find_decisions()
        self._fitter = Fitter(analysis, self._order, until=self._first_recent, forced=self._forced)

    def all(self) -> Selection | None:
        """Everything word for word, if it fits."""
        return self._finish([], tuple(self._decision_lines(self._forced)))

    def whole(self) -> Selection:
        """Everything word for word."""
        return self._write([], tuple(self._decision_lines(self._forced)))

    def run(self) -> Selection:
        """The fullest text that fits: between room that was enough and room that was too much."""
        fixed = self._analysis.count_tokens(render(self._analysis, [], self._recent))
        room = self._fitter.guess(100 * (self._budget - fixed))
        enough, too_much = 0, 0
        best: Selection | None = None
        for number in range(_ROUNDS):
            made = self._try(room)
            over = self._last - self._budget
            if made is not None:
                enough, best = room, made
                if -over * 250 <= self._budget or room >= self._whole():
                    break
            else:
                too_much = room
            if not too_much:
                room += max(50, 98 * -over)
            elif made is None and room - 102 * over - (50 << number) > enough:
                # Ever larger steps: what is over may be one large block.
                room -= 102 * over + (50 << number)
            else:
                room = (enough + too_much) // 2
            if room <= 0 or (too_much and too_much - enough < _CLOSE):
                break
        return best or self._least()

    def _whole(self) -> int:
        """Hundredths of a token beyond which there is nothing more to keep."""
        return int(self._outline.cost_before[-1]) + MARK_COST * len(self._analysis.messages)

    def _try(self, room: int) -> Selection | None:
        kept = self._fitter.pick(room)
        lines = write_lines(self._analysis, kept)
        decisions = tuple(self._decision_lines(kept))
        return self._finish(lines, decisions)

    def _finish(self, lines: list[Line], decisions: tuple[Line, ...]) -> Selection | None:
        """The selection, if it holds anything and fits."""
        if not lines and not self._recent:
            self._last = self._budget + 1
            return None
        made = self._write(lines, decisions)
        self._last = made.tokens
        return made if made.tokens <= self._budget else None

    def _write(self, lines: list[Line], decisions: tuple[Line, ...]) -> Selection:
        if self._strategy == "entity":
            lines = names.group(self._analysis, lines, self._budget)
        text = render(self._analysis, lines, self._recent)
        return Selection(
            lines=tuple(lines),
            recent=tuple(self._recent),
            decisions=decisions,
            entities=(),
            notes=self._analysis.notes if lines else (),
            text=text,
            tokens=self._analysis.count_tokens(text),
        )

    def _find_recent(self, room: int) -> int:
        """The first of the newest messages that fit."""
        sizes = np.cumsum(self._analysis.sizes[::-1])
        return len(sizes) - int(np.searchsorted(sizes, room, side="right"))

    def _least(self) -> Selection:
        """The one unit that is worth most of those that fit, else the error that says how much."""
        outline, order = self._outline, self._order
        everything = _recent(self._analysis, 0)
        whole = self._analysis.count_tokens(render(self._analysis, [], everything))
        if not len(outline.cost) or self._budget >= whole:
            _require(self._budget, whole)
            return _Search(self._analysis, self._budget, self._strategy, verbatim=True).whole()
        cheapest = int(np.argmin(outline.cost[: outline.restoring or None]))
        self._recent = []
        smallest = self._one(cheapest)
        _require(self._budget, min(whole, smallest))
        for unit in order.units[:200].tolist():
            if self._one(unit) <= self._budget:
                break
        else:
            self._one(cheapest)
        return self._write(self._lines, ())

    def _one(self, unit: int) -> int:
        """Tokens of a digest of one unit."""
        self._lines = write_lines(self._analysis, np.array([unit]))
        return self._analysis.count_tokens(render(self._analysis, self._lines, []))

    def _find_decisions(self) -> Ints:
        """The units of the sentences that are kept whole because they decide something."""
        outline = self._outline
        room = 100 * self._budget * _DECISIONS_SHARE
        self._decisions: list[int] = []
        forced: set[int] = set()
        for sentence in self._analysis.decisions[: 5 * _MOST_DECISIONS].tolist():
            chunks = outline.sentence_at(sentence)
            if not self._is_open(chunks):
                self._decisions.append(sentence)
            else:
                units = set(outline.unit[chunks].tolist())
                cost = int(outline.cost[list(units)].sum())
                if cost <= room:
                    room -= cost
                    forced |= units
                    self._decisions.append(sentence)
            if len(self._decisions) == _MOST_DECISIONS:
                break
        return np.array(sorted(forced), dtype=outline.unit.dtype)

    def _is_open(self, chunks: slice) -> bool:
        """Whether some chunks are of a message that is shortened."""
        first_open: int = chunks.start
        return first_open < int(self._analysis.offsets[self._first_recent])

    def _decision_lines(self, kept: Ints) -> list[Line]:
        """The decisions that the text holds, in the order of the conversation."""
        analysis, lines = self._analysis, []
        # What is forced is picked first: only a budget that is smaller than it holds less.
        held = set(kept[: len(self._forced)].tolist())
        for sentence in sorted(self._decisions):
            where = self._outline.sentence_at(sentence)
            if self._is_open(where) and not held.issuperset(self._outline.unit[where].tolist()):
                continue
            owner = int(analysis.owners_of(np.array([where.start]))[0])
            message = analysis.messages[owner]
            raws = (analysis.vocabulary.raw_of(n) for n in analysis.types[where].tolist())
            text = " ".join(raw for raw in raws if raw)
            lines.append(Line(text, (message.message_id,), analysis.spoken_by[owner], message.time))
        return lines


def _recent(analysis: Analysis, first: int) -> list[RecentMessage]:
    return [
        RecentMessage(m.message_id, m.role, speaker, m.content, m.time)
        for m, speaker in zip(analysis.messages[first:], analysis.spoken_by[first:], strict=True)
    ]


def write_lines(analysis: Analysis, units: Ints) -> list[Line]:
    """A line for each message of which some units are kept, in the order of the messages."""
    outline = analysis.outline
    return write_chunks(analysis, outline.chunks_of(units), outline.restored_by(units))


def write_chunks(analysis: Analysis, chunks: Ints, restored: Ints) -> list[Line]:
    """A line for each message with any of the chunks; restored sentences with punctuation."""
    if not len(chunks):
        return []
    types = analysis.types[chunks]
    texts = list(map(analysis.vocabulary.texts.__getitem__, types.tolist()))
    if len(restored):
        is_restored = np.isin(analysis.outline.sentence[chunks], restored)
        for place in np.flatnonzero(is_restored).tolist():
            texts[place] = analysis.vocabulary.raw_of(int(types[place]))
    owners = analysis.owners_of(chunks)
    starts = np.flatnonzero(np.concatenate(([True], owners[1:] != owners[:-1])))
    ends = [*starts[1:].tolist(), len(texts)]
    is_special = (analysis.flags_by_type[types] & (v.BLOCK | v.SENTENCE)) != 0
    specials = set(owners[is_special].tolist())
    lines: list[Line] = []
    for owner, start, end in zip(owners[starts].tolist(), starts.tolist(), ends, strict=True):
        message = analysis.messages[owner]
        parts = texts[start:end]
        text = (
            _join(parts, is_special[start:end].tolist()) if owner in specials else " ".join(parts)
        ).strip()
        if text:
            lines.append(Line(text, (message.message_id,), analysis.spoken_by[owner], message.time))
    return lines


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
