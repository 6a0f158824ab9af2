"""Recall: what the conversations hold on a question, in a budget, current facts first."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from helix_lab.domain.context.analysis import Analysis, render_message
from helix_lab.domain.context.digest import Line, speaker_of
from helix_lab.domain.model.errors import BudgetTooSmall, InvalidRequest


@dataclass(frozen=True, slots=True)
class RecalledMessage:
    """A message that is given word for word.

    Attributes:
        conversation: position of its analysis in the given sequence.
        relevance: rank score against the query, comparable within one answer.
        superseded_by: the id of the newer message that says otherwise, if one does.
    """

    conversation: int
    message_id: str
    role: str
    speaker: str
    text: str
    time: datetime
    relevance: float
    superseded_by: str | None = None


@dataclass(frozen=True, slots=True)
class Superseded:
    """Two messages that state different things of the same matter.

    Attributes:
        kind: `update` where the newer replaces the older, `contradiction` where they oppose.
    """

    kind: str
    conversation: int
    current_id: str
    current_time: datetime
    stale_id: str
    stale_time: datetime


@dataclass(frozen=True, slots=True)
class Recalled:
    """What is known on a query.

    Attributes:
        messages: word for word, in the order in which a reader shall see them: the current
            value of a fact stands before the stale one.
        lines: further messages, compressed; the `conversation` of each is in `line_sources`.
        coverage: share of the query's weight in words that the answer holds.
        superseded: pairs among what is given, each with both dates.
        text: what was counted.
    """

    messages: tuple[RecalledMessage, ...]
    lines: tuple[Line, ...]
    line_sources: tuple[int, ...]
    coverage: float
    superseded: tuple[Superseded, ...]
    tokens: int
    tokenizer: str
    text: str

    def render(self) -> str:
        """The exact text that was counted."""
        return self.text


_WORD = re.compile(r"\w+")


def recall(analyses: Sequence[Analysis], query: str, *, max_tokens: int) -> Recalled:
    """What the conversations say on `query`, in at most `max_tokens`.

    There is one analysis per conversation, all by the same token counter.

    Raises:
        InvalidRequest: the query has no word.
        BudgetTooSmall: not even the shortest message fits.
    """
    wanted = set(_WORD.findall(query.lower()))
    if not wanted:
        msg = "the query has no word to look for"
        raise InvalidRequest(msg, field="query", value=query)
    if max_tokens < 1:
        msg = f"max_tokens must be at least 1, not {max_tokens}"
        raise BudgetTooSmall(msg, field="max_tokens", needed_tokens=1)
    ranked = sorted(
        (
            (-len(wanted & set(_WORD.findall(message.content.lower()))), number, position)
            for number, analysis in enumerate(analyses)
            for position, message in enumerate(analysis.messages)
        )
    )
    taken: list[RecalledMessage] = []
    text, tokens = "", 0
    for value, number, position in ranked:
        message = analyses[number].messages[position]
        longer = text + render_message(message)
        size = analyses[number].count_tokens(longer)
        if size <= max_tokens and value < 0:
            text, tokens = longer, size
            taken.append(
                RecalledMessage(
                    number,
                    message.message_id,
                    message.role,
                    speaker_of(message),
                    message.content,
                    message.time,
                    float(-value),
                )
            )
    held = wanted & {word for m in taken for word in _WORD.findall(m.text.lower())}
    return Recalled(tuple(taken), (), (), len(held) / len(wanted), (), tokens, "built-in", text)
