"""The tables of what is learned: occasions, what they show, the counts of it, and insights.

All are filled by the projection `learning`. Counts are whole numbers, so that taking away what
was added gives exactly what was there before. Version 0006 makes views of them with the guide's
names: `learned_patterns`, `user_preferences`, `entity_cooccurrences`, `debate_strategy_success` and
`conversation_flow_patterns`; they hold nothing, so they cannot differ from the tables. In them
`confidence` is `(support + prior_support) / (trials + prior_trials)`, the expected share of the
next occasions at which it holds, and `user_id` is NULL where it is learned from all users.
"""

from __future__ import annotations

import sqlalchemy as sa

from helix_lab.records.tables import JSON, METADATA, UtcMoment, short_text

EVERYBODY = ""
"""The user of what is learned from all users; of one user only, it is the id of that user."""

LEARNING_OCCASION = sa.Table(
    "learning_occasion",
    METADATA,
    sa.Column("occasion_id", short_text(220), primary_key=True),
    sa.Column("kind", short_text(20), nullable=False),
    sa.Column("conversation_id", short_text(200), nullable=False),
    sa.Column("user_id", short_text(200)),
    sa.Column("outcome", short_text(20)),
    sa.Column("last_at", UtcMoment),
    sa.Column("last_clock", sa.BigInteger, nullable=False),
    sa.Column("finished_clock", sa.BigInteger),
    sa.Column("is_open", sa.Boolean, nullable=False),
    sa.Column("groups", JSON, nullable=False),
    sa.Index("learning_occasion_by_end", "is_open", "kind", "last_at"),
)
"""What is learned from: a conversation, a debate, or what a person said of a pattern.

`is_open`: something was said since it was last learned from. `groups`: what it added to
`learning_group`, by group.
"""

LEARNING_PART = sa.Table(
    "learning_part",
    METADATA,
    sa.Column("occasion_id", short_text(220), primary_key=True),
    sa.Column("part_id", short_text(200), primary_key=True),
    sa.Column("clock", sa.BigInteger, nullable=False),
    sa.Column("event_id", short_text(200), nullable=False),
    sa.Column("said_at", UtcMoment, nullable=False),
    sa.Column("features", JSON, nullable=False),
)
"""What was noticed of each message or turn; not what it says."""

