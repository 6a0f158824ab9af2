"""The report job: a notebook runs in a process of its own, and what it made is kept.

A report is not resumed: half of a notebook cannot be taken up by another kernel.
"""

from __future__ import annotations

import logging
import os
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from helix_lab.domain.model import errors
from helix_lab.domain.model.errors import HelixError, InvalidRequest, RunInterrupted, Unavailable
from helix_lab.jobs.reports.artifacts import NOTEBOOK, Artifacts, load_exporter, write_page
from helix_lab.jobs.reports.library import ReportLibrary
from helix_lab.jobs.reports.processes import ReportProcess
from helix_lab.jobs.reports.redaction import Redactor
from helix_lab.jobs.reports.report import Report
from helix_lab.jobs.runner import JobKind, JobRunner, LabClosing, RunContext
from helix_lab.jobs.runs import Run

LOGGER = logging.getLogger(__name__)
KIND = "report"
MAX_OUTPUT_BYTES = 10 * 2**20
_LOOK_EVERY_S = 0.1
_PAGE = 1000
_FAILURES: dict[str, type[errors.ReportFailed]] = {
    found.code: found for found in (errors.ReportFailed, errors.KernelDied)
}


@dataclass(frozen=True, slots=True)
class Address:
    """Where kernels reach the lab."""

    url: str
    token: str | None


class Reports:
    """Reports that can be run, their runs, and the files of these.

    Args:
        library: finds reports.
        artifacts: keeps files.
        jobs: runs them.
        find_address: tells where the lab is served; None while it is not.
        runs_kept: how many ended runs of each report stay.
    """

    def __init__(
        self,
        library: ReportLibrary,
        artifacts: Artifacts,
        jobs: JobRunner,
        *,
        find_address: Callable[[], Address | None],
        runs_kept: int,
    ) -> None:
        self.library = library
        self.artifacts = artifacts
        self.jobs = jobs
        self.find_address = find_address
        self._runs_kept = runs_kept
        self._secrets: dict[str, Mapping[str, str]] = {}
        jobs.register(JobKind(KIND, self._execute, is_resumable=False))

    def check(self, name: str, parameters: Mapping[str, Any]) -> Report:
        """The report of this name, which can run with these parameters.

        Raises:
            UnknownReport: there is no report of this name.
            InvalidRequest: a parameter does not fit, or the report cannot run.
        """
        report = self.library.get(name)
        report.check(parameters)
        _check_kernel(report)
        return report

    def start(
        self,
        name: str,
        parameters: Mapping[str, Any],
        *,
        timeout_s: float,
        run_id: str | None = None,
        schedule_id: str | None = None,
    ) -> Run:
        """Check the parameters and start a run. Secrets stay in memory until then.

        Args:
            name: of the report.
            parameters: values by name.
            timeout_s: the run is stopped after this time.
            run_id: made up if absent.
            schedule_id: of the schedule that asks for it.

        Raises:
            UnknownReport: there is no report of this name.
            InvalidRequest: a parameter does not fit, or the report cannot run.
            Unavailable: no server of this lab runs that a kernel could ask.
            Conflict: there is a run of this id.
        """
        report = self.check(name, parameters)
        self.get_address()
        secrets = {key: value for key, value in parameters.items() if key in report.secrets}
        shown = {key: value for key, value in parameters.items() if key not in secrets}
        request = {"report": name, "parameters": shown, "timeout_s": timeout_s}
        if schedule_id is not None:
            request["schedule_id"] = schedule_id
        run_id = run_id or f"{KIND}-{uuid.uuid4().hex}"
        self._secrets[run_id] = secrets  # before the run is added: a worker may take it at once
        try:
            return self.jobs.submit(KIND, request, run_id=run_id)
        except HelixError:
            self._secrets.pop(run_id, None)
            raise

    def get_address(self) -> Address:
        """Where kernels reach the lab.

        Raises:
            Unavailable: it is not served.
        """
        address = self.find_address()
        if address is None:
            message = (
                "a report runs in a kernel of its own, which asks this lab over HTTP, and no "
                "server of the lab runs: close this one, start `helix-lab serve`, and use "
                "helix_lab.connect()"
            )
            raise Unavailable(message, service="helix-lab server")
        return address

    def _execute(self, context: RunContext) -> Mapping[str, Any]:
        secrets = self._secrets.pop(context.run.run_id, None)
        context.check()
        if secrets is None:
            message = "the lab was closed while the run was queued; start it again"
            raise RunInterrupted(message, run_id=context.run.run_id)
        self._forget_old_runs(context.request["report"])
        return _Execution(context, self, secrets).run()

    def _forget_old_runs(self, name: str) -> None:
        """Keep room for this run among those that are kept."""
        before, ended = None, []
        while page := self.jobs.store.list_page(limit=_PAGE, before=before, kind=KIND):
            ended += [run for run in page if run.is_ended and run.request["report"] == name]
            before = (page[-1].created_at, page[-1].run_id)
        old = [run.run_id for run in ended[self._runs_kept - 1 :]]
        for run_id in old:
            self.artifacts.remove(run_id)
        self.jobs.store.forget(old)


