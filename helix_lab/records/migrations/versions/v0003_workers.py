"""What workers share: who fills which partition, and which events were applied."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Two new tables."""
    text, name = _text(200), _text(100)
    op.create_table(
        "applied_event",
        sa.Column("projection", name, nullable=False),
        sa.Column("event_id", text, nullable=False),
        sa.PrimaryKeyConstraint("projection", "event_id"),
    )
    op.create_table(
        "claim",
        sa.Column("projection", name, nullable=False),
        sa.Column("topic", text, nullable=False),
        sa.Column("partition", sa.Integer(), nullable=False),
        sa.Column("holder", text, nullable=False),
        sa.PrimaryKeyConstraint("projection", "topic", "partition"),
    )


def _text(length: int) -> sa.types.TypeEngine[str]:
    return sa.String(length).with_variant(sa.Text(collation="C"), "postgresql")
