"""Services come up, are found, go down, and never outlive who started them."""

from __future__ import annotations

import os
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import psutil
import psycopg
import pytest
import sqlalchemy as sa

from helix_lab.domain.model.errors import Conflict, InvalidRequest, NotFound, Unavailable
from helix_lab.doors.cli.stacking import find_cache
from helix_lab.stack.ports import LOOPBACK
from helix_lab.stack.stack import Stack
from helix_lab.stack.state import StackState
from tests.flow.labs import wait_until

BOTH = {"redis": 1, "postgres": 1}
STARTER = Path(__file__).with_name("starter.py")
pytestmark = [pytest.mark.services("redis", "postgres"), pytest.mark.timeout(300)]


def list_processes(folder: Path) -> list[psutil.Process]:
    """Every process that has to do with a stack, by its folder in the command or under its feet."""
    found = []
    for process in psutil.process_iter():
        try:
            words = [process.cwd(), *process.cmdline()]
        except psutil.Error:
            continue
        if process.pid != os.getpid() and any(str(folder) in word for word in words):
            found.append(process)
    return found


@contextmanager
def starting(folder: Path, *names: str) -> Iterator[subprocess.Popen[str]]:
    """A process that holds a stack, once the stack is ready."""
    command = [sys.executable, str(STARTER), str(folder), str(find_cache()), *names]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as starter:
        try:
            assert starter.stdout is not None
            assert "ready\n" == starter.stdout.readline()
            yield starter
        finally:
            starter.kill()


def ping_redis(stack: Stack) -> bytes:
    found = stack.read_variables()
    with socket.create_connection((LOOPBACK, int(found["REDIS_PORT"])), timeout=10) as connection:
        connection.sendall(f"AUTH {found['REDIS_PASSWORD']}\r\nPING\r\n".encode())
        answer = b""
        while answer.count(b"\n") < 2:
            answer += connection.recv(100)
    return answer


def test_services_come_up_answer_and_go_down(stack: Stack, folder: Path) -> None:
    state = stack.up(BOTH)

    assert {"redis": "ready", "postgres": "ready"} == {
        name: service.state for name, service in state.services.items()
    }
    assert b"+OK\r\n+PONG\r\n" == ping_redis(stack)
    engine = sa.create_engine(stack.read_variables()["HELIX_RECORDS_URL"])
    with engine.connect() as connection:
        assert int(connection.execute(sa.text("SHOW server_version_num")).scalar_one()) >= 150000
    engine.dispose()
    assert ["redis", "postgres"] == stack.down()
    assert [] == list_processes(folder)
    assert StackState() == stack.read_state()


def test_a_second_up_changes_nothing_and_adds_what_is_new(stack: Stack) -> None:
    first = stack.up({"redis": 1}).services["redis"].processes

    assert first == stack.up({"redis": 1}).services["redis"].processes
    assert first == stack.up(BOTH).services["redis"].processes


def test_two_that_bring_up_at_the_same_time_get_one_stack(stack: Stack, folder: Path) -> None:
    with ThreadPoolExecutor(2) as pool:
        names = ["redis", "postgres"]
        others = [pool.submit(Stack(folder, find_cache()).up, {name: 1}) for name in names]
        found = [other.result(timeout=200) for other in others]

    assert 1 == len({state.supervisor for state in found})
    assert {"redis": "ready", "postgres": "ready"} == {
        name: service.state for name, service in stack.read_state().services.items()
    }


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux kills a child with its parent")
def test_a_stack_comes_up_again_after_its_supervisor_was_killed(stack: Stack) -> None:
    first = stack.up({"redis": 1})

    os.kill(first.supervisor, signal.SIGKILL)
    wait_until(lambda: not stack.folder.is_owned())

    second = stack.up({"redis": 1})
    assert first.services["redis"].processes != second.services["redis"].processes
    assert b"+OK\r\n+PONG\r\n" == ping_redis(stack)


def test_one_service_goes_down_and_the_other_stays(stack: Stack) -> None:
    stack.up(BOTH)

    assert ["postgres"] == stack.down(["postgres"])

    assert ["redis"] == list(stack.read_state().services)
    assert b"+OK\r\n+PONG\r\n" == ping_redis(stack)
    wait_until(lambda: "HELIX_RECORDS_URL" not in stack.read_variables())


def test_data_ports_and_passwords_are_those_of_the_last_time(stack: Stack) -> None:
    stack.up({"postgres": 1})
    address = stack.read_variables()["HELIX_RECORDS_URL"]
    engine = sa.create_engine(address, poolclass=sa.NullPool)
    with engine.begin() as connection:
        connection.execute(sa.text("CREATE TABLE kept AS SELECT 7 AS n"))
    stack.down()

    stack.up({"postgres": 1})

    assert address == stack.read_variables()["HELIX_RECORDS_URL"]
    with engine.connect() as connection:
        assert 7 == connection.execute(sa.text("SELECT n FROM kept")).scalar_one()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux kills a child with its parent")
