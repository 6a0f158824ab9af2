"""Features: what each chunk of a conversation is, as arrays over all chunks."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from helix_lab.domain.context import vocabulary as v
from helix_lab.domain.context.analysis import Analysis, Ints
from helix_lab.domain.context.measures import find_joined, settle

Bools = NDArray[np.bool_]
_SPECIAL = v.BLOCK | v.SENTENCE
_SILENT = v.FUNCTION | v.SYMBOL | v.BREAK | v.ENUMERATOR | v.NEGATION
_ATOM = v.NUMBER | v.TIME | v.NEGATION


@dataclass(frozen=True, eq=False)
class Features:
    """One entry per chunk, unless said otherwise.

    Attributes:
        message: number of its message.
        sentence: number of its sentence; sentences end with their message.
        word: number of its word, equal for all spellings of it.
        is_content: says something: neither a function word nor punctuation; fillers included.
        is_strong: content that is no filler.
        is_entity: a mention of a name.
        is_first: begins its sentence, bullets aside.
    """

    flags: Ints
    cost: Ints
    message: Ints
    sentence: Ints
    word: Ints
    is_content: Bools
    is_strong: Bools
    is_entity: Bools
    is_speaker: Bools
    is_first: Bools
    sentences: int
    words: int

    def has(self, bits: int) -> Bools:
        """Which chunks have any of these flags."""
        found: Bools = (self.flags & bits) != 0
        return found

    @cached_property
    def is_number(self) -> Bools:
        """Numbers, dates and times, as counted by the score."""
        return self.has(v.NUMBER | v.TIME) & ~self.has(_SPECIAL)

    @cached_property
    def is_joined(self) -> Bools:
        """Belongs to the number, date or amount before it."""
        return find_joined(self.flags, self.is_first)

    @cached_property
    def is_said(self) -> Bools:
        """Says something, alone or as a part of a number, date or amount."""
        said = self.is_content | self.has(v.NEGATION) | self.is_joined
        said[:-1] |= self.is_joined[1:]
        return said

    @cached_property
    def keys(self) -> Ints:
        """Message and word as one number."""
        return self.message * self.words + self.word

    @cached_property
    def by_key(self) -> Ints:
        """The chunks in the order of their keys; equal keys in their own order."""
        return np.argsort(self.keys, kind="stable")

    @cached_property
    def ordered_keys(self) -> Ints:
        """The keys in ascending order."""
        return self.keys[self.by_key]

    @cached_property
    def occurrence(self) -> Ints:
        """How often the same word stood in the same message before."""
        return _count_before(self.by_key, self.ordered_keys)

    @cached_property
    def occurrence_in_sentence(self) -> Ints:
        """How often the same word stood in the same sentence before.

        Only a word that stood in the message before can have; all others are not looked at.
        """
        counts = np.zeros(len(self.keys), dtype=np.int64)
        places = np.flatnonzero(self.recurs)
        keys = self.sentence[places] * self.words + self.word[places]
        order = np.argsort(keys, kind="stable")
        counts[places] = _count_before(order, keys[order])
        return counts

    @cached_property
    def recurs(self) -> Bools:
        """Whether the same word stands more than once in the message."""
        same = self.ordered_keys[1:] == self.ordered_keys[:-1]
        found = np.zeros(len(self.keys), dtype=bool)
        found[self.by_key[1:][same]] = True
        found[self.by_key[:-1][same]] = True
        return found

    @cached_property
    def is_echoed(self) -> Bools:
        """Whether the next message has the word too."""
        if not len(self.keys):
            return np.zeros(0, dtype=bool)
        places = np.flatnonzero(self.is_content)
        wanted = self.keys[places] + self.words
        found = np.searchsorted(self.ordered_keys, wanted)
        echoed = np.zeros(len(self.keys), dtype=bool)
        echoed[places] = self.ordered_keys[np.minimum(found, len(self.keys) - 1)] == wanted
        return echoed

    def count_in_sentence(self, mask: Bools) -> Ints:
        """Per sentence: how many chunks are in the mask."""
        return np.bincount(self.sentence[mask], minlength=self.sentences)

    def any_in_sentence(self, mask: Bools) -> Bools:
        """Per chunk: whether its sentence has one that is in the mask."""
        found = np.zeros(self.sentences, dtype=bool)
        found[self.sentence[mask]] = True
        return found[self.sentence]


def read_features(analysis: Analysis) -> Features:
    """What each chunk of a conversation is."""
    words = analysis.vocabulary
    types = analysis.types
    word = analysis.words_by_type[types]
    message = np.repeat(np.arange(len(analysis.messages)), np.diff(analysis.offsets))
    is_first = np.ones(len(types), dtype=bool)
    is_first[1:] = message[1:] != message[:-1]
    flags = settle(analysis.flags_by_type[types], is_first)
    is_first[1:] |= (flags[:-1] & v.ENDS) != 0
    is_special = (flags & _SPECIAL) != 0
    is_first |= is_special
    sentence = np.cumsum(is_first) - 1
    is_leading = _lead(is_first, flags)
    is_content = (flags & _SILENT) == 0
    is_speaker = _find_speakers(analysis)[word]
    is_entity = _find_entities(flags, word, is_leading, len(words.word_ids)) & is_content
    is_entity &= ~is_speaker & ~is_special
    return Features(
        flags=flags,
        cost=words.array(words.costs)[types],
        message=message,
        sentence=sentence,
        word=word,
        is_content=is_content,
        is_strong=is_content & ((flags & (v.FILLER | v.PICTURE)) == 0),
        is_entity=is_entity,
        is_speaker=is_speaker,
        is_first=is_leading,
        sentences=int(sentence[-1]) + 1 if len(sentence) else 0,
        words=len(words.word_ids),
    )


def _lead(is_first: Bools, flags: Ints) -> Bools:
    """The first chunks of sentences, and what follows a bullet or a number of a list there."""
    leads = is_first.copy()
    is_bullet = (flags & (v.SYMBOL | v.ENUMERATOR)) != 0
    for _ in range(2):
        leads[1:] |= leads[:-1] & is_bullet[:-1]
    return leads


def _find_speakers(analysis: Analysis) -> Bools:
    """Per word: whether it is a speaker's name."""
    found = np.zeros(len(analysis.vocabulary.word_ids), dtype=bool)
    for speaker in analysis.speakers:
        for part in speaker.split():
            number = analysis.vocabulary.word_ids.get(v.fold(part))
            if number is not None:
                found[number] = True
    return found


def _find_entities(flags: Ints, word: Ints, is_first: Bools, words: int) -> Bools:
    """Per chunk: capitalised, of a word that is so inside of sentences at least as often as not."""
    is_capital = (flags & v.CAPITAL) != 0
    inside = np.bincount(word[is_capital & ~is_first], minlength=words)
    small = np.bincount(word[~is_capital], minlength=words)
    is_name = (inside > 0) & (inside >= small)
    excluded = (flags & (v.NUMBER | v.TIME | v.MONTH | v.FUNCTION | v.FILLER)) != 0
    found: Bools = (is_name[word] & is_capital & ~excluded) | ((flags & v.IDENTIFIER) != 0)
    return found


def _count_before(order: Ints, ordered: Ints) -> Ints:
    """Per entry: how many equal keys stand before it."""
    counts = np.zeros_like(order)
    if len(order):
        begins = np.ones(len(order), dtype=bool)
        begins[1:] = ordered[1:] != ordered[:-1]
        positions = np.arange(len(order))
        counts[order] = positions - np.maximum.accumulate(np.where(begins, positions, 0))
    return counts