class _Execution:
    """One run of a report."""

    def __init__(self, context: RunContext, reports: Reports, secrets: Mapping[str, str]) -> None:
        self._context = context
        self._address = reports.get_address()
        self._artifacts = reports.artifacts
        self._report = reports.library.get(context.request["report"])
        self._secrets = secrets
        self._hidden = [self._address.token] if self._address.token else []
        self._folder = self._artifacts.open(context.run.run_id)
        self._cells = 0

    def run(self) -> Mapping[str, Any]:
        """Run the notebook; whatever comes of it, keep the files."""
        stopped: str | None = None
        try:
            self._run_child()
        except HelixError as error:
            stopped = error.message
            raise
        except LabClosing:
            stopped = "the lab was closed"
            raise
        finally:
            self._keep(stopped)
        return {"report": self._report.name, "cells": self._cells}

    def _run_child(self) -> None:
        log = self._folder / ".child.log"
        with ReportProcess(self._plan(), self._environment(), log) as process:
            load_exporter()  # meanwhile, so that the end comes quickly
            self._watch(process)

    def _plan(self) -> Mapping[str, Any]:
        return {
            "notebook": str(self._report.path),
            "output": str(self._folder / NOTEBOOK),
            "folder": str(self._folder),
            "kernel": self._report.kernel,
            "parameters": self._context.request["parameters"],
            "secrets": self._secrets,
            "hidden": self._hidden,
            "max_output_bytes": MAX_OUTPUT_BYTES,
        }

    def _environment(self) -> Mapping[str, str]:
        found = {"HELIX_LAB_URL": self._address.url, "HELIX_LAB_TOKEN": self._address.token or ""}
        return {**os.environ, **found}

    def _watch(self, process: ReportProcess) -> None:
        """Follow the child to its end.

        Raises:
            ReportFailed: it failed or ran too long.
            RunCancelled: somebody asked for it.
        """
        timeout_s = self._context.request["timeout_s"]
        deadline = time.monotonic() + timeout_s
        while True:
            event = process.read_event(timeout_s=_LOOK_EVERY_S)
            self._context.check()
            if event is None:
                self._explain_death(process)
            elif "is_done" in event:
                return
            elif "failure" in event:
                self._raise(event["failure"])
            elif event:
                self._cells = event["cells_done"]
                self._context.report(self._cells / event["cells"])
            if time.monotonic() > deadline:
                message = f"{self._report.name}: it ran longer than {timeout_s:g} s and was stopped"
                raise errors.ReportTimedOut(message, timeout_s=timeout_s)

    def _raise(self, failure: Mapping[str, str]) -> None:
        message = f"{self._report.name}: {failure['message']}"
        raise _FAILURES[failure["code"]](message)

    def _explain_death(self, process: ReportProcess) -> None:
        tail = Redactor([*self._secrets.values(), *self._hidden]).clean_text(process.read_tail())
        LOGGER.error("the process of run %s ended: %s", self._context.run.run_id, tail)
        last = tail.rpartition("\n")[2] or "it said nothing"
        message = f"{self._report.name}: its process ended by itself: {last}"
        raise errors.ReportFailed(message)

    def _keep(self, stopped: str | None) -> None:
        try:
            write_page(self._report.path, self._folder, title=self._report.title, stopped=stopped)
        finally:
            self._context.keep(self._artifacts.list_names(self._context.run.run_id))


def _check_kernel(report: Report) -> None:
    from jupyter_client.kernelspec import KernelSpecManager

    known = sorted(KernelSpecManager().find_kernel_specs())
    if report.kernel not in known:
        message = (
            f"report {report.name!r} asks for the kernel {report.kernel!r}, which is not "
            f"installed; there are: {', '.join(known)}"
        )
        raise InvalidRequest(message, field="name")
