"""Recall: what conversations hold on a question, in a budget, current facts first.

Half of the budget goes to the messages that fit best, word for word; the other half to the
next ones in telegram style. The newest stands first, so a value that was updated is read
before the one that it replaced.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from helix_lab.domain.context import vocabulary as v
from helix_lab.domain.context.analysis import Analysis, day_of
from helix_lab.domain.context.digest import Line, name_of
from helix_lab.domain.context.history import Message
from helix_lab.domain.context.index import stems_of
from helix_lab.domain.context.relevance import Query, read_query, relevance
from helix_lab.domain.context.rendering import escape_labels
from helix_lab.domain.context.selection import write_chunks
from helix_lab.domain.context.succession import Kind, compare, read_statements
from helix_lab.domain.context.tokens import count_tokens as count_built_in
from helix_lab.domain.model.errors import BudgetTooSmall, InvalidRequest

_VERBATIM_SHARE = 0.5
_SMALL_TOKENS = 1500
"""Below it everything is given word for word: telegram style needs room to pay."""
_MOST_CANDIDATES = 1500
_COMPARED = 16
_LONG_TOKENS = 300
"""A longer message is not compared, and only excerpts of it are given beside the others."""
_EXCERPT_TOKENS = 60


@dataclass(frozen=True, slots=True)
class RecalledMessage:
    """A message that is given word for word.

    Attributes:
        conversation: position of its analysis in the given sequence.
        relevance: how well it fits the query, comparable within one answer.
        superseded_by: the id of the newer message that replaces or contradicts it, if one does.
    """

    conversation: int
    message_id: str
    role: str
    speaker: str
    text: str
    time: datetime
    relevance: float
    superseded_by: str | None = None


@dataclass(frozen=True, slots=True)
class Superseded:
    """Two messages that state different things of the same matter.

    Attributes:
        kind: `update` where the newer replaces the older, `contradiction` where one denies
            what the other affirms.
        conversation: of the stale message; the current one may stand in another.
    """

    kind: Kind
    conversation: int
    current_id: str
    current_time: datetime
    stale_id: str
    stale_time: datetime


@dataclass(frozen=True, slots=True)
class Recalled:
    """What is known on a query.

    Attributes:
        messages: word for word, newest first: a current value stands before a stale one.
        lines: further messages in telegram style, newest first.
        line_sources: for each of the lines, the position of its conversation.
        coverage: share of the query's words, rare ones counting more, that the answer holds.
        superseded: pairs among `messages`, each with both dates.
        tokens: of `render()`, by `tokenizer`.
    """

    messages: tuple[RecalledMessage, ...]
    lines: tuple[Line, ...]
    line_sources: tuple[int, ...]
    coverage: float
    superseded: tuple[Superseded, ...]
    tokens: int
    tokenizer: str
    text: str

    def render(self) -> str:
        """The exact text that was counted."""
        return self.text


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
            if size <= room and (size <= _LONG_TOKENS or size <= room / 4):
                room -= size
                self._texts[one] = self._render(one, self._message_text(one))
            else:
                left.append(one)
        return left

    def _take_lines(self, ranked: list[_Candidate], room: float) -> list[_Candidate]:
        """Messages in telegram style as far as the room reaches."""
        for one in ranked:
            if room < _EXCERPT_TOKENS // 4:
                break
            line = self._shorten(one)
            if line is None:
                continue
            size = self._count(self._render(one, line.text))
            if size <= room:
                room -= size
                self._lines[one] = line
        return []

    def _shorten(self, one: _Candidate) -> Line | None:
        """A message without its function words and fillers; of a long one, the best sentences."""
        analysis = self._analyses[one.conversation]
        features = analysis.features
        begin, end = analysis.offsets[one.position : one.position + 2].tolist()
        chunks = np.arange(begin, end)
        says = features.is_said[begin:end].copy()
        if not self._is_short(one):
            says &= np.isin(chunks, self._best_sentences(analysis, begin, end))
            says &= ~features.has(v.BLOCK)[begin:end]
        lines = write_chunks(analysis, chunks[says], chunks[:0])
        return lines[0] if lines else None

    def _best_sentences(self, analysis: Analysis, begin: int, end: int) -> np.ndarray:
        """Chunks of the sentences of a long message that are worth most for the query."""
        features = analysis.features
        sentence = features.sentence[begin:end] - features.sentence[begin]
        wanted = np.isin(features.word[begin:end], self._wanted_words(analysis))
        value = analysis.ranking.value[begin:end] + 2.0 * wanted
        size = np.bincount(sentence, weights=features.cost[begin:end] / 100)
        worth = np.bincount(sentence, weights=value) / np.maximum(size, 1)
        order = np.argsort(-worth, kind="stable")
        taken = order[np.cumsum(size[order]) <= _EXCERPT_TOKENS * 2]
        return np.flatnonzero(np.isin(sentence, taken)) + begin

    def _wanted_words(self, analysis: Analysis) -> np.ndarray:
        numbers = analysis.vocabulary.word_ids
        words = [v.fold(v.strip(part)) for part in self._query.text.split()]
        return np.array([numbers[word] for word in words if word in numbers], dtype=np.int64)

    def _find_succession(self, ranked: list[_Candidate]) -> None:
        """Note for each of the best messages the one that replaces or contradicts it."""
        best = sorted(filter(self._states, ranked), key=lambda one: -one.relevance)[:_COMPARED]
        best.sort(key=self._when)
        rarity = self._rarity()
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
            coverage=self._coverage(text),
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

    def _rarity(self) -> dict[str, float]:
        """What each stem of the query weighs, rare ones more."""
        indexes = [analysis.index for analysis in self._analyses if analysis.messages]
        messages = sum(index.messages for index in indexes)
        held = {
            term: sum(len(index.find(term)[0]) for index in indexes) for term in self._query.terms
        }
        return {
            term: weight * math.log1p(messages / held[term])
            for term, weight in self._query.terms.items()
            if held[term]
        }

    def _coverage(self, text: str) -> float:
        held = set(stems_of(text))
        weights = self._rarity()
        total = sum(weights.values())
        return sum(w for term, w in weights.items() if term in held) / total if total else 0.0

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

    def _is_short(self, one: _Candidate) -> bool:
        return bool(self._analyses[one.conversation].sizes[one.position] <= 100 * _LONG_TOKENS)

    def _shortest(self) -> list[_Candidate]:
        return [
            _Candidate(0.0, number, int(np.argmin(analysis.sizes)))
            for number, analysis in enumerate(self._analyses)
            if analysis.messages
        ]

    def _shortest_size(self) -> int:
        return min(map(self._size, self._shortest()))
