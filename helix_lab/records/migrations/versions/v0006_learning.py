"""What is learned: the tables of the projection `learning`, and the guide's views of them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

_MOMENT = sa.DateTime(timezone=True)
_JSON = sa.JSON(none_as_null=True)

_VIEWS = {
    "learned_patterns": """
        SELECT counted.*,
            (support + prior_support) / (trials + prior_trials) AS confidence
        FROM (
            SELECT p.pattern_id, NULLIF(p.user_id, '') AS user_id, p.pattern_type,
                p.subject, p.subject_type, p.subject_name,
                p.object, p.object_type, p.object_name,
                p.description, p.frequency, p.support,
                CASE WHEN o.trials < g.trials THEN o.trials ELSE g.trials END AS trials,
                p.prior_support, p.prior_trials,
                CASE WHEN p.rating_count = 0 THEN NULL
                    ELSE p.rating_micros / (p.rating_count * 1000000.0) END AS avg_rating,
                CASE WHEN p.time_count = 0 THEN NULL
                    ELSE p.time_ms / (p.time_count * 1.0) END AS avg_time_ms,
                p.first_seen, p.last_seen
            FROM pattern_count AS p
            JOIN learning_group AS g ON g.group_id = p.group_id
            LEFT JOIN learning_group AS o ON o.group_id = p.other_group_id
        ) AS counted
    """,
    "user_preferences": """
        SELECT user_id, subject AS preference_type, object AS preference_value,
            confidence, frequency, first_seen AS first_observed, last_seen AS last_observed,
            pattern_id
        FROM learned_patterns
        WHERE pattern_type = 'user_preference' AND user_id IS NOT NULL
    """,
    "entity_cooccurrences": """
        SELECT subject AS entity1_id, subject_type AS entity1_type, subject_name AS entity1_name,
            object AS entity2_id, object_type AS entity2_type, object_name AS entity2_name,
            support AS cooccurrence_count, confidence, first_seen, last_seen, pattern_id
        FROM learned_patterns
        WHERE pattern_type = 'entity_cooccurrence' AND user_id IS NULL
    """,
    "debate_strategy_success": """
        SELECT pattern_id AS strategy_id, subject || ' as ' || object AS strategy_name,
            subject AS provider, object AS position,
            support AS success_count, trials AS total_attempts,
            support / (trials * 1.0) AS success_rate, avg_rating AS avg_confidence,
            avg_time_ms AS avg_response_time_ms, last_seen AS last_used
        FROM learned_patterns
        WHERE pattern_type = 'debate_strategy' AND user_id IS NULL
    """,
    "conversation_flow_patterns": """
        SELECT subject AS flow_type, object AS message_count_range,
            avg_time_ms AS avg_time_per_message_ms, frequency, avg_rating AS success_rate,
            pattern_id
        FROM learned_patterns
        WHERE pattern_type = 'conversation_flow' AND user_id IS NULL
    """,
}


def upgrade() -> None:
    """Make the tables, unless they are there without a version, then the views."""
    _make_learned_insights()
    _make_learning_group()
    _make_learning_occasion()
    _make_learning_part()
    _make_pattern_count()
    _make_pattern_observation()
    _make_pattern_review()
    for name in reversed(_VIEWS):
        op.execute(f"DROP VIEW IF EXISTS {name}")
    for name, query in _VIEWS.items():
        op.execute(f"CREATE VIEW {name} AS {query}")


def _make_learned_insights() -> None:
    op.create_table(
        "learned_insights",
        sa.Column("insight_id", _text(40), nullable=False),
        sa.Column("pattern_id", _text(40), nullable=False),
        sa.Column("user_id", _text(200)),
        sa.Column("insight_type", _text(30), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("confidence", sa.Float(), nullable=False),
        sa.Column("frequency", sa.BigInteger(), nullable=False),
        sa.Column("impact", _text(10), nullable=False),
        sa.Column("patterns", _JSON, nullable=False),
        sa.Column("metadata", _JSON, nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("superseded_at", _MOMENT),
        sa.Column("superseded_by", _text(40)),
        sa.Column("reason", sa.Text()),
        sa.PrimaryKeyConstraint("insight_id"),
        if_not_exists=True,
    )
    op.create_index(
        "learned_insights_by_pattern",
        "learned_insights",
        ["pattern_id", "superseded_at"],
        if_not_exists=True,
    )
    op.create_index(
        "learned_insights_by_time",
        "learned_insights",
        ["created_at", "insight_id"],
        if_not_exists=True,
    )


def _make_learning_group() -> None:
    op.create_table(
        "learning_group",
        sa.Column("group_id", _text(40), nullable=False),
        sa.Column("user_id", _text(200), nullable=False),
        sa.Column("kind", _text(30), nullable=False),
        sa.Column("subject", _text(200), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("trials", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("group_id"),
        if_not_exists=True,
    )
    op.create_index(
        "learning_group_by_user",
        "learning_group",
        ["user_id", "kind", "trials", "group_id"],
        if_not_exists=True,
    )


def _make_learning_occasion() -> None:
    op.create_table(
        "learning_occasion",
        sa.Column("occasion_id", _text(220), nullable=False),
        sa.Column("kind", _text(20), nullable=False),
        sa.Column("conversation_id", _text(200), nullable=False),
        sa.Column("user_id", _text(200)),
        sa.Column("outcome", _text(20)),
        sa.Column("last_at", _MOMENT),
        sa.Column("last_clock", sa.BigInteger(), nullable=False),
        sa.Column("finished_clock", sa.BigInteger()),
        sa.Column("is_open", sa.Boolean(), nullable=False),
        sa.Column("groups", _JSON, nullable=False),
        sa.PrimaryKeyConstraint("occasion_id"),
        if_not_exists=True,
    )
    op.create_index(
        "learning_occasion_by_end",
        "learning_occasion",
        ["is_open", "kind", "last_at"],
        if_not_exists=True,
    )


def _make_learning_part() -> None:
    op.create_table(
        "learning_part",
        sa.Column("occasion_id", _text(220), nullable=False),
        sa.Column("part_id", _text(200), nullable=False),
        sa.Column("clock", sa.BigInteger(), nullable=False),
        sa.Column("event_id", _text(200), nullable=False),
        sa.Column("said_at", _MOMENT, nullable=False),
        sa.Column("features", _JSON, nullable=False),
        sa.PrimaryKeyConstraint("occasion_id", "part_id"),
        if_not_exists=True,
    )


def _make_pattern_count() -> None:
    op.create_table(
        "pattern_count",
        sa.Column("pattern_id", _text(40), nullable=False),
        sa.Column("user_id", _text(200), nullable=False),
        sa.Column("pattern_type", _text(30), nullable=False),
        sa.Column("subject", _text(200), nullable=False),
        sa.Column("subject_type", _text(30)),
        sa.Column("subject_name", sa.Text(), nullable=False),
        sa.Column("object", _text(200), nullable=False),
        sa.Column("object_type", _text(30)),
        sa.Column("object_name", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("group_id", _text(40), nullable=False),
        sa.Column("other_group_id", _text(40)),
        sa.Column("prior_support", sa.Float(), nullable=False),
        sa.Column("prior_trials", sa.Float(), nullable=False),
        sa.Column("frequency", sa.BigInteger(), nullable=False),
        sa.Column("support", sa.BigInteger(), nullable=False),
        sa.Column("rating_micros", sa.BigInteger(), nullable=False),
        sa.Column("rating_count", sa.BigInteger(), nullable=False),
        sa.Column("time_ms", sa.BigInteger(), nullable=False),
        sa.Column("time_count", sa.BigInteger(), nullable=False),
        sa.Column("first_seen", _MOMENT, nullable=False),
        sa.Column("last_seen", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("pattern_id"),
        if_not_exists=True,
    )
    op.create_index(
        "pattern_count_by_frequency",
        "pattern_count",
        ["user_id", "frequency", "pattern_id"],
        if_not_exists=True,
    )
    op.create_index(
        "pattern_count_by_object", "pattern_count", ["pattern_type", "object"], if_not_exists=True
    )
    op.create_index(
        "pattern_count_by_subject", "pattern_count", ["pattern_type", "subject"], if_not_exists=True
    )
    op.create_index(
        "pattern_count_by_type",
        "pattern_count",
        ["user_id", "pattern_type", "frequency", "pattern_id"],
        if_not_exists=True,
    )


def _make_pattern_observation() -> None:
    op.create_table(
        "pattern_observation",
        sa.Column("pattern_id", _text(40), nullable=False),
        sa.Column("occasion_id", _text(220), nullable=False),
        sa.Column("conversation_id", _text(200), nullable=False),
        sa.Column("support", sa.BigInteger(), nullable=False),
        sa.Column("rating_micros", sa.BigInteger()),
        sa.Column("time_ms", sa.BigInteger()),
        sa.Column("observed_at", _MOMENT, nullable=False),
        sa.Column("messages", _JSON, nullable=False),
        sa.PrimaryKeyConstraint("pattern_id", "occasion_id"),
        if_not_exists=True,
    )
    op.create_index(
        "pattern_observation_by_day", "pattern_observation", ["observed_at"], if_not_exists=True
    )
    op.create_index(
        "pattern_observation_by_occasion",
        "pattern_observation",
        ["occasion_id"],
        if_not_exists=True,
    )
    op.create_index(
        "pattern_observation_by_time",
        "pattern_observation",
        ["pattern_id", "observed_at"],
        if_not_exists=True,
    )


def _make_pattern_review() -> None:
    op.create_table(
        "pattern_review",
        sa.Column("review_id", _text(200), nullable=False),
        sa.Column("pattern_id", _text(40), nullable=False),
        sa.Column("action", _text(20), nullable=False),
        sa.Column("value", sa.Text()),
        sa.Column("note", sa.Text()),
        sa.Column("reviewer", _text(200)),
        sa.Column("clock", sa.BigInteger(), nullable=False),
        sa.Column("reviewed_at", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("review_id"),
        if_not_exists=True,
    )
    op.create_index(
        "pattern_review_by_pattern", "pattern_review", ["pattern_id", "clock"], if_not_exists=True
    )


def _text(length: int) -> sa.types.TypeEngine[str]:
    return sa.String(length).with_variant(sa.Text(collation="C"), "postgresql")
