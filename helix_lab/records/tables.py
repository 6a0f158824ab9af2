"""The tables of the record store.

`conversation`, `debate`, `debate_turn`, `trace`, `proposal`, `proposal_decision` and those of
memories are projections: dropped and rebuilt from the log. `run` and `schedule` are not in the log;
`checkpoint`, `claim`, `applied_event` and `dead_letter` belong to the projections. A change here
needs a version: see `records.schema`.
"""

from __future__ import annotations

from datetime import UTC, datetime

import sqlalchemy as sa

METADATA = sa.MetaData()


class UtcMoment(sa.types.TypeDecorator[datetime]):
    """An aware UTC datetime; SQLite keeps it without zone, so the zone is put back on reading."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(
        self,
        value: datetime | None,
        dialect: sa.Dialect,  # noqa: ARG002
    ) -> datetime | None:
        """Refuse a naive time, which would be a guess, and bring others to UTC."""
        if value is None:
            return None
        if value.tzinfo is None:
            message = f"a naive time was given: {value!r}"
            raise ValueError(message)
        return value.astimezone(UTC)

    def process_result_value(
        self,
        value: datetime | None,
        dialect: sa.Dialect,  # noqa: ARG002
    ) -> datetime | None:
        """Put the zone back that SQLite does not keep, or leave that of a session."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


JSON = sa.JSON(none_as_null=True)
"""JSON in which nothing is NULL: as the JSON value `null` it would count as known."""


def short_text(length: int) -> sa.String:
    """A short text, the same on both databases: in order of its bytes, whatever the locale.

    The length is for the reader: SQLite does not heed it, so PostgreSQL shall not.
    """
    return sa.String(length).with_variant(sa.Text(collation="C"), "postgresql")


CONVERSATION = sa.Table(
    "conversation",
    METADATA,
    sa.Column("conversation_id", short_text(200), primary_key=True),
    sa.Column("user_id", short_text(200)),
    sa.Column("source", short_text(200)),
    sa.Column("title", sa.Text),
    sa.Column("metadata", JSON),
    sa.Column("outcome", short_text(20)),
    sa.Column("started_at", UtcMoment, nullable=False),
    sa.Column("updated_at", UtcMoment, nullable=False),
    sa.Column("completed_at", UtcMoment),
    sa.Column("message_count", sa.BigInteger, nullable=False),
    sa.Column("token_count", sa.BigInteger, nullable=False),
    sa.Column("debate_count", sa.BigInteger, nullable=False),
    sa.Column("clock", sa.BigInteger, nullable=False),
    sa.Index("conversation_by_update", "updated_at", "conversation_id"),
    sa.Index("conversation_by_user", "user_id", "updated_at", "conversation_id"),
)

DEBATE = sa.Table(
    "debate",
    METADATA,
    sa.Column("debate_id", short_text(200), primary_key=True),
    sa.Column("conversation_id", short_text(200), nullable=False),
    sa.Column("topic", sa.Text, nullable=False),
    sa.Column("protocol", short_text(200), nullable=False),
    sa.Column("rounds", sa.Integer, nullable=False),
    sa.Column("seed", sa.BigInteger, nullable=False),
    sa.Column("seats", JSON, nullable=False),
    sa.Column("judge", JSON),
    sa.Column("user_id", short_text(200)),
    sa.Column("source", short_text(200)),
    sa.Column("started_at", UtcMoment, nullable=False),
    sa.Column("completed_at", UtcMoment),
    sa.Column("result", JSON),
    sa.Index("debate_by_start", "started_at", "debate_id"),
    sa.Index("debate_by_conversation", "conversation_id", "started_at"),
)

TRACE = sa.Table(
    "trace",
    METADATA,
    sa.Column("trace_id", short_text(32), primary_key=True),
    sa.Column("name", sa.Text),
    sa.Column("service", sa.Text),
    sa.Column("conversation_id", short_text(200)),
    sa.Column("started_at", UtcMoment, nullable=False),
    sa.Column("ended_at", UtcMoment, nullable=False),
    sa.Column("span_count", sa.BigInteger, nullable=False),
    sa.Column("request_count", sa.BigInteger, nullable=False),
    sa.Column("error_count", sa.BigInteger, nullable=False),
    sa.Column("input_tokens", sa.BigInteger, nullable=False),
    sa.Column("output_tokens", sa.BigInteger, nullable=False),
    sa.Column("cost_usd", sa.Double, nullable=False),
    sa.Index("trace_by_start", "started_at", "trace_id"),
)

