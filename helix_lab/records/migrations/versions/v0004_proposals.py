"""Facts that users tell of themselves, and what was decided on each."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

_MOMENT = sa.DateTime(timezone=True)


def _text(length: int) -> sa.String:
    return sa.String(length).with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Make both tables, unless they are there without a version; the log fills them."""
    op.create_table(
        "proposal",
        sa.Column("proposal_id", _text(200), primary_key=True),
        sa.Column("conversation_id", _text(200), nullable=False),
        sa.Column("message_id", _text(200), nullable=False),
        sa.Column("user_id", _text(200)),
        sa.Column("content", sa.Text, nullable=False),
        sa.Column("category", _text(20), nullable=False),
        sa.Column("said_at", _MOMENT, nullable=False),
        if_not_exists=True,
    )
    op.create_index("proposal_by_time", "proposal", ["said_at", "proposal_id"], if_not_exists=True)
    op.create_table(
        "proposal_decision",
        sa.Column("proposal_id", _text(200), primary_key=True),
        sa.Column("decision", _text(20), nullable=False),
        sa.Column("memory_id", _text(200)),
        sa.Column("decided_at", _MOMENT, nullable=False),
        if_not_exists=True,
    )
