"""The server as its users meet it: `helix-lab serve` and HTTP on a loopback socket."""

from __future__ import annotations

import json
import os
import secrets
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

import httpx

if TYPE_CHECKING:
    from collections.abc import Callable

    from bench.harness import Options, Report

_DEADLINE_S = 60.0


def run(report: Report, options: Options) -> None:
    """Start-up, single appends, replay of a long conversation."""
    starts = [_measure_start() for _ in range(options.runs)]
    report.add("helix-lab serve, to the first answer of /health", "time", median(starts), "s")
    with serve() as client:
        client.post("/v1/conversations", json={"conversation_id": "bench"}).raise_for_status()
        compare_appends(report, client, times=options.size(200))
        compare_replay(report, client, "kept in memory", messages=options.size(10_000))
    with serve(CONTEXT_CACHE_SIZE="0") as client:
        compare_replay(
            report, client, "read from the log", messages=options.size(10_000), targets=(150, 100)
        )


def compare_appends(report: Report, client: httpx.Client, *, times: int) -> None:
    """One message at a time; /health is what a request costs without the log."""
    message = {"role": "user", "content": "x" * 200}

    def append() -> None:
        client.post("/v1/conversations/bench/messages", json=message).raise_for_status()

    report.compare(
        "append one message through REST",
        lambda: median(_elapsed_ms(append) for _ in range(times)),
        baseline="GET /v1/conversations/bench",
        measure_baseline=lambda: median(
            _elapsed_ms(lambda: client.get("/v1/conversations/bench")) for _ in range(times)
        ),
        metric="p50",
        unit="ms",
    )


def compare_replay(
    report: Report,
    client: httpx.Client,
    how: str,
    *,
    messages: int,
    targets: tuple[float, float] | None = None,
) -> None:
    """A whole conversation over HTTP."""
    client.post("/v1/conversations", json={"conversation_id": "long"}).raise_for_status()
    text = "service mesh token budget replay event ledger window branch merge kernel notebook"
    new = [{"role": "user", "content": text} for _ in range(messages)]
    client.post("/v1/conversations/long/messages", json=new).raise_for_status()
    client.get("/v1/conversations/long").raise_for_status()
    _wait_for_stores(client)

    def replay() -> bytes:
        body = {"conversation_id": "long"}
        return client.post("/v1/context/replay", json=body).raise_for_status().content

    raw = replay()
    report.compare(
        f"replay a conversation of {messages:,} messages through REST, {how}",
        lambda: _elapsed_ms(replay),
        baseline="json.loads of the answer",
        measure_baseline=lambda: _elapsed_ms(lambda: json.loads(raw)),
        metric="time",
        unit="ms",
        targets=targets,
    )


def _wait_for_stores(client: httpx.Client) -> None:
    """Until all stores have taken in what was said: not beside the measuring."""
    end = time.monotonic() + _DEADLINE_S
    while any(client.get("/v1/analytics/system").json()["projection_lag"].values()):
        assert time.monotonic() < end, "stores lag behind"
        time.sleep(0.1)


@contextmanager
def serve(**environment: str) -> Iterator[httpx.Client]:
    """A server with an empty data folder, and a client that may use it."""
    token = secrets.token_hex()
    with socket.socket() as probe, tempfile.TemporaryDirectory(prefix="helix-bench-") as folder:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
        probe.close()
        process = _start(folder, port, token, environment)
        url = f"http://127.0.0.1:{port}"
        headers = {"Authorization": f"token {token}"}
        try:
            with httpx.Client(
                base_url=url, headers=headers, timeout=_DEADLINE_S, trust_env=False
            ) as client:
                _wait_until_healthy(client)
                yield client
        finally:
            process.terminate()
            process.wait()


def _start(folder: str, port: int, token: str, more: dict[str, str]) -> subprocess.Popen[bytes]:
    environment: dict[str, Any] = {
        **os.environ,
        "HELIX_DATA_DIR": folder,
        "HELIX_PORT": str(port),
        "JUPYTER_TOKEN": token,
        **more,
    }
    program = Path(sys.executable).with_name("helix-lab")
    return subprocess.Popen(
        [program, "serve"],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def _wait_until_healthy(client: httpx.Client) -> None:
    deadline = time.monotonic() + _DEADLINE_S
    while time.monotonic() < deadline:
        try:
            if client.get("/health").is_success:
                return
        except httpx.TransportError:
            time.sleep(0.02)
    message = "the server did not answer in time"
    raise RuntimeError(message)


def _measure_start() -> float:
    start = time.perf_counter()
    with serve():
        return time.perf_counter() - start


def _elapsed_ms(call: Callable[[], object]) -> float:
    start = time.perf_counter()
    call()
    return (time.perf_counter() - start) * 1000
