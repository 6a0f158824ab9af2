"""`helix-lab report`: notebooks as reports, run and watched until they end, or scheduled."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import click

from helix_lab.domain.model.errors import HelixError
from helix_lab.doors.cli.asking import NamedText, read_value
from helix_lab.doors.cli.commands import make_one
from helix_lab.doors.cli.fields import read_text
from helix_lab.doors.cli.importing import follow
from helix_lab.doors.cli.output import print_answer
from helix_lab.doors.cli.session import Session
from helix_lab.operations.table import find_operation

OPERATIONS_OF_REPORT = {
    "list": find_operation("list_reports"),
    "get": find_operation("get_report"),
    "run": find_operation("run_report"),
    "schedule": find_operation("schedule_report"),
}
"""Command → operation."""

_PAGE = "report.html"


@click.group()
def report() -> None:
    """Notebooks that answer a question with parameters."""


for _name in ("list", "get"):
    report.add_command(make_one(_name, OPERATIONS_OF_REPORT[_name]))


@report.command()
@click.argument("name")
@click.option(
    "-p",
    "--param",
    "texts",
    type=NamedText(),
    multiple=True,
    help="Value of a parameter; may be repeated. Of a secret: @file, or - for standard input.",
)
@click.option(
    "--timeout", type=click.FLOAT, default=600, show_default=True, help="Seconds at most."
)
@click.option("--json", "is_json", is_flag=True, help="Print the run as JSON.")
@click.pass_obj
def run(
    session: Session, name: str, texts: Sequence[tuple[str, str]], timeout: float, *, is_json: bool
) -> None:
    """Run the report NAME and wait for its end; Ctrl-C cancels it.

    `helix-lab report get NAME` shows its parameters. Kernels ask a server; where none runs, one
    is started for this command.
    """
    with _serve(session) as find_page:
        rules = session.call_by_name("get_report", name=name).parameters["properties"]
        values = {key: _read(rules.get(key, {}), text) for key, text in texts}
        started = session.call_by_name(
            "run_report", name=name, parameters=values, timeout_s=timeout, wait_s=0
        )
        page = find_page(started.run_id)
        try:
            done = follow(session, started, name)
        except HelixError:
            click.echo(f"what it made until then: {page}", err=True)
            raise
    click.echo(done.model_dump_json() if is_json or session.is_json else page)


@report.command()
@click.argument("name")
@click.argument("cron")
@click.option(
    "--timezone", default="UTC", show_default=True, help="Whose clocks it goes by: Europe/Berlin."
)
@click.option(
    "-p", "--param", "texts", type=NamedText(), multiple=True, help="Value of a parameter."
)
@click.option(
    "--secret",
    "secrets",
    type=NamedText(),
    multiple=True,
    help="Secret parameter, and the environment variable of the server that holds its value.",
)
@click.option(
    "--timeout", type=click.FLOAT, default=600, show_default=True, help="Seconds at most."
)
@click.option(
    "--late",
    type=click.FLOAT,
    default=3600,
    show_default=True,
    help="Seconds by which a run may be late, where no server was there in time.",
)
@click.option("--json", "is_json", is_flag=True, help="Print the schedule as JSON.")
@click.pass_obj
def schedule(
    session: Session,
    /,
    name: str,
    cron: str,
    texts: Sequence[tuple[str, str]],
    secrets: Sequence[tuple[str, str]],
    *,
    is_json: bool,
    **options: Any,
) -> None:
    """Let the report NAME run by itself, while a server of this lab runs.

    CRON has five fields: minute, hour, day of month, month, day of week. "0 7 * * 1" is Mondays
    at seven. `helix-lab schedules` lists, pauses, resumes and deletes schedules.
    """
    rules = session.call_by_name("get_report", name=name).parameters["properties"]
    made = session.call_by_name(
        "schedule_report",
        name=name,
        cron=cron,
        timezone=options["timezone"],
        parameters={key: _read_plain(rules.get(key, {}), text) for key, text in texts},
        secrets=dict(secrets),
        timeout_s=options["timeout"],
        late_s=options["late"],
    )
    print_answer("schedule_report", made, as_json=is_json or session.is_json)
    if not session.has_server():
        click.echo("no server runs: it waits for `helix-lab serve`", err=True)


@contextmanager
def _serve(session: Session) -> Iterator[Callable[[str], str]]:
    """Have a server, and know where the page of a run is afterwards."""
    from helix_lab.doors.cli.own_server import own_server
    from helix_lab.doors.client import Client

    if session.has_server():
        lab = session.lab
        url = lab.url if isinstance(lab, Client) else ""
        yield lambda run_id: f"{url}v1/runs/{run_id}/artifacts/{_PAGE}"
    else:
        folder = session.find_folder() / "runs"
        with own_server(session):
            yield lambda run_id: str(folder / run_id / _PAGE)


def _read(rule: Any, text: str) -> Any:
    """A value as its rule has it: text stays text where only text will do, all else is JSON."""
    if isinstance(rule, Mapping) and rule.get("secret") is True:
        return read_text(text).rstrip("\r\n")
    return _read_plain(rule, text)


def _read_plain(rule: Any, text: str) -> Any:
    is_text = not isinstance(rule, Mapping) or rule.get("type") == "string"
    return text if is_text else read_value(text)
