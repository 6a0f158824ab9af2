"""The process of the dashboards: `python -m helix_lab.doors.dashboards PREFIX FD`.

The Jupyter server starts it, gives it the socket as a file descriptor and the lab's address and
token by environment, and holds its standard input: when that ends, the server is gone, and so is
this process.
"""

from __future__ import annotations

import os
import socket
import sys
import threading

from helix_lab.doors.connection import connect


def main(prefix: str, descriptor: int) -> None:
    """Serve the pages until the server is gone."""
    threading.Thread(target=_die_with_the_server, name="helix-parent", daemon=True).start()
    from helix_lab.doors.dashboards.serving import serve

    listening = socket.socket(fileno=descriptor)
    listening.settimeout(0)
    serve(connect(), listening, prefix=prefix)


def _die_with_the_server() -> None:
    sys.stdin.buffer.read()
    os._exit(0)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
