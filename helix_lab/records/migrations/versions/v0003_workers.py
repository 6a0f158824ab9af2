"""What workers share: who fills which partition, and which events were applied."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Two new tables, unless they are there without a version."""
    text, name = _text(200), _text(100)
    op.create_table(
        "applied_event",
        sa.Column("projection", name, nullable=False),
        sa.Column("event_id", text, nullable=False),
        sa.PrimaryKeyConstraint("projection", "event_id"),
        if_not_exists=True,
    )
    op.create_table(
        "claim",
        sa.Column("projection", name, nullable=False),
        sa.Column("topic", text, nullable=False),
        sa.Column("partition", sa.Integer(), nullable=False),
        sa.Column("holder", text, nullable=False),
        sa.PrimaryKeyConstraint("projection", "topic", "partition"),
        if_not_exists=True,
    )


def _text(length: int) -> sa.types.TypeEngine[str]:
    return sa.String(length).with_variant(sa.Text(collation="C"), "postgresql")
