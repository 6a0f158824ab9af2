"""Tokens: the words of a text with their places, and which of them stand in code markup.

The model was trained on texts that were split alike: contractions come apart (`do|n't`), while
`re.sub()`, `C++`, `std::vector<char>` and `server-side` stay whole. Every repetition below is
bounded or cannot be entered twice, so the time grows with the length of the text alone.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

LONGEST: Final = 64
"""Characters of a word; what is longer is no name."""

_TOKEN = re.compile(
    r"""
      https?://[^\s<>"'`)\]]+
    | </?[A-Za-z][\w-]{0,30}\s?/?>
    | (?:Mr|Mrs|Ms|Dr|Prof|St|Mt)\.(?=\s[A-Z]) | (?:[A-Z]\.){2,8}
    | [A-Za-z]{1,20}?(?=n['’]t\b) | n['’]t\b | ['’](?:s|m|re|ve|ll|d)\b
    | (?<![\w)])(?:--?(?=[A-Za-z])|[$@#.](?=\w))?
      [\w$]++(?:(?:[./\\_+:#&*@-]|::|->)(?=[\w$<])[\w$]*+(?:<\w{1,30}>)?)*+
      (?:\([^\s()]{0,40}\)(?!\w))?(?:\+\+|\#)?
    | \w++
    | ([^\w\s])\1*+
    """,
    re.VERBOSE,
)
_MARKUP = re.compile(r"```|(?<!`)`([^`\n]{1,200})`(?!`)|\n")
_SENTENCE_END: Final = frozenset(".!?…。！？")


@dataclass(slots=True)
class Tokens:
    """The tokens of a text, column by column.

    Attributes:
        words: as written.
        starts, ends: characters of the text.
        is_first: whether a sentence begins here.
        markup: `B` at the first token of inline code, `I` within it, else an empty text.
    """

    words: list[str]
    starts: list[int]
    ends: list[int]
    is_first: list[bool]
    markup: list[str]


def tokenize(text: str) -> Tokens:
    """The tokens of a text. Blocks of code between fences are left out."""
    tokens = Tokens([], [], [], [], [])
    at = 0
    is_fenced = False
    is_first = True
    for found in _MARKUP.finditer(text):
        if not is_fenced:
            is_first = _add(tokens, text, at, found.start(), "", is_first=is_first)
            if found[1] is not None:
                is_first = _add(tokens, text, *found.span(1), "B", is_first=is_first)
        at = found.end()
        if found[0] == "```":
            is_fenced = not is_fenced
        is_first = is_first or found[0] in {"\n", "```"}
    if not is_fenced:
        _add(tokens, text, at, len(text), "", is_first=is_first)
    return tokens


def _add(tokens: Tokens, text: str, start: int, end: int, markup: str, *, is_first: bool) -> bool:
    """Add what lies between two places; answers whether a sentence begins after it."""
    for found in _TOKEN.finditer(text, start, end):
        word = found[0]
        tokens.words.append(word)
        tokens.starts.append(found.start())
        tokens.ends.append(found.end())
        tokens.is_first.append(is_first)
        tokens.markup.append(markup)
        markup = "I" if markup else ""
        is_first = word[0] in _SENTENCE_END and not markup
    return is_first
