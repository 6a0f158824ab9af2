"""Servers that say exactly what a test wants, byte by byte."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress


@contextmanager
def serve(*answers: Sequence[bytes]) -> Iterator[tuple[str, list[bytes]]]:
    """A server that answers the n-th connection with the n-th answer, then closes it.

    Gives its base URL, and the list into which it puts the requests. The pieces of an answer
    are sent one by one, so that they tend to arrive one by one.
    """
    received: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=_answer, args=(listener, answers, received), daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/v1", received
        thread.join(10)


def _answer(
    listener: socket.socket, answers: Sequence[Sequence[bytes]], received: list[bytes]
) -> None:
    listener.settimeout(10)
    for answer in answers:
        connection, _ = listener.accept()
        with connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            received.append(_read_request(connection))
            # A client that has seen enough may hang up in the middle.
            with suppress(ConnectionError):
                for piece in answer:
                    connection.sendall(piece)


def _read_request(connection: socket.socket) -> bytes:
    raw = b""
    while b"\r\n\r\n" not in raw:
        raw += connection.recv(65_536)
    head, _, body = raw.partition(b"\r\n\r\n")
    length = next(
        int(line.split(b":")[1])
        for line in head.split(b"\r\n")
        if line.lower().startswith(b"content-length:")
    )
    while len(body) < length:
        body += connection.recv(65_536)
    return body


def http(body: bytes, content_type: str = "application/json", status: int = 200) -> list[bytes]:
    """A whole answer; it ends with the connection."""
    head = f"HTTP/1.1 {status} X\r\nContent-Type: {content_type}\r\nConnection: close\r\n\r\n"
    return [head.encode(), body]


def sse(*pieces: bytes) -> list[bytes]:
    """A streamed answer, sent in these pieces."""
    return [http(b"", "text/event-stream")[0], *pieces]
