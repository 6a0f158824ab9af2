"""Counts of patterns: what an occasion showed before is taken away, what it shows now is added.

So learning the same twice changes nothing, and taking an occasion away leaves what the others
show, exactly. The cost is that of what the occasions of the batch show, not of what is known.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from helix_lab.domain.learning.confidence import find_prior
from helix_lab.domain.learning.values import EVERYBODY, Group, Lesson, Observation
from helix_lab.records.database import Records, add_up, take_greatest, take_least
from helix_lab.records.learning_tables import (
    LEARNING_GROUP,
    LEARNING_OCCASION,
    PATTERN_COUNT,
    PATTERN_OBSERVATION,
)

MOST_MESSAGES = 100
"""That are listed of one occasion; all of them count."""

_MOST_IDS = 500
_LONGEST_MS = 2**40
_COUNTED = ("frequency", "support", "rating_micros", "rating_count", "time_ms", "time_count")
_MERGE_COUNTS = {
    **dict.fromkeys(_COUNTED, add_up),
    # The least of the spellings: whichever was met first, a rebuild shows the same.
    "subject_name": take_least,
    "object_name": take_least,
    "description": take_least,
    "first_seen": take_least,
    "last_seen": take_greatest,
}
_MERGE_GROUPS = {"trials": add_up, "name": take_least}


@dataclass(frozen=True, slots=True)
class Learned:
    """What an occasion shows now.

    Attributes:
        scopes: for whom it is learned: `EVERYBODY`, a user, or both.
        groups_before: what the occasion added to groups until now, by group id.
    """

    occasion_id: str
    conversation_id: str
    lesson: Lesson
    scopes: Sequence[str]
    observed_at: datetime
    groups_before: Mapping[str, int]


def replace_lessons(
    records: Records, connection: sa.Connection, lessons: Sequence[Learned]
) -> None:
    """Count what occasions show now instead of what they showed before; each is given once."""
    before = _take_observations(connection, [learned.occasion_id for learned in lessons])
    changes: dict[str, Counter[str]] = {}
    for row in before:
        _count(changes, row, -1)
    patterns: dict[str, dict[str, Any]] = {}
    observations = []
    for learned in lessons:
        for observation, user_id in _list_scoped(learned):
            row = _make_row(learned, observation, user_id)
            observations.append(row)
            _count(changes, row, 1)
            _define(patterns, observation, user_id, row)
    records.upsert(connection, PATTERN_OBSERVATION, observations)
    _change_counts(records, connection, changes, patterns)
    _correct_times(connection, {row["pattern_id"] for row in before})
    _change_groups(records, connection, lessons)


def _list_scoped(learned: Learned) -> Iterator[tuple[Observation, str]]:
    for observation in learned.lesson.observations:
        for user_id in learned.scopes:
            is_wanted = observation.is_general if user_id == EVERYBODY else observation.is_personal
            if is_wanted:
                yield observation, user_id


def _take_observations(connection: sa.Connection, ids: Sequence[str]) -> list[dict[str, Any]]:
    """Remove what occasions showed, and give it."""
    taken: list[dict[str, Any]] = []
    for part in split(ids):
        chosen = PATTERN_OBSERVATION.c.occasion_id.in_(part)
        query = sa.select(
            PATTERN_OBSERVATION.c.pattern_id,
            PATTERN_OBSERVATION.c.support,
            PATTERN_OBSERVATION.c.rating_micros,
            PATTERN_OBSERVATION.c.time_ms,
        )
        taken += [dict(row) for row in connection.execute(query.where(chosen)).mappings()]
        connection.execute(PATTERN_OBSERVATION.delete().where(chosen))
    return taken


def _make_row(learned: Learned, observation: Observation, user_id: str) -> dict[str, Any]:
    rating, time_ms = observation.rating, observation.time_ms
    return {
        "pattern_id": observation.pattern.identify(user_id),
        "occasion_id": learned.occasion_id,
        "conversation_id": learned.conversation_id,
        "support": observation.support,
        "rating_micros": None if rating is None else round(rating * 1_000_000),
        "time_ms": None if time_ms is None else round(min(time_ms, _LONGEST_MS)),
        "observed_at": learned.observed_at,
        "messages": list(observation.parts[:MOST_MESSAGES]),
    }


def _count(changes: dict[str, Counter[str]], row: Mapping[str, Any], sign: int) -> None:
    change = changes.setdefault(row["pattern_id"], Counter())
    change["frequency"] += sign
    change["support"] += sign * row["support"]
    for value, count in (("rating_micros", "rating_count"), ("time_ms", "time_count")):
        if row[value] is not None:
            change[value] += sign * row[value]
            change[count] += sign


def _define(
    patterns: dict[str, dict[str, Any]],
    observation: Observation,
    user_id: str,
    row: Mapping[str, Any],
) -> None:
    pattern, seen_at = observation.pattern, row["observed_at"]
    known = patterns.get(row["pattern_id"])
    if known is not None:
        known["first_seen"] = min(known["first_seen"], seen_at)
        known["last_seen"] = max(known["last_seen"], seen_at)
        for name in ("subject_name", "object_name", "description"):
            known[name] = min(known[name], getattr(pattern, name))
        return
    prior = find_prior(pattern.type)
    other = pattern.other_group
    patterns[row["pattern_id"]] = {
        "pattern_id": row["pattern_id"],
        "user_id": user_id,
        "pattern_type": pattern.type,
        "subject": pattern.subject,
        "subject_type": pattern.subject_type,
        "subject_name": pattern.subject_name,
        "object": pattern.object,
        "object_type": pattern.object_type,
        "object_name": pattern.object_name,
        "description": pattern.description,
        "group_id": pattern.group.identify(user_id),
        "other_group_id": None if other is None else other.identify(user_id),
        "prior_support": prior[0],
        "prior_trials": prior[1],
        "first_seen": seen_at,
        "last_seen": seen_at,
    }


def _change_counts(
    records: Records,
    connection: sa.Connection,
    changes: Mapping[str, Counter[str]],
    patterns: Mapping[str, Mapping[str, Any]],
) -> None:
    # In one order, whoever writes: two that lock the same rows do not lock each other.
    shown = [
        {**patterns[pattern_id], **{name: changes[pattern_id][name] for name in _COUNTED}}
        for pattern_id in sorted(patterns)
    ]
    records.upsert(connection, PATTERN_COUNT, shown, merge=_MERGE_COUNTS)
    gone = [
        {"key": pattern_id, **{f"by_{name}": changes[pattern_id][name] for name in _COUNTED}}
        for pattern_id in sorted(set(changes) - set(patterns))
    ]
    if gone:
        values = {name: PATTERN_COUNT.c[name] + sa.bindparam(f"by_{name}") for name in _COUNTED}
        chosen = PATTERN_COUNT.c.pattern_id == sa.bindparam("key")
        connection.execute(PATTERN_COUNT.update().where(chosen).values(values), gone)


def _correct_times(connection: sa.Connection, pattern_ids: Iterable[str]) -> None:
    """Drop patterns that nothing shows any more; of others look anew when they were seen."""
    seen = PATTERN_OBSERVATION.c.observed_at
    is_of = PATTERN_OBSERVATION.c.pattern_id == PATTERN_COUNT.c.pattern_id
    values = {
        "first_seen": sa.select(sa.func.min(seen)).where(is_of).scalar_subquery(),
        "last_seen": sa.select(sa.func.max(seen)).where(is_of).scalar_subquery(),
    }
    for part in split(sorted(pattern_ids)):
        chosen = PATTERN_COUNT.c.pattern_id.in_(part)
        connection.execute(PATTERN_COUNT.delete().where(chosen, PATTERN_COUNT.c.frequency <= 0))
        connection.execute(PATTERN_COUNT.update().where(chosen).values(values))


def _change_groups(records: Records, connection: sa.Connection, lessons: Sequence[Learned]) -> None:
    changes: Counter[str] = Counter()
    known: dict[str, dict[str, Any]] = {}
    for learned in lessons:
        changes.subtract(learned.groups_before)
        for group, trials in learned.lesson.groups.items():
            for user_id in learned.scopes:
                row = _make_group(group, user_id)
                found = known.setdefault(row["group_id"], row)
                found["name"] = min(found["name"], row["name"])
                changes[row["group_id"]] += trials
        _note_groups(connection, learned)
    shown = [{**known[group_id], "trials": changes[group_id]} for group_id in sorted(known)]
    records.upsert(connection, LEARNING_GROUP, shown, merge=_MERGE_GROUPS)
    gone = [{"key": one, "by": changes[one]} for one in sorted(set(changes) - set(known))]
    if gone:
        chosen = LEARNING_GROUP.c.group_id == sa.bindparam("key")
        less = LEARNING_GROUP.c.trials + sa.bindparam("by")
        connection.execute(LEARNING_GROUP.update().where(chosen).values(trials=less), gone)
        for part in split(sorted(set(changes) - set(known))):
            empty = LEARNING_GROUP.c.group_id.in_(part) & (LEARNING_GROUP.c.trials <= 0)
            connection.execute(LEARNING_GROUP.delete().where(empty))


def _make_group(group: Group, user_id: str) -> dict[str, Any]:
    return {
        "group_id": group.identify(user_id),
        "user_id": user_id,
        "kind": group.kind,
        "subject": group.subject,
        "name": group.name,
    }


def _note_groups(connection: sa.Connection, learned: Learned) -> None:
    groups = {
        group.identify(user_id): trials
        for group, trials in learned.lesson.groups.items()
        for user_id in learned.scopes
    }
    chosen = LEARNING_OCCASION.c.occasion_id == learned.occasion_id
    connection.execute(LEARNING_OCCASION.update().where(chosen).values(groups=groups))


def split(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    """Some at once; databases bound the number of parameters."""
    for start in range(0, len(ids), _MOST_IDS):
        yield ids[start : start + _MOST_IDS]
