"""The process of the dashboards: `python -m helix_lab.doors.dashboards FD`.

The Jupyter server starts it while it starts itself, and gives it the socket as a file descriptor.
What takes long, it does at once. Where the lab is, it reads from its standard input, one line of
JSON that comes as soon as the server knows its own address. When that input ends, the server is
gone, and so is this process.
"""

from __future__ import annotations

import json
import os
import socket
import sys
import threading
from concurrent.futures import Future
from typing import Any


def main(descriptor: int) -> None:
    """Serve the pages until the server is gone."""
    address: Future[dict[str, Any]] = Future()
    threading.Thread(
        target=_live_with_the_server, args=(address,), name="helix-parent", daemon=True
    ).start()
    from helix_lab.doors.client import Client
    from helix_lab.doors.dashboards.serving import draw_once, serve

    draw_once()
    listening = socket.socket(fileno=descriptor)
    listening.settimeout(0)
    found = address.result()
    serve(Client(found["url"], found["token"]), listening, prefix=found["prefix"])


def _live_with_the_server(address: Future[dict[str, Any]]) -> None:
    line = sys.stdin.buffer.readline()
    if line:
        address.set_result(json.loads(line))
        sys.stdin.buffer.read()
    os._exit(0)


if __name__ == "__main__":
    main(int(sys.argv[1]))
