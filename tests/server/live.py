"""A real server process for tests: started on a free port, with a token, asked over HTTP."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import httpx
import psutil

TOKEN = "a-token-of-the-tests"
START_LIMIT_S = 60.0
WITH_DASHBOARDS = "--HelixLabApp.dashboards=True"
T = TypeVar("T")


@dataclass(frozen=True)
class LiveServer:
    """A server that runs."""

    url: str
    folder: Path
    process: subprocess.Popen[bytes]
    log: Path
    started_cpu_s: float
    """Processor time up to the first answer: of a clock it depends on what else is running."""

    def client(self, **headers: str) -> httpx.Client:
        """Give a client with the token, or with these headers instead."""
        sent = headers or {"Authorization": f"token {TOKEN}"}
        # Without certificates, which take longer to read than a server takes to answer.
        return httpx.Client(base_url=self.url, headers=sent, timeout=60, verify=False)

    def read_log(self) -> str:
        """Give what the server has written."""
        return self.log.read_text(encoding="utf-8", errors="replace")


def free_port() -> int:
    """Give a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_for(ask: Callable[[], T], what: str, *, limit_s: float = 20.0) -> T:
    """Ask until the answer is true; fail after the limit."""
    deadline = time.monotonic() + limit_s
    while not (answer := ask()):
        assert time.monotonic() < deadline, f"{what} did not happen within {limit_s} s"
        time.sleep(0.02)
    return answer


def environment(home: Path, **more: str) -> dict[str, str]:
    """Give an environment in which Jupyter and the lab keep everything in one folder."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("HELIX_")}
    return {
        **kept,
        "HOME": str(home),
        "JUPYTER_CONFIG_DIR": str(home / "config"),
        "JUPYTER_DATA_DIR": str(home / "share"),
        "JUPYTER_RUNTIME_DIR": str(home / "runtime"),
        "HELIX_DATA_DIR": str(home / "lab"),
        "JUPYTER_TOKEN": TOKEN,
        "PYTHONWARNINGS": "default",
        **more,
    }


def launch(home: Path, *options: str, **more: str) -> subprocess.Popen[bytes]:
    """Start a server process in a folder; its output goes to `server.log` there.

    It has no dashboards unless `WITH_DASHBOARDS` is among the options: their process costs seconds.
    """
    if WITH_DASHBOARDS not in options:
        options = (*options, "--HelixLabApp.dashboards=False")
    home.mkdir(parents=True, exist_ok=True)
    code = "import sys; from helix_lab_server import launch; launch(sys.argv[1:])"
    with (home / "server.log").open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-c", code, f"--ServerApp.root_dir={home}", *options],
            env=environment(home, **more),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            cwd=home,
        )


@contextmanager
def serve(home: Path, *options: str, **more: str) -> Iterator[LiveServer]:
    """Run a server until the block ends."""
    process = launch(home, *options, **{"HELIX_PORT": str(free_port()), **more})
    try:
        url = wait_for(lambda: _read_url(home, process), "the start", limit_s=START_LIMIT_S)
        wait_for(lambda: _answers(url), "the first answer")
        used = psutil.Process(process.pid).cpu_times()
        yield LiveServer(url, home, process, home / "server.log", used.user + used.system)
    finally:
        stop(process)


def stop(process: subprocess.Popen[bytes]) -> int:
    """End a server as a service manager does, and give its exit status."""
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
    try:
        return process.wait(timeout=30)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait()


def read_owner(home: Path) -> dict[str, Any]:
    """Give what the owner of the data folder announces; empty while there is none."""
    try:
        found: dict[str, Any] = json.loads((home / "lab" / "owner.json").read_text())
    except (FileNotFoundError, ValueError):
        return {}
    return found


def _read_url(home: Path, process: subprocess.Popen[bytes]) -> str:
    assert process.poll() is None, (home / "server.log").read_text(errors="replace")
    return read_owner(home).get("url") or ""


def _answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}health", verify=False).is_success
    except httpx.TransportError:
        return False
