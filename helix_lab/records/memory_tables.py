"""The tables of memories beyond their columns: made anew where an older program made them."""

from __future__ import annotations

import sqlalchemy as sa

from helix_lab.records.memory_words import drop_words
from helix_lab.records.tables import CHECKPOINT, DEAD_LETTER, MEMORY, MEMORY_TABLES

_PROJECTION = "memory"
_FORMER = ("memory_writer",)


def drop_outdated(connection: sa.Connection) -> None:
    """Drop the tables of memories if their columns are not ours; the log fills them again."""
    inspector = sa.inspect(connection)
    if not inspector.has_table(MEMORY.name):
        return
    if all(_is_current(inspector, table) for table in MEMORY_TABLES):
        return
    drop_words(connection)
    for table in MEMORY_TABLES:
        table.drop(connection, checkfirst=True)
    for name in _FORMER:
        sa.Table(name, sa.MetaData()).drop(connection, checkfirst=True)
    for table in (CHECKPOINT, DEAD_LETTER):
        if inspector.has_table(table.name):
            connection.execute(table.delete().where(table.c.projection == _PROJECTION))


def _is_current(inspector: sa.Inspector, table: sa.Table) -> bool:
    if not inspector.has_table(table.name):
        return False
    found = {column["name"] for column in inspector.get_columns(table.name)}
    return found == {column.name for column in table.columns}
