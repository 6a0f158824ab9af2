"""The built-in token counter: what a text costs a model, without any model's vocabulary.

A linear rule over pieces of text, fitted to the cl100k vocabulary on prose, dialogue and
code; on such texts it is within a few per cent, on tables and other scripts within about
ten. Counts are integers, deterministic, and additive within the rounding of one token.
"""

from __future__ import annotations

import math
import re

# Costs in hundredths of a token.
_WORD = 100
_LETTER_BEYOND_SIX = 11
_DIGIT_GROUP = 100
_NEWLINE_RUN = 31
_PUNCTUATION = 80
_CYRILLIC_LETTER = 40
_LATIN_EXTENDED_LETTER = 57
_OTHER_LETTER = 95

_NEWLINE_RUNS = re.compile(rb"\n+")
_PUNCTUATION_MARKS = re.compile(r"[^\w\s\x00-\x7f]")
_CYRILLIC = re.compile(r"[\u0400-\u052f]")
_LATIN_EXTENDED = re.compile(r"[\u00c0-\u024f\u1e00-\u1eff]")
_OTHERS = re.compile(r"[^\W_A-Za-z0-9\u00c0-\u024f\u1e00-\u1eff\u0400-\u052f]")


_LETTERS = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_DIGITS = b"0123456789"
_SPACES = b"\t\n\x0b\x0c\r\x1c\x1d\x1e\x1f "
_NOT_PUNCTUATION = _LETTERS + _DIGITS + _SPACES + bytes(range(128, 256))


def _keep_only(kept: bytes) -> bytes:
    """A translation table that makes a space of every other byte."""
    return bytes(byte if byte in kept else 32 for byte in range(256))


_TO_WORDS = _keep_only(_LETTERS)
_TO_NUMBERS = _keep_only(_DIGITS)


def count_tokens(text: str) -> int:
    """Size of a text in model tokens; 0 for an empty one, at least 1 for any other."""
    return max(1, math.ceil(cost_of(text) / 100)) if text else 0


def cost_of(text: str) -> int:
    """Size of a text in hundredths of a token: exactly additive over pieces between spaces."""
    cost = _cost_of_ascii(text.encode("utf-8", "replace"))
    if not text.isascii():
        cost += _PUNCTUATION * len(_PUNCTUATION_MARKS.findall(text))
        cost += _CYRILLIC_LETTER * len(_CYRILLIC.findall(text))
        cost += _LATIN_EXTENDED_LETTER * len(_LATIN_EXTENDED.findall(text))
        cost += _OTHER_LETTER * len(_OTHERS.findall(text))
    return cost


def _cost_of_ascii(raw: bytes) -> int:
    """Cost of the ASCII characters of a text in UTF-8, by tables: every message comes here."""
    words = raw.translate(_TO_WORDS).split()
    cost = _WORD * len(words)
    cost += _LETTER_BEYOND_SIX * sum([len(word) - 6 for word in words if len(word) > 6])  # noqa: PLR2004
    cost += _PUNCTUATION * len(raw.translate(None, _NOT_PUNCTUATION))
    numbers = raw.translate(_TO_NUMBERS).split()
    cost += _DIGIT_GROUP * sum([(len(number) + 2) // 3 for number in numbers])
    if b"\n" in raw:
        cost += _NEWLINE_RUN * len(_NEWLINE_RUNS.findall(raw))
    return cost
