"""Helix Lab as a Jupyter server extension: REST routes made from the operations."""

from __future__ import annotations

from typing import Any

__all__ = ["launch"]


def _jupyter_server_extension_points() -> list[dict[str, Any]]:
    from helix_lab_server.app import HelixLabApp

    return [{"module": "helix_lab_server", "app": HelixLabApp}]


def launch(argv: list[str]) -> None:
    """Serve JupyterLab with Helix Lab until it is stopped.

    Args:
        argv: options of `jupyter lab`, such as `--port=7061` or `--no-browser`. `HELIX_PORT`,
            `HELIX_DATA_DIR` and `JUPYTER_TOKEN` are honoured.

    Raises:
        SystemExit: the port is taken, or the options cannot be used; the message says which.
    """
    from helix_lab_server.iri_grammar import defer_iri_grammar

    defer_iri_grammar()
    from helix_lab_server.launching import serve

    serve(argv)
