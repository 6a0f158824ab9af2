"""A server for as long as one command needs it, where none runs."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import click

from helix_lab.data_folder import Owner, read_owner
from helix_lab.domain.model.errors import ServerUnreachable
from helix_lab.doors.cli.session import Session

_START_WITHIN_S = 60.0
_STOP_WITHIN_S = 15.0
_LOOK_EVERY_S = 0.1


@contextmanager
def own_server(session: Session) -> Iterator[None]:
    """Let a session use a server of its own until the block ends.

    Raises:
        ServerUnreachable: it does not start; another process may own the data folder.
    """
    folder = session.find_folder()
    click.echo("no server runs; starting one for this command", err=True)
    command = [sys.executable, "-m", "helix_lab", "serve", "--no-browser"]
    token = secrets.token_hex()
    found = {"HELIX_PORT": "0", "HELIX_DATA_DIR": str(folder), "JUPYTER_TOKEN": token}
    process = subprocess.Popen(  # noqa: S603 - our own program
        command,
        env={**os.environ, **found},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        session.url = _await_address(session, process).url
        session.token = token
        yield
    finally:
        session.close()
        _stop(process)


def _await_address(session: Session, process: subprocess.Popen[bytes]) -> Owner:
    folder = session.find_folder()
    deadline = time.monotonic() + _START_WITHIN_S
    while process.poll() is None and time.monotonic() < deadline:
        owner = read_owner(folder)
        if owner is not None and owner.url is not None:
            return owner
        time.sleep(_LOOK_EVERY_S)
    message = f"no server could be started for the data folder {folder}; `helix-lab serve` says why"
    raise ServerUnreachable(message, service="helix-lab")


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(_STOP_WITHIN_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
