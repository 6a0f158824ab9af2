"""Storing: an analysis as texts and arrays, and back, without its messages.

What is stored is all that a digest is picked from. What recall needs beside it follows from
it when it is asked for. The messages themselves are in the log.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

from helix_lab.domain.context.analysis import Analysis
from helix_lab.domain.context.history import Message
from helix_lab.domain.context.outline import Order, Outline
from helix_lab.domain.context.tokens import count_tokens
from helix_lab.domain.context.vocabulary import Vocabulary
from helix_lab.domain.context.yardstick import Yardstick
from helix_lab.domain.model.event import from_micros, to_micros

Arrays = Mapping[str, NDArray[Any]]
Texts = Mapping[str, Any]
"""Values that JSON knows."""

ReadMessages = Callable[[int, int], Sequence[Message]]
"""The messages from one place to another, with all their facts."""

_OF_OUTLINE = ("unit", "sentence", "cost", "message", "days")
_FOUND_BY_OUTLINE = ("chunks", "begins")
_OF_YARDSTICK = ("kinds", "statements", "strict", "by_word")
_OF_VOCABULARY = ("flags", "costs", "raw_costs", "words")


class StoredMessages(Sequence[Message]):
    """Messages of which ids and times are known; the rest is read when it is looked at."""

    def __init__(self, ids: Sequence[str], times: Sequence[int], read: ReadMessages) -> None:
        self.ids = ids
        self._times = times
        self._read = read
        self._known: dict[int, Message] = {}

    def __len__(self) -> int:
        return len(self.ids)

    @overload
    def __getitem__(self, place: int) -> Message: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[Message]: ...
    def __getitem__(self, place: int | slice) -> Message | Sequence[Message]:
        """One message, its content unread; or some, with all their facts."""
        if isinstance(place, slice):
            start, stop, step = place.indices(len(self))
            found = self._read(start, stop) if start < stop else []
            self._known.update(zip(range(start, stop), found, strict=True))
            return found[::step]
        place = range(len(self))[place]
        known = self._known.get(place)
        return known or Message(self.ids[place], self.time_at(place), _Unread(self, place))

    def __iter__(self) -> Iterator[Message]:
        return iter(self[:])

    def time_at(self, place: int) -> datetime:
        """When a message was said."""
        return from_micros(self._times[place])


class _Unread(Mapping[str, Any]):
    """The facts of one message, read when one of them is asked for."""

    def __init__(self, messages: StoredMessages, place: int) -> None:
        self._messages = messages
        self._place = place

    def _read(self) -> Mapping[str, Any]:
        return self._messages[self._place : self._place + 1][0].data

    def __getitem__(self, name: str) -> Any:
        return self._read()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._read())

    def __len__(self) -> int:
        return len(self._read())


def is_storable(analysis: Analysis) -> bool:
    """Whether it can be stored: another counter than the built-in one cannot be named."""
    return analysis.count_tokens is count_tokens


def store(analysis: Analysis) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """The texts and the arrays of an analysis."""
    words, outline = analysis.vocabulary, analysis.outline
    yardstick = outline.yardstick
    texts: dict[str, Any] = {
        "ids": list(analysis.message_ids),
        "speakers": list(analysis.speakers),
        "chunks": words.chunks,
        "texts": [
            None if text == chunk else text
            for text, chunk in zip(words.texts, words.chunks, strict=True)
        ],
        "words": list(words.word_ids),
        "names": list(analysis.names),
        "notes": list(analysis.notes),
        "original_tokens": analysis.original_tokens,
        "restoring": outline.restoring,
        "totals": list(yardstick.totals),
        "split_anew": sorted(yardstick.split_anew),
    }
    arrays: dict[str, NDArray[Any]] = {
        "times": np.array([to_micros(message.time) for message in analysis.messages], np.int64),
        "spoken": analysis.speaker_numbers.astype(np.int32),
        "types": analysis.types.astype(np.int32),
        "offsets": analysis.offsets,
        "sizes": analysis.sizes,
        "decisions": analysis.decisions,
        "best": outline.best.units,
        "best_on_names": analysis.best_on_names.units,
        **{name: getattr(outline, name) for name in _OF_OUTLINE + _FOUND_BY_OUTLINE},
        **{name: getattr(yardstick, name) for name in _OF_YARDSTICK},
        **{f"type_{name}": words.array(getattr(words, name)) for name in _OF_VOCABULARY},
    }
    return texts, arrays


def restore(texts: Texts, arrays: Arrays, read: ReadMessages) -> Analysis:
    """The analysis that was stored; equal in all that it answers.

    Raises:
        KeyError, ValueError, IndexError, TypeError: it is none of this version.
    """
    speakers = texts["speakers"]
    messages = StoredMessages(texts["ids"], arrays["times"].tolist(), read)
    analysis = Analysis(
        messages=messages,
        count_tokens=count_tokens,
        vocabulary=_restore_vocabulary(texts, arrays),
        spoken_by=tuple(map(speakers.__getitem__, arrays["spoken"].tolist())),
        types=arrays["types"],
        offsets=arrays["offsets"],
        sizes=arrays["sizes"],
    )
    outline = _restore_outline(texts, arrays)
    # What an analysis finds out when it is first asked for, it knows already.
    vars(analysis).update(
        message_ids=messages.ids,
        speakers=tuple(speakers),
        speaker_numbers=arrays["spoken"],
        names=tuple(texts["names"]),
        notes=tuple(texts["notes"]),
        original_tokens=texts["original_tokens"],
        decisions=arrays["decisions"],
        day_numbers=arrays["days"],
        flags_by_type=arrays["type_flags"],
        words_by_type=arrays["type_words"],
        outline=outline,
        best_on_names=Order(arrays["best_on_names"], outline.cost),
    )
    return analysis


def _restore_vocabulary(texts: Texts, arrays: Arrays) -> Vocabulary:
    words = Vocabulary(count_tokens)
    words.chunks = texts["chunks"]
    words.texts = [
        chunk if text is None else text
        for text, chunk in zip(texts["texts"], words.chunks, strict=True)
    ]
    for name in _OF_VOCABULARY:
        setattr(words, name, arrays[f"type_{name}"].tolist())
    words.word_ids = {word: number for number, word in enumerate(texts["words"])}
    words.update(zip(words.chunks, range(len(words.chunks)), strict=True))
    return words


def _restore_outline(texts: Texts, arrays: Arrays) -> Outline:
    first, second, third, fourth, fifth = texts["totals"]
    yardstick = Yardstick(
        **{name: arrays[name] for name in _OF_YARDSTICK},
        totals=(first, second, third, fourth, fifth),
        split_anew=frozenset(texts["split_anew"]),
    )
    outline = Outline(
        **{name: arrays[name] for name in _OF_OUTLINE},
        restoring=texts["restoring"],
        best=Order(arrays["best"], arrays["cost"]),
        yardstick=yardstick,
    )
    vars(outline).update({name: arrays[name] for name in _FOUND_BY_OUTLINE})
    return outline
