"""`helix-lab stack`: real services as local processes."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from helix_lab.doors.cli.output import print_table
from helix_lab.doors.cli.session import Session

if TYPE_CHECKING:
    from helix_lab.stack.stack import Stack
    from helix_lab.stack.state import ServiceState

_NODES_OF_A_CLUSTER = 3
_LOG_LINES = 40


@click.group()
def stack() -> None:
    """Real services as local processes, without Docker."""


@stack.command()
@click.argument("names", nargs=-1)
@click.option("--cluster", is_flag=True, help="Kafka on three nodes instead of one.")
@click.option("--wait", is_flag=True, help="Stay until Ctrl-C, and take all down then.")
def up(names: tuple[str, ...], *, cluster: bool, wait: bool) -> None:
    """Fetch and start services, all if none is named, and wait until each is ready.

    Those that run already go on. The first time downloads; a later start takes seconds. Ctrl-C
    takes down what this call began.
    """
    opened = open_stack()
    wanted = _name_wanted(names, cluster=cluster)
    if not wait:
        state = opened.up(wanted, on_change=_Progress())
        _print_state(state.services)
        _print_hint(opened)
        return
    with opened.hold(wanted, on_change=_Progress()) as state:
        _print_state(state.services)
        _print_hint(opened)
        click.echo("Ctrl-C takes it down", err=True)
        _wait_for_signal()


@stack.command()
@click.argument("names", nargs=-1)
def down(names: tuple[str, ...]) -> None:
    """Stop services, all if none is named; their data stays."""
    stopped = open_stack().down(names)
    click.echo(f"stopped: {', '.join(stopped)}" if stopped else "nothing ran")


@stack.command()
@click.pass_obj
def status(session: Session) -> None:
    """Show what runs, where, and how long it took to be ready."""
    services = open_stack().read_state().services
    if session.is_json:
        import msgspec

        click.echo(msgspec.json.encode(services).decode())
    else:
        _print_state(services)


@stack.command()
@click.argument("name")
@click.option("--lines", type=click.IntRange(1), default=_LOG_LINES, show_default=True,
              help="How many of the last lines.")  # fmt: skip
def logs(name: str, lines: int) -> None:
    """Show the end of the logs of a service."""
    from helix_lab.doors.tables import make_printable
    from helix_lab.stack.processes import read_end

    for log in open_stack().list_logs(name):
        click.secho(str(log), bold=True)
        for line in read_end(log, lines):
            click.echo(make_printable(line))


@stack.command()
def env() -> None:
    """Show where the env file is, with the addresses and passwords of what runs.

    `HELIX_ENV_FILE=$(helix-lab stack env) helix-lab serve` starts the lab on these services.
    """
    opened = open_stack()
    if not opened.read_variables():
        click.echo("nothing runs: helix-lab stack up", err=True)
    click.echo(opened.folder.env_file)


def open_stack() -> Stack:
    """The stack of `HELIX_STACK_DIR`, else the user's; root's lies where services can reach it."""
    import platformdirs

    from helix_lab.stack.stack import Stack

    own = platformdirs.user_data_dir("helix-lab-stack", appauthor=False)
    usual = "/var/lib/helix-lab-stack" if _is_root() else own
    folder = os.environ.get("HELIX_STACK_DIR") or usual
    return Stack(Path(folder).expanduser(), find_cache())


def find_cache() -> Path:
    """Where downloads are kept: in the user's cache folder, for root in the system's."""
    import platformdirs

    name = "helix-lab"
    if _is_root():
        return Path("/var/cache", name)
    return platformdirs.user_cache_path(name, appauthor=False) / "stack"


def _is_root() -> bool:
    return hasattr(os, "geteuid") and os.geteuid() == 0


def _name_wanted(names: tuple[str, ...], *, cluster: bool) -> dict[str, int]:
    from helix_lab.stack.catalog import SERVICES

    chosen = dict.fromkeys(names or SERVICES, 1)
    if cluster and "kafka" in chosen:
        chosen["kafka"] = _NODES_OF_A_CLUSTER
    return chosen


class _Progress:
    """Says of each service what it is at, once."""

    def __init__(self) -> None:
        self._said: dict[str, str] = {}

    def __call__(self, services: Mapping[str, ServiceState]) -> None:
        for name, service in services.items():
            if self._said.get(name) != service.state and service.state != "failed":
                click.echo(f"{name}: {service.state}", err=True)
            self._said[name] = service.state


def _print_state(services: Mapping[str, ServiceState]) -> None:
    if not services:
        click.echo("nothing runs")
        return
    rows = [
        [
            name,
            service.state,
            service.nodes,
            ", ".join(str(port) for part, port in service.ports.items() if part.startswith("port")),
            ", ".join(str(pid) for pid, _ in service.processes),
            None if service.ready_s is None else round(service.ready_s, 1),
            service.problem,
        ]
        for name, service in services.items()
    ]
    columns = ["service", "state", "nodes", "ports", "processes", "ready after s", "problem"]
    if not any(row[-1] for row in rows):
        columns, rows = columns[:-1], [row[:-1] for row in rows]
    print_table(columns, rows)


def _print_hint(opened: Stack) -> None:
    prefix = f"HELIX_ENV_FILE={opened.folder.env_file}"
    if "KAFKA_BOOTSTRAP_SERVERS" in opened.read_variables():
        click.echo(f"the first time, for the log: {prefix} helix-lab topics apply", err=True)
    click.echo(f"use it: {prefix} helix-lab serve", err=True)


def _wait_for_signal() -> None:
    import signal

    signal.pause()
