"""Vocabulary: every distinct chunk of text once, with what it is and what it costs."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import numpy as np

from helix_lab.domain.context import lexicon
from helix_lab.domain.context.digest import TokenCounter
from helix_lab.domain.context.tokens import cost_of, count_tokens

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Kinds of chunks, as bits.
FUNCTION: Final = 1 << 0  # says nothing alone
FILLER: Final = 1 << 1
NEGATION: Final = 1 << 2
NUMBER: Final = 1 << 3
TIME: Final = 1 << 4
CAPITAL: Final = 1 << 5
ENDS: Final = 1 << 6  # the sentence ends behind it
ASKS: Final = 1 << 7  # … with a question mark
FIRST_PERSON: Final = 1 << 8
SECOND_PERSON: Final = 1 << 9
MONTH: Final = 1 << 10
UNIT: Final = 1 << 11  # belongs to the number before it
SYMBOL: Final = 1 << 12  # no letter and no digit
IDENTIFIER: Final = 1 << 13  # URL, path, version, code in backticks: never bent
BLOCK: Final = 1 << 14  # code, JSON or tool output: whole or not at all
SENTENCE: Final = 1 << 15  # a whole sentence of a script or language without our word lists
BREAK: Final = 1 << 16  # end of a line
DECIDES: Final = 1 << 17
DIGITS: Final = 1 << 18
ENUMERATOR: Final = 1 << 19  # of a list, or a number at the end of a sentence
PICTURE: Final = 1 << 20  # emoji and the like: a symbol that may say something

CAPTION: Final = 1 << 21  # opens the description of a picture
ADVERB: Final = 1 << 22
RESOLVES: Final = 1 << 23  # says that something was settled
RUNS_ON: Final = 1 << 24  # a number without anything behind it: the next one may belong to it
LINK: Final = 1 << 25  # makes one amount of the numbers on both sides
PREFIX: Final = 1 << 26  # belongs to the number behind it
PERHAPS_MONTH: Final = 1 << 27  # in small letters also a verb

LINE_END = "\x01"
BLOCK_MARK = "\x02"
SENTENCE_MARK = "\x03"
SPAN_MARK = "\x04"
_MARKED = LINE_END + BLOCK_MARK + SENTENCE_MARK + SPAN_MARK
GLUE = "\x00"  # stands for a space inside of one chunk

_OPENING = "\"'“‘«([{*_~`¿¡<|>-–—…=+&;,.:!?/\\#^•·→"
_CLOSING = "\"'”’»)]}*_~`.,;:!?…—–-<|>^•·"
_BRACKETS = {")": "(", "]": "[", "}": "{"}
_KEEPS_OPENING = re.compile(r"(?:[-+<>≤≥~=]{0,2}[$€£¥]?\.?\d|[#@/.~_\\][\w/.]|--?\w)")
_IDENTIFIER = re.compile(
    r"://|[A-Za-z]\d|\d[A-Za-z]|_|[a-z][A-Z]|\w\.\w|@|\w/\w|\\|::|^[/~.#-]\w|\w[+#]$|`"
)
_NUMBER = re.compile(r"[-+<>≤≥~=]*[$€£¥#]?\.?\d")
_ENUMERATOR = re.compile(r"\d{1,3}[.)]$")
_INITIAL = re.compile(r"[a-zA-Z][.)]$")
_RUNS_ON = re.compile(r"[+(]?\d[\d().-]*(?<=\d)$|\(\d+\)$")
_LONGEST_WORD = 200
_ALSO_VERBS = frozenset(("may", "march", "mar", "second", "sec", "sat", "sun"))
_ENDING = re.compile(r"[.!?…][\"'”’)\]*_]*$")


class Vocabulary(dict[str, int]):
    """Chunk → type; looking up a new chunk adds it.

    A vocabulary belongs to the analysis that is being made. A later one extends a copy, so a
    finished analysis never changes.
    """

    def __init__(self, counter: TokenCounter, known: Vocabulary | None = None) -> None:
        super().__init__(known or {})
        self.counter = counter
        self._is_built_in = counter is count_tokens
        self.chunks: list[str] = list(known.chunks) if known else []
        self.texts: list[str] = list(known.texts) if known else []
        self.flags: list[int] = list(known.flags) if known else []
        self.costs: list[int] = list(known.costs) if known else []
        self.raw_costs: list[int] = list(known.raw_costs) if known else []
        self.words: list[int] = list(known.words) if known else []
        self.word_ids: dict[str, int] = dict(known.word_ids) if known else {}

    def __missing__(self, chunk: str) -> int:
        """Take a new chunk in."""
        text, flags = _read(chunk)
        number = len(self.texts)
        self.chunks.append(chunk)
        self.texts.append(text)
        self.flags.append(flags)
        if flags & BREAK:
            self.costs.append(0)
            self.raw_costs.append(0)
        else:
            cost = self._cost(text)
            self.costs.append(cost)
            self.raw_costs.append(cost if text == chunk else self._cost(self.raw(chunk)))
        self.words.append(self.word_ids.setdefault(fold(text), len(self.word_ids)))
        self[chunk] = number
        return number

    def _cost(self, text: str) -> int:
        if self._is_built_in:
            if text.isascii() and text.isalpha():
                return 100 + 11 * max(0, len(text) - 6)
            return cost_of(text)
        return 100 * self.counter(" " + text)

    def raw_of(self, number: int) -> str:
        """The chunk of a type as it stands in the message; a line end is nothing."""
        if self.flags[number] & BREAK:
            return ""
        return self.raw(self.chunks[number])

    @staticmethod
    def raw(chunk: str) -> str:
        """The chunk as it stands in the message."""
        if chunk[0] in _MARKED:
            chunk = chunk[1:]
        return chunk.replace(GLUE, " ")

    def array(self, column: list[int]) -> NDArray[np.int64]:
        """A column as an array."""
        return np.array(column, dtype=np.int64)


def fold(text: str) -> str:
    """A word as it is compared with others: without case and without a genitive."""
    lower = text.lower().replace("’", "'")
    return lower[:-2] if lower.endswith("'s") and len(lower) > 3 else lower  # noqa: PLR2004


def _read(chunk: str) -> tuple[str, int]:
    """What to print for a chunk, and its flags."""
    if chunk[0] in _MARKED:
        return _read_marked(chunk)
    if chunk.isalpha():
        return chunk, _kind(chunk, chunk)
    if chunk == "[image:":
        return chunk, SYMBOL | CAPTION
    core = strip(chunk)
    return _without_genitive(core) or chunk, _ending(chunk) | _kind(core, chunk)


def _read_marked(chunk: str) -> tuple[str, int]:
    text = chunk[1:]
    if chunk[0] == BLOCK_MARK:
        return text, BLOCK | ENDS | IDENTIFIER
    if chunk[0] == SENTENCE_MARK:
        return text, SENTENCE | ENDS | (NUMBER if any(map(str.isdigit, text)) else 0)
    if chunk[0] == SPAN_MARK:
        return text.replace(GLUE, " "), IDENTIFIER | _ending(text)
    return "", BREAK | ENDS | SYMBOL


def _without_genitive(core: str) -> str:
    """A possessor is named without its ending, which costs as much as a word."""
    if core[-2:] in {"'s", "’s"} and core[:-2].isalpha():
        return core[:-2]
    return core


def strip(chunk: str) -> str:
    """A chunk without the punctuation around it; signs that change its meaning stay."""
    start, end = 0, len(chunk)
    if end > _LONGEST_WORD:
        return chunk
    while start < end and chunk[start] in _OPENING and not _KEEPS_OPENING.match(chunk, start):
        start += 1
    while end > start and _can_drop(chunk, start, end):
        end -= 1
    return chunk[start:end]


def _can_drop(chunk: str, start: int, end: int) -> bool:
    sign = chunk[end - 1]
    if sign == "_":
        return chunk[start] != "_"
    opening = _BRACKETS.get(sign)
    if opening and chunk.count(opening, start, end) >= chunk.count(sign, start, end):
        return False
    return sign in _CLOSING


def _ending(chunk: str) -> int:
    if chunk.isalnum() or chunk.lower() in lexicon.ABBREVIATIONS or _INITIAL.match(chunk):
        return 0
    found = _ENDING.search(chunk)
    if found is None:
        return 0
    return ENDS | (ASKS if "?" in chunk[-4:] else 0)


_LISTS = (
    (FUNCTION, lexicon.STOP),
    (FILLER, lexicon.FILLER),
    (NEGATION, lexicon.NEGATIONS),
    (TIME, lexicon.TIME),
    (NUMBER, lexicon.NUMBERS),
    (FIRST_PERSON, lexicon.FIRST_PERSON),
    (SECOND_PERSON, lexicon.SECOND_PERSON),
    (MONTH, lexicon.MONTHS),
    (UNIT, lexicon.UNITS),
    (LINK, lexicon.LINKS),
    (PREFIX, lexicon.PREFIXES),
    (DECIDES, lexicon.DECISION),
    (RESOLVES, lexicon.RESOLUTION),
)


def _listed() -> dict[str, int]:
    table: dict[str, int] = {}
    for bit, words in _LISTS:
        for word in words:
            table[word] = table.get(word, 0) | bit
    for word in lexicon.NEGATIONS:
        table[word] = table[word] & ~(FUNCTION | FILLER)
    return table


_LISTED = _listed()


def _kind(core: str, chunk: str) -> int:
    lower = core.lower().replace("’", "'")
    flags = _LISTED.get(lower or chunk, 0)
    if core[:1].isupper():
        flags |= CAPITAL
    if lower in _ALSO_VERBS:
        flags = _or_verb(flags)
    if core.isalpha():
        return flags | (ADVERB if lower.endswith("ly") else 0)
    if not any(map(str.isalnum, core)):
        return flags | (PICTURE if _is_picture(chunk) else SYMBOL)
    if lower.endswith("n't"):
        return flags | NEGATION
    return flags | _kind_of_mixed(core, chunk)


def _or_verb(flags: int) -> int:
    """Of a time that is a verb or the like in small letters."""
    if flags & CAPITAL:
        return flags & ~FUNCTION
    return flags & ~(MONTH | TIME) | (PERHAPS_MONTH if flags & MONTH else 0)


def _kind_of_mixed(core: str, chunk: str) -> int:
    """Of letters, digits and signs together."""
    if _NUMBER.match(core):
        listed = ENUMERATOR if _ENUMERATOR.match(chunk) else 0
        return NUMBER | DIGITS | listed | (RUNS_ON if _RUNS_ON.match(chunk) else 0)
    flags = IDENTIFIER if _IDENTIFIER.search(core) else 0
    return flags | (NUMBER if any(map(str.isdigit, core)) else 0)


def _is_picture(chunk: str) -> bool:
    return any(ord(sign) > 0x2190 for sign in chunk)  # noqa: PLR2004 -- arrows and beyond
