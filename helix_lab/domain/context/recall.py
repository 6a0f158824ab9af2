"""Recall: what conversations hold on a question, in a budget, current facts first.

Half of the budget goes to the messages that fit best, word for word; the other half to the
next ones in telegram style. The newest stands first, so a value that was updated is read
before the one that it replaced.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from helix_lab.domain.context.analysis import Analysis, day_of
from helix_lab.domain.context.digest import Line, name_of
from helix_lab.domain.context.excerpts import EXCERPT_TOKENS, LONG_TOKENS, shorten
from helix_lab.domain.context.history import Message
from helix_lab.domain.context.recalled import Recalled, RecalledMessage, Superseded
from helix_lab.domain.context.relevance import Query, cover, read_query, relevance, weigh_terms
from helix_lab.domain.context.rendering import escape_labels
from helix_lab.domain.context.succession import Kind, compare, read_statements
from helix_lab.domain.context.tokens import count_tokens as count_built_in
from helix_lab.domain.model.errors import BudgetTooSmall, InvalidRequest

_VERBATIM_SHARE = 0.5
_SMALL_TOKENS = 1500
"""Below it everything is given word for word: telegram style needs room to pay."""
_MOST_CANDIDATES = 1500
_COMPARED = 16


@dataclass(frozen=True, slots=True)
class _Candidate:
    relevance: float
    conversation: int
    position: int


def recall(analyses: Sequence[Analysis], query: str, *, max_tokens: int) -> Recalled:
    """What the conversations say on `query`, in at most `max_tokens`.

    There is one analysis per conversation, all by the same token counter. Where nothing has
    a word of the query, what states most comes first, and `coverage` is 0.

    Raises:
        InvalidRequest: the query is empty.
        BudgetTooSmall: `details["needed_tokens"]` would hold the shortest message.
    """
    if not query.strip():
        msg = "the query is empty: say what to look for"
        raise InvalidRequest(msg, field="query", value=query)
    if not any(analysis.messages for analysis in analyses):
        _require(max_tokens, 1)
        return Recalled((), (), (), 0.0, (), 0, "", "")
    return _Answer(analyses, read_query(query), max_tokens).write()


def _require(max_tokens: int, needed_tokens: int) -> None:
    if max_tokens < needed_tokens:
        msg = f"{max_tokens} tokens hold no message: give at least {needed_tokens}"
        raise BudgetTooSmall(
            msg, field="max_tokens", max_tokens=max_tokens, needed_tokens=needed_tokens
        )


class _Answer:
    """Fills the budget with the best messages, and tells which of them hold now."""

    def __init__(self, analyses: Sequence[Analysis], query: Query, max_tokens: int) -> None:
        self._analyses = analyses
        self._query = query
        self._max_tokens = max_tokens
        self._count = next(a for a in analyses if a.messages).count_tokens
        self._scores = relevance(analyses, query)
        self._texts: dict[_Candidate, str] = {}
        self._lines: dict[_Candidate, Line] = {}
        self._replaced: dict[_Candidate, tuple[_Candidate, Kind]] = {}

    def write(self) -> Recalled:
        """The answer."""
        ranked = self._rank()
        self._find_succession(ranked)
        is_small = self._max_tokens < _SMALL_TOKENS
        room = self._max_tokens * (1.0 if is_small else _VERBATIM_SHARE)
        left = self._take_verbatim(self._promote(ranked), room)
        if not is_small:
            spent = sum(map(self._count, self._texts.values()))
            left = self._take_lines(left, self._max_tokens - spent)
        if not self._texts and not self._lines:
            _require(self._max_tokens, min(map(self._size, self._shortest())))
        return self._finish()

    def _rank(self) -> list[_Candidate]:
        found: list[_Candidate] = []
        for number, scores in enumerate(self._scores):
            best = np.argsort(-scores, kind="stable")[:_MOST_CANDIDATES]
            found += [_Candidate(float(scores[n]), number, n) for n in best.tolist()]
        found.sort(key=lambda one: (-one.relevance, one.conversation, one.position))
        return found[:_MOST_CANDIDATES]

    def _promote(self, ranked: list[_Candidate]) -> list[_Candidate]:
        """The same, with what replaces or contradicts a message right before it."""
        seen: dict[_Candidate, None] = {}
        for one in ranked:
            newer = self._replaced.get(one)
            if newer is not None:
                seen.setdefault(newer[0])
            seen.setdefault(one)
        return list(seen)

    def _take_verbatim(self, ranked: list[_Candidate], room: float) -> list[_Candidate]:
        """Messages word for word as far as the room reaches; the ones that were left out."""
        left: list[_Candidate] = []
        shortest = self._shortest_size()
        for one in ranked:
            if room < shortest:
                left.append(one)
                continue
            size = self._size(one)
            if size <= room and (size <= LONG_TOKENS or size <= room / 4):
                room -= size
                self._texts[one] = self._render(one, self._message_text(one))
            else:
                left.append(one)
        return left

    def _take_lines(self, ranked: list[_Candidate], room: float) -> list[_Candidate]:
        """Messages in telegram style as far as the room reaches."""
        for one in ranked:
            if room < EXCERPT_TOKENS // 4:
                break
            line = shorten(self._analyses[one.conversation], one.position, self._query)
            if line is None:
                continue
            size = self._count(self._render(one, line.text))
            if size <= room:
                room -= size
                self._lines[one] = line
        return []

    def _find_succession(self, ranked: list[_Candidate]) -> None:
        """Note for each of the best messages the one that replaces or contradicts it."""
        best = sorted(filter(self._states, ranked), key=lambda one: -one.relevance)[:_COMPARED]
        best.sort(key=self._when)
        rarity = weigh_terms(self._analyses, self._query)
        said = [read_statements(self._analyses[one.conversation], one.position) for one in best]
        for place, stale in enumerate(best):
            least = 0.0
            for later in range(place + 1, len(best)):
                if self._speaker(best[later]) != self._speaker(stale):
                    continue
                found = compare(said[place], said[later], rarity)
                if found is not None and found[0] >= least:
                    least = found[0]
                    self._replaced[stale] = (best[later], found[1])

    def _states(self, one: _Candidate) -> bool:
        """Whether a message tells how things are; an assistant without a name advises."""
        message = self._message(one)
        return message.role == "user" or bool(message.data.get("name"))

    def _finish(self) -> Recalled:
        while True:
            messages = sorted(self._texts, key=self._when, reverse=True)
            lines = sorted(self._lines, key=self._when, reverse=True)
            text = "".join(
                [self._mark(one) + self._texts[one] for one in messages]
                + [self._render(one, self._lines[one].text) for one in lines]
            )
            tokens = self._count(text)
            if tokens <= self._max_tokens:
                break
            self._drop_least()
        return Recalled(
            messages=tuple(map(self._recalled, messages)),
            lines=tuple(self._lines[one] for one in lines),
            line_sources=tuple(one.conversation for one in lines),
            coverage=cover(self._analyses, self._query, text),
            superseded=tuple(self._pairs(messages)),
            tokens=tokens,
            tokenizer=name_of(self._count),
            text=text,
        )

    def _drop_least(self) -> None:
        held = self._lines or self._texts
        held.pop(min(held, key=lambda one: (one.relevance, one.conversation, one.position)))

    def _pairs(self, messages: list[_Candidate]) -> list[Superseded]:
        found = []
        for stale in messages:
            current, kind = self._replaced.get(stale, (None, None))
            if current is not None and kind is not None and current in self._texts:
                new, old = self._message(current), self._message(stale)
                found.append(
                    Superseded(
                        kind, stale.conversation, new.message_id, new.time, old.message_id, old.time
                    )
                )
        return found

    def _mark(self, one: _Candidate) -> str:
        """What a reader is told of a message that no longer holds, or that is in dispute."""
        current, kind = self._replaced.get(one, (None, None))
        if current is None or current not in self._texts:
            return ""
        day = day_of(self._message(current))
        return f"(replaced on {day}) " if kind == "update" else f"(contradicted on {day}) "

    def _recalled(self, one: _Candidate) -> RecalledMessage:
        message = self._message(one)
        current = self._replaced.get(one, (None, None))[0]
        is_shown = current is not None and current in self._texts
        return RecalledMessage(
            conversation=one.conversation,
            message_id=message.message_id,
            role=message.role,
            speaker=self._speaker(one),
            text=message.content,
            time=message.time,
            relevance=one.relevance,
            superseded_by=self._message(current).message_id if is_shown and current else None,
        )

    # What a candidate is.

    def _message(self, one: _Candidate) -> Message:
        return self._analyses[one.conversation].messages[one.position]

    def _speaker(self, one: _Candidate) -> str:
        return self._analyses[one.conversation].spoken_by[one.position]

    def _when(self, one: _Candidate) -> tuple[datetime, int, int]:
        return (self._message(one).time, -one.conversation, one.position)

    def _message_text(self, one: _Candidate) -> str:
        return self._message(one).content

    def _render(self, one: _Candidate, text: str) -> str:
        analysis = self._analyses[one.conversation]
        said = escape_labels(text, analysis.speakers)
        return f"[{day_of(self._message(one))}] {self._speaker(one)}: {said}\n"

    def _size(self, one: _Candidate) -> int:
        """Tokens of a message word for word, at most; headers included."""
        if self._count is count_built_in:
            return int(self._analyses[one.conversation].sizes[one.position]) // 100 + 10
        return self._count(self._mark(one) + self._render(one, self._message_text(one)))

    def _shortest(self) -> list[_Candidate]:
        return [
            _Candidate(0.0, number, int(np.argmin(analysis.sizes)))
            for number, analysis in enumerate(self._analyses)
            if analysis.messages
        ]

    def _shortest_size(self) -> int:
        return min(map(self._size, self._shortest()))
