"""Gazetteer: the lists of known names that ship with the package, read once a process.

`data/terms.txt` is our own; `data/names.txt` is compiled by `bench/evaluations/entity_lists.py`;
`data/NOTICE.md` says from what and under which licences.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Final

LONGEST_NAME_WORDS: Final = 5

GIVEN_NAME: Final = "f"
SURNAME: Final = "n"
PLACE: Final = "c"
COMMON: Final = "l"
"""A word that is written in lower case as a rule."""
SOFTWARE: Final = "t"
"""A word that posts about software mostly use as a name of something in it."""


@dataclass(frozen=True, slots=True)
class Term:
    """A line of `terms.txt`.

    Attributes:
        name: to show.
        aliases: other names of the same thing, without the name.
        letter: of its group, as the model sees it.
        type: one of `ENTITY_TYPES`.
        is_word: its name is also a word of English.
    """

    name: str
    aliases: tuple[str, ...]
    letter: str
    type: str
    is_word: bool


def _read(name: str) -> str:
    return (files("helix_lab.domain.knowledge") / "data" / name).read_text(encoding="utf-8")


@cache
def terms() -> tuple[Term, ...]:
    """The known technologies, concepts and organisations, in the order of the file."""
    return tuple(_parse_terms(_read("terms.txt")))


def _parse_terms(text: str) -> Iterator[Term]:
    letter = kind = ""
    for line in text.splitlines():
        if not line or line.startswith("#"):
            continue
        if line.startswith("["):
            _, letter, kind = line.strip("[]").split()
            continue
        name, _, rest = line.partition(" = ")
        aliases = tuple(alias.strip() for alias in rest.split(", ")) if rest else ()
        yield Term(name.rstrip("!"), aliases, letter, kind, name.endswith("!"))


@cache
def sections() -> dict[str, tuple[str, ...]]:
    """The lists of `names.txt` by their letter: given names, surnames, places, common words."""
    found: dict[str, tuple[str, ...]] = {}
    for section in _read("names.txt").split("[")[1:]:
        letter, _, body = section.partition("]\n")
        found[letter] = tuple(body.rstrip("\n").split("\n"))
    return found


@cache
def letters() -> dict[str, str]:
    """Which lists hold a word in lower case, a letter each; a capital for a part of a name."""
    found: dict[str, str] = {}
    for letter in (COMMON, GIVEN_NAME, SURNAME, PLACE):
        for name in sections()[letter]:
            found[name] = found.get(name, "") + letter
    common = frozenset(sections()[COMMON])
    for term in terms():
        for name in (term.name, *term.aliases):
            words = name.lower().split()
            if len(words) == 1:
                _mark(found, words[0], term.letter)
            else:
                for word in words:
                    if len(word) > 2 and word not in common:  # noqa: PLR2004 # "of", "vs"
                        _mark(found, word, term.letter.upper())
    return found


def _mark(found: dict[str, str], word: str, letter: str) -> None:
    known = found.get(word, "")
    if letter not in known:
        found[word] = known + letter
