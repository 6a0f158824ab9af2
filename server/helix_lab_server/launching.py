"""Starting the server from a command line: one fixed port, this machine only, with a token."""

from __future__ import annotations

import errno
import gc
import os
import socket
import sys
import warnings
import webbrowser

from jupyter_server.serverapp import ServerApp
from jupyter_server.utils import JupyterServerAuthWarning, url_path_join
from traitlets.config import Config

from helix_lab.domain.model.errors import HelixError
from helix_lab.settings import read_settings
from helix_lab_server.app import HelixLabApp

_OBJECTS_BETWEEN_COLLECTIONS = 100_000


class HelixLabServer(ServerApp):
    """A Jupyter server that refuses to start half: on another port, or open to everybody."""

    def init_webapp(self) -> None:
        """Refuse before the lab is opened what would fail only afterwards."""
        if self.port_retries == 0 and not self.sock:
            _refuse_taken_port(self.ip, self.port)
        if not self.identity_provider.auth_enabled:
            message = "Helix Lab does not serve without a token: leave it out, or set JUPYTER_TOKEN"
            raise SystemExit(message)
        super().init_webapp()

    def start_ioloop(self) -> None:
        """Say where the server is, as soon as it listens."""
        self.io_loop.add_callback(self._say_where)
        super().start_ioloop()

    def _say_where(self) -> None:
        # On the terminal of who started it, and nowhere else: the log never has the token.
        url = url_path_join(self.connection_url, "lab")
        sys.stdout.write(f"Helix Lab is at {url}?token={self.identity_provider.token}\n")
        sys.stdout.flush()


class _LaunchedApp(HelixLabApp):
    serverapp_class = HelixLabServer


def serve(argv: list[str]) -> None:
    """Serve until stopped; see `helix_lab_server.launch`."""
    # Jupyter names endpoints of other extensions that only its own check protects; nobody who
    # starts a lab can do anything about them, and our own are tested.
    warnings.filterwarnings("ignore", category=JupyterServerAuthWarning)
    try:
        port = read_settings().port
    except HelixError as error:
        raise SystemExit(str(error)) from None
    # Long histories are many small objects that all live until the answer is sent; searching
    # them for cycles at Python's usual rate costs a quarter of a replay.
    gc.set_threshold(_OBJECTS_BETWEEN_COLLECTIONS, 50, 100)
    server = _LaunchedApp.initialize_server(argv, config=_make_config(port))  # type: ignore[no-untyped-call]
    server.start()


def _make_config(port: int) -> Config:
    """What holds unless a configuration file or an option says otherwise."""
    return Config(
        {
            "ServerApp": {
                "ip": "127.0.0.1",
                "port": port,
                "port_retries": 0,
                "open_browser": _has_browser(),
                "allow_root": True,
                "allow_unauthenticated_access": False,
            }
        }
    )


def _has_browser() -> bool:
    """Whether somebody sits in front of this machine, with a browser that needs no terminal."""
    if not sys.stdout.isatty():
        return False
    has_screen = sys.platform in {"darwin", "win32"} or any(
        os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY")
    )
    try:
        return has_screen and webbrowser.get() is not None
    except webbrowser.Error:
        return False


def _refuse_taken_port(ip: str, port: int) -> None:
    family = socket.AF_INET6 if ":" in ip else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((ip, port))
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                return
            message = (
                f"port {port} is taken, maybe by a Helix Lab that runs already (`jupyter server "
                "list` tells); stop that program, or choose another port by HELIX_PORT or --port"
            )
            raise SystemExit(message) from None
