"""Writes the next version of the record store from what changed in `records.tables`.

`python -m helix_lab.records.new_version "what it does"`; then read the module that it names, put
its number into `records.schema.NEWEST`, and try it on PostgreSQL: `make test-services`.
"""

from __future__ import annotations

import sys

import sqlalchemy as sa

from helix_lab.records.schema import NEWEST, bring_up_to_date, make_config


def write_version(message: str) -> str:
    """The path of the new module."""
    from alembic import command
    from alembic.script import Script

    number = f"{int(NEWEST) + 1:04}"
    with sa.create_engine("sqlite://").begin() as connection:
        bring_up_to_date(connection)
        config = make_config(connection)
        config.set_main_option("file_template", "v%%(rev)s_%%(slug)s")
        made = command.revision(config, message, autogenerate=True, rev_id=number)
    assert isinstance(made, Script)  # noqa: S101 - one head, so one script
    return made.path


if __name__ == "__main__":
    sys.stdout.write(f"{write_version(' '.join(sys.argv[1:]))}\n")
