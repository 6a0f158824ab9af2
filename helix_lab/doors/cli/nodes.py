"""`helix-lab node`: several nodes on this machine, which exchange their memories, for a try."""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
import sys
import time
from pathlib import Path

import click

MAX_NODES = 9
_LOOK_S = 0.2
_STOP_S = 20.0


@click.command()
@click.option("--count", type=click.IntRange(1, MAX_NODES), default=2, show_default=True)
@click.option(
    "--port",
    type=click.IntRange(1, 65535 - MAX_NODES),
    default=7061,
    show_default=True,
    help="Of the first node; the others follow.",
)
@click.option(
    "--folder",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("nodes"),
    show_default=True,
    help="Holds a data folder for each node, and the log that they share.",
)
def node(count: int, port: int, folder: Path) -> None:
    """Start several nodes on this machine, which exchange their memories.

    Each is a server of its own: node-1, node-2, … on ports that follow each other. They go on
    until Ctrl-C, or until one of them ends.
    """
    place = folder.expanduser().absolute()
    place.mkdir(parents=True, exist_ok=True, mode=0o700)
    # One token for all: that of the caller's environment, where it has one.
    shared = {"JUPYTER_TOKEN": secrets.token_urlsafe(24), **os.environ}
    processes = []
    try:
        for number in range(1, count + 1):
            processes.append(_start(place, number, port + number - 1, shared))
            click.echo(
                f"node-{number}  http://127.0.0.1:{port + number - 1}  {place}/node-{number}"
            )
        click.echo(f"token   {shared['JUPYTER_TOKEN']}")
        click.echo("Ctrl-C stops them")
        _wait(processes)
    finally:
        _stop(processes)


def _start(place: Path, number: int, port: int, shared: dict[str, str]) -> subprocess.Popen[bytes]:
    name = f"node-{number}"
    environment = {
        **shared,
        "NODE_ID": name,
        "HELIX_DATA_DIR": str(place / name),
        "HELIX_MEMORY_LOG": str(place / "shared.sqlite"),
    }
    with (place / f"{name}.log").open("ab") as log:
        return subprocess.Popen(  # noqa: S603 - our own program
            [sys.executable, "-m", "helix_lab", "serve", "--port", str(port), "--no-browser"],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            # Ctrl-C comes to this process alone, which then stops them.
            start_new_session=True,
        )


def _wait(processes: list[subprocess.Popen[bytes]]) -> None:
    while True:
        for number, process in enumerate(processes, 1):
            if process.poll() is not None:
                message = f"node-{number} has ended; its log says why: node-{number}.log"
                raise click.ClickException(message)
        time.sleep(_LOOK_S)


def _stop(processes: list[subprocess.Popen[bytes]]) -> None:
    for process in processes:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
    for process in processes:
        try:
            process.wait(timeout=_STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
