"""`helix-lab archive` and `helix-lab restore`: to the lake and back, watched until the end."""

from __future__ import annotations

from typing import Any

import click

from helix_lab.doors.cli.importing import follow
from helix_lab.doors.cli.session import Session


@click.command()
@click.argument("conversation_id", required=False)
@click.option("--date", help="Conversations open on this day (UTC), such as 2026-01-29.")
@click.option("--all", "is_all", is_flag=True, help="Every conversation.")
@click.option("--format", type=click.Choice(["parquet", "json"]), default="parquet")
@click.option("--entities", is_flag=True, help="Also a snapshot of the graph's entities.")
@click.option("--json", "is_json", is_flag=True, help="Print the status as JSON.")
@click.pass_obj
def archive(
    session: Session,
    conversation_id: str | None,
    date: str | None,
    format: str,
    *,
    is_all: bool,
    entities: bool,
    is_json: bool,
) -> None:
    """Archive a conversation, a day or all into the lake.

    What is there already, made of the same events, is left as it is.
    """
    given: dict[str, Any] = {"conversation_id": conversation_id, "date": date}
    asked = {name: value for name, value in given.items() if value is not None}
    job = session.call_by_name(
        "archive_conversations", **asked, all=is_all, format=format, entities=entities
    )
    follow(session, session.call_by_name("get_run", run_id=job.job_id), "archive")
    status = session.call_by_name("get_archive", job_id=job.job_id)
    if is_json or session.is_json:
        click.echo(status.model_dump_json())
        return
    click.echo(
        f"archived {status.conversations_archived} conversations, "
        f"{status.conversations_unchanged} of them unchanged: {status.files_created} new files, "
        f"{status.total_size_mb:.3f} MB"
    )


@click.command()
@click.option("--json", "is_json", is_flag=True, help="Print the run as JSON.")
@click.pass_obj
def restore(session: Session, *, is_json: bool) -> None:
    """Record again all that the lake holds.

    An empty lab becomes equal to the archived one. What is in the log already stays.
    """
    run = follow(session, session.call_by_name("restore_lab"), "restore")
    if is_json or session.is_json:
        click.echo(run.model_dump_json())
        return
    result = run.result or {}
    known = result["events"] - result["new_events"]
    click.echo(
        f"restored {result['conversations_restored']} conversations: {result['new_events']} new "
        "events" + (f", {known} known before" if known else "")
    )
