"""Processes of a report: start one, read its events, and end it with all that it started."""

from __future__ import annotations

import contextlib
import json
import queue
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any

import psutil

_KILL_WITHIN_S = 5.0
_TAIL_BYTES = 2000


def kill_descendants(pid: int) -> None:
    """Kill what a process started, and what that started; kernels have groups of their own."""
    with contextlib.suppress(psutil.NoSuchProcess):
        _kill(psutil.Process(pid).children(recursive=True))


def _kill(processes: list[psutil.Process]) -> None:
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()


class ReportProcess:
    """The child of one run. Use it in a `with`: at its end nothing of it is alive.

    Args:
        plan: goes to the child over a pipe, so its secrets are in no argument and on no disk.
        environment: of the child and its kernel.
        log: file for what the child says besides its events; removed at the end.
    """

    def __init__(self, plan: Mapping[str, Any], environment: Mapping[str, str], log: Path) -> None:
        self._log = log
        self._error_output: IO[bytes] = log.open("w+b")
        self._process = subprocess.Popen(
            [sys.executable, "-m", "helix_lab.jobs.reports.child"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._error_output,
            env=dict(environment),
            text=True,
            encoding="utf-8",
        )
        self._events: queue.Queue[dict[str, Any] | None] = queue.Queue()
        threading.Thread(target=self._read, name="helix-report-events", daemon=True).start()
        with contextlib.suppress(OSError):  # a child that died at once is noticed below
            self._input.write(json.dumps(plan) + "\n")
            self._input.flush()

    def __enter__(self) -> ReportProcess:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()
        self._error_output.close()
        self._log.unlink(missing_ok=True)

    @property
    def _input(self) -> IO[str]:
        assert self._process.stdin is not None  # noqa: S101 - it is a pipe
        return self._process.stdin

    def read_event(self, *, timeout_s: float) -> dict[str, Any] | None:
        """The next event, `{}` if none comes within the time, None after the last one."""
        try:
            return self._events.get(timeout=timeout_s)
        except queue.Empty:
            return {}

    def read_tail(self) -> str:
        """The end of what the child said besides its events."""
        self._error_output.flush()
        text = self._log.read_bytes()[-_TAIL_BYTES:].decode("utf-8", "replace")
        return text.strip()

    def kill(self) -> None:
        """End the child and its kernel at once; killing twice is harmless."""
        kernels: list[psutil.Process] = []
        with contextlib.suppress(psutil.NoSuchProcess):
            kernels = psutil.Process(self._process.pid).children(recursive=True)
        self._process.kill()
        _kill(kernels)
        self._process.wait(_KILL_WITHIN_S)
        psutil.wait_procs(kernels, timeout=_KILL_WITHIN_S)
        with contextlib.suppress(OSError):
            self._input.close()

    def _read(self) -> None:
        assert self._process.stdout is not None  # noqa: S101 - it is a pipe
        with self._process.stdout as lines:
            for event in _parse(lines):
                self._events.put(event)
        self._events.put(None)


def _parse(lines: IO[str]) -> Iterator[dict[str, Any]]:
    for line in lines:
        # A child that is killed may leave half a line.
        with contextlib.suppress(ValueError):
            yield json.loads(line)
