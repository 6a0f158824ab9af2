"""Digest: a compressed context, every line with the messages it came from, and its figures."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, get_args

from helix_lab.domain.context.history import Message

Strategy = Literal["window", "entity", "full", "hybrid"]
STRATEGIES: tuple[Strategy, ...] = get_args(Strategy)
"""The four ways to spend a budget; `hybrid` is the default."""

TokenCounter = Callable[[str], int]
"""Size of a text in model tokens. An attribute `tokenizer_name` of it is reported."""


@dataclass(frozen=True, slots=True)
class Line:
    """A piece of a digest, in words of the conversation.

    Attributes:
        text: what was kept; neither labels nor escapes.
        message_ids: the messages that it was taken from, oldest first; never empty.
        speaker: who said it, as the digest calls them.
        time: when the first of these messages was said.
        heading: the entity under which the line stands (strategy `entity`), else "".
    """

    text: str
    message_ids: tuple[str, ...]
    speaker: str
    time: datetime
    heading: str = ""


@dataclass(frozen=True, slots=True)
class RecentMessage:
    """A message that a digest keeps word for word."""

    message_id: str
    role: str
    speaker: str
    text: str
    time: datetime


@dataclass(frozen=True, slots=True)
class Quality:
    """How much of what matters a context still says, 0 to 1 each (research: words, not grammar).

    Attributes:
        score: weighted sum of the four components.
        statements: share of the strong words kept, per sentence, weighted by what it states.
        entities: share of the mentions of entities kept.
        numbers: share of the mentions of numbers, dates and times kept.
        negations: share of the negations kept.
        strict: as `score`, with every word but function words counted as strong.
    """

    score: float
    statements: float
    entities: float
    numbers: float
    negations: float
    strict: float


@dataclass(frozen=True, slots=True)
class Stats:
    """The figures of a digest.

    Attributes:
        original_tokens: the whole conversation with speakers and dates, as it would be sent.
        compressed_tokens: of `Compressed.render()`, by the same tokenizer.
        compression_ratio: compressed over original.
        requested_ratio: budget over original, as asked for.
        meets_minimum: whether the quality reaches the minimum that was asked for.
        notes: what the reader must know, such as parts that were taken by whole sentences.
    """

    original_tokens: int
    compressed_tokens: int
    compression_ratio: float
    requested_ratio: float
    strategy: Strategy
    quality: Quality
    tokenizer: str
    meets_minimum: bool = True
    notes: tuple[str, ...] = ()

    @property
    def quality_score(self) -> float:
        """The score of `quality`."""
        return self.quality.score


@dataclass(frozen=True, slots=True)
class Compressed:
    """A conversation in a budget.

    Attributes:
        summary: the compressed part, in the order in which it is rendered.
        key_entities: names that the rendered text holds, most mentioned first.
        key_decisions: sentences of `summary` or of `recent_messages` that decide something.
        recent_messages: the newest messages, word for word, oldest first.
        text: the rendered text, which is what was counted.
    """

    summary: tuple[Line, ...]
    key_entities: tuple[str, ...]
    key_decisions: tuple[Line, ...]
    recent_messages: tuple[RecentMessage, ...]
    stats: Stats
    text: str

    def render(self) -> str:
        """The exact text that was counted. `key_entities` and `key_decisions` are in it."""
        return self.text


def name_of(counter: TokenCounter) -> str:
    """How a token counter is called in reports."""
    stated: Any = getattr(counter, "tokenizer_name", None) or getattr(counter, "__name__", None)
    return str(stated or type(counter).__name__)


def speaker_of(message: Message) -> str:
    """The name of who spoke, else the role, on one line."""
    name = str(message.data.get("name") or message.role)
    return name if name.isalnum() else " ".join(name.split()) or message.role
