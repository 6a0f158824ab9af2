"""The runner: executes jobs in threads, with progress, real cancel, and resume after a crash."""

from __future__ import annotations

import logging
import threading
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import msgspec

from helix_lab.domain.model.errors import Conflict, HelixError, RunCancelled, Unavailable
from helix_lab.jobs.runs import Run, RunStore

LOGGER = logging.getLogger(__name__)
_REPORT_EVERY_S = 0.2


class LabClosing(BaseException):
    """The lab is closing: a job lets go at once and goes on when the lab opens again."""


@dataclass(frozen=True, slots=True)
class JobKind:
    """A job that the runner knows.

    Attributes:
        run: does the work and returns its result as JSON. Called again from the start with
            the same request after a crash, so it must find out by itself what is done. Called
            also for a run that was cancelled before it began: `check` comes first.
        is_resumable: whether it may be called again; otherwise a crash ends the run as failed.
        clean_up: removes what only an unfinished run needs, once the end of the run is noted. A
            crash in between leaves it undone.
    """

    name: str
    run: Callable[[RunContext], Mapping[str, Any]]
    is_resumable: bool = True
    clean_up: Callable[[Run], None] | None = None


@dataclass(slots=True)
class RunContext:
    """What a job sees of its run."""

    run: Run
    _store: RunStore
    _cancel: threading.Event
    _closing: threading.Event
    _on_change: Callable[[Run], None]
    _reported_at: float = field(default=0.0)

    @property
    def request(self) -> Mapping[str, Any]:
        """What was asked for."""
        return self.run.request

    def should_stop(self) -> bool:
        """Whether the job must stop soon: it was cancelled, or the lab is closing."""
        return self._cancel.is_set() or self._closing.is_set()

    def check(self) -> None:
        """Raise if the job must stop; call it between steps.

        Raises:
            RunCancelled: somebody asked for it.
            LabClosing: the lab is closing.
        """
        self.check_closing()
        if self._cancel.is_set():
            message = f"run {self.run.run_id} was cancelled"
            raise RunCancelled(message, run_id=self.run.run_id)

    def check_closing(self) -> None:
        """Raise if the lab is closing, whether or not somebody also cancelled the run.

        Raises:
            LabClosing: the lab is closing.
        """
        if self._closing.is_set():
            raise LabClosing

    def report(self, progress: float) -> None:
        """Tell how far the work is, 0 to 1; may be called often."""
        now = time.monotonic()
        if now - self._reported_at < _REPORT_EVERY_S:
            return
        self._reported_at = now
        self._store.report(self.run.run_id, min(max(progress, 0.0), 1.0))
        self._on_change(self._store.get(self.run.run_id))

    def keep(self, artifacts: Sequence[str]) -> None:
        """Tell the names of the files that the work has made so far."""
        self._store.keep(self.run.run_id, artifacts)


@dataclass(frozen=True, slots=True)
class _Task:
    cancel: threading.Event
    future: Future[None]


