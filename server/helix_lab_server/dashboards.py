"""The process of the dashboards: started beside the server, started again when it dies."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
import threading
import time
from contextlib import suppress

from helix_lab.doors.dashboards.endpoint import Endpoint, take_endpoint
from helix_lab.operations.dashboards import PREFIX, explain_absence

STOP_LIMIT_S = 3.0
_FIRST_PAUSE_S = 1.0
_LONGEST_PAUSE_S = 60.0
_STEADY_S = 60.0
"""Who lived so long did not die of its start, and is started again at once."""


class DashboardProcess:
    """Keeps one process answering on the socket of the dashboards.

    It is started while the server still loads, for its imports take seconds, and told where the
    lab is once that is known. Requests wait in the socket's queue while there is no process. A
    process that dies is started again, later and later if it does not stay.

    Args:
        endpoint: where to listen.
        log: told when the process dies.
    """

    def __init__(self, endpoint: Endpoint, *, log: logging.Logger) -> None:
        self._endpoint = endpoint
        self._log = log
        self._address = b""
        self._listening = endpoint.listen()
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._thread = threading.Thread(target=self._supervise, name="helix-dash", daemon=True)

    def start(self) -> None:
        """Start the process; does not wait for it."""
        self._thread.start()

    @property
    def is_reachable(self) -> bool:
        """Whether jupyter-server-proxy leads to it; known once all extensions are loaded."""
        return self._endpoint.is_described

    def tell(self, *, url: str, token: str, base_url: str) -> None:
        """Tell it, and whoever is started after it, where the lab is.

        Neither the command line nor the environment of the process holds the token.
        """
        prefix = f"{base_url.rstrip('/')}/{PREFIX}"
        said = json.dumps({"url": url, "token": token, "prefix": prefix})
        with self._lock:
            self._address = f"{said}\n".encode()
            if self._process is not None:
                _write(self._process, self._address)

    @property
    def pid(self) -> int | None:
        """Of the process that runs, or ran last."""
        return self._process.pid if self._process else None

    def stop(self) -> None:
        """End the process and remove the socket; blocks for three seconds at most."""
        with self._lock:
            self._stopping.set()
            process = self._process
        if process is not None:
            _end(process)
        if self._thread.is_alive():
            self._thread.join(STOP_LIMIT_S)
        self._listening.close()
        self._endpoint.remove()

    def _supervise(self) -> None:
        pause_s = _FIRST_PAUSE_S
        while (process := self._launch()) is not None:
            began_s = time.monotonic()
            status = process.wait()
            if self._stopping.is_set():
                return
            has_stayed = time.monotonic() - began_s > _STEADY_S
            pause_s = _FIRST_PAUSE_S if has_stayed else min(pause_s * 2, _LONGEST_PAUSE_S)
            self._log.error(
                "the dashboards ended with status %s; they start again in %.0f s", status, pause_s
            )
            if self._stopping.wait(pause_s):
                return

    def _launch(self) -> subprocess.Popen[bytes] | None:
        descriptor = self._listening.fileno()
        command = [sys.executable, "-m", "helix_lab.doors.dashboards", str(descriptor)]
        with self._lock:
            if self._stopping.is_set():
                return None
            # Its input stays open as long as this server lives: that is how it knows.
            self._process = subprocess.Popen(  # noqa: S603 - this very Python
                command, stdin=subprocess.PIPE, pass_fds=[descriptor]
            )
            _write(self._process, self._address)
            return self._process


def _write(process: subprocess.Popen[bytes], line: bytes) -> None:
    # One that has died is started again, and told then.
    with suppress(BrokenPipeError):
        assert process.stdin is not None  # noqa: S101 - it is a pipe
        process.stdin.write(line)
        process.stdin.flush()


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(STOP_LIMIT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if process.stdin is not None:
        process.stdin.close()


def make_process(log: logging.Logger) -> DashboardProcess | None:
    """The process, not started yet; None where dashboards cannot be shown, which the log says."""
    how_to = explain_absence()
    if how_to is not None:
        log.info("no dashboards: %s", how_to)
        return None
    return DashboardProcess(take_endpoint(), log=log)
