"""Operations on what is learned: preferences, patterns with their evidence, insights, reviews."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final, Literal, TypeVar

from pydantic import Field

from helix_lab.domain.learning.insights import describe_pattern
from helix_lab.domain.learning.reviews import CORRECTABLE
from helix_lab.domain.learning.values import PATTERN_TYPES, PatternType
from helix_lab.domain.model.errors import (
    Conflict,
    DuplicateId,
    InvalidRequest,
    Unavailable,
    UnknownPattern,
)
from helix_lab.operations.operation import Id, Operation, Request, Response
from helix_lab.operations.paging import Cursor, Limit, make_cursor, read_cursor
from helix_lab.operations.services import Services
from helix_lab.queries import learning as questions
from helix_lab.record.learning import review_pattern

STORE: Final = "learning"
_MOST_PREFERENCES: Final = 200
_EXAMPLES: Final = 5
Impact = Literal["high", "medium", "low"]
Interval = list[float]
Answer = TypeVar("Answer")


class GetPreferences(Request):
    """Of which user."""

    user_id: Id


class Preference(Response):
    """The value of a preference that most conversations of the user show."""

    type: str = Field(description="communication_style, response_format, code_language or language")
    value: str
    confidence: float = Field(description="expected share of the next conversations that show it")
    frequency: int = Field(description="conversations that show it")
    first_observed: datetime
    last_observed: datetime
    interval: Interval = Field(description="Wilson's, 95 %, of the share so far")
    pattern_id: str


class Preferences(Response):
    """What is known of a user, the surest first; empty for a user that nobody knows."""

    user_id: str
    preferences: list[Preference]


class ListTopPatterns(Request):
    """Which patterns."""

    limit: int = Field(10, ge=1, le=100, description="patterns at most")
    pattern_type: PatternType | None = Field(None, description="absent: all")
    min_frequency: int = Field(3, ge=1, le=1_000_000, description="occasions that show it")
    user_id: Id | None = Field(None, description="of this user; absent: of all users together")


class LearnedPattern(Response):
    """A learned regularity and what was counted of it."""

    pattern_id: str
    pattern_type: PatternType
    user_id: str | None = Field(description="null: learned from all users")
    description: str
    frequency: int = Field(description="conversations or debates in which it was seen")
    confidence: float = Field(description="expected share of the next ones in which it holds")
    support: int = Field(description="how often it held")
    trials: int = Field(description="how often it could have held")
    interval: Interval = Field(description="Wilson's, 95 %, of support / trials")
    first_seen: datetime
    last_seen: datetime
    examples: list[str] = Field(description="ids of messages that show it, the latest")


class TopPatterns(Response):
    """The most frequent first."""

    patterns: list[LearnedPattern]


class GetPattern(Request):
    """Which pattern, and how much of its evidence."""

    pattern_id: Id
    limit: Limit = 50
    cursor: Cursor = None


class PatternEvidence(Response):
    """What one conversation, debate or review shows of it."""

    conversation_id: str
    occasion_id: str = Field(description="conversation/…, debate/… or review/…")
    support: int
    observed_at: datetime
    message_ids: list[str]


class PatternReview(Response):
    """What somebody said of it."""

    action: str
    value: str | None
    note: str | None
    reviewed_at: datetime


class PatternDetails(LearnedPattern):
    """A pattern with its evidence, the latest first, and what people said of it."""

    subject: str
    object: str
    is_muted: bool
    avg_rating: float | None = Field(description="mean confidence, or share of successes")
    avg_time_ms: float | None
    evidence: list[PatternEvidence]
    reviews: list[PatternReview]
    next_cursor: str | None


class ReviewPattern(Request):
    """What you say of a pattern."""

    pattern_id: Id
    opinion: Literal["confirm", "mute", "unmute", "correct"] = Field(
        description="confirm: it is so; mute: hide it and do not use it; correct: see value"
    )
    value: str | None = Field(
        None, min_length=1, max_length=200, description="what is right, with correct"
    )
    note: str | None = Field(None, max_length=2000, description="why")


class ListInsights(Request):
    """Which insights."""

    user_id: Id | None = Field(None, description="of this user; absent: of all users together")
    min_confidence: float = Field(0.7, ge=0, le=1)
    impact: Impact | None = Field(None, description="absent: all")
    insight_type: PatternType | None = Field(None, description="absent: all")
    limit: int = Field(10, ge=1, le=100, description="insights at most")
    cursor: Cursor = None


class InsightPattern(Response):
    """A pattern that an insight is made of."""

    pattern_id: str
    type: PatternType


class Insight(Response):
    """A pattern above the thresholds, in words."""

    insight_id: str
    user_id: str | None
    type: PatternType
    insight_type: PatternType
    title: str
    description: str
    confidence: float = Field(description="as counted now")
    interval: Interval = Field(description="Wilson's, 95 %, as counted now")
    frequency: int = Field(description="when it was written")
    impact: Impact
    patterns: list[InsightPattern]
    metadata: dict[str, Any]
    created_at: datetime


class Insights(Response):
    """Those that hold, the newest first."""

    insights: list[Insight]
    count: int
    limit: int
    next_cursor: str | None


class GetLearningStats(Request):
    """Nothing to say."""


class LearningStats(Response):
    """How much is learned."""

    total_patterns: int
    patterns_by_type: dict[str, int]
    total_insights: int
    insights_by_impact: dict[str, int]
    user_preferences_tracked: int
    entity_relationships: int = Field(description="pairs that were seen together twice or more")
    learning_since: datetime | None
    days_learning: int
    conversations_learned: int
    debates_learned: int


def get_preferences(services: Services, request: GetPreferences) -> Preferences:
    """What a user likes."""
    rows = ask_learning(
        services,
        lambda: questions.list_patterns(
            services.records,
            user_id=request.user_id,
            pattern_type="user_preference",
            limit=_MOST_PREFERENCES,
        ),
    )
    shown = sorted(
        (_show_preference(services, row) for row in rows),
        key=lambda one: (-one.confidence, -one.frequency, one.type, one.value),
    )
    best: dict[str, Preference] = {}
    for one in shown:
        best.setdefault(one.type, one)
    return Preferences(user_id=request.user_id, preferences=list(best.values()))


def list_top(services: Services, request: ListTopPatterns) -> TopPatterns:
    """The most frequent patterns."""
    rows = ask_learning(
        services,
        lambda: questions.list_patterns(
            services.records,
            user_id=request.user_id,
            pattern_type=request.pattern_type,
            min_frequency=request.min_frequency,
            limit=request.limit,
        ),
    )
    ids = [row["pattern_id"] for row in rows]
    examples = questions.list_examples(services.records, ids, most=_EXAMPLES)
    patterns = [
        LearnedPattern(**_describe(services, row), examples=examples[row["pattern_id"]])
        for row in rows
    ]
    return TopPatterns(patterns=patterns)


def get_pattern(services: Services, request: GetPattern) -> PatternDetails:
    """One pattern with its evidence."""
    after = read_cursor(request.cursor)
    row = _find(services, request.pattern_id)
    evidence = questions.list_evidence(
        services.records, request.pattern_id, limit=request.limit + 1, after=after
    )
    page, more = evidence[: request.limit], evidence[request.limit :]
    cursor = make_cursor(page[-1]["observed_at"], page[-1]["occasion_id"]) if more else None
    messages = [one for shown in page for one in shown["messages"]]
    return PatternDetails(
        **_describe(services, row),
        examples=messages[:_EXAMPLES],
        subject=row["subject_name"] or row["subject"],
        object=row["object_name"] or row["object"],
        is_muted=row["is_muted"],
        avg_rating=_mean(row["rating_micros"] / 1_000_000, row["rating_count"]),
        avg_time_ms=_mean(row["time_ms"], row["time_count"]),
        evidence=[
            PatternEvidence(
                conversation_id=shown["conversation_id"],
                occasion_id=shown["occasion_id"],
                support=shown["support"],
                observed_at=shown["observed_at"],
                message_ids=shown["messages"],
            )
            for shown in page
        ],
        reviews=[
            PatternReview(**{name: said[name] for name in PatternReview.model_fields})
            for said in questions.list_reviews(services.records, request.pattern_id)
        ],
        next_cursor=cursor,
    )


def review(services: Services, request: ReviewPattern) -> PatternDetails:
    """Say that a pattern is right, hide it, or say what is right instead."""
    row = _find(services, request.pattern_id)
    _check_review(request, row)
    at = datetime.now(UTC).isoformat() if request.opinion in ("mute", "unmute") else None
    draft = review_pattern(
        {**row, "user_id": row["user_id"] or None},
        request.opinion,
        value=request.value,
        note=request.note,
        at=at,
    )
    try:
        services.writer.record([draft])
    except DuplicateId:
        # Said before, and words of the pattern or the note were others then.
        if request.note is not None:
            message = "this was said of the pattern before, so its note stays; leave the note out"
            raise Conflict(message, pattern_id=request.pattern_id) from None
    services.learner.look()
    return get_pattern(services, GetPattern(pattern_id=request.pattern_id))


def list_insights(services: Services, request: ListInsights) -> Insights:
    """One page of insights."""
    after = read_cursor(request.cursor)
    rows = ask_learning(
        services,
        lambda: questions.list_insights(
            services.records,
            user_id=request.user_id,
            min_confidence=request.min_confidence,
            impact=request.impact,
            insight_type=request.insight_type,
            limit=request.limit + 1,
            after=after,
        ),
    )
    page, more = rows[: request.limit], rows[request.limit :]
    cursor = make_cursor(page[-1]["created_at"], page[-1]["insight_id"]) if more else None
    return Insights(
        insights=[_show_insight(services, row) for row in page],
        count=len(page),
        limit=request.limit,
        next_cursor=cursor,
    )


def get_stats(services: Services, _request: GetLearningStats) -> LearningStats:
    """How much is learned."""
    counted = ask_learning(services, lambda: questions.count_learned(services.records))
    since = counted["since"]
    by_type = {name: counted["by_type"].get(name, 0) for name in PATTERN_TYPES}
    by_impact = {name: counted["by_impact"].get(name, 0) for name in ("high", "medium", "low")}
    return LearningStats(
        total_patterns=sum(by_type.values()),
        patterns_by_type=by_type,
        total_insights=sum(by_impact.values()),
        insights_by_impact=by_impact,
        user_preferences_tracked=counted["preferences"],
        entity_relationships=counted["pairs"],
        learning_since=since,
        days_learning=0 if since is None else max(0, (datetime.now(UTC) - since).days),
        conversations_learned=counted["occasions"].get("conversation", 0),
        debates_learned=counted["occasions"].get("debate", 0),
    )


def ask_learning(services: Services, question: Callable[[], Answer]) -> Answer:
    """The answer, once what was recorded is taken in.

    Raises:
        Unavailable: this lab does not learn, or the store is being rebuilt.
    """
    if STORE not in services.projections.names:
        message = "this lab does not learn: LEARNING_ENABLED is false; set it to true"
        raise Unavailable(message, service=STORE)
    return services.ask(STORE, question)


def _find(services: Services, pattern_id: str) -> Mapping[str, Any]:
    row = ask_learning(services, lambda: questions.find_pattern(services.records, pattern_id))
    if row is None:
        raise UnknownPattern(pattern_id)
    return row


def _check_review(request: ReviewPattern, row: Mapping[str, Any]) -> None:
    if request.opinion != "correct":
        if request.value is not None:
            message = f"field 'value' goes with the opinion correct, not with {request.opinion}"
            raise InvalidRequest(message, field="value")
        return
    if row["pattern_type"] != CORRECTABLE:
        message = (
            f"a pattern of type {row['pattern_type']} cannot be corrected, only {CORRECTABLE}; "
            "confirm it or mute it"
        )
        raise InvalidRequest(message, field="opinion")
    if request.value is None:
        message = "field 'value': say what is right instead"
        raise InvalidRequest(message, field="value")


def _describe(services: Services, row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        **{name: row[name] for name in ("pattern_id", "pattern_type", "frequency", "support")},
        **{name: row[name] for name in ("trials", "first_seen", "last_seen")},
        **services.learner.measure(row),
        "user_id": row["user_id"] or None,
        "description": describe_pattern(row),
    }


def _show_preference(services: Services, row: Mapping[str, Any]) -> Preference:
    return Preference(
        type=row["subject"],
        value=row["object"],
        frequency=row["frequency"],
        first_observed=row["first_seen"],
        last_observed=row["last_seen"],
        pattern_id=row["pattern_id"],
        **services.learner.measure(row),
    )


def _show_insight(services: Services, row: Mapping[str, Any]) -> Insight:
    kept = ("insight_id", "user_id", "insight_type", "title", "description", "frequency")
    return Insight(
        **{name: row[name] for name in kept},
        **{name: row[name] for name in ("impact", "patterns", "metadata", "created_at")},
        **services.learner.measure(row),
        type=row["insight_type"],
    )


def _mean(total: float, count: int) -> float | None:
    return total / count if count else None


OPERATIONS = (
    Operation(
        name="get_preferences",
        summary="Tell how a user likes to be answered",
        method="GET",
        path="/v1/learning/preferences",
        scope="read",
        request=GetPreferences,
        response=Preferences,
        run=get_preferences,
        errors=(Unavailable,),
    ),
    Operation(
        name="list_top_patterns",
        summary="List the patterns that were seen most",
        method="GET",
        path="/v1/learning/patterns/top",
        scope="read",
        request=ListTopPatterns,
        response=TopPatterns,
        run=list_top,
        errors=(Unavailable,),
    ),
    Operation(
        name="get_pattern",
        summary="Show a pattern with the messages that show it",
        method="GET",
        path="/v1/learning/patterns/{pattern_id}",
        scope="read",
        request=GetPattern,
        response=PatternDetails,
        run=get_pattern,
        errors=(UnknownPattern, Unavailable),
    ),
    Operation(
        name="review_pattern",
        summary="Confirm a pattern, hide it, or say what is right instead",
        method="POST",
        path="/v1/learning/patterns/{pattern_id}/review",
        scope="write",
        request=ReviewPattern,
        response=PatternDetails,
        run=review,
        errors=(UnknownPattern, Conflict, Unavailable),
    ),
    Operation(
        name="list_insights",
        summary="List patterns above the thresholds, in words",
        method="GET",
        path="/v1/learning/insights",
        scope="read",
        request=ListInsights,
        response=Insights,
        run=list_insights,
        errors=(Unavailable,),
    ),
    Operation(
        name="get_learning_stats",
        summary="Tell how much is learned",
        method="GET",
        path="/v1/learning/stats",
        scope="read",
        request=GetLearningStats,
        response=LearningStats,
        run=get_stats,
        errors=(Unavailable,),
    ),
)
