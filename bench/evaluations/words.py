"""Words as the evaluations see them: a stop list and stems of their own, not the compressor's."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from functools import lru_cache

# NLTK's English stop words, the contractions by their parts; function words only.
_FUNCTION_WORDS = """i me my myself we our ours ourselves you your yours yourself yourselves
    he him his himself
    she her hers herself it its itself they them their theirs themselves what which who whom this
    that these those am is are was were be been being have has had having do does did doing a an
    the and but if or because as until while of at by for with about against between into through
    during before after above below to from up down in out on off over under again further then
    once here there when where why how all any both each few more most other some such no nor not
    only own same so than too very s t can will just don should now d ll m o re ve y ain aren
    couldn didn doesn hadn hasn haven isn ma mightn mustn needn shan shouldn wasn weren won wouldn
    could would also"""
STOP = frozenset(_FUNCTION_WORDS.split())
NEGATION = re.compile(
    r"\b(?:not|no|never|none|nobody|nothing|cannot|neither|nor|\w+n['’]t)\b", re.I
)
TIME = re.compile(
    r"\b(?:yesterday|today|tonight|tomorrow|ago|last|next|(?:mon|tues|wednes|thurs|fri|satur|sun)day"
    r"|weeks?|weekends?|months?|years?|days?|summer|winter|spring|fall|autumn|morning|evening"
    r"|january|february|march|april|may|june|july|august|september|october|november|december"
    r"|\d+(?:st|nd|rd|th)?)\b",
    re.I,
)
DECISION = re.compile(
    r"\b(?:decid\w+|agreed|chose|choose|plan(?:s|ned|ning)?|going to|gonna|will|let['’]s"
    r"|(?:i|we)['’]ll|must|have to|need to)\b",
    re.I,
)
_WORD = re.compile(r"[^\W_]+")
_SENTENCE = re.compile(r"[^.!?\n]+")
_SUFFIX = re.compile(r"(?:ies|ing|edly|ed|es|s|ly|y|e)$")


@lru_cache(200_000)
def stem(word: str) -> str:
    """A word without its usual ending; short words stay."""
    lower = word.lower()
    short = _SUFFIX.sub("", lower)
    if len(short) > 3 and short[-1] == short[-2]:
        short = short[:-1]
    return short if len(short) > 2 else lower


def strong(text: str) -> list[str]:
    """Stems of all words that are no function words, in order."""
    return [stem(word) for word in _WORD.findall(text) if word.lower() not in STOP]


def stems(text: str) -> Counter[str]:
    """How often each stem occurs."""
    return Counter(stem(word) for word in _WORD.findall(text))


def negations(text: str) -> Counter[str]:
    """How often each negation occurs."""
    return Counter(found.lower().replace("’", "'") for found in NEGATION.findall(text))


def time_words(text: str) -> set[str]:
    """Stems of the words that say when."""
    return {stem(found) for found in TIME.findall(text)}


def decisions(text: str) -> list[list[str]]:
    """Strong words of each sentence that decides or plans something."""
    found = [part for part in _SENTENCE.findall(text) if DECISION.search(part)]
    return [words for words in map(strong, found) if len(words) >= 2]


def share(wanted: Iterable[str], held: Iterable[str]) -> float:
    """Share of distinct wanted stems that are held; 1 where nothing is wanted."""
    wanted_set = set(wanted)
    return len(wanted_set.intersection(held)) / len(wanted_set) if wanted_set else 1.0
