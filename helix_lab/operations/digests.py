"""Compressed contexts as answers show them: the guide's fields, and where each line comes from."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from pydantic import Field

from helix_lab.domain.context.digest import Compressed, Line, RecentMessage
from helix_lab.domain.model.event import make_event_id
from helix_lab.jobs.contexts import Made
from helix_lab.operations.operation import Response


@dataclass(frozen=True, slots=True)
class ShownLine:
    """A piece of a compressed context, and the ids of the messages it came from."""

    text: str
    message_ids: tuple[str, ...]
    speaker: str
    timestamp: datetime
    heading: str


@dataclass(frozen=True, slots=True)
class ShownRecent:
    """A message that is given word for word."""

    role: str
    content: str
    message_id: str
    timestamp: datetime


class ShownEntity(Response):
    """A name that the conversation mentions; its type is known once it is in the graph."""

    id: str
    name: str
    type: str | None = None


class QualityComponents(Response):
    """How much of what matters is still said, 0 to 1 each."""

    statements: float
    entities: float
    numbers: float
    negations: float
    strict: float = Field(description="the score if every word but function words counted")


class CompressionStats(Response):
    """What the compression took and gave."""

    compression_id: str
    strategy: str
    original_tokens: int
    compressed_tokens: int
    ratio: float = Field(description="compressed over original tokens")
    requested_ratio: float = Field(description="the ratio that was aimed at")
    quality_score: float
    quality: QualityComponents
    minimum_quality: float
    meets_minimum: bool = Field(description="whether the score reaches the minimum")
    tokenizer: str = Field(description="who counted")
    duration_ms: float
    is_cached: bool = Field(description="taken from memory, made before")
    llm_provider: str | None = Field(description="who was asked to compress as well")
    llm_model: str | None = Field(description="the model whose text this is; null: built-in")
    notes: list[str]


def show_lines(lines: tuple[Line, ...]) -> list[ShownLine]:
    """Lines with their sources."""
    return [
        ShownLine(line.text, line.message_ids, line.speaker, line.time, line.heading)
        for line in lines
    ]


def show_recent(messages: tuple[RecentMessage, ...]) -> list[ShownRecent]:
    """The messages that stayed whole."""
    return [ShownRecent(m.role, m.text, m.message_id, m.time) for m in messages]


def write_summary(compressed: Compressed) -> str:
    """The compressed part as one text, a line a piece."""
    return "\n".join(line.text for line in compressed.summary)


def show_entities(names: tuple[str, ...]) -> list[ShownEntity]:
    """Names with an id that is the same in every answer."""
    return [
        ShownEntity(id=f"entity-{make_event_id('entity', name.casefold())[:12]}", name=name)
        for name in names
    ]


def show_stats(made: Made) -> CompressionStats:
    """The figures of a compression."""
    stats, outcome = made.compressed.stats, made.outcome
    quality = stats.quality
    return CompressionStats(
        compression_id=made.compression_id,
        strategy=stats.strategy,
        original_tokens=stats.original_tokens,
        compressed_tokens=stats.compressed_tokens,
        ratio=stats.compression_ratio,
        requested_ratio=stats.requested_ratio,
        quality_score=stats.quality_score,
        quality=QualityComponents(
            statements=quality.statements,
            entities=quality.entities,
            numbers=quality.numbers,
            negations=quality.negations,
            strict=quality.strict,
        ),
        minimum_quality=made.minimum_quality,
        meets_minimum=stats.meets_minimum,
        tokenizer=stats.tokenizer,
        duration_ms=made.duration_ms,
        is_cached=not made.is_new,
        llm_provider=outcome.provider if outcome else None,
        llm_model=outcome.model if outcome and outcome.state == "kept" else None,
        notes=list(stats.notes),
    )
