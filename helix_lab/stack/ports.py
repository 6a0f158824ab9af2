"""Free ports of this machine, below those that the system hands out by itself."""

from __future__ import annotations

import random
import socket

from helix_lab.domain.model.errors import Unavailable

LOOPBACK = "127.0.0.1"
_LEAST = 20_000
# Linux takes ports of outgoing connections from here on: a killed service might not get its own
# port back.
_GREATEST = 32_767
_TRIES = 200


def is_free(port: int) -> bool:
    """Whether a service could listen there now."""
    with socket.socket() as probe:
        # As servers do: a connection of a former server that still winds down is no obstacle.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def find_free_port(taken: set[int]) -> int:
    """A free port that is not in `taken`, which it is added to.

    Raises:
        Unavailable: there seems to be none.
    """
    for _ in range(_TRIES):
        port = random.randint(_LEAST, _GREATEST)  # noqa: S311 - no secret
        if port not in taken and is_free(port):
            taken.add(port)
            return port
    message = f"no free port between {_LEAST} and {_GREATEST}; end what listens there"
    raise Unavailable(message, service="stack")


def accepts(port: int) -> bool:
    """Whether something listens there."""
    try:
        socket.create_connection((LOOPBACK, port), timeout=1).close()
    except OSError:
        return False
    return True


def ask(port: int, request: bytes, *, at_least: int = 1) -> bytes:
    """What a server answers to some bytes, at least so many; fewer if it hangs up or waits."""
    answer = b""
    try:
        with socket.create_connection((LOOPBACK, port), timeout=2) as connection:
            connection.sendall(request)
            while len(answer) < at_least and (part := connection.recv(65536)):
                answer += part
    except OSError:
        pass
    return answer
