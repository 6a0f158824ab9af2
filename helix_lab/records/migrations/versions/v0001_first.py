"""The tables as they were when their versions began to be counted.

A store that an older program made has some of them, without a version: it gets those that it lacks.
What is in it stays, but for memories of another form, which the log fills again. This module is a
copy on purpose: a version is never changed.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from helix_lab.records.memory_words import create_words
from helix_lab.records.migrations.unversioned import drop_outdated

revision = "0001"
down_revision = None

_TABLES = sa.MetaData()
_MOMENT = sa.DateTime(timezone=True)
_JSON = sa.JSON()


def _text(length: int) -> sa.String:
    return sa.String(length).with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Make what is missing."""
    connection = op.get_bind()
    drop_outdated(connection, _TABLES)
    _TABLES.create_all(connection)
    create_words(connection)


sa.Table(
    "conversation",
    _TABLES,
    sa.Column("conversation_id", _text(200), primary_key=True),
    sa.Column("user_id", _text(200)),
    sa.Column("source", _text(200)),
    sa.Column("title", sa.Text),
    sa.Column("metadata", _JSON),
    sa.Column("outcome", _text(20)),
    sa.Column("started_at", _MOMENT, nullable=False),
    sa.Column("updated_at", _MOMENT, nullable=False),
    sa.Column("completed_at", _MOMENT),
    sa.Column("message_count", sa.BigInteger, nullable=False),
    sa.Column("token_count", sa.BigInteger, nullable=False),
    sa.Column("debate_count", sa.BigInteger, nullable=False),
    sa.Column("clock", sa.BigInteger, nullable=False),
    sa.Index("conversation_by_update", "updated_at", "conversation_id"),
    sa.Index("conversation_by_user", "user_id", "updated_at", "conversation_id"),
)

sa.Table(
    "debate",
    _TABLES,
    sa.Column("debate_id", _text(200), primary_key=True),
    sa.Column("conversation_id", _text(200), nullable=False),
    sa.Column("topic", sa.Text, nullable=False),
    sa.Column("protocol", _text(200), nullable=False),
    sa.Column("rounds", sa.Integer, nullable=False),
    sa.Column("seed", sa.BigInteger, nullable=False),
    sa.Column("seats", _JSON, nullable=False),
    sa.Column("judge", _JSON),
    sa.Column("user_id", _text(200)),
    sa.Column("source", _text(200)),
    sa.Column("started_at", _MOMENT, nullable=False),
    sa.Column("completed_at", _MOMENT),
    sa.Column("result", _JSON),
    sa.Index("debate_by_start", "started_at", "debate_id"),
    sa.Index("debate_by_conversation", "conversation_id", "started_at"),
)

sa.Table(
    "debate_turn",
    _TABLES,
    sa.Column("debate_id", _text(200), primary_key=True),
    sa.Column("round", sa.Integer, primary_key=True),
    sa.Column("role", _text(20), primary_key=True),
    sa.Column("seat", _text(200), primary_key=True),
    sa.Column("clock", sa.BigInteger, nullable=False),
    sa.Column("ended_at", _MOMENT, nullable=False),
    sa.Column("turn", _JSON, nullable=False),
)

sa.Table(
    "memory",
    _TABLES,
    sa.Column("memory_id", _text(200), primary_key=True),
    sa.Column("user_id", _text(200)),
    sa.Column("content", sa.Text, nullable=False),
    sa.Column("type", _text(20)),
    sa.Column("category", _text(200)),
    sa.Column("importance", sa.Float),
    sa.Column("tags", _JSON, nullable=False),
    sa.Column("metadata", _JSON, nullable=False),
    sa.Column("expires_at", _MOMENT),
    sa.Column("version", sa.BigInteger, nullable=False),
    sa.Column("has_conflict", sa.Boolean, nullable=False),
    sa.Column("is_alive", sa.Boolean, nullable=False),
    sa.Column("created_at", _MOMENT, nullable=False),
    sa.Column("updated_at", _MOMENT, nullable=False),
    sa.Column("updated_by", _text(200), nullable=False),
    sa.Column("change", sa.BigInteger, nullable=False, unique=True),
    sa.Column("is_settled", sa.Boolean, nullable=False),
    sa.Column("state", _JSON, nullable=False),
    sa.Index("memory_by_update", "is_alive", "updated_at", "memory_id"),
    sa.Index("memory_by_user", "user_id", "is_alive", "updated_at", "memory_id"),
    sa.Index("memory_by_settling", "is_settled", "memory_id"),
)

