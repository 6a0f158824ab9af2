"""`helix-lab forget`: erases a person, and prints the receipt."""

from __future__ import annotations

import click

from helix_lab.doors.cli.importing import follow
from helix_lab.doors.cli.session import Session


@click.command()
@click.option("--user", "user_id", required=True, metavar="ID", help="As in their conversations.")
@click.option("--yes", is_flag=True, help="Do not ask: it cannot be undone.")
@click.option("--json", "is_json", is_flag=True, help="Print the run as JSON.")
@click.pass_obj
def forget(session: Session, user_id: str, *, yes: bool, is_json: bool) -> None:
    """Erase a user from the log and from everything that follows from it.

    Their conversations, debates and memories go; what they said in conversations of others is
    replaced by [erased]. Every store is then filled again, which takes as long as rebuilding it.
    The answer is a receipt. It cannot be undone.
    """
    if not yes:
        click.confirm(f"Erase everything of user {user_id}? It cannot be undone.", abort=True)
    run = follow(session, session.call_by_name("forget_user", user_id=user_id), "forget")
    if is_json or session.is_json:
        click.echo(run.model_dump_json())
        return
    receipt = run.result or {}
    for name, value in receipt.items():
        click.echo(f"{name.replace('_', ' '):<18} {_show(value)}")


def _show(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {count}" for name, count in value.items()) or "none"
    if isinstance(value, list):
        return ", ".join(value) or "none"
    return str(value)
