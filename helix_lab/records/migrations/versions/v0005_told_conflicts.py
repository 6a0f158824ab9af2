"""Which conflicts the topic of conflicts was told of."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """A new table."""
    op.create_table(
        "memory_conflict_told",
        sa.Column("conflict_id", _text(200), nullable=False),
        sa.Column("state", _text(20), nullable=False),
        sa.PrimaryKeyConstraint("conflict_id"),
    )


def _text(length: int) -> sa.types.TypeEngine[str]:
    return sa.String(length).with_variant(sa.Text(collation="C"), "postgresql")
