"""Names: people, places, organisations and other things that a text writes with capitals.

A run of capital words is a candidate; the words in it, the words before it and the lists of
names decide its type. What nothing speaks for is `other`, and gives way to the model.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Final

from helix_lab.domain.knowledge import gazetteer
from helix_lab.domain.knowledge import lexicon as words
from helix_lab.domain.knowledge.tokens import Tokens

_LONGEST_RUN: Final = 8
_SHORTEST_NICKNAME: Final = 3
_ACRONYM: Final = range(2, 7)

SURE: Final = 0.9
LIKELY: Final = 0.75
GUESSED: Final = 0.5


@dataclass(frozen=True, slots=True)
class Name:
    """A run of tokens from `first` up to `end` that names something."""

    first: int
    end: int
    type: str
    confidence: float


@cache
def _lists() -> dict[str, frozenset[str]]:
    return {letter: frozenset(names) for letter, names in gazetteer.sections().items()}


def is_common(lower: str) -> bool:
    """Whether a word is written in lower case as a rule."""
    return (
        lower in _lists()[gazetteer.COMMON] or lower in words.NEVER or lower in words.STARTERS
    ) and lower not in _own_names()


@cache
def _own_names() -> frozenset[str]:
    """Given names that are hardly words."""
    return frozenset({"jack", "bob", "mary", "john", "james", "tom", "sam", "jim"})


def find_names(tokens: Tokens, taken: Collection[int]) -> list[Name]:
    """The names of a text in order.

    Args:
        tokens: of the whole text.
        taken: tokens that belong to something else already.
    """
    found = []
    for first, end in _runs(tokens, taken):
        start, stop = _trim(tokens, first, end)
        name = _classify(tokens, start, stop) if start < stop else None
        if name is not None:
            found.append(name)
    return found


def speaker_words(speakers: Collection[str]) -> frozenset[str]:
    """The words of the names of speakers, in lower case."""
    return frozenset(word for name in speakers for word in name.lower().split())


def is_speaker(name: Collection[str], speakers: Collection[str]) -> bool:
    """Whether a name is one of those who talk, or short for one: `Mel` for `Melanie`."""
    if not speakers:
        return False
    return all(
        any(
            word.lower() == own
            or (len(word) >= _SHORTEST_NICKNAME and own.startswith(word.lower().rstrip(".")))
            for own in speakers
        )
        for word in name
    )


# runs of capital words ------------------------------------------------------------------


def _runs(tokens: Tokens, taken: Collection[int]) -> Iterator[tuple[int, int]]:
    place, count = 0, len(tokens.words)
    while place < count:
        if not _is_capital(tokens, place, taken):
            place += 1
            continue
        end = place + 1
        while end < count and end - place < _LONGEST_RUN:
            step = _step(tokens, end, taken)
            if not step:
                break
            end += step
        yield place, end
        place = end


def _is_capital(tokens: Tokens, place: int, taken: Collection[int]) -> bool:
    word = tokens.words[place]
    if not word[0].isupper() or place in taken or tokens.markup[place]:
        return False
    if word.lower() in words.CALENDAR or len(word) == 1:
        return False
    return word.replace("-", "").replace("&", "").replace(".", "").isalnum()


def _step(tokens: Tokens, place: int, taken: Collection[int]) -> int:
    """How many tokens more belong to a run: a capital word, or small words before one."""
    if tokens.is_first[place]:
        return 0
    if _is_capital(tokens, place, taken):
        return 1
    width = 0
    while width < 2 and place + width < len(tokens.words):  # noqa: PLR2004 # "of the"
        if tokens.words[place + width] not in words.CONNECTORS - {"and", "for"}:
            break
        width += 1
        after = place + width
        if after < len(tokens.words) and _is_capital(tokens, after, taken):
            return width + 1
    return 0


def _trim(tokens: Tokens, first: int, end: int) -> tuple[int, int]:
    """A run without openers before it, and without what ends no name."""
    while first < end and _is_opener(tokens, first, end):
        first += 1
    while end > first and tokens.words[end - 1].lower() in words.NEVER | words.CONNECTORS:
        end -= 1
    return first, end


def _is_opener(tokens: Tokens, place: int, end: int) -> bool:
    lower = tokens.words[place].lower()
    if lower in words.NEVER or lower in words.CONNECTORS:
        return True
    if not tokens.is_first[place] or _follows_title(tokens, place):
        return False
    if not is_common(lower) or _heads_of(tokens, place, end):
        return False
    is_given = lower in _lists()[gazetteer.GIVEN_NAME]
    return not (is_given and (end - place > 1 or _speaks(tokens, end)))


def _heads_of(tokens: Tokens, place: int, end: int) -> bool:
    """Whether a name goes on as `University of …` does."""
    heads = words.ORGANISATION_WORDS | words.PLACE_WORDS
    return (
        place + 2 < end
        and tokens.words[place + 1] == "of"
        and (tokens.words[place].lower() in heads)
    )


def _speaks(tokens: Tokens, place: int) -> bool:
    return place < len(tokens.words) and tokens.words[place].lower() in words.PERSON_AFTER


# what kind of name ----------------------------------------------------------------------


def _classify(tokens: Tokens, first: int, end: int) -> Name | None:
    own = [tokens.words[place].lower() for place in range(first, end)]
    if _follows_title(tokens, first):
        return Name(first, end, "person", SURE)
    if own[0].rstrip(".") in words.TITLES and len(own) > 1:
        return Name(first + 1, end, "person", SURE)
    if len(own) == 1:
        return _classify_word(tokens, first, own[0])
    return _classify_words(tokens, first, end, own)


def _follows_title(tokens: Tokens, first: int) -> bool:
    before = first - 1
    return before >= 0 and tokens.words[before].lower().rstrip(".") in words.TITLES


def _classify_words(tokens: Tokens, first: int, end: int, own: list[str]) -> Name | None:
    whole = " ".join(own)
    if whole in _lists()[gazetteer.PLACE]:
        return Name(first, end, "place", SURE)
    kind = _kind_of_head(own)
    if kind:
        return Name(first, end, kind, SURE)
    if _is_person(own) or _person_before(tokens, first):
        return Name(first, end, "person", SURE if own[-1] in _lists()["n"] else LIKELY)
    if all(is_common(word) for word in own) and tokens.is_first[first]:
        return None
    if own[-1] in _lists()[gazetteer.PLACE] and own[0] not in words.NATIONALITIES:
        return Name(first, end, "place", LIKELY)
    return Name(first, end, "other", GUESSED)


def _kind_of_head(own: list[str]) -> str:
    """The type that the head of a name tells: its last word, or the first of `University of …`."""
    heads = own[-1:]
    if "of" in own or own[0] in {"mount", "lake", "mt.", "cafe", "café"}:
        heads = [own[0].rstrip("."), *heads]
    if len(own) > 2 and "of" in own:  # noqa: PLR2004 # something before and after it
        heads.append(own[own.index("of") - 1])
    for head in heads:
        for kind, known in (
            ("organisation", words.ORGANISATION_WORDS),
            ("place", words.PLACE_WORDS),
            ("event", words.EVENT_WORDS),
        ):
            if head in known:
                return kind
    return ""


def _is_person(own: list[str]) -> bool:
    given, family = _lists()[gazetteer.GIVEN_NAME], _lists()[gazetteer.SURNAME]
    if own[0] not in given or len(own) > 3 or "the" in own or "of" in own:  # noqa: PLR2004
        return False
    if own[0] in _lists()[gazetteer.COMMON]:
        return own[-1] in family and own[-1] not in _lists()[gazetteer.COMMON]
    return own[-1] in family or not is_common(own[-1])


def _person_before(tokens: Tokens, first: int) -> bool:
    place = first - 1
    if place >= 0 and tokens.words[place] == ",":
        place -= 1
    return place >= 0 and tokens.words[place].lower() in words.PERSON_BEFORE


def _classify_word(tokens: Tokens, place: int, own: str) -> Name | None:
    if own in words.NATIONALITIES | words.TITLES:
        return None
    is_given = own in _lists()[gazetteer.GIVEN_NAME]
    is_place = own in _lists()[gazetteer.PLACE]
    after_place_word = place > 0 and tokens.words[place - 1].lower() in words.PLACE_BEFORE
    if tokens.words[place].isupper() and not is_place:
        return _classify_acronym(tokens, place, own)
    if _person_before(tokens, place):
        return Name(place, place + 1, "person", SURE if is_given else LIKELY)
    if is_place and (after_place_word or not is_given):
        return _as_place(tokens, place, own, after_place_word=after_place_word)
    if is_given:
        return _as_person(tokens, place, own)
    return _guess(tokens, place, own, after_place_word=after_place_word)


def _guess(tokens: Tokens, place: int, own: str, *, after_place_word: bool) -> Name | None:
    if is_common(own) or tokens.is_first[place]:
        return None
    word = tokens.words[place]
    is_place = after_place_word and word.isalpha() and word.istitle()
    return Name(place, place + 1, "place" if is_place else "other", GUESSED)


def _as_place(tokens: Tokens, place: int, own: str, *, after_place_word: bool) -> Name | None:
    if is_common(own) and (tokens.is_first[place] or not after_place_word):
        return None
    return Name(place, place + 1, "place", SURE if after_place_word else LIKELY)


def _as_person(tokens: Tokens, place: int, own: str) -> Name | None:
    if not is_common(own):
        return Name(place, place + 1, "person", SURE)
    if tokens.is_first[place] and not _speaks(tokens, place + 1):
        return None
    return Name(place, place + 1, "person", LIKELY)


def _classify_acronym(tokens: Tokens, place: int, own: str) -> Name | None:
    neighbours = tokens.words[max(0, place - 1) : place] + tokens.words[place + 1 : place + 2]
    is_shouted = any(word.isupper() and len(word) > 1 for word in neighbours)
    if is_shouted or len(own) not in _ACRONYM or is_common(own) or not own.isalpha():
        return None
    return Name(place, place + 1, "concept", LIKELY)
