"""A store from before versions were counted: tables of memories that have another form."""

from __future__ import annotations

import sqlalchemy as sa

from helix_lab.records.memory_words import drop_words

_PROJECTION = "memory"
_FORMER = ("memory_writer",)


def drop_outdated(connection: sa.Connection, tables: sa.MetaData) -> None:
    """Drop the tables of memories if their columns are others; the log fills them again."""
    inspector = sa.inspect(connection)
    if not inspector.has_table("memory"):
        return
    own = [table for name, table in tables.tables.items() if name.partition("_")[0] == "memory"]
    if all(_is_current(inspector, table) for table in own):
        return
    drop_words(connection)
    for table in own:
        table.drop(connection, checkfirst=True)
    for name in _FORMER:
        sa.Table(name, sa.MetaData()).drop(connection, checkfirst=True)
    for name in ("checkpoint", "dead_letter"):
        if inspector.has_table(name):
            table = tables.tables[name]
            connection.execute(table.delete().where(table.c.projection == _PROJECTION))


def _is_current(inspector: sa.Inspector, table: sa.Table) -> bool:
    if not inspector.has_table(table.name):
        return False
    found = {column["name"] for column in inspector.get_columns(table.name)}
    return found == {column.name for column in table.columns}
