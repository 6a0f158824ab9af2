"""Notebooks that jupyter-scheduler runs, run as reports. Needs the extra `scheduler`.

jupyter-scheduler writes parameters into the notebook as code. Here they are values: typed by the
schema of the notebook, checked before a kernel starts.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from jupyter_scheduler.executors import DefaultExecutionManager

from helix_lab.domain.model.errors import InvalidRequest, ReportFailed, ReportTimedOut
from helix_lab.jobs.reports.artifacts import NOTEBOOK
from helix_lab.jobs.reports.job import MAX_OUTPUT_BYTES
from helix_lab.jobs.reports.processes import ReportProcess
from helix_lab.jobs.reports.report import Report, read_report

_LOOK_EVERY_S = 0.5
_TIMEOUT_S = 86_400.0


class ReportExecutionManager(DefaultExecutionManager):  # type: ignore[misc] # it has no types
    """Runs one job of jupyter-scheduler in the process that runs reports.

    Name it in `Scheduler.execution_manager_class`.
    """

    def execute(self) -> None:
        """Run the notebook; what it made is kept whatever comes of it.

        Raises:
            InvalidRequest: the notebook is no report, or a parameter does not fit.
            ReportFailed: a cell raised, the kernel died, or it ran too long.
        """
        source = Path(self.staging_paths["input"])
        report = read_report(source, "own")
        values = read_values(report, self.model.parameters or {})
        report.check(values)
        _refuse_secrets(report, values)
        with TemporaryDirectory() as scratch:
            try:
                _run(report, values, folder=source.parent, scratch=Path(scratch))
            finally:
                self._keep(source.parent, Path(scratch) / NOTEBOOK)

    def _keep(self, folder: Path, output: Path) -> None:
        import nbformat

        if output.exists():  # it is absent where the child died before the first cell
            self.add_side_effects_files(str(folder))
            self.create_output_files(self.model, nbformat.read(output, as_version=4))


def read_values(report: Report, given: Mapping[str, Any]) -> dict[str, Any]:
    """Parameters as the report has them: jupyter-scheduler's form gives texts only."""
    rules = report.parameters["properties"]
    return {name: _read(rules.get(name), value) for name, value in given.items()}


def _read(rule: Any, value: Any) -> Any:
    is_text = isinstance(rule, Mapping) and rule.get("type") == "string"
    if is_text or not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError:
        return value


def _refuse_secrets(report: Report, values: Mapping[str, Any]) -> None:
    for name in report.secrets:
        if name in values:
            message = f"parameter {name!r} is secret, and jupyter-scheduler would store it"
            raise InvalidRequest(message, field=f"parameters.{name}")


def _run(report: Report, values: Mapping[str, Any], *, folder: Path, scratch: Path) -> None:
    plan = {
        "notebook": str(report.path),
        "output": str(scratch / NOTEBOOK),
        "folder": str(folder),
        "kernel": report.kernel,
        "parameters": values,
        "secrets": {},
        "hidden": [],
        "max_output_bytes": MAX_OUTPUT_BYTES,
    }
    with ReportProcess(plan, os.environ, scratch / "child.log") as process:
        _watch(process)


def _watch(process: ReportProcess) -> None:
    deadline = time.monotonic() + _TIMEOUT_S
    while time.monotonic() < deadline:
        event = process.read_event(timeout_s=_LOOK_EVERY_S)
        if event is None:
            message = f"its process ended by itself: {process.read_tail()}"
            raise ReportFailed(message)
        if "failure" in event:
            raise ReportFailed(event["failure"]["message"])
        if "is_done" in event:
            return
    message = f"it ran longer than {_TIMEOUT_S:g} s and was stopped"
    raise ReportTimedOut(message, timeout_s=_TIMEOUT_S)
