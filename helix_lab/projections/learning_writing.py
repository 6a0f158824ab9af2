"""Occasions in the record store: what was noticed of each, and when it is learned from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec
import sqlalchemy as sa

from helix_lab.domain.learning.extracting import learn_conversation, learn_debate
from helix_lab.domain.learning.reviews import learn_review
from helix_lab.domain.learning.values import EVERYBODY, Lesson, Noticed, Occasion, Part
from helix_lab.projections.learning_counts import Learned, replace_lessons, split
from helix_lab.projections.learning_facts import (
    CONVERSATION,
    DEBATE,
    REVIEW,
    VERDICT,
    Row,
    name_occasion,
)
from helix_lab.records.database import Records, take_new
from helix_lab.records.learning_tables import (
    LEARNED_INSIGHT,
    LEARNING_OCCASION,
    LEARNING_PART,
    PATTERN_REVIEW,
)

_STATE = ("user_id", "outcome", "last_at", "last_clock", "finished_clock", "is_open")


def write_rows(records: Records, connection: sa.Connection, rows: Sequence[Row]) -> None:
    """Take in what events say, in their order; what was taken in before changes nothing."""
    _write_insights(records, connection, rows)
    by_occasion: dict[str, list[Row]] = {}
    for row in rows:
        if row.occasion_id:
            by_occasion.setdefault(row.occasion_id, []).append(row)
    if not by_occasion:
        return
    known = _load(connection, sorted(by_occasion))
    states, due = [], []
    for occasion_id in sorted(by_occasion):
        state = known.get(occasion_id) or _begin(by_occasion[occasion_id][0])
        if _fold(state, by_occasion[occasion_id]):
            due.append(state)
        states.append(state)
    records.upsert(connection, LEARNING_OCCASION, states, merge=dict.fromkeys(_STATE, take_new))
    parts = [_to_part(row) for row in rows if row.part_id is not None]
    records.upsert(connection, LEARNING_PART, parts)
    reviews = {row.occasion_id: row for row in rows if row.review}
    records.upsert(connection, PATTERN_REVIEW, [_to_review(row) for row in reviews.values()])
    _learn(records, connection, due, reviews)


def remove_messages(records: Records, conversation_id: str, message_ids: Sequence[str]) -> None:
    """Take messages out of what a conversation showed; counts are what the rest shows.

    The log keeps the messages, so a rebuild brings them back.
    """
    occasion_id = name_occasion(CONVERSATION, conversation_id)
    with records.write() as connection:
        known = _load(connection, [occasion_id])
        for part in split(list(message_ids)):
            chosen = LEARNING_PART.c.part_id.in_(part)
            connection.execute(
                LEARNING_PART.delete().where(LEARNING_PART.c.occasion_id == occasion_id, chosen)
            )
        due = [state for state in known.values() if state["finished_clock"] is not None]
        _learn(records, connection, due, {})


def _write_insights(records: Records, connection: sa.Connection, rows: Sequence[Row]) -> None:
    made = [
        {
            **msgspec.to_builtins(row.insight),
            "created_at": row.time,
            "superseded_at": None,
            "superseded_by": None,
            "reason": None,
        }
        for row in rows
        if row.insight
    ]
    records.upsert(connection, LEARNED_INSIGHT, made)
    for row in rows:
        if row.superseded:
            gone = row.superseded
            chosen = LEARNED_INSIGHT.c.insight_id == gone.insight_id
            values = {"superseded_by": gone.superseded_by, "reason": gone.reason}
            connection.execute(
                LEARNED_INSIGHT.update().where(chosen).values(superseded_at=row.time, **values)
            )


def _load(connection: sa.Connection, ids: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Occasions as they are, locked where the database locks rows."""
    found: dict[str, dict[str, Any]] = {}
    for part in split(ids):
        query = (
            sa.select(LEARNING_OCCASION)
            .where(LEARNING_OCCASION.c.occasion_id.in_(part))
            .order_by(LEARNING_OCCASION.c.occasion_id)
            .with_for_update()
        )
        found |= {row["occasion_id"]: dict(row) for row in connection.execute(query).mappings()}
    return found


def _begin(row: Row) -> dict[str, Any]:
    return {
        "occasion_id": row.occasion_id,
        "kind": row.kind,
        "conversation_id": row.conversation_id,
        "user_id": None,
        "outcome": None,
        "last_at": None,
        "last_clock": 0,
        "finished_clock": None,
        "is_open": False,
        "groups": {},
    }


