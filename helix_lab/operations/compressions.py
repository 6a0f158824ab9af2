"""Operations on compressions: those of one conversation, and how well each strategy does."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from pydantic import Field

from helix_lab.domain.model.errors import UnknownConversation
from helix_lab.domain.model.event import COMPRESSIONS, CONTEXT_COMPRESSED, Entry
from helix_lab.operations.operation import Id, Operation, Request, Response
from helix_lab.operations.paging import Cursor, Limit, make_cursor, read_cursor
from helix_lab.operations.services import Services
from helix_lab.operations.windows import Window
from helix_lab.ports.event_log import EventLog
from helix_lab.queries import analytics as questions
from helix_lab.queries.history import has_conversation

_GRANULARITY = {"1h": "minute", "24h": "hour", "7d": "hour", "30d": "day", "all": "day"}


class ListCompressions(Request):
    """Which conversation."""

    conversation_id: Id = Field(description="a conversation that exists")
    limit: Limit = 50
    cursor: Cursor = None


class ShownCompression(Response):
    """A compression that was made; what is not known is null."""

    compression_id: str
    timestamp: datetime
    purpose: str = Field(description="what it was made for: replay, chat or debate")
    strategy: str
    original_messages: int
    original_tokens: int
    compressed_tokens: int
    max_tokens: int | None = None
    requested_ratio: float
    ratio: float
    quality_score: float
    minimum_quality: float | None = None
    meets_minimum: bool
    preserved_entities: int
    duration_ms: float
    through_offset: int = Field(description="of the newest event in it; usable as as_of")
    llm_provider: str | None = None
    llm_model: str | None = Field(None, description="null where the built-in compressor made it")
    llm_outcome: str | None = None
    notes: list[str] = Field(default_factory=list)


class Compressions(Response):
    """One page of the compressions of a conversation, newest first."""

    conversation_id: str
    compressions: list[ShownCompression]
    next_cursor: str | None


class MeasureCompressions(Request):
    """Which window of time."""

    window: Window = Field("all", description="how far back from now")


class StrategyStats(Response):
    """How one strategy did."""

    count: int
    avg_ratio: float
    min_ratio: float
    max_ratio: float
    avg_quality: float
    min_quality: float
    below_minimum: int = Field(description="compressions whose score is below the minimum")
    original_tokens: int
    compressed_tokens: int
    by_llm: int = Field(description="compressions that a model wrote")
    avg_time_ms: float
    p95_time_ms: float


class CompressionMeasures(Response):
    """How contexts were compressed, by strategy. What came from the cache is not counted."""

    window: str
    total_compressions: int
    strategies: dict[str, StrategyStats]
    avg_ratio: float | None
    avg_quality: float | None
    below_minimum: int
    avg_compression_time_ms: float | None
    p95_compression_time_ms: float | None


class CompressionTrendRow(Response):
    """A minute, hour or day (UTC) in which a strategy was used."""

    at: datetime
    strategy: str
    count: int
    avg_ratio: float
    avg_quality: float
    avg_time_ms: float


class CompressionTrends(Response):
    """Ratio and quality over time, oldest first; empty steps are left out."""

    window: str
    granularity: str
    steps: list[CompressionTrendRow]


def list_page(services: Services, request: ListCompressions) -> Compressions:
    """The compressions of one conversation."""
    conversation_id = request.conversation_id
    entries = _read(services.log, conversation_id)
    if not entries and not has_conversation(services.log, conversation_id):
        raise UnknownConversation(conversation_id)
    after = read_cursor(request.cursor)
    shown = sorted((_show(entry) for entry in entries), key=_place, reverse=True)
    left = [one for one in shown if after is None or _place(one) < after]
    page, more = left[: request.limit], left[request.limit :]
    cursor = make_cursor(*_place(page[-1])) if more else None
    return Compressions(conversation_id=conversation_id, compressions=page, next_cursor=cursor)


def count_compressions(log: EventLog, conversation_id: str) -> tuple[int, ShownCompression | None]:
    """How often a conversation was compressed, and the last time."""
    entries = _read(log, conversation_id)
    return len(entries), _show(entries[-1]) if entries else None


def _read(log: EventLog, conversation_id: str) -> Sequence[Entry]:
    return [
        entry
        for entry in log.read_key(COMPRESSIONS, conversation_id)
        if entry.event.type == CONTEXT_COMPRESSED.name
    ]


def _place(shown: ShownCompression) -> tuple[datetime, str]:
    return shown.timestamp, shown.compression_id


def _show(entry: Entry) -> ShownCompression:
    known: dict[str, Any] = {
        name: value
        for name, value in entry.event.data.items()
        if name in ShownCompression.model_fields
    }
    return ShownCompression(timestamp=entry.event.time, **known)


def measure(services: Services, request: MeasureCompressions) -> CompressionMeasures:
    """How each strategy does."""
    from_at, until_at = _bounds(request.window)
    rows = services.ask(
        "analytics",
        lambda: questions.measure_compressions(
            services.analytics, from_at=from_at, until_at=until_at
        ),
    )
    whole = next((row for row in rows if row["strategy"] is None), None)
    known = whole if whole and whole["count"] else None
    return CompressionMeasures(
        window=request.window,
        total_compressions=known["count"] if known else 0,
        strategies={
            row["strategy"]: StrategyStats(**{k: v for k, v in row.items() if k != "strategy"})
            for row in rows
            if row["strategy"] is not None
        },
        avg_ratio=known["avg_ratio"] if known else None,
        avg_quality=known["avg_quality"] if known else None,
        below_minimum=known["below_minimum"] if known else 0,
        avg_compression_time_ms=known["avg_time_ms"] if known else None,
        p95_compression_time_ms=known["p95_time_ms"] if known else None,
    )


def measure_trends(services: Services, request: MeasureCompressions) -> CompressionTrends:
    """How ratio and quality develop."""
    from_at, until_at = _bounds(request.window)
    granularity = _GRANULARITY[request.window]
    rows = services.ask(
        "analytics",
        lambda: questions.measure_compression_trends(
            services.analytics, from_at=from_at, until_at=until_at, granularity=granularity
        ),
    )
    steps = [
        CompressionTrendRow(
            at=row["bucket"].replace(tzinfo=UTC),
            **{name: value for name, value in row.items() if name != "bucket"},
        )
        for row in rows
    ]
    return CompressionTrends(window=request.window, granularity=granularity, steps=steps)


def _bounds(window: str) -> tuple[datetime | None, datetime]:
    """From when until when; what was recorded in this moment is inside."""
    until_at = datetime.now(UTC) + timedelta(seconds=1)
    return questions.start_of_window(window, until_at), until_at


OPERATIONS = (
    Operation(
        name="list_compressions",
        summary="List the compressions of a conversation",
        method="GET",
        path="/v1/context/compression/{conversation_id}",
        scope="read",
        request=ListCompressions,
        response=Compressions,
        run=list_page,
        errors=(UnknownConversation,),
    ),
    Operation(
        name="get_compression_stats",
        summary="Measure how each strategy compresses",
        method="GET",
        path="/v1/analytics/compression/stats",
        scope="read",
        request=MeasureCompressions,
        response=CompressionMeasures,
        run=measure,
    ),
    Operation(
        name="get_compression_trends",
        summary="Show ratio and quality of compressions over time",
        method="GET",
        path="/v1/analytics/compression/trends",
        scope="read",
        request=MeasureCompressions,
        response=CompressionTrends,
        run=measure_trends,
    ),
)
