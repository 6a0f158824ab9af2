"""What a process that a server starts is told of it: `HELIX_LAB_URL` and `HELIX_LAB_TOKEN`."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jupyter_server.serverapp import ServerApp

_WILDCARDS = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "[::1]"}  # noqa: S104 - read, not bound


def describe_server(server: ServerApp) -> dict[str, str]:
    """The environment with which `helix_lab.connect()` finds this server from the same machine."""
    scheme = "https" if server.certfile else "http"
    host = _WILDCARDS.get(server.ip) or (f"[{server.ip}]" if ":" in server.ip else server.ip)
    return {
        "HELIX_LAB_URL": f"{scheme}://{host}:{server.port}{server.base_url}",
        "HELIX_LAB_TOKEN": server.identity_provider.token,
    }
