"""The process of the dashboards: started beside the server, started again when it dies."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import threading
import time
from collections.abc import Mapping

from helix_lab.doors.dashboards.endpoint import Endpoint, take_endpoint
from helix_lab.operations.dashboards import PREFIX, explain_absence

STOP_LIMIT_S = 3.0
_FIRST_PAUSE_S = 1.0
_LONGEST_PAUSE_S = 60.0
_STEADY_S = 60.0
"""Who lived so long did not die of its start, and is started again at once."""


class DashboardProcess:
    """Keeps one process answering on the socket of the dashboards.

    Requests wait in the socket's queue while there is no process. A process that dies is started
    again, later and later if it does not stay.

    Args:
        endpoint: where to listen.
        prefix: path below which the pages lie, such as `/user/ada/helix-dash`.
        environment: says where the lab is. The token is here, and not on a command line.
        log: told when the process dies.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        *,
        prefix: str,
        environment: Mapping[str, str],
        log: logging.Logger,
    ) -> None:
        self._endpoint = endpoint
        self._prefix = prefix
        self._environment = {**os.environ, **environment}
        self._log = log
        self._listening = endpoint.listen()
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._thread = threading.Thread(target=self._supervise, name="helix-dash", daemon=True)

    def start(self) -> None:
        """Start the process; does not wait for it."""
        self._thread.start()

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
        command = [sys.executable, "-m", "helix_lab.doors.dashboards", self._prefix]
        with self._lock:
            if self._stopping.is_set():
                return None
            # Its input stays open as long as this server lives: that is how it knows.
            self._process = subprocess.Popen(  # noqa: S603 - this very Python
                [*command, str(descriptor)],
                env=self._environment,
                stdin=subprocess.PIPE,
                pass_fds=[descriptor],
            )
            return self._process


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(STOP_LIMIT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if process.stdin is not None:
        process.stdin.close()


def make_process(
    *,
    base_url: str,
    environment: Mapping[str, str],
    log: logging.Logger,
) -> DashboardProcess | None:
    """The process, not started yet; None where dashboards cannot be shown, which the log says."""
    how_to = explain_absence()
    endpoint = take_endpoint()
    if how_to is not None:
        log.info("no dashboards: %s", how_to)
        return None
    if endpoint is None:
        log.info("no dashboards: jupyter-server-proxy is not enabled in this server")
        return None
    prefix = f"{base_url.rstrip('/')}/{PREFIX}"
    return DashboardProcess(endpoint, prefix=prefix, environment=environment, log=log)
