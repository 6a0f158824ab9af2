"""Questions to the records about what is learned."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from helix_lab.domain.learning.values import EVERYBODY
from helix_lab.queries.paging import Position, page_after
from helix_lab.records.database import Records
from helix_lab.records.learning_tables import (
    LEARNED_INSIGHT,
    LEARNING_GROUP,
    LEARNING_OCCASION,
    PATTERN_COUNT,
    PATTERN_OBSERVATION,
    PATTERN_REVIEW,
)

Row = Mapping[str, Any]

_OTHER = LEARNING_GROUP.alias("other_group")
_REVIEW = PATTERN_REVIEW.alias("review")
_MUTING = ("mute", "unmute")


def list_patterns(
    records: Records,
    *,
    user_id: str | None,
    pattern_type: str | None = None,
    min_frequency: int = 1,
    limit: int,
) -> list[Row]:
    """Patterns of one user, or of all, the most frequent first; none that is muted."""
    counts = PATTERN_COUNT.c
    query = (
        _select_patterns()
        .where(
            counts.user_id == (user_id or EVERYBODY),
            counts.frequency >= min_frequency,
            counts.pattern_id.not_in(_select_muted()),
        )
        .order_by(counts.frequency.desc(), counts.pattern_id.desc())
        .limit(limit)
    )
    if pattern_type is not None:
        query = query.where(counts.pattern_type == pattern_type)
    return _read(records, query)


def find_pattern(records: Records, pattern_id: str) -> Row | None:
    """One pattern, muted or not."""
    found = list_by_ids(records, [pattern_id])
    return found[0] if found else None


def list_by_ids(records: Records, pattern_ids: Sequence[str]) -> list[Row]:
    """Patterns of these ids; `is_muted` says whether people hid it."""
    query = _select_patterns().where(PATTERN_COUNT.c.pattern_id.in_(pattern_ids))
    rows = _read(records, query)
    muted = {row["pattern_id"] for row in _read(records, _select_muted())}
    return [{**row, "is_muted": row["pattern_id"] in muted} for row in rows]


def list_due_patterns(records: Records, *, min_frequency: int, min_confidence: float) -> list[Row]:
    """Patterns above thresholds, of all users and of each; none that is muted."""
    counts = PATTERN_COUNT.c
    expected = (counts.support + counts.prior_support) / (_TRIALS + counts.prior_trials)
    query = _select_patterns().where(
        counts.frequency >= min_frequency,
        expected >= min_confidence,
        counts.pattern_id.not_in(_select_muted()),
    )
    return _read(records, query)


def list_evidence(
    records: Records, pattern_id: str, *, limit: int, after: Position | None = None
) -> list[Row]:
    """What shows a pattern, the latest first."""
    table = PATTERN_OBSERVATION.c
    query = sa.select(PATTERN_OBSERVATION).where(table.pattern_id == pattern_id)
    return _read(
        records,
        page_after(query, (table.observed_at, table.occasion_id), limit=limit, after=after),
    )


def list_examples(
    records: Records, pattern_ids: Sequence[str], *, most: int
) -> dict[str, list[str]]:
    """Messages that show patterns, of the latest occasions, by pattern."""
    found: dict[str, list[str]] = {}
    with records.read() as connection:
        for pattern_id in pattern_ids:
            table = PATTERN_OBSERVATION.c
            query = (
                sa.select(table.messages)
                .where(table.pattern_id == pattern_id)
                .order_by(table.observed_at.desc(), table.occasion_id.desc())
                .limit(most)
            )
            messages = [one for row in connection.execute(query) for one in row.messages]
            found[pattern_id] = messages[:most]
    return found


def list_reviews(records: Records, pattern_id: str) -> list[Row]:
    """What people said of a pattern, in order."""
    query = (
        sa.select(PATTERN_REVIEW)
        .where(PATTERN_REVIEW.c.pattern_id == pattern_id)
        .order_by(PATTERN_REVIEW.c.clock, PATTERN_REVIEW.c.review_id)
    )
    return _read(records, query)


def list_insights(
    records: Records,
    *,
    user_id: str | None,
    min_confidence: float,
    impact: str | None,
    insight_type: str | None,
    limit: int,
    after: Position | None,
) -> list[Row]:
    """Insights of one user, or of all, that hold, the newest first, with what is counted now."""
    table = LEARNED_INSIGHT.c
    counts = PATTERN_COUNT.c
    confidence = (counts.support + counts.prior_support) / (_TRIALS + counts.prior_trials)
    query = _with_groups(
        sa.select(
            *LEARNED_INSIGHT.c,
            counts.support,
            counts.prior_support,
            counts.prior_trials,
            counts.last_seen,
            _TRIALS.label("trials"),
        ),
        LEARNED_INSIGHT,
    ).where(
        table.superseded_at.is_(None),
        table.user_id.is_(None) if user_id is None else table.user_id == user_id,
        confidence >= min_confidence,
        table.pattern_id.not_in(_select_muted()),
    )
    if impact is not None:
        query = query.where(table.impact == impact)
    if insight_type is not None:
        query = query.where(table.insight_type == insight_type)
    return _read(
        records, page_after(query, (table.created_at, table.insight_id), limit=limit, after=after)
    )


def list_standing_insights(records: Records) -> list[Row]:
    """Insights that are not superseded."""
    return _read(
        records, sa.select(LEARNED_INSIGHT).where(LEARNED_INSIGHT.c.superseded_at.is_(None))
    )


def count_insights_of(records: Records, pattern_ids: Sequence[str]) -> dict[str, int]:
    """How many insights each pattern ever had."""
    table = LEARNED_INSIGHT.c
    query = (
        sa.select(table.pattern_id, sa.func.count().label("insights"))
        .where(table.pattern_id.in_(pattern_ids))
        .group_by(table.pattern_id)
    )
    return {row["pattern_id"]: row["insights"] for row in _read(records, query)}


def list_idle(records: Records, *, before: datetime, clock_before: int, limit: int) -> list[Row]:
    """Conversations with news in which nobody spoke since a moment."""
    table = LEARNING_OCCASION.c
    query = (
        sa.select(table.conversation_id, table.last_clock)
        .where(
            table.is_open.is_(True),
            table.kind == "conversation",
            table.last_at < before,
            table.last_clock < clock_before,
        )
        .order_by(table.last_at, table.occasion_id)
        .limit(limit)
    )
    return _read(records, query)


def list_groups(records: Records, *, user_id: str, kind: str, limit: int) -> list[Row]:
    """What a user's conversations are about most, such as entities."""
    table = LEARNING_GROUP.c
    query = (
        sa.select(LEARNING_GROUP)
        .where(table.user_id == user_id, table.kind == kind)
        .order_by(table.trials.desc(), table.group_id.desc())
        .limit(limit)
    )
    return _read(records, query)


