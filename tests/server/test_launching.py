from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path

import httpx
import psutil
import pytest

from tests.server.live import TOKEN, LiveServer, launch, read_owner, serve, stop, wait_for

STARTED_WITHIN_S = 5.0
"""The target for a clock on a quiet machine; nothing but the processor keeps a start waiting."""


def test_the_server_starts_in_time(server: LiveServer) -> None:
    assert STARTED_WITHIN_S > server.started_cpu_s


def test_the_owner_file_tells_where_the_server_is(server: LiveServer) -> None:
    owner = read_owner(server.folder)

    assert (server.url, TOKEN, server.process.pid) == (
        owner["url"],
        owner["token"],
        owner["pid"],
    )
    assert "http://127.0.0.1:" == server.url[: len("http://127.0.0.1:")]


def test_the_url_is_printed_with_the_token_that_was_chosen(server: LiveServer) -> None:
    line = wait_for(
        lambda: [row for row in server.read_log().splitlines() if row.startswith("Helix Lab is")],
        "the line with the URL",
    )[0]

    assert f"Helix Lab is at {server.url}lab?token={TOKEN}" == line


def test_a_token_that_was_made_up_is_printed_and_lets_in(tmp_path: Path) -> None:
    with serve(tmp_path, JUPYTER_TOKEN="") as live:
        url = wait_for(
            lambda: [
                row.removeprefix("Helix Lab is at ")
                for row in live.read_log().splitlines()
                if row.startswith("Helix Lab is at ")
            ],
            "the line with the URL",
        )[0]
        token = url.partition("?token=")[2]

        answer = httpx.get(f"{live.url}v1/info", headers={"Authorization": f"token {token}"})

    assert 20 < len(token)
    assert 200 == answer.status_code


def test_a_taken_port_is_said_and_no_other_is_chosen(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]

        status = launch(tmp_path, HELIX_PORT=str(port)).wait(timeout=60)

    assert 1 == status
    assert f"port {port} is taken" in (tmp_path / "server.log").read_text()
    assert {} == read_owner(tmp_path)


def test_a_port_that_is_none_is_said(tmp_path: Path) -> None:
    assert 1 == launch(tmp_path, HELIX_PORT="abc").wait(timeout=60)

    assert "HELIX_PORT is 'abc'" in (tmp_path / "server.log").read_text()


def test_a_server_that_is_stopped_leaves_no_owner_and_starts_again(tmp_path: Path) -> None:
    with serve(tmp_path) as first:
        with first.client() as client:
            client.post("v1/conversations", json={"conversation_id": "kept"}).raise_for_status()
        stop(first.process)
    assert {} == read_owner(tmp_path)

    with serve(tmp_path) as second, second.client() as client:
        assert 200 == client.get("v1/conversations/kept").status_code


def test_a_server_that_is_told_to_have_no_dashboards_starts_none(server: LiveServer) -> None:
    children = psutil.Process(server.process.pid).children()

    assert [] == [child for child in children if "helix_lab.doors.dashboards" in child.cmdline()]


@pytest.mark.parametrize("module", ["helix_lab_server", "helix_lab_server.app"])
def test_importing_the_extension_loads_no_engine(module: str) -> None:
    code = (
        f"import sys, {module}; "
        "print([name for name in ('duckdb', 'sqlalchemy', 'pyarrow') if name in sys.modules])"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert "[]" == done.stdout.strip()