class JobRunner:
    """Runs jobs in threads of this process.

    Args:
        store: where runs are kept.
        workers: jobs at the same time; more wait as `queued`.
    """

    def __init__(self, store: RunStore, *, workers: int = 4) -> None:
        self.store = store
        self._kinds: dict[str, JobKind] = {}
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="helix-job")
        self._tasks: dict[str, _Task] = {}
        self._starting = threading.Lock()
        self._closing = threading.Event()
        self._changed = threading.Condition()
        self._listeners: list[Callable[[Run], None]] = []

    def register(self, kind: JobKind) -> None:
        """Make a job known, before `resume` and `submit`."""
        self._kinds[kind.name] = kind

    def listen(self, listener: Callable[[Run], None]) -> None:
        """Call back on every change of a run, in the job's thread; it must be quick."""
        self._listeners.append(listener)

    def submit(
        self,
        kind: str,
        request: Mapping[str, Any],
        *,
        run_id: str | None = None,
        before_start: Callable[[], object] | None = None,
    ) -> Run:
        """Record a run and start it as soon as a worker is free.

        Args:
            kind: a registered job.
            request: what it is asked, as JSON.
            run_id: made up if absent.
            before_start: done between the two; if it raises, the run ends as failed.

        Raises:
            Unavailable: the lab is closed.
        """
        if self._closing.is_set():
            message = "the lab is closed; open it again"
            raise Unavailable(message, service="jobs")
        run = self.store.add(run_id or f"{kind}-{uuid.uuid4().hex}", kind, request)
        if before_start is not None:
            try:
                before_start()
            except BaseException as error:
                self._end(run.run_id, "failed", error=_to_json(error))
                raise
        self._enqueue(run)
        return run

    def resume(self) -> list[Run]:
        """Start again what a crash or a close had interrupted; returns those runs."""
        runs = self.store.list_unfinished()
        for run in runs:
            kind = self._kinds.get(run.kind)
            if kind is None or (run.state == "running" and not kind.is_resumable):
                self._end(run.run_id, "failed", error=_explain_interruption(run))
            else:
                self._enqueue(run)
        return runs

    def cancel(self, run_id: str) -> Run:
        """Ask a run to stop; it ends as `cancelled`, at once if it has not begun.

        Raises:
            UnknownRun: there is no such run.
            Conflict: it has ended.
        """
        run = self.store.get(run_id)
        if run.is_ended:
            message = f"run {run_id!r} has ended as {run.state}; only queued and running ones stop"
            raise Conflict(message, run_id=run_id, state=run.state)
        self.store.request_cancel(run_id)
        with self._starting:
            task = self._tasks.get(run_id)
        if task is not None:
            task.cancel.set()
            if task.future.cancel():
                # It waited for a worker; what it has to clean up is done here.
                self._execute(run, task.cancel)
        return self.store.get(run_id)

    def wait(
        self, run_id: str, *, timeout_s: float, should_stop: Callable[[], bool] = lambda: False
    ) -> Run:
        """The run once it has ended, or as it is when the time is over.

        Args:
            run_id: which run.
            timeout_s: how long to wait at most.
            should_stop: asked every second; once it says so, the wait is over as well.
        """
        deadline = time.monotonic() + timeout_s
        with self._changed:
            while True:
                run = self.store.get(run_id)
                left = deadline - time.monotonic()
                if run.is_ended or left <= 0 or should_stop():
                    return run
                self._changed.wait(min(left, 1.0))

    def close(self) -> None:
        """Make jobs let go and wait for them; unfinished runs go on at the next `resume`."""
        self._closing.set()
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _enqueue(self, run: Run) -> None:
        cancel = threading.Event()
        if run.cancel_requested:
            cancel.set()
        self._notify(run)
        with self._starting:
            future = self._pool.submit(self._execute, run, cancel)
            self._tasks[run.run_id] = _Task(cancel, future)

    def _execute(self, run: Run, cancel: threading.Event) -> None:
        context = RunContext(run, self.store, cancel, self._closing, self._notify)
        try:
            context.check_closing()
            if not cancel.is_set():
                self.store.start(run.run_id)
                self._notify(self.store.get(run.run_id))
            result = _to_plain(self._kinds[run.kind].run(context))
        except LabClosing:
            return
        except RunCancelled:
            self._end(run.run_id, "cancelled")
        except HelixError as error:
            self._end(run.run_id, "failed", error=_to_json(error))
        except Exception as error:
            LOGGER.exception("run %s failed unexpectedly", run.run_id)
            self._end(run.run_id, "failed", error=_to_json(error))
        else:
            self._end(run.run_id, "succeeded", result=result)
        finally:
            with self._starting:
                self._tasks.pop(run.run_id, None)

    def _end(self, run_id: str, state: Any, **outcome: Any) -> None:
        try:
            self.store.end(run_id, state, **outcome)
            run = self.store.get(run_id)
        except Unavailable:
            # It goes on when the lab opens again, and finds out that it is done.
            LOGGER.exception("run %s is %s, which could not be noted", run_id, state)
        else:
            self._clean_up(run)
            self._notify(run)

    def _clean_up(self, run: Run) -> None:
        kind = self._kinds.get(run.kind)
        if kind is not None and kind.clean_up is not None:
            try:
                kind.clean_up(run)
            except Exception:
                LOGGER.exception("what run %s needed could not be removed", run.run_id)

    def _notify(self, run: Run) -> None:
        with self._changed:
            self._changed.notify_all()
        for listener in self._listeners:
            try:
                listener(run)
            except Exception:
                LOGGER.exception("a listener failed at run %s", run.run_id)


def _to_plain(result: Mapping[str, Any]) -> dict[str, Any]:
    """The result as JSON has it; a TypeError tells what JSON cannot hold."""
    plain: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(result))
    return plain


def _to_json(error: BaseException) -> dict[str, Any]:
    if not isinstance(error, HelixError):
        error = HelixError(f"{type(error).__name__}: {error}")
    details = msgspec.json.decode(msgspec.json.encode(error.details, enc_hook=str))
    return {"code": error.code, "message": error.message, "details": details}


def _explain_interruption(run: Run) -> dict[str, Any]:
    message = f"the process ended while the run was {run.state}; start it again"
    return {"code": "INTERRUPTED", "message": message, "details": {"run_id": run.run_id}}
