"""Known names: where the terms of the gazetteer stand in a text."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final

from helix_lab.domain.knowledge import gazetteer
from helix_lab.domain.knowledge.lexicon import HALF_TECHNICAL, QUESTION_OPENERS, TECHNICAL
from helix_lab.domain.knowledge.tokens import LONGEST, Tokens, tokenize

_SHORT: Final = 3
"""A shorter alias counts in its own case alone: `JS`, not `js`; `AI`, not `ai`."""


@dataclass(frozen=True, slots=True)
class Found:
    """A known name in a list of tokens: those from `first` up to `end`."""

    first: int
    end: int
    type: str


@dataclass(frozen=True, slots=True)
class _Entry:
    """An alias: its words as written, and when it counts.

    Attributes:
        is_cased: only as written.
        is_word: also a word of English.
    """

    words: tuple[str, ...]
    type: str
    is_cased: bool
    is_word: bool

    def fits(self, words: Sequence[str]) -> bool:
        """Whether words are this alias, in the case that it asks for."""
        if self.is_cased or self.is_word:
            return tuple(words) == self.words
        return [word.lower() for word in words] == [word.lower() for word in self.words]


@cache
def _entries() -> dict[str, tuple[_Entry, ...]]:
    """The aliases by their first word in lower case, the longest first."""
    common = frozenset(gazetteer.sections()[gazetteer.COMMON])
    found: dict[str, list[_Entry]] = {}
    for term in gazetteer.terms():
        for place, name in enumerate((term.name, *term.aliases)):
            words = tuple(tokenize(name).words)
            is_word = term.is_word and not place
            is_cased = is_word or len(name) < _SHORT or (name.isalpha() and name.lower() in common)
            entry = _Entry(words, term.type, is_cased and not name.islower(), is_word)
            found.setdefault(words[0].lower(), []).append(entry)
    return {
        first: tuple(sorted(entries, key=lambda entry: -len(entry.words)))
        for first, entries in found.items()
    }


def is_technical(tokens: Tokens) -> bool:
    """Whether a text is about software: markup, a word of the trade, or an identifier."""
    if any(tokens.markup):
        return True
    points = 0.0
    for word in dict.fromkeys(tokens.words):
        points += _points(word)
        if points >= 1:
            return True
    return False


def _points(word: str) -> float:
    lower = word.lower()
    if lower in TECHNICAL or _is_plain_technology(lower) or "_" in word[1:-1] or "::" in word:
        return 1.0
    if word.endswith("()"):
        return 1.0
    return 0.5 if lower in HALF_TECHNICAL or lower in _software_words() else 0.0


@cache
def _software_words() -> frozenset[str]:
    return frozenset(gazetteer.sections()[gazetteer.SOFTWARE])


def _is_plain_technology(lower: str) -> bool:
    return any(
        entry.type == "technology" and len(entry.words) == 1 and not entry.is_word
        for entry in _entries().get(lower, ())
    )


def find_known(tokens: Tokens, *, technical: bool) -> list[Found]:
    """The known names of a text, the longest at each place.

    Args:
        tokens: of the whole text.
        technical: whether a word of English may be the name of a technology here.
    """
    entries = _entries()
    found: list[Found] = []
    after = 0
    for place, word in enumerate(tokens.words):
        if place < after or word.lower() not in entries:
            continue
        for entry in entries[word.lower()]:
            if _stands(entry, tokens, place, technical=technical):
                after = place + len(entry.words)
                found.append(Found(place, after, entry.type))
                break
    return found


_IDENTIFIER: Final = re.compile(
    r"[a-z]+(?:[A-Z][a-z0-9]*)+$|[A-Za-z_]*[a-z0-9]_\w*[a-z0-9](?:\(\))?$|[\w.:]+\([^()]*\)$"
    r"|\w+(?:::\w+)+$|(?:[A-Z][a-z]+)+(?:Error|Exception)$"
    r"|[\w-]+\.(?:py|jsx?|tsx?|java|cpp|cs|php|rb|rs|html|css|xml|json|ya?ml|txt|csv|sql|sh|exe|md"
    r"|ini|toml|ipynb|conf|log)$"
)


_VERSION: Final = re.compile(r"v\d+(?:\.\d+)*$|\d+(?:\.\d+){2,3}$")


def find_identifiers(tokens: Tokens) -> list[Found]:
    """What only code has: `fooBar`, `foo_bar`, `foo()`, `a::b`, `KeyError`, `main.py`, `v1.2`."""
    found = []
    for place, word in enumerate(tokens.words):
        if len(word) > LONGEST or (word.isalpha() and word.islower()):
            continue
        if _IDENTIFIER.match(word):
            found.append(Found(place, place + 1, "code"))
        elif _VERSION.match(word):
            found.append(Found(place, place + 1, "version"))
    return found


def _stands(entry: _Entry, tokens: Tokens, place: int, *, technical: bool) -> bool:
    end = place + len(entry.words)
    if any(tokens.is_first[place + 1 : end]) or not entry.fits(tokens.words[place:end]):
        return False
    if not entry.is_word:
        return True
    if _continues_name(tokens, place, end):
        return False
    if not _must_be_subject(tokens, place, end):
        return technical or entry.type == "organisation"
    following = tokens.words[end].lower() if end < len(tokens.words) else ""
    return technical and following in QUESTION_OPENERS


def _must_be_subject(tokens: Tokens, place: int, end: int) -> bool:
    """Whether a capital says nothing here, or a verb may stand here: `Go get it`."""
    if tokens.is_first[place]:
        return True
    following = tokens.words[end].lower() if end < len(tokens.words) else "."
    is_after_sign = not tokens.words[place - 1][-1].isalnum()
    return is_after_sign and following.isalpha() and following not in {"and", "or"}


def _continues_name(tokens: Tokens, place: int, end: int) -> bool:
    """Whether a capital word beside it makes it a part of another name."""
    after = end < len(tokens.words) and not tokens.is_first[end] and tokens.words[end][0].isupper()
    before = place > 0 and not tokens.is_first[place] and tokens.words[place - 1].istitle()
    return (after and tokens.words[end].lower() not in _entries()) or (
        before and not tokens.is_first[place - 1]
    )
