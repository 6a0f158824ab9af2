"""`helix-lab node`: several servers that exchange their memories, from one command."""

from __future__ import annotations

import signal
import subprocess
import sys
from functools import partial
from pathlib import Path

import httpx

from tests.server.live import TOKEN, environment, free_port, wait_for


def test_two_nodes_run_exchange_and_stop_together(tmp_path: Path) -> None:
    port = find_two_ports()
    command = [
        sys.executable, "-m", "helix_lab", "node",
        "--count", "2", "--port", str(port), "--folder", str(tmp_path / "nodes"),
    ]  # fmt: skip
    process = subprocess.Popen(
        command, env=environment(tmp_path), cwd=tmp_path, stdout=subprocess.DEVNULL
    )
    try:
        headers = {"Authorization": f"token {TOKEN}"}
        urls = [f"http://127.0.0.1:{port + number}/" for number in range(2)]
        for url in urls:
            wait_for(partial(answers, url), "the start", limit_s=90)
        made = httpx.post(
            f"{urls[0]}v1/memory", json={"memory_id": "m", "content": "hello"}, headers=headers
        )
        assert 201 == made.status_code
        wait_for(
            lambda: httpx.get(f"{urls[1]}v1/memory/m", headers=headers).is_success, "the exchange"
        )
    finally:
        process.send_signal(signal.SIGINT)
        assert 130 == process.wait(timeout=60)
    assert not any(answers(url) for url in urls)
    for name in ("node-1", "node-2", "shared.sqlite"):
        assert (tmp_path / "nodes" / name).exists()


def find_two_ports() -> int:
    """A free port whose next one is free, too."""
    while True:
        port = free_port()
        if not answers(f"http://127.0.0.1:{port + 1}/") and port < 65_000:
            return port


def answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}health").is_success
    except httpx.TransportError:
        return False
