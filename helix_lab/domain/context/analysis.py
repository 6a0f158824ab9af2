"""Analysis: what compression, quality and recall need to know of a conversation."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from helix_lab.domain.context.digest import TokenCounter, speaker_of
from helix_lab.domain.context.history import Message
from helix_lab.domain.context.splitting import split
from helix_lab.domain.context.tokens import cost_of
from helix_lab.domain.context.tokens import count_tokens as count_built_in
from helix_lab.domain.context.vocabulary import LINE_END, Vocabulary

if TYPE_CHECKING:
    from helix_lab.domain.context.features import Features
    from helix_lab.domain.context.index import Index
    from helix_lab.domain.context.outline import Order, Outline
    from helix_lab.domain.context.ranking import Ranking
    from helix_lab.domain.context.relevance import Traits

Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Analysis:
    """A conversation, taken apart. Made by `analyse`; never changed.

    Attributes:
        vocabulary: every distinct chunk of it.
        types: the chunks of all messages one after the other, as numbers of the vocabulary.
        offsets: where the chunks of each message begin, and the end.
        spoken_by: who said each message, as a digest calls them.
        sizes: hundredths of a token of each message as it is sent: who, what, a line end.
    """

    messages: Sequence[Message]
    count_tokens: TokenCounter
    vocabulary: Vocabulary = field(repr=False)
    spoken_by: tuple[str, ...] = field(repr=False)
    types: Ints = field(repr=False)
    offsets: Ints = field(repr=False)
    sizes: Ints = field(repr=False)

    @cached_property
    def original_tokens(self) -> int:
        """The whole conversation as it would be sent: a header per day, speakers and texts."""
        return -(-(int(self.sizes.sum()) + self._measure_headers()) // 100)

    @cached_property
    def day_numbers(self) -> Ints:
        """Per message: the number of its day, from 1; a day that comes again is another one."""
        days = np.fromiter(
            (message.time.toordinal() for message in self.messages), np.int64, len(self.messages)
        )
        is_new = np.ones(len(days), dtype=bool)
        is_new[1:] = days[1:] != days[:-1]
        return np.cumsum(is_new)

    def _measure_headers(self) -> int:
        """Hundredths of a token of the headers of all days."""
        cost = _measure(self.count_tokens)
        numbers = self.day_numbers
        firsts = np.flatnonzero(np.diff(numbers, prepend=0)).tolist()
        headers = Counter(day_of(self.messages[place]) for place in firsts)
        return sum(count * cost(f"[{day}]\n") for day, count in headers.items())

    @cached_property
    def notes(self) -> tuple[str, ...]:
        """What a reader must know of how it was read."""
        from helix_lab.domain.context.selection import notes

        return notes(self)

    @cached_property
    def speakers(self) -> tuple[str, ...]:
        """The distinct speakers, in the order of their first message."""
        return tuple(dict.fromkeys(self.spoken_by))

    @cached_property
    def speaker_numbers(self) -> Ints:
        """Per message: the place of its speaker among the speakers."""
        numbers = {speaker: place for place, speaker in enumerate(self.speakers)}
        return np.fromiter(map(numbers.__getitem__, self.spoken_by), np.int64, len(self.spoken_by))

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Its entities, most mentioned first."""
        from helix_lab.domain.context.names import top

        return tuple(top(self))

    @cached_property
    def message_ids(self) -> Sequence[str]:
        """The id of each message."""
        return [message.message_id for message in self.messages]

    @cached_property
    def positions(self) -> dict[str, int]:
        """Message id → its place."""
        return {message_id: place for place, message_id in enumerate(self.message_ids)}

    @cached_property
    def outline(self) -> Outline:
        """What digests are picked from and measured by."""
        from helix_lab.domain.context.outline import outline

        return outline(self)

    @cached_property
    def best_on_names(self) -> Order:
        """The units of the outline in the order that counts where entities matter most."""
        from helix_lab.domain.context.outline import order_of
        from helix_lab.domain.context.ranking import rank

        return order_of(rank(self, prefers_entities=True))

    @cached_property
    def flags_by_type(self) -> Ints:
        """What each type is, as bits."""
        return self.vocabulary.array(self.vocabulary.flags)

    @cached_property
    def words_by_type(self) -> Ints:
        """The word of each type."""
        return self.vocabulary.array(self.vocabulary.words)

    def owners_of(self, chunks: Ints) -> Ints:
        """The message of each of some chunks."""
        return np.searchsorted(self.offsets, chunks, side="right") - 1

    @cached_property
    def decisions(self) -> Ints:
        """The sentences that settle something, the most telling first."""
        from helix_lab.domain.context.ranking import rank_decisions

        return rank_decisions(self)

    @cached_property
    def index(self) -> Index:
        """Where each stem stands."""
        from helix_lab.domain.context.index import read_index

        return read_index(self)

    @cached_property
    def traits(self) -> Traits:
        """What every message is, whatever is asked."""
        from helix_lab.domain.context.relevance import read_traits

        return read_traits(self)

    @cached_property
    def features(self) -> Features:
        """What each chunk is."""
        from helix_lab.domain.context.features import read_features

        return read_features(self)

    @cached_property
    def ranking(self) -> Ranking:
        """What is kept first."""
        from helix_lab.domain.context.ranking import rank

        return rank(self)


