"""`helix-lab serve`: JupyterLab with the lab in it."""

from __future__ import annotations

import os

import click

from helix_lab.doors.cli.session import Session


@click.command(
    context_settings={"ignore_unknown_options": True, "allow_extra_args": True},
)
@click.argument("options", nargs=-1, type=click.UNPROCESSED)
@click.pass_obj
def serve(session: Session, options: tuple[str, ...]) -> None:
    """Start JupyterLab with Helix Lab and its REST API.

    OPTIONS go to Jupyter Server, such as --port 7061, --ip 0.0.0.0 or --no-browser; HELIX_PORT,
    HELIX_DATA_DIR and JUPYTER_TOKEN are honoured. Without a token Jupyter makes one up and
    prints it with the address.
    """
    if session.data_dir is not None:
        os.environ["HELIX_DATA_DIR"] = str(session.data_dir)
    from helix_lab_server import launch

    launch(list(options))
