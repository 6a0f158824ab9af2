"""`helix-lab config`: the settings in force, without opening the lab."""

from __future__ import annotations

import click

from helix_lab.doors.cli.output import print_table
from helix_lab.doors.cli.session import Session


@click.group()
def config() -> None:
    """Show the settings in force, and where each comes from."""


@config.command()
@click.option("--json", "is_json", is_flag=True, help="Print the answer as JSON.")
@click.pass_obj
def show(session: Session, *, is_json: bool) -> None:
    """Print every setting in force, its value and where it comes from; secrets are masked.

    An option goes before the environment, that before HELIX_ENV_FILE, that before the file of
    HELIX_CONFIG, and that before the default. A running server keeps what it was started with.
    """
    from helix_lab.settings.showing import show_settings

    options = {
        name: (text, option)
        for name, text, option in (
            ("HELIX_LAB_URL", session.url, "--url"),
            ("HELIX_LAB_TOKEN", session.token, "--token"),
        )
        if text
    }
    shown = show_settings(data_dir=session.data_dir, options=options)
    if is_json or session.is_json:
        import msgspec

        click.echo(msgspec.json.encode({"settings": shown}).decode())
        return
    rows = [[one.name, one.value or "", one.origin, one.note or ""] for one in shown]
    columns = ["setting", "value", "from", "note"]
    if not any(row[-1] for row in rows):
        columns, rows = columns[:-1], [row[:-1] for row in rows]
    print_table(columns, rows)


@config.command()
@click.pass_obj
def check(session: Session) -> None:
    """Read all settings, and say whether they can be used; reaches no service."""
    from helix_lab.lab.workers import check_workers
    from helix_lab.settings import read_settings

    check_workers(read_settings(data_dir=session.data_dir))
    click.echo("all settings can be used; `helix-lab health` asks the services themselves")