def _fold(state: dict[str, Any], rows: Iterable[Row]) -> bool:
    """Take rows into the state of their occasion; whether it is to be learned from now."""
    is_due = False
    for row in rows:
        is_due |= _is_news(state, row)
        if row.user_id is not None:
            state["user_id"] = row.user_id
        if row.outcome is not None:
            state["outcome"] = row.outcome
        if row.part_id is not None:
            state["last_clock"] = max(state["last_clock"], row.clock)
            state["last_at"] = (
                row.time if state["last_at"] is None else max(state["last_at"], row.time)
            )
        if row.is_end:
            state["finished_clock"] = max(state["finished_clock"] or 0, row.clock)
    finished = state["finished_clock"]
    state["is_open"] = state["last_clock"] > (finished or 0)
    return is_due or any(row.review for row in rows)


def _is_news(state: Mapping[str, Any], row: Row) -> bool:
    """It changes what the occasion shows: it ends, or what was said before its end is new."""
    if row.is_end:
        return True
    finished = state["finished_clock"]
    if finished is None:
        return False
    return row.user_id is not None or (row.part_id is not None and row.clock <= finished)


def _to_part(row: Row) -> dict[str, Any]:
    return {
        "occasion_id": row.occasion_id,
        "part_id": row.part_id,
        "clock": row.clock,
        "event_id": row.event_id,
        "said_at": row.time,
        "features": msgspec.to_builtins(row.noticed),
    }


def _to_review(row: Row) -> dict[str, Any]:
    assert row.review is not None  # noqa: S101 - chosen by it
    return {
        "review_id": row.event_id,
        "pattern_id": row.review.pattern_id,
        "action": row.review.action,
        "value": row.review.value,
        "note": row.review.note,
        "reviewer": row.review.reviewer,
        "clock": row.clock,
        "reviewed_at": row.time,
    }


def _learn(
    records: Records,
    connection: sa.Connection,
    due: Sequence[Mapping[str, Any]],
    reviews: Mapping[str, Row],
) -> None:
    lessons = []
    for state in due:
        if state["kind"] == REVIEW:
            lessons.append(_learn_review(state, reviews[state["occasion_id"]]))
        else:
            lessons.append(_learn_occasion(connection, state))
    replace_lessons(records, connection, lessons)


def _learn_review(state: Mapping[str, Any], row: Row) -> Learned:
    review = row.review
    assert review is not None  # noqa: S101 - the kind of the occasion says it
    return Learned(
        state["occasion_id"],
        "",
        learn_review(review.pattern, review.action, review.value),
        (review.pattern["user_id"] or EVERYBODY,),
        row.time,
        state["groups"],
    )


def _learn_occasion(connection: sa.Connection, state: Mapping[str, Any]) -> Learned:
    parts = _read_parts(connection, state)
    user_id = state["user_id"] or next(
        (part.noticed.user_id for part in parts if part.noticed.user_id), None
    )
    observed_at = max((part.said_at for part in parts), default=state["last_at"])
    return Learned(
        state["occasion_id"],
        state["conversation_id"],
        _find_lesson(state, parts, user_id),
        (EVERYBODY,) if user_id is None else (EVERYBODY, user_id),
        observed_at,
        state["groups"],
    )


def _find_lesson(state: Mapping[str, Any], parts: Sequence[Part], user_id: str | None) -> Lesson:
    if state["kind"] != DEBATE:
        return learn_conversation(Occasion(tuple(parts), user_id, state["outcome"]))
    verdict = next((part.noticed for part in parts if part.part_id == VERDICT), None)
    is_decided = verdict is not None and not verdict.has_failed
    winner = None
    if verdict is not None and verdict.provider and verdict.position:
        winner = (verdict.provider, verdict.position)
    turns = tuple(part for part in parts if part.part_id != VERDICT)
    return learn_debate(
        Occasion(turns, user_id, state["outcome"], winner=winner, is_decided=is_decided)
    )


def _read_parts(connection: sa.Connection, state: Mapping[str, Any]) -> list[Part]:
    """What was said until the occasion ended, in order."""
    query = (
        sa.select(LEARNING_PART.c.part_id, LEARNING_PART.c.said_at, LEARNING_PART.c.features)
        .where(
            LEARNING_PART.c.occasion_id == state["occasion_id"],
            LEARNING_PART.c.clock <= state["finished_clock"],
        )
        .order_by(LEARNING_PART.c.clock, LEARNING_PART.c.event_id)
    )
    return [
        Part(row.part_id, row.said_at, msgspec.convert(row.features, Noticed))
        for row in connection.execute(query)
    ]