sa.Table(
    "memory_tag",
    _TABLES,
    sa.Column("tag", _text(200), primary_key=True),
    sa.Column("memory_id", _text(200), primary_key=True),
    sa.Index("memory_tag_by_memory", "memory_id"),
)

sa.Table(
    "memory_node",
    _TABLES,
    sa.Column("node_id", _text(200), primary_key=True),
    sa.Column("seq", sa.BigInteger, nullable=False),
    sa.Column("is_member", sa.Boolean, nullable=False),
    sa.Column("acknowledged", _JSON, nullable=False),
    sa.Column("instance", _text(200)),
    sa.Column("joined_at", _MOMENT),
    sa.Column("removed_at", _MOMENT),
    sa.Column("removed_by", _text(200)),
)

sa.Table(
    "memory_early",
    _TABLES,
    sa.Column("node_id", _text(200), primary_key=True),
    sa.Column("seq", sa.BigInteger, primary_key=True),
    sa.Column("update", _JSON, nullable=False),
)

sa.Table(
    "memory_conflict",
    _TABLES,
    sa.Column("conflict_id", _text(200), primary_key=True),
    sa.Column("memory_id", _text(200), nullable=False),
    sa.Column("kind", _text(50), nullable=False),
    sa.Column("found_at", _MOMENT, nullable=False),
    sa.Column("writers", _JSON, nullable=False),
    sa.Column("fields", _JSON, nullable=False),
    sa.Column("strategy", _text(200), nullable=False),
    sa.Column("result", _JSON, nullable=False),
    sa.Column("version", sa.BigInteger, nullable=False),
    sa.Column("state", _text(20), nullable=False),
    sa.Column("ended_at", _MOMENT),
    sa.Column("ended_by", _text(200)),
    sa.Column("ended_version", sa.BigInteger),
    sa.Index("memory_conflict_by_time", "found_at", "conflict_id"),
    sa.Index("memory_conflict_by_memory", "memory_id", "state"),
)

sa.Table(
    "run",
    _TABLES,
    sa.Column("run_id", _text(200), primary_key=True),
    sa.Column("kind", _text(50), nullable=False),
    sa.Column("state", _text(20), nullable=False),
    sa.Column("progress", sa.Float, nullable=False),
    sa.Column("request", _JSON, nullable=False),
    sa.Column("result", _JSON),
    sa.Column("error", _JSON),
    sa.Column("artifacts", _JSON, nullable=False),
    sa.Column("cancel_requested", sa.Boolean, nullable=False),
    sa.Column("created_at", _MOMENT, nullable=False),
    sa.Column("started_at", _MOMENT),
    sa.Column("ended_at", _MOMENT),
    sa.Index("run_by_creation", "created_at", "run_id"),
    sa.Index("run_by_state", "state"),
)

sa.Table(
    "schedule",
    _TABLES,
    sa.Column("schedule_id", sa.String(200), primary_key=True),
    sa.Column("report", sa.String(200), nullable=False),
    sa.Column("cron", sa.String(200), nullable=False),
    sa.Column("timezone", sa.String(100), nullable=False),
    sa.Column("parameters", _JSON, nullable=False),
    sa.Column("secrets", _JSON, nullable=False),
    sa.Column("timeout_s", sa.Float, nullable=False),
    sa.Column("late_s", sa.Float, nullable=False),
    sa.Column("created_at", _MOMENT, nullable=False),
    sa.Column("next_at", _MOMENT),
    sa.Column("last_at", _MOMENT),
    sa.Column("last_run_id", sa.String(200)),
    sa.Column("last_missed_at", _MOMENT),
    sa.Column("problem", sa.Text),
    sa.Index("schedule_by_next", "next_at"),
)

sa.Table(
    "checkpoint",
    _TABLES,
    sa.Column("projection", _text(100), primary_key=True),
    sa.Column("topic", _text(200), primary_key=True),
    sa.Column("partition", sa.Integer, primary_key=True),
    sa.Column("next_offset", sa.BigInteger, nullable=False),
)

sa.Table(
    "dead_letter",
    _TABLES,
    sa.Column("projection", _text(100), primary_key=True),
    sa.Column("topic", _text(200), primary_key=True),
    sa.Column("partition", sa.Integer, primary_key=True),
    sa.Column("offset", sa.BigInteger, primary_key=True),
    sa.Column("event_id", _text(200), nullable=False),
    sa.Column("event_type", _text(200), nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("refused_at", _MOMENT, nullable=False),
)
