"""Where the dashboards listen, as jupyter-server-proxy and their supervisor must both know it.

The socket is bound by the Jupyter server, before the process that answers on it is ready: a page
that is asked for too early waits in its queue, and so does one that is asked for during a restart.
jupyter-server-proxy only forwards. Its own supervisor would take SIGTERM away from Jupyter, which
then could not close the lab.
"""

from __future__ import annotations

import socket
import tempfile
from pathlib import Path
from typing import Any

from helix_lab.operations.dashboards import PREFIX, explain_absence

_ICON = Path(__file__).with_name("icon.svg")
_QUEUE = 128


class Endpoint:
    """A Unix socket in a folder that only this user can enter.

    Attributes:
        is_described: jupyter-server-proxy knows of it, so pages that are asked for arrive here.
    """

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="helix-dash-")
        self.path = Path(self._folder.name) / "socket"
        self.is_described = False

    def listen(self) -> socket.socket:
        """Bind; requests wait from now on."""
        listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        listening.bind(str(self.path))
        listening.listen(_QUEUE)
        return listening

    def remove(self) -> None:
        """Remove socket and folder."""
        self._folder.cleanup()


_halves: list[Endpoint] = []
"""Endpoints that only one of the two extensions knows yet; which one loads first is not ours."""


def describe_proxy() -> dict[str, Any]:
    """What jupyter-server-proxy is told; it asks once a server, by our entry point."""
    endpoint = _meet(is_described=False)
    endpoint.is_described = True
    return {
        "unix_socket": str(endpoint.path),
        "absolute_url": True,
        "new_browser_tab": False,
        # A page that follows the lab must not keep a server from being stopped as idle.
        "update_last_activity": False,
        "launcher_entry": {
            "enabled": explain_absence() is None,
            "title": "Helix Lab dashboards",
            "path_info": f"{PREFIX}/overview",
            "category": "Helix Lab",
            "icon_path": str(_ICON),
        },
    }


def take_endpoint() -> Endpoint:
    """The endpoint of this server; `is_described` is certain once all extensions are loaded."""
    return _meet(is_described=True)


def end_meeting() -> None:
    """Nobody comes any more: all extensions of this server are loaded."""
    _halves.clear()


def _meet(*, is_described: bool) -> Endpoint:
    """The endpoint that the other extension left, else a new one that is left for it."""
    for endpoint in _halves:
        if endpoint.is_described == is_described:
            _halves.remove(endpoint)
            return endpoint
    endpoint = Endpoint()
    _halves.append(endpoint)
    return endpoint
