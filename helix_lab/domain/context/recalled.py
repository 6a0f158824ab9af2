"""What is known on a query: messages, lines, and which of them hold now."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from helix_lab.domain.context.digest import Line
from helix_lab.domain.context.succession import Kind


@dataclass(frozen=True, slots=True)
class RecalledMessage:
    """A message that is given word for word.

    Attributes:
        conversation: position of its analysis in the given sequence.
        relevance: how well it fits the query, comparable within one answer.
        superseded_by: the id of the newer message that replaces or contradicts it, if one does.
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
        kind: `update` where the newer replaces the older, `contradiction` where one denies
            what the other affirms.
        conversation: of the stale message; the current one may stand in another.
    """

    kind: Kind
    conversation: int
    current_id: str
    current_time: datetime
    stale_id: str
    stale_time: datetime


@dataclass(frozen=True, slots=True)
class Recalled:
    """What is known on a query.

    Attributes:
        messages: word for word, newest first: a current value stands before a stale one.
        lines: further messages in telegram style, newest first.
        line_sources: for each of the lines, the position of its conversation.
        coverage: share of the query's words, rare ones counting more, that the answer holds.
        superseded: pairs among `messages`, each with both dates.
        tokens: of `render()`, by `tokenizer`.
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