def list_pairs(records: Records, *, subjects: Sequence[str], min_frequency: int) -> list[Row]:
    """Pairs of which one is among the subjects, of all users."""
    counts = PATTERN_COUNT.c
    found: dict[str, Row] = {}
    for side in (counts.subject, counts.object):
        query = _select_patterns().where(
            counts.user_id == EVERYBODY,
            counts.pattern_type == "entity_cooccurrence",
            side.in_(subjects),
            counts.frequency >= min_frequency,
            counts.pattern_id.not_in(_select_muted()),
        )
        found |= {row["pattern_id"]: row for row in _read(records, query)}
    return list(found.values())


def count_learned(records: Records) -> dict[str, Any]:
    """How much is learned."""
    counts, insights = PATTERN_COUNT.c, LEARNED_INSIGHT.c
    stands = insights.superseded_at.is_(None)
    with records.read() as connection:

        def tell(column: Any, query: Any) -> dict[str, int]:
            return {row[0]: row[1] for row in connection.execute(query.group_by(column))}

        number = sa.func.count()
        return {
            "by_type": tell(counts.pattern_type, sa.select(counts.pattern_type, number)),
            "by_impact": tell(insights.impact, sa.select(insights.impact, number).where(stands)),
            "preferences": connection.execute(
                sa.select(number)
                .select_from(PATTERN_COUNT)
                .where(counts.pattern_type == "user_preference", counts.user_id != EVERYBODY)
            ).scalar_one(),
            "pairs": connection.execute(
                sa.select(number)
                .select_from(PATTERN_COUNT)
                .where(
                    counts.pattern_type == "entity_cooccurrence",
                    counts.user_id == EVERYBODY,
                    counts.support > 1,
                )
            ).scalar_one(),
            "since": connection.execute(sa.select(sa.func.min(counts.first_seen))).scalar_one(),
            "occasions": tell(
                LEARNING_OCCASION.c.kind,
                sa.select(LEARNING_OCCASION.c.kind, number).where(
                    LEARNING_OCCASION.c.finished_clock.is_not(None)
                ),
            ),
        }


def count_since(records: Records, moment: datetime) -> dict[str, int]:
    """What was learned since a moment: observations, insights."""
    with records.read() as connection:

        def count(table: sa.Table, column: Any) -> int:
            query = sa.select(sa.func.count()).select_from(table).where(column >= moment)
            return int(connection.execute(query).scalar_one())

        return {
            "patterns": count(PATTERN_COUNT, PATTERN_COUNT.c.first_seen),
            "insights": count(LEARNED_INSIGHT, LEARNED_INSIGHT.c.created_at),
        }


_TRIALS = sa.case(
    (_OTHER.c.trials < LEARNING_GROUP.c.trials, _OTHER.c.trials), else_=LEARNING_GROUP.c.trials
)
"""How often a pattern could have shown: the smaller of its groups."""


def _with_groups(query: sa.Select[Any], first: sa.Table | None = None) -> sa.Select[Any]:
    counts = PATTERN_COUNT.c
    start: Any = PATTERN_COUNT
    if first is not None:
        start = first.join(PATTERN_COUNT, first.c.pattern_id == counts.pattern_id)
    return query.select_from(
        start.join(LEARNING_GROUP, LEARNING_GROUP.c.group_id == counts.group_id).outerjoin(
            _OTHER, _OTHER.c.group_id == counts.other_group_id
        )
    )


def _select_patterns() -> sa.Select[Any]:
    return _with_groups(sa.select(*PATTERN_COUNT.c, _TRIALS.label("trials")))


def _select_muted() -> sa.Select[Any]:
    """Ids of patterns whose last word on muting was to mute them."""
    later = sa.exists().where(
        _REVIEW.c.pattern_id == PATTERN_REVIEW.c.pattern_id,
        _REVIEW.c.action.in_(_MUTING),
        _REVIEW.c.clock > PATTERN_REVIEW.c.clock,
    )
    return sa.select(PATTERN_REVIEW.c.pattern_id).where(
        PATTERN_REVIEW.c.action == "mute", sa.not_(later)
    )


def _read(records: Records, query: sa.Select[Any]) -> list[Row]:
    with records.read() as connection:
        return [dict(row) for row in connection.execute(query).mappings()]
