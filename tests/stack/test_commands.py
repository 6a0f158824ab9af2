"""`helix-lab stack` as it is typed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from helix_lab.settings import read_env_file
from tests.flow.labs import wait_until
from tests.stack.test_lifecycle import list_processes

HELIX_LAB = str(Path(sys.executable).with_name("helix-lab"))
pytestmark = pytest.mark.timeout(300)


def type_in(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [HELIX_LAB, *words]
    environment = {**os.environ, "HELIX_STACK_DIR": str(folder)}
    return subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=200, check=False
    )


@contextmanager
def typing(folder: Path, *words: str) -> Iterator[subprocess.Popen[bytes]]:
    environment = {**os.environ, "HELIX_STACK_DIR": str(folder)}
    with subprocess.Popen([HELIX_LAB, *words], env=environment) as process:
        try:
            yield process
        finally:
            process.kill()


@pytest.mark.services("redis")
def test_up_status_env_logs_and_down(folder: Path) -> None:
    up = type_in(folder, "stack", "up", "redis")
    try:
        status = type_in(folder, "stack", "status")
        as_json = json.loads(type_in(folder, "--json", "stack", "status").stdout)
        env = type_in(folder, "stack", "env").stdout.strip()
        logs = type_in(folder, "stack", "logs", "redis").stdout
        password = read_env_file(Path(env))["REDIS_PASSWORD"]
    finally:
        down = type_in(folder, "stack", "down")

    assert 0 == up.returncode, up.stderr
    assert "ready" in status.stdout
    assert "ready" == as_json["redis"]["state"]
    assert "Ready to accept connections" in logs
    assert password not in up.stdout + up.stderr + status.stdout + logs
    assert "stopped: redis" in down.stdout
    assert "nothing runs" in type_in(folder, "stack", "status").stdout
    assert [] == list_processes(folder)


@pytest.mark.services("redis")
def test_ctrl_c_ends_up_wait_and_its_services(folder: Path) -> None:
    with typing(folder, "stack", "up", "--wait", "redis") as process:
        wait_until(lambda: b"REDIS_PORT" in read(folder / "stack.env"), timeout_s=120)

        process.send_signal(signal.SIGINT)

        assert 130 == process.wait(timeout=60)
    assert [] == list_processes(folder)


@pytest.mark.services("postgres")
def test_a_killed_up_leaves_nothing(folder: Path) -> None:
    with typing(folder, "stack", "up", "postgres") as process:
        wait_until(lambda: b"postgres" in read(folder / "state.json"), timeout_s=120)

        process.kill()
        process.wait(timeout=60)

        wait_until(lambda: not list_processes(folder), timeout_s=60)


def read(path: Path) -> bytes:
    return path.read_bytes() if path.exists() else b""


def test_an_unknown_service_is_refused_with_those_that_there_are(folder: Path) -> None:
    refused = type_in(folder, "stack", "up", "oracle")

    assert 2 == refused.returncode
    assert "there is no service 'oracle'; there are kafka, postgres, redis" in refused.stderr
    assert [] == list_processes(folder)


def test_a_service_that_cannot_be_had_is_told_and_the_exit_code_says_so(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.delenv("JAVA_HOME", raising=False)

    refused = type_in(folder, "stack", "up", "kafka")
    type_in(folder, "stack", "down")

    assert 6 == refused.returncode
    assert "apt-get install openjdk-17" in refused.stderr