PROPOSAL = sa.Table(
    "proposal",
    METADATA,
    sa.Column("proposal_id", short_text(200), primary_key=True),
    sa.Column("conversation_id", short_text(200), nullable=False),
    sa.Column("message_id", short_text(200), nullable=False),
    sa.Column("user_id", short_text(200)),
    sa.Column("content", sa.Text, nullable=False),
    sa.Column("category", short_text(20), nullable=False),
    sa.Column("said_at", UtcMoment, nullable=False),
    sa.Index("proposal_by_time", "said_at", "proposal_id"),
)

PROPOSAL_DECISION = sa.Table(
    "proposal_decision",
    METADATA,
    sa.Column("proposal_id", short_text(200), primary_key=True),
    sa.Column("decision", short_text(20), nullable=False),
    sa.Column("memory_id", short_text(200)),
    sa.Column("decided_at", UtcMoment, nullable=False),
)

DEBATE_TURN = sa.Table(
    "debate_turn",
    METADATA,
    sa.Column("debate_id", short_text(200), primary_key=True),
    sa.Column("round", sa.Integer, primary_key=True),
    sa.Column("role", short_text(20), primary_key=True),
    sa.Column("seat", short_text(200), primary_key=True),
    sa.Column("clock", sa.BigInteger, nullable=False),
    sa.Column("ended_at", UtcMoment, nullable=False),
    sa.Column("turn", JSON, nullable=False),
)

MEMORY = sa.Table(
    "memory",
    METADATA,
    sa.Column("memory_id", short_text(200), primary_key=True),
    sa.Column("user_id", short_text(200)),
    sa.Column("content", sa.Text, nullable=False),
    sa.Column("type", short_text(20)),
    sa.Column("category", short_text(200)),
    sa.Column("importance", sa.Float),
    sa.Column("tags", JSON, nullable=False),
    sa.Column("metadata", JSON, nullable=False),
    sa.Column("expires_at", UtcMoment),
    sa.Column("version", sa.BigInteger, nullable=False),
    sa.Column("has_conflict", sa.Boolean, nullable=False),
    sa.Column("is_alive", sa.Boolean, nullable=False),
    sa.Column("created_at", UtcMoment, nullable=False),
    sa.Column("updated_at", UtcMoment, nullable=False),
    sa.Column("updated_by", short_text(200), nullable=False),
    sa.Column("change", sa.BigInteger, nullable=False, unique=True),
    sa.Column("is_settled", sa.Boolean, nullable=False),
    sa.Column("state", JSON, nullable=False),
    sa.Index("memory_by_update", "is_alive", "updated_at", "memory_id"),
    sa.Index("memory_by_user", "user_id", "is_alive", "updated_at", "memory_id"),
    sa.Index("memory_by_settling", "is_settled", "memory_id"),
)
"""`change` numbers the last update by its place in the log; `is_settled`: no dot is left in it."""

MEMORY_TAG = sa.Table(
    "memory_tag",
    METADATA,
    sa.Column("tag", short_text(200), primary_key=True),
    sa.Column("memory_id", short_text(200), primary_key=True),
    sa.Index("memory_tag_by_memory", "memory_id"),
)

MEMORY_NODE = sa.Table(
    "memory_node",
    METADATA,
    sa.Column("node_id", short_text(200), primary_key=True),
    sa.Column("seq", sa.BigInteger, nullable=False),
    sa.Column("is_member", sa.Boolean, nullable=False),
    sa.Column("acknowledged", JSON, nullable=False),
    sa.Column("instance", short_text(200)),
    sa.Column("joined_at", UtcMoment),
    sa.Column("removed_at", UtcMoment),
    sa.Column("removed_by", short_text(200)),
)
"""The nodes that write memories: how many updates of each are in the store, what each has."""

MEMORY_EARLY = sa.Table(
    "memory_early",
    METADATA,
    sa.Column("node_id", short_text(200), primary_key=True),
    sa.Column("seq", sa.BigInteger, primary_key=True),
    sa.Column("update", JSON, nullable=False),
)
"""Updates that came before what their writers had seen, and wait for it."""

