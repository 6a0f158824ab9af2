"""Texts that were written at the same time, joined into one that keeps every word that counts.

There is no common ancestor: each text is whole, and none is known to be newer in meaning. So
what is equal is said once, what is close is said together ("Prefer OAuth2 and JWT"), and what
cannot be joined stands side by side.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import reduce

MAX_UNITS = 400
"""Of one text. Longer texts are kept whole: to align them would cost their product."""

MAX_DIFFERING_WORDS = 5
VERSIONS_APART = "\n---\n"

_PUNCTUATION = ".,;:!?\"'()[]{}…。！？、"
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+|(?<=[。！？])")
_CODE = re.compile(
    r"```|^\s*(?:def|class|import|from|function|const|let|var|return|#include|SELECT|INSERT)\b"
    r".*[(){};:=]|[;{}]\s*$",
    re.MULTILINE,
)
_NEGATIONS_TEXT = """
no not never none nothing nobody neither nor without cannot avoid stop don't doesn't didn't
isn't aren't wasn't weren't won't can't couldn't shouldn't wouldn't hasn't haven't
"""
_FUNCTION_WORDS_TEXT = """
a an the this that these those my your his her its our their i you he she it we they
is are was were be to of in on at for with and or
"""
_NEGATIONS = frozenset(_NEGATIONS_TEXT.split())
_FUNCTION_WORDS = frozenset(_FUNCTION_WORDS_TEXT.split())
_ALTERNATIVE_AFTER = frozenset({"is", "are", "was", "=", ":", "at", "equals"})
_NUMBER = re.compile(r"[\d.,:%$€£/-]*\d[\d.,:%$€£/-]*")


def merge_texts(texts: Sequence[str]) -> str:
    """One text from several, in the order given; the order of equal sets is the caller's.

    Equal texts count once, whatever their case and punctuation. A text whose words stand in
    another in the same order is left out, unless what the other adds negates it. Code is
    never mixed: the versions stand whole, divided by a line of dashes.
    """
    chosen = _drop_contained([text.strip() for text in texts])
    units = [_split(text) for text in chosen]
    if any(_CODE.search(text) for text in chosen) or any(len(u) > MAX_UNITS for u in units):
        return VERSIONS_APART.join(chosen)
    nothing: list[_Place] = []
    places = reduce(_align, units, nothing)
    has_lines = any("\n" in text for text in chosen)
    return _join([unit for place in places for unit in place.render()], has_lines=has_lines)


@dataclass(frozen=True, slots=True)
class _Unit:
    """A line or a sentence, its words as written and as compared."""

    text: str
    words: tuple[str, ...]
    folded: tuple[str, ...]

    @property
    def negates(self) -> bool:
        return _is_negative(self.folded)


@dataclass(slots=True)
class _Place:
    """Units that say one thing in several ways, in the order in which they came."""

    units: list[_Unit] = field(default_factory=list)

    def holds(self, unit: _Unit) -> bool:
        return any(unit.folded == own.folded for own in self.units)

    def takes(self, unit: _Unit) -> bool:
        """Whether the unit can be said together with those that are here."""
        return _factor([*self.units, unit]) is not None

    def render(self) -> list[str]:
        if len(self.units) == 1:
            return [self.units[0].text]
        joined = _factor(self.units)
        return [unit.text for unit in self.units] if joined is None else [joined]


def _drop_contained(texts: Sequence[str]) -> list[str]:
    words = [_fold(text) for text in texts]
    kept = []
    for at, text in enumerate(texts):
        others = [(i, other) for i, other in enumerate(words) if i != at]
        if text and not any(_says_all_of(words[at], other, first=i < at) for i, other in others):
            kept.append(text)
    return kept


def _says_all_of(words: tuple[str, ...], other: tuple[str, ...], *, first: bool) -> bool:
    """Whether the other text makes this one needless; of two equal ones the first stays."""
    if words == other:
        return first
    if len(words) >= len(other) or _is_negative(words) != _is_negative(other):
        return False
    rest = iter(other)
    return all(word in rest for word in words)


def _fold(text: str) -> tuple[str, ...]:
    """The words as they are compared: without case, and without punctuation around them."""
    folded = unicodedata.normalize("NFC", text).casefold().replace("’", "'")
    return tuple(word.strip(_PUNCTUATION) or word for word in folded.split())


def _is_negative(folded: Sequence[str]) -> bool:
    return sum(word in _NEGATIONS for word in folded) % 2 == 1


def _split(text: str) -> list[_Unit]:
    pieces = text.splitlines() if "\n" in text else _SENTENCE_END.split(text)
    return [
        _Unit(piece.rstrip(), tuple(piece.split()), _fold(piece))
        for piece in pieces
        if piece.strip()
    ]


def _align(places: list[_Place], units: Sequence[_Unit]) -> list[_Place]:
    """Put each unit where it is said already, else beside what it resembles, else in between."""
    said = {unit.folded for place in places for unit in place.units}
    result: list[_Place] = []
    next_place = next_unit = 0
    for place_at, unit_at in [*_find_common(places, units), (len(places), len(units))]:
        new = [unit for unit in units[next_unit:unit_at] if unit.folded not in said]
        result += _fill(places[next_place:place_at], new)
        result += places[place_at : place_at + 1]
        next_place, next_unit = place_at + 1, unit_at + 1
    return result


def _fill(places: Sequence[_Place], units: Sequence[_Unit]) -> list[_Place]:
    """The places between two anchors, with the units that came between them."""
    result = list(places)
    open_places = list(places)
    for unit in units:
        found = next((place for place in open_places if place.takes(unit)), None)
        if found is None:
            result.append(_Place([unit]))
        else:
            found.units.append(unit)
            del open_places[: open_places.index(found) + 1]
    return result


def _find_common(places: Sequence[_Place], units: Sequence[_Unit]) -> list[tuple[int, int]]:
    """The longest common subsequence, as pairs of positions."""
    lengths = [[0] * (len(units) + 1) for _ in range(len(places) + 1)]
    for i in reversed(range(len(places))):
        for j in reversed(range(len(units))):
            lengths[i][j] = (
                1 + lengths[i + 1][j + 1]
                if places[i].holds(units[j])
                else max(lengths[i + 1][j], lengths[i][j + 1])
            )
    pairs, i, j = [], 0, 0
    while i < len(places) and j < len(units):
        if places[i].holds(units[j]):
            pairs.append((i, j))
            i, j = i + 1, j + 1
        elif lengths[i + 1][j] >= lengths[i][j + 1]:
            i += 1
        else:
            j += 1
    return pairs


def _factor(units: Sequence[_Unit]) -> str | None:
    """The units said as one: what they share once, where they differ joined; None if that fails.

    They must share their beginning with a word that bears meaning, for a shared end alone
    would join subjects ("Alice and Bob owns"); numbers may differ at the beginning too.
    """
    if len({unit.negates for unit in units}) > 1:
        return None
    head = _count_shared([unit.folded for unit in units])
    tail = _count_shared([unit.folded[head:][::-1] for unit in units])
    first = units[0].words
    middles = [unit.words[head : len(unit.words) - tail] for unit in units]
    if not all(0 < len(middle) <= MAX_DIFFERING_WORDS for middle in middles):
        return None
    are_numbers = all(_NUMBER.fullmatch(word) for middle in middles for word in middle)
    bearing = first[:head] if head or not are_numbers else first[len(first) - tail :]
    if not any(word.casefold() not in _FUNCTION_WORDS for word in bearing):
        return None
    before = first[head - 1].casefold() if head else ""
    is_choice = are_numbers or before in _ALTERNATIVE_AFTER or before.endswith((":", "="))
    joined = _enumerate([" ".join(m) for m in middles], "or" if is_choice else "and", tail=tail)
    return " ".join([*first[:head], joined, *first[len(first) - tail :]])


def _count_shared(sequences: Sequence[tuple[str, ...]]) -> int:
    """How many items all sequences begin with."""
    count = 0
    for items in zip(*sequences, strict=False):
        if len(set(items)) > 1:
            break
        count += 1
    return count


def _enumerate(parts: Sequence[str], word: str, *, tail: int) -> str:
    """`a, b and c`; the mark that ends a sentence stays at its end."""
    end = parts[-1][-1:] if not tail and parts[-1][-1:] in ".!?" else ""
    bare = parts if tail else [part.rstrip(".!?") for part in parts]
    return f"{', '.join(bare[:-1])} {word} {bare[-1]}{end}"


def _join(units: Sequence[str], *, has_lines: bool) -> str:
    if has_lines:
        return "\n".join(units)
    ended = [unit if unit[-1:] in ".!?。！？" else f"{unit}." for unit in units[:-1]]
    return " ".join([*ended, *units[-1:]])
