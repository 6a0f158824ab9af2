"""The tables of the record store.

`conversation`, `debate` and `debate_turn` are projections: dropped and rebuilt from the
log. `run` is not in the log; `checkpoint` and `dead_letter` belong to the projections.
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


def _text(length: int) -> sa.String:
    """A short text, the same on both databases: in order of its bytes, whatever the locale.

    The length is for the reader: SQLite does not heed it, so PostgreSQL shall not.
    """
    return sa.String(length).with_variant(sa.Text(collation="C"), "postgresql")


CONVERSATION = sa.Table(
    "conversation",
    METADATA,
    sa.Column("conversation_id", _text(200), primary_key=True),
    sa.Column("user_id", _text(200)),
    sa.Column("source", _text(200)),
    sa.Column("title", sa.Text),
    sa.Column("metadata", JSON),
    sa.Column("outcome", _text(20)),
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
    sa.Column("debate_id", _text(200), primary_key=True),
    sa.Column("conversation_id", _text(200), nullable=False),
    sa.Column("topic", sa.Text, nullable=False),
    sa.Column("protocol", _text(200), nullable=False),
    sa.Column("rounds", sa.Integer, nullable=False),
    sa.Column("seed", sa.BigInteger, nullable=False),
    sa.Column("seats", JSON, nullable=False),
    sa.Column("judge", JSON),
    sa.Column("user_id", _text(200)),
    sa.Column("source", _text(200)),
    sa.Column("started_at", UtcMoment, nullable=False),
    sa.Column("completed_at", UtcMoment),
    sa.Column("result", JSON),
    sa.Index("debate_by_start", "started_at", "debate_id"),
    sa.Index("debate_by_conversation", "conversation_id", "started_at"),
)

DEBATE_TURN = sa.Table(
    "debate_turn",
    METADATA,
    sa.Column("debate_id", _text(200), primary_key=True),
    sa.Column("round", sa.Integer, primary_key=True),
    sa.Column("role", _text(20), primary_key=True),
    sa.Column("seat", _text(200), primary_key=True),
    sa.Column("clock", sa.BigInteger, nullable=False),
    sa.Column("ended_at", UtcMoment, nullable=False),
    sa.Column("turn", JSON, nullable=False),
)

RUN = sa.Table(
    "run",
    METADATA,
    sa.Column("run_id", _text(200), primary_key=True),
    sa.Column("kind", _text(50), nullable=False),
    sa.Column("state", _text(20), nullable=False),
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

CHECKPOINT = sa.Table(
    "checkpoint",
    METADATA,
    sa.Column("projection", _text(100), primary_key=True),
    sa.Column("topic", _text(200), primary_key=True),
    sa.Column("partition", sa.Integer, primary_key=True),
    sa.Column("next_offset", sa.BigInteger, nullable=False),
)

DEAD_LETTER = sa.Table(
    "dead_letter",
    METADATA,
    sa.Column("projection", _text(100), primary_key=True),
    sa.Column("topic", _text(200), primary_key=True),
    sa.Column("partition", sa.Integer, primary_key=True),
    sa.Column("offset", sa.BigInteger, primary_key=True),
    sa.Column("event_id", _text(200), nullable=False),
    sa.Column("event_type", _text(200), nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("refused_at", UtcMoment, nullable=False),
)
