"""The built-in extractor: rules and lists go first, and a small model labels what they leave.

The model is asked only in a text about software, for it was trained on such texts.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Iterable
from functools import cache
from typing import Final

from helix_lab.domain.knowledge import gazetteer, weights
from helix_lab.domain.knowledge.dates import find_dates
from helix_lab.domain.knowledge.known import find_identifiers, find_known, is_technical
from helix_lab.domain.knowledge.mention import Mention
from helix_lab.domain.knowledge.names import (
    Name,
    find_names,
    is_common,
    is_speaker,
    speaker_words,
)
from helix_lab.domain.knowledge.tagger import Tagger
from helix_lab.domain.knowledge.tokens import LONGEST, Tokens, tokenize

TYPE_OF_LABEL: Final = {
    "Algorithm": "concept",
    "Application": "technology",
    "Class": "code",
    "Code_Block": "code",
    "Data_Structure": "data",
    "Data_Type": "data",
    "Device": "technology",
    "Error_Name": "code",
    "File_Name": "code",
    "File_Type": "data",
    "Function": "code",
    "HTML_XML_Tag": "code",
    "Language": "technology",
    "Library": "technology",
    "Operating_System": "technology",
    "Output_Block": "value",
    "User_Interface_Element": "interface",
    "User_Name": "person",
    "Value": "value",
    "Variable": "code",
    "Version": "version",
    "Website": "technology",
}
"""What the labels of the model are called here."""

BIAS: Final = -0.6
"""Added to the score of no entity: the model finds too little without. Best on the dev half."""

_SURE: Final = 0.95
_LIKELY: Final = 0.6
_MOST_LEAD: Final = 30.0
_QUOTED = re.compile(r"[\"“]([A-Z][^\"“”\n]{1,60}?)[,.!?]?[\"”]")
_TITLE_SMALL: Final = frozenset(
    {"of", "the", "a", "an", "and", "or", "in", "on", "to", "for", "with", "at", "by", "from", "de"}
)


@cache
def shared_tagger() -> Tagger:
    """The tagger with the weights of the package, made once a process."""
    return Tagger(weights.shipped(), gazetteer.letters())


class BuiltIn:
    """Rules and lists first, then the model."""

    version = "built-in-1"

    def extract(self, text: str, *, speakers: Collection[str] = ()) -> list[Mention]:
        """See `Extractor.extract`."""
        tokens = tokenize(text)
        if not tokens.words:
            return []
        spans = _Spans(text, tokens, speaker_words(speakers))
        technical = is_technical(tokens)
        _add_known(spans, tokens, technical=technical)
        guesses = _add_names(spans, tokens)
        if technical:
            for first, end, kind, confidence in _by_model(tokens):
                spans.add(first, end, kind, confidence)
        for guess in guesses:
            spans.add(guess.first, guess.end, guess.type, guess.confidence)
        return spans.mentions()


def _add_known(spans: _Spans, tokens: Tokens, *, technical: bool) -> None:
    """What rules are sure of: dates, known names, identifiers, titles in quotes."""
    for start, end in find_dates(spans.text):
        spans.add_characters(start, end, "date", _SURE)
    for known in find_known(tokens, technical=technical):
        spans.add(known.first, known.end, known.type, _SURE)
    for known in find_identifiers(tokens):
        spans.add(known.first, known.end, known.type, _SURE)
    for start, end in _quoted_titles(spans.text):
        spans.add_characters(start, end, "other", _LIKELY)


def _add_names(spans: _Spans, tokens: Tokens) -> list[Name]:
    """Names whose type something tells; answers those of which nothing does."""
    guesses = []
    for name in find_names(tokens, spans.taken):
        if name.type == "other":
            guesses.append(name)
        else:
            spans.add(name.first, name.end, name.type, name.confidence)
    return guesses


class _Spans:
    """What was found so far; the first that takes a token keeps it."""

    def __init__(self, text: str, tokens: Tokens, speakers: Collection[str]) -> None:
        self.text = text
        self._speakers = speakers
        self.taken: set[int] = set()
        self._tokens = tokens
        self._found: list[tuple[int, int, str, float]] = []
        self._place_at = {start: place for place, start in enumerate(tokens.starts)}

    def add(self, first: int, end: int, kind: str, confidence: float) -> None:
        """Take tokens, if all of them are free and name none of those who talk."""
        if not self.taken.isdisjoint(range(first, end)):
            return
        if is_speaker(self._tokens.words[first:end], self._speakers):
            return
        self.taken.update(range(first, end))
        start, stop = self._tokens.starts[first], self._tokens.ends[end - 1]
        self._found.append((start, stop, kind, confidence))

    def add_characters(self, start: int, end: int, kind: str, confidence: float) -> None:
        """Take characters, if a token begins there and all of theirs are free."""
        first = self._place_at.get(start)
        if first is None:
            return
        last = first
        while last < len(self._tokens.starts) and self._tokens.starts[last] < end:
            last += 1
        if self.taken.isdisjoint(range(first, last)):
            self.taken.update(range(first, last))
            self._found.append((start, min(end, self._tokens.ends[last - 1]), kind, confidence))

    def mentions(self) -> list[Mention]:
        """What was found, in order of the text."""
        return [
            Mention(self.text[start:end], kind, start, end, round(confidence, 3))
            for start, end, kind, confidence in sorted(self._found)
        ]


def _quoted_titles(text: str) -> Iterable[tuple[int, int]]:
    """What stands in double quotes and is written as a title."""
    for found in _QUOTED.finditer(text):
        words = found[1].split()
        if all(word[0].isupper() or word in _TITLE_SMALL or word[0].isdigit() for word in words):
            yield found.span(1)


def _by_model(tokens: Tokens) -> Iterable[tuple[int, int, str, float]]:
    tagger = shared_tagger()
    numbers, leads = tagger.tag(tokens.words, tokens.is_first, tokens.markup, bias=BIAS)
    labels = [tagger.labels[number] for number in numbers]
    for first, end, label in label_spans(labels):
        if any(len(word) > LONGEST for word in tokens.words[first:end]):
            continue
        kind = TYPE_OF_LABEL[label]
        if kind in {"technology", "code", "person"} and _is_generic(tokens, first, end):
            kind = "generic"
        yield first, end, kind, _logistic(min(leads[first:end]))


def _logistic(lead: float) -> float:
    return 1 / (1 + math.exp(-max(-_MOST_LEAD, min(lead, _MOST_LEAD))))


def label_spans(labels: Iterable[str]) -> Iterable[tuple[int, int, str]]:
    """The spans of BIO labels: first, end, type."""
    start, kind, place = 0, "", -1
    for place, label in enumerate(labels):
        if kind and label != "I-" + kind:
            yield start, place, kind
            kind = ""
        if label != "O" and not kind:
            start, kind = place, label[2:]
    if kind:
        yield start, place + 1, kind


def _is_generic(tokens: Tokens, first: int, end: int) -> bool:
    """Whether a span is but a common noun: `browser`, not `Firefox` nor `re.sub()`."""
    words = tokens.words[first:end]
    return not any(tokens.markup[first:end]) and all(
        word.isalpha() and (word.islower() or is_common(word.lower())) for word in words
    )