MEMORY_CONFLICT = sa.Table(
    "memory_conflict",
    METADATA,
    sa.Column("conflict_id", short_text(200), primary_key=True),
    sa.Column("memory_id", short_text(200), nullable=False),
    sa.Column("kind", short_text(50), nullable=False),
    sa.Column("found_at", UtcMoment, nullable=False),
    sa.Column("writers", JSON, nullable=False),
    sa.Column("fields", JSON, nullable=False),
    sa.Column("strategy", short_text(200), nullable=False),
    sa.Column("result", JSON, nullable=False),
    sa.Column("version", sa.BigInteger, nullable=False),
    sa.Column("state", short_text(20), nullable=False),
    sa.Column("ended_at", UtcMoment),
    sa.Column("ended_by", short_text(200)),
    sa.Column("ended_version", sa.BigInteger),
    sa.Index("memory_conflict_by_time", "found_at", "conflict_id"),
    sa.Index("memory_conflict_by_memory", "memory_id", "state"),
)
"""What was written side by side, with all values, and how it ended."""

MEMORY_CONFLICT_TOLD = sa.Table(
    "memory_conflict_told",
    METADATA,
    sa.Column("conflict_id", short_text(200), primary_key=True),
    sa.Column("state", short_text(20), nullable=False),
)
"""What the topic of conflicts was told. It follows from no log, so a rebuild keeps it."""

MEMORY_TABLES = (MEMORY, MEMORY_TAG, MEMORY_NODE, MEMORY_EARLY, MEMORY_CONFLICT)

RUN = sa.Table(
    "run",
    METADATA,
    sa.Column("run_id", short_text(200), primary_key=True),
    sa.Column("kind", short_text(50), nullable=False),
    sa.Column("state", short_text(20), nullable=False),
    sa.Column("progress", sa.Float, nullable=False),
    sa.Column("request", JSON, nullable=False),
    sa.Column("result", JSON),
    sa.Column("error", JSON),
    sa.Column("artifacts", JSON, nullable=False),
    sa.Column("cancel_requested", sa.Boolean, nullable=False),
    sa.Column("created_at", UtcMoment, nullable=False),
    sa.Column("started_at", UtcMoment),
    sa.Column("ended_at", UtcMoment),
    sa.Index("run_by_creation", "created_at", "run_id"),
    sa.Index("run_by_state", "state"),
)

SCHEDULE = sa.Table(
    "schedule",
    METADATA,
    sa.Column("schedule_id", short_text(200), primary_key=True),
    sa.Column("report", short_text(200), nullable=False),
    sa.Column("cron", short_text(200), nullable=False),
    sa.Column("timezone", short_text(100), nullable=False),
    sa.Column("parameters", JSON, nullable=False),
    sa.Column("secrets", JSON, nullable=False),
    sa.Column("timeout_s", sa.Float, nullable=False),
    sa.Column("late_s", sa.Float, nullable=False),
    sa.Column("created_at", UtcMoment, nullable=False),
    sa.Column("next_at", UtcMoment),
    sa.Column("last_at", UtcMoment),
    sa.Column("last_run_id", short_text(200)),
    sa.Column("last_missed_at", UtcMoment),
    sa.Column("problem", sa.Text),
    sa.Index("schedule_by_next", "next_at"),
)

CHECKPOINT = sa.Table(
    "checkpoint",
    METADATA,
    sa.Column("projection", short_text(100), primary_key=True),
    sa.Column("topic", short_text(200), primary_key=True),
    sa.Column("partition", sa.Integer, primary_key=True),
    sa.Column("next_offset", sa.BigInteger, nullable=False),
)

CLAIM = sa.Table(
    "claim",
    METADATA,
    sa.Column("projection", short_text(100), primary_key=True),
    sa.Column("topic", short_text(200), primary_key=True),
    sa.Column("partition", sa.Integer, primary_key=True),
    sa.Column("holder", short_text(200), nullable=False),
)
"""Which worker may write what a partition says, beside the checkpoint that it moves."""

APPLIED_EVENT = sa.Table(
    "applied_event",
    METADATA,
    sa.Column("projection", short_text(100), primary_key=True),
    sa.Column("event_id", short_text(200), primary_key=True),
)
"""What workers applied: a topic may hold an event twice, and they have no copy of the log."""

DEAD_LETTER = sa.Table(
    "dead_letter",
    METADATA,
    sa.Column("projection", short_text(100), primary_key=True),
    sa.Column("topic", short_text(200), primary_key=True),
    sa.Column("partition", sa.Integer, primary_key=True),
    sa.Column("offset", sa.BigInteger, primary_key=True),
    sa.Column("event_id", short_text(200), nullable=False),
    sa.Column("event_type", short_text(200), nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("refused_at", UtcMoment, nullable=False),
)
