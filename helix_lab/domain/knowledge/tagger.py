"""Tagger: the labels that the model gives to the words of a text.

What a word adds to the labels around it does not depend on the text, so it is computed once per
word and kept; a text then is a few sums of rows. Words that are outside by a wide margin are
settled at once, and the best labels of what remains are found for all places side by side.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from threading import Lock
from typing import Final

import numpy as np
import numpy.typing as npt

from helix_lab.domain.knowledge import features as f
from helix_lab.domain.knowledge.tokens import LONGEST
from helix_lab.domain.knowledge.weights import CONTEXT, Model

CHUNK_WORDS: Final = 2_000
"""Tagged at once; longer sentences are cut."""

KEPT_WORDS: Final = 16_384
"""Whose rows are kept, at most; then all are forgotten."""

SURE_MARGIN: Final = 4.0
"""A word whose score outside leads by this much is outside."""

LONGEST_RUN: Final = 48
"""Open words whose labels are chosen together; a longer run, a list without end, is cut."""

_FORBIDDEN: Final = -100.0

Floats = npt.NDArray[np.float32]
Places = npt.NDArray[np.intp]


class Tagger:
    """Labels words by a model. Safe in threads."""

    def __init__(self, model: Model, lists: Mapping[str, str]) -> None:
        self.labels = model.labels
        self._model = model
        self._lists = lists
        self._moves = np.ascontiguousarray(_only_lawful(model).T)
        nothing = np.zeros((1, model.table.shape[1]), np.int8)
        self._table = np.concatenate([model.table, nothing])
        self._pairs = _pairs(model)
        self._lock = Lock()
        self._forget()

    def forget(self) -> None:
        """Drop the rows of all words met so far; the answers stay the same."""
        with self._lock:
            self._forget()

    def tag(
        self,
        words: Sequence[str],
        is_first: Sequence[bool],
        markup: Sequence[str],
        *,
        coded: Collection[str] | None = None,
        bias: float = 0.0,
    ) -> tuple[list[int], list[float]]:
        """The label of each word, as its place in `labels`, and by how much it leads `O`.

        Args:
            words: of a whole text.
            is_first: whether a sentence begins at the word.
            markup: `B` or `I` in code markup, else an empty text.
            coded: folded words that stand in markup; by default those of these words.
            bias: added to the score of `O`.
        """
        if coded is None:
            coded = {f.fold(word) for word, mark in zip(words, markup, strict=True) if mark}
        labels: list[int] = []
        leads: list[float] = []
        for start, end in _chunks(is_first):
            chunk = slice(start, end)
            found, lead = self._tag_chunk(words[chunk], is_first[chunk], markup[chunk], coded, bias)
            labels += found
            leads += lead
        return labels, leads

    def _tag_chunk(
        self,
        words: Sequence[str],
        is_first: Sequence[bool],
        markup: Sequence[str],
        coded: Collection[str],
        bias: float,
    ) -> tuple[list[int], list[float]]:
        padded, places = _pad(words, is_first)
        with self._lock:
            ids = self._ids(padded)
            folded = [self._folded[number] for number in ids.tolist()]
            scores = self._word_scores(ids)
        self._add_pairs(scores, folded)
        if any(markup):
            self._add_markup(scores, places, words, markup)
        if coded:
            self._add_coded(scores, places, folded, markup, coded)
        scores *= self._model.scale
        scores[:, 0] += bias
        best = scores[:, 1:].max(axis=1)
        is_open = np.zeros(len(padded), bool)
        is_open[places] = (scores[:, 0] - best < SURE_MARGIN)[places]
        labels = np.zeros(len(padded), np.intp)
        if is_open.any():
            self._decode(scores, is_open, padded, labels)
        lead = scores[np.arange(len(padded)), labels] - scores[:, 0]
        return labels[places].tolist(), lead[places].tolist()

    # scores -------------------------------------------------------------------------------

    def _forget(self) -> None:
        self._known: dict[str, int] = {}
        self._folded: list[str] = []
        shape = (len(f.OFFSETS), KEPT_WORDS, len(self.labels))
        self._rows = np.empty(shape, np.int16)

    def _ids(self, words: Sequence[str]) -> Places:
        new = [word for word in dict.fromkeys(words) if word not in self._known]
        if len(self._known) + len(new) > KEPT_WORDS:
            self._forget()
            new = list(dict.fromkeys(words))
        if new:
            self._learn(new)
        return np.fromiter(map(self._known.__getitem__, words), np.intp, len(words))

    def _learn(self, words: Sequence[str]) -> None:
        rows: list[int] = []
        starts = []
        known = self._model.features
        nothing = len(self._table) - 1
        for word in words:
            starts.append(len(rows))
            rows.append(nothing)
            rows += [known[name] for name in f.describe(word, self._lists) if name in known]
            self._known[word] = len(self._known)
            self._folded.append(f.OUTSIDE if word == f.OUTSIDE else f.fold(word))
        sums = np.add.reduceat(self._table[rows], starts, axis=0, dtype=np.int16)
        end = len(self._known)
        by_offset = sums.reshape(len(words), len(f.OFFSETS), -1).transpose(1, 0, 2)
        self._rows[:, end - len(words) : end] = by_offset

    def _word_scores(self, ids: Places) -> Floats:
        count = len(ids)
        scores: Floats = self._rows[_HERE][ids].astype(np.float32)
        for number, offset in enumerate(f.OFFSETS):
            if offset < 0 and count > -offset:
                scores[-offset:] += self._rows[number][ids[:offset]]
            elif 0 < offset < count:
                scores[:-offset] += self._rows[number][ids[offset:]]
        return scores

    def _add_pairs(self, scores: Floats, folded: Sequence[str]) -> None:
        found = map(self._pairs.get, map(f.pair, folded, folded[1:]))
        for place, rows in enumerate(found):
            if rows is not None:
                scores[place + 1] += rows[0]
                scores[place] += rows[1]

    def _add_markup(
        self, scores: Floats, places: Places, words: Sequence[str], markup: Sequence[str]
    ) -> None:
        count = len(words)
        for number, here in enumerate(markup):
            before = markup[number - 1] if number else ""
            after = markup[number + 1] if number + 1 < count else ""
            if here or before or after:
                word_shape = f.shape(words[number]) if len(words[number]) <= LONGEST else ""
                for name in f.describe_markup(before, here, after, word_shape):
                    self._add_context(scores, int(places[number]), name)

    def _add_coded(
        self,
        scores: Floats,
        places: Places,
        folded: Sequence[str],
        markup: Sequence[str],
        coded: Collection[str],
    ) -> None:
        for mark, place in zip(markup, places.tolist(), strict=True):
            if not mark and folded[place] in coded:
                self._add_context(scores, place, f.CODED_ELSEWHERE)

    def _add_context(self, scores: Floats, place: int, name: str) -> None:
        row = self._model.features.get(CONTEXT + name)
        if row is not None:
            scores[place] += self._model.table[row].reshape(len(f.OFFSETS), -1)[_HERE]

    # the best labels ----------------------------------------------------------------------

    def _decode(
        self, scores: Floats, is_open: npt.NDArray[np.bool_], words: Sequence[str], into: Places
    ) -> None:
        """Viterbi over every run of open words at once; what is around a run is `O`."""
        starts, lengths = _runs(is_open)
        ends = starts + lengths
        is_outside = np.array([word == f.OUTSIDE for word in words])
        before = ~(is_outside | is_open)[starts - 1]
        after = ~(is_outside | is_open)[ends]
        longest = int(lengths[0])
        going = np.searchsorted(-lengths, -np.arange(longest), side="left").tolist()
        best = scores[starts] + before[:, None] * self._moves[:, 0]
        arrived: list[Places] = []
        finals = np.empty_like(best)
        for step in range(1, longest):
            count = going[step]
            finals[count : len(best)] = best[count:]
            ways = best[:count, None, :] + self._moves
            arrived.append(ways.argmax(axis=2))
            best = ways.max(axis=2) + scores[starts[:count] + step]
        finals[: len(best)] = best
        finals += after[:, None] * self._moves[0]
        at = finals.argmax(axis=1)
        everyone = np.arange(len(starts))
        for step in range(longest - 1, -1, -1):
            count = going[step]
            into[starts[:count] + step] = at[:count]
            if step:
                at[:count] = arrived[step - 1][everyone[:count], at[:count]]


def _runs(is_open: npt.NDArray[np.bool_]) -> tuple[Places, Places]:
    """Where the runs of open words begin, and how long each is, the longest first."""
    edges = np.diff(np.concatenate([[0], is_open.view(np.int8), [0]]))
    starts, ends = np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)
    pieces = -(-(ends - starts) // LONGEST_RUN)
    number = np.arange(pieces.sum()) - np.repeat(np.cumsum(pieces) - pieces, pieces)
    starts = np.repeat(starts, pieces) + number * LONGEST_RUN
    lengths = np.minimum(LONGEST_RUN, np.repeat(ends, pieces) - starts)
    order = np.argsort(-lengths, kind="stable")
    return starts[order], lengths[order]


_HERE: Final = f.OFFSETS.index(0)


def _only_lawful(model: Model) -> Floats:
    """The transitions, without those into an `I` from anything but its own type."""
    moves = model.transitions.copy()
    for right, label in enumerate(model.labels):
        if label.startswith("I-"):
            for left, other in enumerate(model.labels):
                if other[2:] != label[2:]:
                    moves[left, right] = _FORBIDDEN
    return moves


def _pairs(model: Model) -> dict[str, tuple[Floats, Floats]]:
    """By two folded words: what they add to the right one, and to the left one."""
    nothing = np.zeros(len(model.labels), np.float32)
    found: dict[str, tuple[Floats, Floats]] = {}
    for name, row in model.features.items():
        if not name.startswith((CONTEXT + "L:", CONTEXT + "R:")):
            continue
        values = model.table[row].reshape(len(f.OFFSETS), -1)[_HERE].astype(np.float32)
        words = name[len(CONTEXT) + 2 :]
        to_right, to_left = found.get(words, (nothing, nothing))
        is_left = name[len(CONTEXT)] == "L"
        found[words] = (values, to_left) if is_left else (to_right, values)
    return found


def _chunks(is_first: Sequence[bool]) -> list[tuple[int, int]]:
    """Ranges of about `CHUNK_WORDS` words that end where a sentence does, if one does."""
    found = []
    start = 0
    while start < len(is_first):
        end = min(start + CHUNK_WORDS, len(is_first))
        cut = end
        if end < len(is_first):
            while cut > start and not is_first[cut]:
                cut -= 1
        end = cut if cut > start else end
        found.append((start, end))
        start = end
    return found


def _pad(words: Sequence[str], is_first: Sequence[bool]) -> tuple[list[str], Places]:
    """The words with two words of outside around each sentence, and where each word went."""
    padded = [f.OUTSIDE, f.OUTSIDE]
    places = []
    for word, first in zip(words, is_first, strict=True):
        if first and len(padded) > 2:  # noqa: PLR2004 # more than what stands before the first
            padded += (f.OUTSIDE, f.OUTSIDE)
        places.append(len(padded))
        padded.append(word)
    padded += (f.OUTSIDE, f.OUTSIDE)
    return padded, np.array(places, np.intp)
