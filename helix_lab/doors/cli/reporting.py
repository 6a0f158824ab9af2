"""`helix-lab report`: notebooks as reports, run and watched until they end."""

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
from helix_lab.doors.cli.session import Session
from helix_lab.operations.table import find_operation

OPERATIONS_OF_REPORT = {
    "list": find_operation("list_reports"),
    "get": find_operation("get_report"),
    "run": find_operation("run_report"),
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
    if not isinstance(rule, Mapping):
        return text
    if rule.get("secret") is True:
        return read_text(text).rstrip("\r\n")
    return text if rule.get("type") == "string" else read_value(text)
