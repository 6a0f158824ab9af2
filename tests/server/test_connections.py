"""How refusals use the connection: kept open where that is cheap, announced where it is closed."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from http.client import HTTPConnection
from urllib.parse import urlsplit

import pytest

from tests.server.live import TOKEN, LiveServer

WITH_TOKEN = {"Authorization": f"token {TOKEN}"}


@pytest.fixture
def connection(server: LiveServer) -> Iterator[HTTPConnection]:
    """One connection that does not open itself again."""
    place = urlsplit(server.url)
    connection = HTTPConnection(str(place.hostname), place.port, timeout=30)
    connection.connect()
    connection.auto_open = 0
    yield connection
    connection.close()


def ask(
    connection: HTTPConnection, method: str, path: str, *, body: bytes = b"", token: bool = True
) -> int:
    connection.request(method, path, body=body, headers=WITH_TOKEN if token else {})
    answer = connection.getresponse()
    answer.read()
    return answer.status


def test_refusals_leave_the_connection_open(connection: HTTPConnection) -> None:
    large = b"x" * 2_000_000

    statuses = [
        ask(connection, "GET", "/v1/info", token=False),
        ask(connection, "POST", "/v1/conversations", body=large, token=False),
        ask(connection, "POST", "/v1/imports", body=large, token=False),
        ask(connection, "PUT", "/v1/conversations", body=large),
        ask(connection, "POST", "/v1/conversations", body=large),
        ask(connection, "POST", "/v1/nothing", body=large),
        ask(connection, "GET", "/v1/info"),
    ]

    assert [403, 403, 403, 405, 400, 404, 200] == statuses


def test_a_body_that_is_far_too_large_is_refused_before_it_comes(server: LiveServer) -> None:
    place = urlsplit(server.url)
    with socket.create_connection((place.hostname, place.port), timeout=30) as plain:
        plain.sendall(
            f"POST /v1/conversations HTTP/1.1\r\nHost: 127.0.0.1\r\n"
            f"Authorization: token {TOKEN}\r\nContent-Length: {2**40}\r\n\r\n".encode()
        )
        answer = b"".join(iter(lambda: plain.recv(65536), b""))

    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b"\r\nConnection: close\r\n" in answer
    assert b'"TOO_LARGE"' in answer