@pytest.mark.parametrize("victim", ["starter", "supervisor"])
def test_nothing_runs_on_when_the_one_above_is_killed(folder: Path, victim: str) -> None:
    stack = Stack(folder, find_cache())
    with starting(folder, *BOTH) as starter:
        running = {process.pid for process in list_processes(folder)}
        pid = starter.pid if victim == "starter" else stack.read_state().supervisor

        os.kill(pid, signal.SIGKILL)

        services = {p for s in stack.folder.read_state().services.values() for p, _ in s.processes}
        assert services <= running or victim == "starter"
        wait_until(lambda: {p.pid for p in list_processes(folder)} <= {starter.pid}, timeout_s=60)


def test_ctrl_c_while_it_waits_takes_down_what_was_begun(folder: Path) -> None:
    with starting(folder, "redis") as starter:
        starter.send_signal(signal.SIGINT)
        starter.wait(timeout=60)

    assert [] == list_processes(folder)


def test_a_stack_that_is_held_cannot_be_held_twice(folder: Path) -> None:
    stack = Stack(folder, find_cache())

    with starting(folder, "redis"), pytest.raises(Conflict, match="runs already"):
        stack.hold({"redis": 1}).__enter__()


def test_a_killed_service_is_shown_as_failed_and_comes_back(stack: Stack) -> None:
    stack.up({"redis": 1})

    stack.kill("redis")

    wait_until(lambda: "failed" == stack.read_state().services["redis"].state)
    assert "redis ended with code -9" in str(stack.read_state().services["redis"].problem)
    assert {} == stack.read_variables()
    assert "ready" == stack.up({"redis": 1}).services["redis"].state


def test_passwords_are_new_for_each_stack_and_stand_in_closed_files_alone(
    stack: Stack, folder: Path
) -> None:
    stack.up(BOTH)
    own = stack.folder.read_belongings()
    words = [word for service in own.values() for word in service.secrets.values()]

    assert 2 == len(set(words))
    assert all(len(word) >= 24 for word in words)
    for process in list_processes(folder):
        assert not [word for word in words if word in " ".join(process.cmdline())]
    for path in filter(Path.is_file, folder.rglob("*")):
        if any(word.encode() in path.read_bytes() for word in words):
            assert 0 == stat.S_IMODE(path.stat().st_mode) & 0o077, path


def test_postgres_wants_the_password(stack: Stack) -> None:
    stack.up({"postgres": 1})
    address = sa.make_url(stack.read_variables()["HELIX_RECORDS_URL"]).set(password="wrong")

    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(address.set(drivername="postgresql").render_as_string(hide_password=False))


def test_logs_are_found_by_the_name_of_the_service(stack: Stack) -> None:
    stack.up({"redis": 1})

    assert "redis" in [path.stem for path in stack.list_logs("redis")]
    with pytest.raises(NotFound, match="'elastic' has no log"):
        stack.list_logs("elastic")


def test_an_unknown_service_and_a_wrong_number_of_nodes_are_refused(stack: Stack) -> None:
    with pytest.raises(InvalidRequest, match="no service 'oracle'; there are kafka, postgres"):
        stack.up({"oracle": 1})
    with pytest.raises(InvalidRequest, match="redis runs on 1"):
        stack.up({"redis": 3})
    assert StackState() == stack.read_state()


def test_a_download_that_was_changed_is_fetched_again(stack: Stack, folder: Path) -> None:
    from helix_lab.stack.fetching import keep

    counted: list[Path] = []

    def fill(fresh: Path) -> None:
        counted.append(fresh)
        (fresh / "program").write_bytes(b"good")

    kept = keep(folder / "cache" / "tool-1", fill)
    keep(kept, fill)
    assert 1 == len(counted)
    (kept / "program").write_bytes(b"evil")

    keep(kept, fill)

    assert b"good" == (kept / "program").read_bytes()
    assert 2 == len(counted)


def test_a_missing_tool_is_named_with_the_command_that_installs_it(
    stack: Stack, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "nothing").mkdir()
    monkeypatch.setenv("PATH", str(folder / "nothing"))
    monkeypatch.delenv("JAVA_HOME", raising=False)

    with pytest.raises(Unavailable, match=r"Java 17 is not here .* apt-get install openjdk-17"):
        stack.up({"kafka": 1})


def test_time_to_be_ready_is_told(stack: Stack) -> None:
    begun_s = time.monotonic()

    service = stack.up({"redis": 1}).services["redis"]

    assert service.ready_s is not None
    assert 0 < service.ready_s <= time.monotonic() - begun_s
