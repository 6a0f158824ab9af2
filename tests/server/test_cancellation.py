from __future__ import annotations

import json
import socket
import threading
import time
from pathlib import Path

import httpx
import pytest

from helix_lab import Client
from helix_lab.domain.model.errors import QueryCancelled
from helix_lab.operations.cancellation import CancelScope, cancel_scope, current_scope
from tests.server.live import TOKEN, LiveServer, serve, stop, wait_for

# Runs for minutes unless it is interrupted.
ENDLESS = (
    "SELECT count(*) AS n FROM range(10000000) a, range(10000000) b WHERE a.range * b.range = 7"
)


def test_a_callback_is_called_once_however_often_one_cancels() -> None:
    scope, calls = CancelScope(), []

    with scope.on_cancel(lambda: calls.append("called")):
        scope.cancel()
        scope.cancel()

    assert ["called"] == calls
    assert scope.is_cancelled


def test_a_callback_that_comes_late_is_called_at_once() -> None:
    scope, calls = CancelScope(), []
    scope.cancel()

    with scope.on_cancel(lambda: calls.append("called")):
        assert ["called"] == calls


def test_a_callback_is_not_called_after_its_block() -> None:
    scope, calls = CancelScope(), []
    with scope.on_cancel(lambda: calls.append("called")):
        pass

    scope.cancel()

    assert [] == calls


def test_check_raises_only_when_cancelled() -> None:
    scope = CancelScope()
    scope.check()
    scope.cancel()

    with pytest.raises(QueryCancelled):
        scope.check()


def test_each_thread_sees_its_own_scope() -> None:
    seen: list[bool] = []
    with cancel_scope() as mine:
        thread = threading.Thread(target=lambda: seen.append(current_scope() is mine))
        thread.start()
        thread.join()

        assert current_scope() is mine
    assert [False] == seen
    assert current_scope() is not mine


def test_a_query_whose_client_went_away_is_interrupted(
    client: httpx.Client, server: LiveServer
) -> None:
    def used_s() -> float:
        text = Path(f"/proc/{server.process.pid}/stat").read_text()
        fields = text.rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / 100

    def is_idle() -> bool:
        before_s, began_s = used_s(), time.monotonic()
        threading.Event().wait(0.5)
        return used_s() - before_s < 0.2 * (time.monotonic() - began_s)

    body = {"query": ENDLESS, "timeout_s": 600}
    with server.client() as impatient, pytest.raises(httpx.ReadTimeout):
        impatient.post("v1/analytics/query", json=body, timeout=1.0)

    wait_for(is_idle, "the end of the query", limit_s=60)
    answer = client.post("v1/analytics/query", json={"query": "SELECT 1 AS one"})
    assert [[1]] == answer.json()["rows"]


def test_the_remote_client_is_told_how_far_a_query_is_and_stops_it(server: LiveServer) -> None:
    scope = CancelScope()
    with Client(server.url, TOKEN) as lab:
        pieces = lab.stream_run_query(ENDLESS, timeout_s=600)
        assert {"progress", "elapsed_ms"} == set(next(pieces))
        threading.Timer(0.2, scope.cancel).start()

        with cancel_scope(scope), pytest.raises(QueryCancelled):
            list(pieces)

        (last,) = lab.stream_run_query("SELECT 1 AS one")
    assert [[1]] == last["answer"]["rows"]


def test_a_server_that_is_stopped_does_not_wait_for_those_who_wait(tmp_path: Path) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/v1"
        providers = json.dumps([{"name": "silent", "base_url": url, "model": "none"}])
        with serve(tmp_path, HELIX_PROVIDERS=providers) as live, live.client() as client:
            debate = {"topic": "x", "turn_timeout_s": 600, "wait_s": 300}
            with pytest.raises(httpx.ReadTimeout):
                client.post("v1/debates", json=debate, timeout=1.0)
            with pytest.raises(httpx.ReadTimeout), live.client() as other:
                other.post("v1/debates", json=debate, timeout=1.0)

            began_s = time.monotonic()
            stop(live.process)

    assert 60 > time.monotonic() - began_s
