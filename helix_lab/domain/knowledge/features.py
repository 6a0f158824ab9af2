"""Features: what the model sees of a word, of a pair of words and of the markup.

Training and extraction call the same functions, so that a weight means one thing. A feature is
a short text; `bench/evaluations/entity_training.py` learns a weight for each, place and label.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from helix_lab.domain.knowledge.tokens import LONGEST

OFFSETS: Final = (-2, -1, 0, 1, 2)
"""Where a word may stand, seen from the word that is labelled."""

OUTSIDE: Final = "<s>"
"""Stands before the first and after the last word of a sentence."""

_NEAR: Final = ("l=", "s=", "z3", "g=", "k=", "W=")
_FAR: Final = ("l=", "g=")

_PARTS = re.compile(r"[A-Z]+(?![a-z])|[A-Z][a-z]+|[a-z]+|\d+")
_KINDS: Final = tuple(
    (name, re.compile(pattern))
    for name, pattern in {
        "call": r"[\w$.:>-]+\(.*\)$",
        "camel": r"[a-z]+[A-Z]\w*$",
        "pascal": r"[A-Z][a-z0-9]+[A-Z]\w*$",
        "snake": r"\w*[a-z0-9]_\w*$",
        "constant": r"[A-Z][A-Z0-9]*_[A-Z0-9_]+$",
        "dotted": r"[A-Za-z_$]\w*(?:\.[A-Za-z_$]\w*)+$",
        "file": r"[\w/-]+\.(?:py|js|ts|java|c|cpp|h|cs|php|rb|go|rs|html?|css|xml|json|ya?ml|txt|"
        r"csv|sql|sh|exe|dll|jar|pdf|png|jpe?g|log|ini|conf|md|jsp|aspx?|dat|gz|zip)$",
        "extension": r"\.[a-z]\w{0,5}$",
        "version": r"v?\d+(?:\.(?:\d+|x))+\w{0,6}$",
        "number": r"[-+]?\d+(?:[.,]\d+)*$",
        "list number": r"\(?\d+\)$",
        "hex": r"0x[0-9A-Fa-f]+$",
        "option": r"--?[A-Za-z][\w-]*$",
        "path": r"[\w.~-]*(?:/[\w.~-]+)+/?$",
        "tag": r"</?[A-Za-z][\w-]*\s?/?>$",
        "scope": r"\w+(?:::\w+)+",
        "url": r"(?:https?://|www\.)",
        "at": r"@\w",
        "dollar": r"\$\w",
        "upper": r"[A-Z]{2,}$",
        "upper s": r"[A-Z]{2,}s$",
        "capital": r"[A-Z][a-z]+$",
        "letter": r"[A-Za-z]$",
        "digit in": r"[A-Za-z]+\d",
        "punctuation": r"[^\w\s]+$",
    }.items()
)
_SHAPE: Final = str.maketrans(
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789", "A" * 26 + "a" * 26 + "0" * 10
)
_SHORTEST_PLURAL: Final = 3
_REPEATED = re.compile(r"(.)\1+")


def fold(word: str) -> str:
    """A word as pairs and the markup elsewhere compare it: lower case, digits as 0."""
    return re.sub(r"\d", "0", word.lower()) if len(word) <= LONGEST else "<long>"


def shape(word: str) -> str:
    """Capitals, small letters, digits and signs, each run as one: `Server.js` is `Aa.a`."""
    return _REPEATED.sub(r"\1", word.translate(_SHAPE))[:12]


def describe(word: str, lists: Mapping[str, str]) -> list[str]:
    """The features of a word by itself.

    Args:
        word: as written.
        lists: which lists hold a word in lower case: one letter a list.
    """
    if word == OUTSIDE or len(word) > LONGEST:
        return ["l=" + (OUTSIDE if word == OUTSIDE else "<long>")]
    lower = word.lower()
    folded = fold(word)
    found = ["", "w=" + word, "l=" + folded, "s=" + shape(word)]
    found += [f"a{n}{folded[:n]}" for n in range(1, min(5, len(word)))]
    found += [f"z{n}{folded[-n:]}" for n in range(1, min(5, len(word)))]
    found += ["k=" + name for name, pattern in _KINDS if pattern.match(word)]
    found += ["g=" + letter for letter in lists.get(lower, "")]
    if word[:1].isupper():
        found.append("W=capital" if lists.get(lower, "").find("l") < 0 else "W=capital word")
    if not word.isalpha() or not (word.islower() or word.istitle()):
        found += ["p=" + part.lower() for part in _PARTS.findall(word)[:6]]
    elif len(word) > _SHORTEST_PLURAL and word.endswith("s") and word[-2] != "s":
        found.append("p=" + lower[:-1])
    else:
        found.append("p=" + lower)
    return found


def is_seen_from(feature: str, offset: int) -> bool:
    """Whether a feature of a word counts for the word that stands `offset` before it."""
    if offset == 0:
        return True
    return feature.startswith(_NEAR if abs(offset) == 1 else _FAR)


def pair(left: str, right: str) -> str:
    """The feature of two neighbours, each folded."""
    return f"{left} {right}"


def describe_markup(before: str, here: str, after: str, word_shape: str) -> list[str]:
    """The features of the code markup around a word; none where there is none."""
    found = []
    if before:
        found.append("m-" + before)
    if after:
        found.append("m+" + after)
    if here:
        found += ["m" + here, f"m{here}{word_shape}", f"m{here}|{before}|{after}"]
    return found


CODED_ELSEWHERE: Final = "coded"
"""The word stands in code markup somewhere else in the same text."""