LEARNING_GROUP = sa.Table(
    "learning_group",
    METADATA,
    sa.Column("group_id", short_text(40), primary_key=True),
    sa.Column("user_id", short_text(200), nullable=False),
    sa.Column("kind", short_text(30), nullable=False),
    sa.Column("subject", short_text(200), nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("trials", sa.BigInteger, nullable=False),
    sa.Index("learning_group_by_user", "user_id", "kind", "trials", "group_id"),
)
"""How often a pattern could have shown: in conversations that name Docker, in debates, …"""

PATTERN_COUNT = sa.Table(
    "pattern_count",
    METADATA,
    sa.Column("pattern_id", short_text(40), primary_key=True),
    sa.Column("user_id", short_text(200), nullable=False),
    sa.Column("pattern_type", short_text(30), nullable=False),
    sa.Column("subject", short_text(200), nullable=False),
    sa.Column("subject_type", short_text(30)),
    sa.Column("subject_name", sa.Text, nullable=False),
    sa.Column("object", short_text(200), nullable=False),
    sa.Column("object_type", short_text(30)),
    sa.Column("object_name", sa.Text, nullable=False),
    sa.Column("description", sa.Text, nullable=False),
    sa.Column("group_id", short_text(40), nullable=False),
    sa.Column("other_group_id", short_text(40)),
    sa.Column("prior_support", sa.Float, nullable=False),
    sa.Column("prior_trials", sa.Float, nullable=False),
    sa.Column("frequency", sa.BigInteger, nullable=False),
    sa.Column("support", sa.BigInteger, nullable=False),
    sa.Column("rating_micros", sa.BigInteger, nullable=False),
    sa.Column("rating_count", sa.BigInteger, nullable=False),
    sa.Column("time_ms", sa.BigInteger, nullable=False),
    sa.Column("time_count", sa.BigInteger, nullable=False),
    sa.Column("first_seen", UtcMoment, nullable=False),
    sa.Column("last_seen", UtcMoment, nullable=False),
    sa.Index("pattern_count_by_frequency", "user_id", "frequency", "pattern_id"),
    sa.Index("pattern_count_by_type", "user_id", "pattern_type", "frequency", "pattern_id"),
    sa.Index("pattern_count_by_subject", "pattern_type", "subject"),
    sa.Index("pattern_count_by_object", "pattern_type", "object"),
)
"""Patterns with what was counted of them.

`frequency`: occasions at which it was looked for and noticed. `support`: how often it held.
It could have held as often as its group says, or the smaller of its two groups.
`rating_micros` (sum of millionths) and `time_ms` (sum) are what the occasions measured.
"""

PATTERN_OBSERVATION = sa.Table(
    "pattern_observation",
    METADATA,
    sa.Column("pattern_id", short_text(40), primary_key=True),
    sa.Column("occasion_id", short_text(220), primary_key=True),
    sa.Column("conversation_id", short_text(200), nullable=False),
    sa.Column("support", sa.BigInteger, nullable=False),
    sa.Column("rating_micros", sa.BigInteger),
    sa.Column("time_ms", sa.BigInteger),
    sa.Column("observed_at", UtcMoment, nullable=False),
    sa.Column("messages", JSON, nullable=False),
    sa.Index("pattern_observation_by_occasion", "occasion_id"),
    sa.Index("pattern_observation_by_time", "pattern_id", "observed_at"),
    sa.Index("pattern_observation_by_day", "observed_at"),
)
"""What one occasion shows of one pattern, with the ids of the messages that show it."""

PATTERN_REVIEW = sa.Table(
    "pattern_review",
    METADATA,
    sa.Column("review_id", short_text(200), primary_key=True),
    sa.Column("pattern_id", short_text(40), nullable=False),
    sa.Column("action", short_text(20), nullable=False),
    sa.Column("value", sa.Text),
    sa.Column("note", sa.Text),
    sa.Column("reviewer", short_text(200)),
    sa.Column("clock", sa.BigInteger, nullable=False),
    sa.Column("reviewed_at", UtcMoment, nullable=False),
    sa.Index("pattern_review_by_pattern", "pattern_id", "clock"),
)
"""What people said of patterns: confirm, mute, unmute, correct."""

LEARNED_INSIGHT = sa.Table(
    "learned_insights",
    METADATA,
    sa.Column("insight_id", short_text(40), primary_key=True),
    sa.Column("pattern_id", short_text(40), nullable=False),
    sa.Column("user_id", short_text(200)),
    sa.Column("insight_type", short_text(30), nullable=False),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("description", sa.Text, nullable=False),
    sa.Column("confidence", sa.Float, nullable=False),
    sa.Column("frequency", sa.BigInteger, nullable=False),
    sa.Column("impact", short_text(10), nullable=False),
    sa.Column("patterns", JSON, nullable=False),
    sa.Column("metadata", JSON, nullable=False),
    sa.Column("created_at", UtcMoment, nullable=False),
    sa.Column("superseded_at", UtcMoment),
    sa.Column("superseded_by", short_text(40)),
    sa.Column("reason", sa.Text),
    sa.Index("learned_insights_by_time", "created_at", "insight_id"),
    sa.Index("learned_insights_by_pattern", "pattern_id", "superseded_at"),
)
"""Insights as they were published; `user_id` is NULL where it is of all users."""

LEARNING_TABLES = (
    LEARNING_OCCASION,
    LEARNING_PART,
    LEARNING_GROUP,
    PATTERN_COUNT,
    PATTERN_OBSERVATION,
    PATTERN_REVIEW,
    LEARNED_INSIGHT,
)

LEARNING_VIEWS = (
    "conversation_flow_patterns",
    "debate_strategy_success",
    "entity_cooccurrences",
    "user_preferences",
    "learned_patterns",
)
"""The views, in the order in which they can be dropped."""


def _drop_views(_metadata: object, connection: sa.Connection, **_options: object) -> None:
    for name in LEARNING_VIEWS:
        connection.exec_driver_sql(f"DROP VIEW IF EXISTS {name}")


sa.event.listen(METADATA, "before_drop", _drop_views)
