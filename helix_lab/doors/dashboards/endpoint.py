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
    """A Unix socket in a folder that only this user can enter."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="helix-dash-")
        self.path = Path(self._folder.name) / "socket"

    def listen(self) -> socket.socket:
        """Bind; requests wait from now on."""
        listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        listening.bind(str(self.path))
        listening.listen(_QUEUE)
        return listening

    def remove(self) -> None:
        """Remove socket and folder."""
        self._folder.cleanup()


_described: list[Endpoint] = []


def describe_proxy() -> dict[str, Any]:
    """What jupyter-server-proxy is told; it asks once a server, by our entry point."""
    endpoint = Endpoint()
    _described.append(endpoint)
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


def take_endpoint() -> Endpoint | None:
    """The endpoint that was described last; None where no jupyter-server-proxy asked for one."""
    return _described.pop() if _described else None
