"""What the client does to a connection: stopping what runs on it, streaming a file over it."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from helix_lab.domain.model.errors import InvalidRequest
from helix_lab.operations.operation import Operation, Request

_CHUNK_BYTES = 1 << 18


class Abort:
    """Breaks the connection of one request from another thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None
        self._is_due = False

    def watch(self, event: str, info: dict[str, Any]) -> None:
        """Note the connection once it stands; this is httpx's `trace` extension."""
        if event in {"connection.connect_tcp.complete", "connection.start_tls.complete"}:
            with self._lock:
                self._socket = info["return_value"].get_extra_info("socket")
                if self._is_due:
                    self._break()

    def now(self) -> None:
        """Break the connection, or do so as soon as it stands."""
        with self._lock:
            self._is_due = True
            self._break()

    def _break(self) -> None:
        # Closing would leave a thread that reads from it waiting; a shutdown wakes it.
        if self._socket is not None:
            with contextlib.suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)


@contextmanager
def open_upload(operation: Operation, request: Request) -> Iterator[Iterator[bytes] | None]:
    """The bytes of the file that a request names, in chunks; None where it uploads nothing.

    Raises:
        InvalidRequest: the file cannot be read.
    """
    if operation.body != "upload":
        yield None
        return
    path = Path(str(getattr(request, "path", ""))).expanduser().absolute()
    if not path.is_file():
        message = f"field 'path': there is no file {path}"
        raise InvalidRequest(message, field="path")
    try:
        file = path.open("rb")
    except OSError as error:
        message = f"field 'path': {path} cannot be read: {error.strerror}"
        raise InvalidRequest(message, field="path") from error
    with file:
        yield iter(lambda: file.read(_CHUNK_BYTES), b"")
