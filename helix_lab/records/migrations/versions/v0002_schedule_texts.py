"""Short texts of schedules like those of all tables: by their bytes, and of any length."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_NAMES = ("schedule_id", "report", "cron", "timezone", "last_run_id")


def upgrade() -> None:
    """SQLite heeds neither, so there is nothing to do there."""
    if op.get_bind().dialect.name == "postgresql":
        for name in _NAMES:
            op.alter_column("schedule", name, type_=sa.Text(collation="C"))
