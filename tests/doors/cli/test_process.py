"""The command line as a program: its start, its terminal, its signals."""

from __future__ import annotations

import json
import os
import pty
import shutil
import signal
import subprocess
import sys
import termios
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from helix_lab.doors.cli import run
from tests.doors.cli.conftest import Ask
from tests.doors.conftest import ENDLESS_SQL, SAMPLES
from tests.server.live import TOKEN, free_port, wait_for

HELIX_LAB = Path(sys.executable).parent / "helix-lab"


def test_help_loads_neither_the_table_nor_a_driver() -> None:
    code = (
        "import sys; from helix_lab.doors.cli import run; run(['--help']); "
        "print(sorted({'pydantic', 'sqlalchemy', 'duckdb', 'httpx'} & set(sys.modules)))"
    )

    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)

    assert "[]" == done.stdout.splitlines()[-1]


@pytest.mark.parametrize("command", [[str(HELIX_LAB)], [sys.executable, "-m", "helix_lab"]])
def test_both_ways_to_start_tell_the_version(command: list[str]) -> None:
    done = subprocess.run([*command, "--version"], check=True, capture_output=True, text=True)

    assert done.stdout.startswith("helix-lab 0.")


def test_a_table_is_not_wider_than_the_terminal() -> None:
    printed = run_on_terminal([str(HELIX_LAB), "catalog"], columns=40)

    assert max(map(len, printed.splitlines())) <= 40


def run_on_terminal(command: list[str], *, columns: int) -> str:
    """What a program prints on a terminal of this width."""
    leader, follower = pty.openpty()
    termios.tcsetwinsize(leader, (24, columns))
    environment = {name: value for name, value in os.environ.items() if name != "COLUMNS"}
    with subprocess.Popen(command, stdout=follower, stderr=follower, env=environment):
        os.close(follower)
        printed = b""
        while chunk := _read(leader):
            printed += chunk
    os.close(leader)
    return printed.decode().replace("\r", "")


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65536)
    except OSError:  # Linux says so when the other side is closed
        return b""


def test_ctrl_c_stops_a_query(tmp_path: Path) -> None:
    with subprocess.Popen(
        [HELIX_LAB, "query", ENDLESS_SQL, "--timeout", "100"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        wait_for((tmp_path / "lab" / "analytics.duckdb").exists, "the opening")
        wait_for(lambda: _cpu_s(process.pid) > 1.5, "the query")
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=5)

    assert (130, "", "\nstopped\n") == (process.returncode, out, err)


def _cpu_s(pid: int) -> float:
    times = psutil.Process(pid).cpu_times()
    return times.user + times.system


def test_a_reader_that_leaves_early_is_no_error(ask: Ask) -> None:
    ask("import", str(SAMPLES / "conversations.jsonl"))
    head = shutil.which("head")

    done = subprocess.run(
        [
            "/bin/sh",
            "-c",
            f"{HELIX_LAB} query 'SELECT * FROM range(5000)' --max-rows 5000 | {head} -1",
        ],
        check=True,
        capture_output=True,
        text=True,
    )

    assert "Traceback" not in done.stderr


def test_serve_hands_its_options_to_jupyter(tmp_path: Path) -> None:
    port = free_port()
    environment = os.environ | {
        "JUPYTER_TOKEN": TOKEN,
        "JUPYTER_RUNTIME_DIR": str(tmp_path / "run"),
    }
    folder = str(tmp_path / "served")
    command = [str(HELIX_LAB), "--data-dir", folder, "serve", f"--port={port}", "--no-browser"]
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=tmp_path
    ) as process:
        try:
            url = f"http://127.0.0.1:{port}/"
            wait_for(lambda: run(["--url", url, "health"]) == 0, "the start", limit_s=60)
            assert 0 == run(["--data-dir", folder, "info"])
        finally:
            process.terminate()
            process.wait(30)


def test_ctrl_c_cancels_an_import(tmp_path: Path, ask_json: Callable[..., Any]) -> None:
    path = tmp_path / "many.jsonl"
    line = {"conversation_id": "c", "role": "user", "content": "word " * 20}
    path.write_text(
        "".join(json.dumps({**line, "message_id": str(n)}) + "\n" for n in range(200_000))
    )

    with subprocess.Popen(
        [HELIX_LAB, "import", path], stderr=subprocess.PIPE, text=True
    ) as process:
        log = tmp_path / "lab" / "log.sqlite-wal"
        wait_for(lambda: log.exists() and log.stat().st_size > 1 << 20, "the first messages")
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=15)

    assert (130, "\nstopped\n") == (process.returncode, err)
    assert ["cancelled"] == [run["state"] for run in ask_json("runs", "list")["runs"]]


def test_a_terminal_sees_how_far_an_import_is() -> None:
    command = [str(HELIX_LAB), "import", str(SAMPLES / "debates.jsonl")]

    printed = run_on_terminal(command, columns=80)

    assert "debates.jsonl" in printed
    assert "6 items taken in from debates_jsonl: 53 new events" in printed