def analyse(
    messages: Sequence[Message],
    count_tokens: TokenCounter = count_built_in,
    previous: Analysis | None = None,
) -> Analysis:
    """Take a conversation apart, oldest message first.

    `previous` is the analysis of a beginning of the same messages: only what is new is read.
    """
    if previous is not None and not _continues(messages, count_tokens, previous):
        previous = None
    known = len(previous.messages) if previous else 0
    new = messages[known:]
    vocabulary = Vocabulary(count_tokens, previous.vocabulary if previous else None)
    chunks = [split(message.content, message.role) for message in new]
    lengths = np.fromiter(map(len, chunks), dtype=np.int64, count=len(chunks))
    types = np.fromiter(
        map(vocabulary.__getitem__, chain.from_iterable(chunks)),
        dtype=np.int64,
        count=int(lengths.sum()),
    )
    speakers = tuple(map(speaker_of, new))
    sizes = _sizes(new, speakers, vocabulary, types, lengths)
    offsets = np.concatenate(([0], np.cumsum(lengths)))
    if previous:
        types = np.concatenate((previous.types, types))
        offsets = np.concatenate((previous.offsets, previous.offsets[-1] + offsets[1:]))
        sizes = np.concatenate((previous.sizes, sizes))
        speakers = previous.spoken_by + speakers
    return Analysis(tuple(messages), count_tokens, vocabulary, speakers, types, offsets, sizes)


def day_of(message: Message) -> str:
    """The day of a message as a reader writes it, in UTC as it was recorded."""
    return f"{message.time.day} {message.time:%b %Y}"


def _continues(messages: Sequence[Message], count_tokens: TokenCounter, previous: Analysis) -> bool:
    known = len(previous.messages)
    return (
        previous.count_tokens is count_tokens
        and known <= len(messages)
        and all(
            a is b or (a.message_id == b.message_id and a.time == b.time and a.data == b.data)
            for a, b in zip(previous.messages, messages, strict=False)
        )
    )


def _sizes(
    messages: Sequence[Message],
    speakers: Sequence[str],
    vocabulary: Vocabulary,
    types: Ints,
    lengths: Ints,
) -> Ints:
    """Hundredths of a token of each message as it is sent."""
    cost = _measure(vocabulary.counter)
    labels = {speaker: cost(f"{speaker}:\n") for speaker in dict.fromkeys(speakers)}
    label_sizes = np.fromiter(
        map(labels.__getitem__, speakers), dtype=np.int64, count=len(messages)
    )
    if vocabulary.counter is not count_built_in:
        texts = [cost(" " + message.content) for message in messages]
        return label_sizes + np.array(texts, dtype=np.int64)
    raw = vocabulary.array(vocabulary.raw_costs)[types]
    owners = np.repeat(np.arange(len(messages)), lengths)
    texts_sizes = np.bincount(owners, weights=raw, minlength=len(messages)).astype(np.int64)
    is_end = types == vocabulary.get(LINE_END, -1)
    return label_sizes + texts_sizes + _line_ends(is_end, owners, len(messages))


def _line_ends(is_end: NDArray[np.bool_], owners: Ints, count: int) -> Ints:
    """Hundredths of a token of the line ends of each message; a run of them counts once."""
    begins = is_end.copy()
    begins[1:] &= ~is_end[:-1]
    return cost_of("\n") * np.bincount(owners[begins], minlength=count)


def _measure(count_tokens: TokenCounter) -> Callable[[str], int]:
    if count_tokens is count_built_in:
        return cost_of
    return lambda text: 100 * count_tokens(text)
