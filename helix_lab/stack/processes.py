"""Processes of the stack: started so that none outlives it, and stopped."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import psutil

from helix_lab.domain.model.errors import Unavailable
from helix_lab.stack.service import Program

_GUARD = Path(__file__).with_name("guard.py")
_LOOK_EVERY_S = 0.05
_SHOWN_LINES = 5
# Keys of LLM providers and the like are none of a service's business.
_PASSED_ON = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR", "JAVA_HOME", "LD_LIBRARY_PATH")


def start(
    program: Program, logs: Path, *, with_environment: bool = False
) -> subprocess.Popen[bytes]:
    """Start a program in a process group of its own; it dies with the thread that calls this.

    Args:
        program: what to start.
        logs: folder of its log, which is added to.
        with_environment: give it all variables of this process, as a download needs them.
    """
    environment: Mapping[str, str] = os.environ
    if not with_environment:
        environment = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    account = program.account
    user = [str(account.uid), str(account.gid)] if account else ["-", "-"]
    guard = [sys.executable, "-I", "-S", str(_GUARD), str(os.getpid()), *user]
    with find_log(logs, program.name).open("ab") as log:
        return subprocess.Popen(  # noqa: S603 - a program of the stack
            [*guard, shutil.which(program.command[0]) or program.command[0], *program.command[1:]],
            cwd=program.folder,
            env={**environment, **program.variables},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def find_log(logs: Path, name: str) -> Path:
    """Where the output of a program goes."""
    return logs / f"{name}.log"


def explain_end(program: Program, code: int, logs: Path) -> Unavailable:
    """What is said of a program that ended though it should not have, with its last words."""
    log = find_log(logs, program.name)
    with suppress(OSError):
        words = " | ".join(read_end(log, _SHOWN_LINES))
        message = f"{program.name} ended with code {code}: {words}; the whole log: {log}"
        return Unavailable(message, service=program.name)
    return Unavailable(f"{program.name} ended with code {code}", service=program.name)


def read_end(log: Path, lines: int) -> list[str]:
    """The last lines of a log."""
    return log.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:]


def stop(
    processes: Sequence[subprocess.Popen[bytes]], how: signal.Signals, *, patience_s: float
) -> None:
    """Ask processes to end, wait, and kill those that do not, with their children."""
    for process in processes:
        if process.poll() is None:
            process.send_signal(how)
    deadline = time.monotonic() + patience_s
    while any(process.poll() is None for process in processes) and time.monotonic() < deadline:
        time.sleep(_LOOK_EVERY_S)
    for process in processes:
        # Also where it ended by itself: a child may be left.
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def name_birth(pid: int) -> float | None:
    """When a process began, which with its id names it for good; None if it is gone."""
    try:
        return psutil.Process(pid).create_time()
    except psutil.Error:
        return None


def is_alive(pid: int, birth: float) -> bool:
    """Whether this very process runs, not another one that got its number."""
    try:
        process = psutil.Process(pid)
        is_same = abs(process.create_time() - birth) < 1
        return is_same and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def kill_left_over(processes: Iterable[tuple[int, float]]) -> int:
    """Kill those that still run, of a stack that was killed itself; give how many."""
    left = [(pid, birth) for pid, birth in processes if is_alive(pid, birth)]
    for pid, _ in left:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(pid, signal.SIGKILL)
    return len(left)
