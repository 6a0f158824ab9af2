"""Reports for tests: small notebooks, and the rooms that run them without a server."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import nbformat

from helix_lab.jobs.reports.artifacts import Artifacts
from helix_lab.jobs.reports.job import Address, Reports
from helix_lab.jobs.reports.library import ReportLibrary
from helix_lab.jobs.runner import JobRunner
from helix_lab.jobs.runs import Run, RunStore
from helix_lab.records.database import Records

TOKEN = "a-token-that-nobody-may-read"
LIMIT_S = 60.0


def write_report(
    folder: Path,
    name: str,
    *sources: str,
    parameters: str | None = "",
    schema: Mapping[str, Any] | None = None,
    kernel: str = "helix-lab",
) -> Path:
    """Write a report; `parameters` is the source of its tagged cell, None leaves that out."""
    cells = [nbformat.v4.new_code_cell(source) for source in sources]
    if parameters is not None:
        tagged = nbformat.v4.new_code_cell(parameters, metadata={"tags": ["parameters"]})
        cells.insert(0, tagged)
    notebook = nbformat.v4.new_notebook(cells=cells)
    notebook.metadata.kernelspec = {"name": kernel, "display_name": "x", "language": "python"}
    described = {"title": f"The report {name}", "question": "What happens?"}
    if schema is not None:
        described["parameters"] = {"type": "object", "properties": schema}  # type: ignore[assignment]
    notebook.metadata.helix_lab = described
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.ipynb"
    nbformat.write(notebook, path)
    return path


@contextmanager
def open_reports(
    home: Path, *, address: Address | None = None, runs_kept: int = 50
) -> Iterator[Reports]:
    """The rooms of reports on a folder, with an address that no test asks."""
    home.mkdir(exist_ok=True)
    records = Records.embedded(home / "records.sqlite")
    jobs = JobRunner(RunStore(records))
    served = address or Address("http://127.0.0.1:9/", TOKEN)
    try:
        reports = Reports(
            ReportLibrary(home / "reports"),
            Artifacts(home / "runs"),
            jobs,
            find_address=lambda: served,
            runs_kept=runs_kept,
        )
        jobs.resume()
        yield reports
    finally:
        jobs.close()
        records.close()


def run_to_end(reports: Reports, name: str, *, timeout_s: float = LIMIT_S, **values: Any) -> Run:
    """Run a report and give its run, ended."""
    run = reports.start(name, values, timeout_s=timeout_s)
    return await_end(reports, run)


def await_end(reports: Reports, run: Run) -> Run:
    """The run, ended."""
    ended = reports.jobs.wait(run.run_id, timeout_s=LIMIT_S)
    assert ended.is_ended, ended
    return ended


def read_output(reports: Reports, run: Run) -> str:
    """The notebook of a run, as text."""
    return reports.artifacts.find(run.run_id, "report.ipynb").read_text(encoding="utf-8")


def wait_until(is_true: Callable[[], Any], what: str, *, limit_s: float = 30.0) -> None:
    """Look until something is so; fail after the limit."""
    deadline = time.monotonic() + limit_s
    while not is_true():
        assert time.monotonic() < deadline, f"{what} did not happen within {limit_s} s"
        time.sleep(0.02)
