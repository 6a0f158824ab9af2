"""The version of the record store: found, brought up to date, or refused.

The versions are in `records.migrations`. To add one, change `records.tables` and run
`python -m helix_lab.records.new_version "what it does"`.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa

from helix_lab.domain.model.errors import Conflict
from helix_lab.records import learning_tables  # noqa: F401 - it adds its tables to METADATA
from helix_lab.records.tables import METADATA

if TYPE_CHECKING:
    from alembic.config import Config

NEWEST = "0008"
"""The version that this program works with."""

_MIGRATIONS = Path(__file__).parent / "migrations"
_VERSION = sa.Table("alembic_version", sa.MetaData(), sa.Column("version_num", sa.String(32)))


def bring_up_to_date(connection: sa.Connection) -> None:
    """Make the tables, or carry those of an older version over; all of it is kept, or none.

    Args:
        connection: in a transaction that no other process can be in.

    Raises:
        Conflict: a newer program made them.
    """
    found = read_version(connection)
    if found == NEWEST:
        return  # nearly always; Alembic is not even loaded
    if found is not None and found > NEWEST:
        message = (
            f"the record store is of version {found}, and this Helix Lab knows versions up to "
            f"{NEWEST}: a newer one has opened it. Install that again (pip install --upgrade "
            "helix-lab), or choose another place by HELIX_RECORDS_URL or HELIX_DATA_DIR"
        )
        raise Conflict(message, found=found, newest=NEWEST)
    from alembic import command

    command.upgrade(make_config(connection), "head")


def read_version(connection: sa.Connection) -> str | None:
    """The version of the tables; None: there are none, or they are from before versions."""
    if not sa.inspect(connection).has_table(_VERSION.name):
        return None
    return connection.execute(sa.select(_VERSION.c.version_num)).scalar_one_or_none()


def make_config(connection: sa.Connection) -> Config:
    """What Alembic needs to know, without a file."""
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


def is_declared(name: str | None, kind: str, _parents: object) -> bool:
    """Whether Alembic compares a thing: the index of words is made by statements of its own."""
    return kind != "table" or name in METADATA.tables
