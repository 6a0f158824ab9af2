"""`helix-lab import` and `helix-lab rebuild`: long work, watched until it ends."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from helix_lab.domain.model import errors
from helix_lab.doors.cli.session import Session

if TYPE_CHECKING:
    from helix_lab.operations.runs import Run

EXIT_PARTLY_REFUSED = 8
_LOOK_EVERY_S = 0.1
_FORMATS = ["chatgpt", "claude", "openai_jsonl", "messages_jsonl", "debates_jsonl"]


@click.command(name="import")
@click.argument("path", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--format", type=click.Choice(_FORMATS), help="Told from the file's shape if absent.")
@click.option("--json", "is_json", is_flag=True, help="Print the run as JSON.")
@click.pass_context
def import_file(context: click.Context, path: Path, format: str | None, *, is_json: bool) -> None:
    """Take in a file: a ChatGPT or Claude export, JSON Lines, debates.

    A server gets the file by upload. Items that cannot be taken are listed with the reason, and
    the others go in; the exit code is 8 then, and 0 only if nothing was refused. Importing a
    file twice changes nothing.
    """
    session: Session = context.obj
    given = {"path": str(path), **({"format": format} if format else {})}
    # Not to wait here, so that the progress can be shown.
    run = follow(session, session.call_by_name("start_import", **given, wait_s=0), path.name)
    if is_json or session.is_json:
        click.echo(run.model_dump_json())
    else:
        _print_import(run.result or {})
    if (run.result or {}).get("refused_count"):
        context.exit(EXIT_PARTLY_REFUSED)


@click.command()
@click.argument("store")
@click.option("--json", "is_json", is_flag=True, help="Print the run as JSON.")
@click.pass_obj
def rebuild(session: Session, store: str, *, is_json: bool) -> None:
    """Drop a STORE and fill it again from the log.

    Stores are conversations and analytics. The rebuilt store equals the live one.
    """
    run = follow(session, session.call_by_name("rebuild_store", store=store), store)
    if is_json or session.is_json:
        click.echo(run.model_dump_json())
    else:
        click.echo(f"rebuilt {store}")


def follow(session: Session, run: Run, title: str) -> Run:
    """The run once it has ended well, with a bar on a terminal; Ctrl-C cancels it.

    Raises:
        HelixError: it failed or was cancelled.
    """
    from tqdm import tqdm

    form = "{desc} {percentage:3.0f}% |{bar}| {elapsed}<{remaining}"
    # Without a terminal there would be a line a step.
    options: dict[str, Any] = {"disable": not sys.stderr.isatty(), "bar_format": form}
    try:
        with tqdm(desc=title, total=1.0, file=sys.stderr, leave=False, **options) as bar:
            run = _await(session, run, lambda progress: bar.update(progress - bar.n))
    except KeyboardInterrupt:
        with contextlib.suppress(errors.Conflict):  # it has just ended
            session.call_by_name("cancel_run", run_id=run.run_id)
        _await(session, run, lambda _: None)
        raise
    if run.state != "succeeded":
        raise _explain(run)
    return run


def _await(session: Session, run: Run, on_progress: Callable[[float], object]) -> Run:
    while run.ended_at is None:
        time.sleep(_LOOK_EVERY_S)
        run = session.call_by_name("get_run", run_id=run.run_id)
        on_progress(run.progress)
    return run


def _explain(run: Run) -> errors.HelixError:
    if run.state == "cancelled":
        return errors.RunCancelled(f"run {run.run_id} was cancelled", run_id=run.run_id)
    from helix_lab.operations.problems import from_problem

    return from_problem({"error": run.error}, status=500)


def _print_import(result: Mapping[str, Any]) -> None:
    known = result["events"] - result["new_events"]
    click.echo(
        f"{result['items']} item{'' if result['items'] == 1 else 's'} taken in "
        f"from {result['format']}: "
        f"{result['new_events']} new events" + (f", {known} known before" if known else "")
    )
    if not result["refused_count"]:
        return
    click.echo(f"{result['refused_count']} refused:", err=True)
    for refusal in result["refused"]:
        click.echo(f"  {refusal['name']}: {refusal['reason']}", err=True)
    left = result["refused_count"] - len(result["refused"])
    if left:
        click.echo(f"  and {left} more", err=True)
