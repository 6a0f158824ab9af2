"""Runs of a made-up job, on a real run store."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from helix_lab.jobs.runner import JobKind, JobRunner, RunContext
from helix_lab.jobs.runs import Run, RunStore
from helix_lab.records.database import Records
from tests.flow.labs import PATIENCE_S, wait_until

Work = Callable[[RunContext], Mapping[str, Any]]


class Workshop:
    """A run store, and runners on it one after the other."""

    def __init__(self, folder: Path, *, records_url: str | None = None) -> None:
        path = folder / "records.sqlite"
        self.records = Records(records_url) if records_url else Records.embedded(path)
        self.store = RunStore(self.records)
        self.runners: list[JobRunner] = []

    def open(self, work: Work, *, is_resumable: bool = True, workers: int = 2) -> JobRunner:
        """A new runner whose one job, `task`, does this work."""
        runner = JobRunner(self.store, workers=workers)
        runner.register(JobKind("task", work, is_resumable=is_resumable))
        self.runners.append(runner)
        return runner

    def close(self) -> None:
        for runner in self.runners:
            runner.close()
        self.records.close()


class Gate:
    """Work that says when it begins and goes on until it is let go, or must stop."""

    def __init__(self) -> None:
        self.begun = threading.Semaphore(0)
        self.is_open = threading.Event()

    def __call__(self, context: RunContext) -> Mapping[str, Any]:
        context.check()
        self.begun.release()
        wait_until(lambda: self.is_open.is_set() or context.should_stop())
        context.check()
        return {"request": dict(context.request)}

    def wait_for_begin(self) -> None:
        assert self.begun.acquire(timeout=PATIENCE_S)


def finish(runner: JobRunner, run: Run) -> Run:
    """The run once it has ended."""
    ended = runner.wait(run.run_id, timeout_s=PATIENCE_S)
    assert ended.is_ended
    return ended
