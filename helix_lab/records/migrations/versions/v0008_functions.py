"""The guide's functions of what is learned, which only PostgreSQL can have.

SQLite has none of its own; there the same four are table macros of one's own SQL, see
`queries.learned_sql`.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from helix_lab.records.sql_files import load_functions

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Make or replace every function of `sql/postgres/`."""
    if op.get_context().dialect.name != "postgresql":
        return
    for statement in load_functions("postgres").values():
        op.execute(sa.text(statement))
