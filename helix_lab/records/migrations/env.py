"""What Alembic runs: the versions that are missing, in the transaction of its caller."""

from __future__ import annotations

from alembic import context

from helix_lab.records.schema import is_declared
from helix_lab.records.tables import METADATA

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    include_name=is_declared,
    # SQLite has it too, once a transaction was begun by hand.
    transactional_ddl=True,
)
context.run_migrations()
