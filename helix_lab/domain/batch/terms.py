"""Terms: the words of a text that may tell its topic."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any, Final

from helix_lab.domain.batch.rows import Columns, list_rows, to_columns
from helix_lab.domain.context import lexicon

TERM_NAMES: Final = ("conversation_id", "position", "term", "mentions")
"""A term of a message, and how often it stands there."""

_WORD = re.compile(r"[^\W\d_][\w'+#-]*[\w+#]")
_LONGEST: Final = 40
_LEAST: Final = 3
_TOPICLESS: Final = (
    lexicon.STOP
    | lexicon.FILLER
    | lexicon.NEGATIONS
    | lexicon.TIME
    | lexicon.NUMBERS
    | lexicon.DECISION
)


def find_terms(text: str) -> Counter[str]:
    """The terms of a text in lower case, and how often each stands there."""
    words = (found.group().replace("’", "'").casefold() for found in _WORD.finditer(text))
    plain = (word.removesuffix("'s") for word in words)
    return Counter(word for word in plain if _LEAST <= len(word) <= _LONGEST and _tells(word))


def _tells(word: str) -> bool:
    return word not in _TOPICLESS and "'" not in word


def read_messages(columns: Columns) -> dict[str, list[Any]]:
    """The terms of rows of the dataset `conversations`."""
    names = ("conversation_id", "position", "content")
    rows = [
        (conversation_id, position, term, count)
        for conversation_id, position, content in list_rows(columns, names)
        for term, count in sorted(find_terms(content).items())
    ]
    return to_columns(rows, TERM_NAMES)


def read_turns(columns: Columns) -> dict[str, list[Any]]:
    """The terms of the answers in rows of the dataset `debates`."""
    names = ("conversation_id", "turn", "role", "response")
    rows = [
        (conversation_id, turn, term, count)
        for conversation_id, turn, role, response in list_rows(columns, names)
        if role == "answer" and response is not None
        for term, count in sorted(find_terms(response).items())
    ]
    return to_columns(rows, TERM_NAMES)
