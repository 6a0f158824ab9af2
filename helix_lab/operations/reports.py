"""Operations on reports: list, show, run; and the files that a run made."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from helix_lab.domain.model.errors import UnknownReport
from helix_lab.jobs.reports.report import Report as ReportRecord
from helix_lab.operations.cancellation import current_scope
from helix_lab.operations.operation import Name, Operation, Request, Response
from helix_lab.operations.runs import Run, show_run
from helix_lab.operations.services import Services
from helix_lab.operations.system import Nothing


class GetReport(Request):
    """Which report."""

    name: Name = Field(description="its name")


class Report(Response):
    """A notebook that can be run with parameters."""

    name: str
    title: str
    question: str
    origin: Literal["helix-lab", "own"] = Field(description="own: of the data folder")
    parameters: Mapping[str, Any] = Field(
        description='JSON Schema of an object; a property with "secret": true is never kept'
    )
    problem: str | None = Field(description="why it cannot run")


class ReportList(Response):
    """All reports, by name."""

    reports: list[Report]


class RunReport(Request):
    """Which report, and what it is told."""

    name: Name = Field(description="its name")
    parameters: dict[str, Any] = Field(
        default_factory=dict, description="values by name; the others keep their defaults"
    )
    timeout_s: float = Field(600, gt=0, le=86_400, description="stopped after this time")
    wait_s: float = Field(0, ge=0, le=300, description="wait so long for the end of the run")


def list_all(services: Services, request: Nothing) -> ReportList:  # noqa: ARG001
    """All reports."""
    return ReportList(reports=[_show(report) for report in services.reports.library.list_all()])


def get(services: Services, request: GetReport) -> Report:
    """One report."""
    return _show(services.reports.library.get(request.name))


def run_one(services: Services, request: RunReport) -> Run:
    """Start a run of a report."""
    run = services.reports.start(request.name, request.parameters, timeout_s=request.timeout_s)
    if request.wait_s:
        scope = current_scope()
        run = services.jobs.wait(
            run.run_id, timeout_s=request.wait_s, should_stop=lambda: scope.is_cancelled
        )
    return show_run(run)


def find_artifact(services: Services, run_id: str, name: str) -> Path:
    """The file of this name that a run made.

    Raises:
        UnknownRun: there is no such run.
        UnknownArtifact: it made no such file.
    """
    services.jobs.store.get(run_id)
    return services.reports.artifacts.find(run_id, name)


def _show(report: ReportRecord) -> Report:
    return Report(**{name: getattr(report, name) for name in Report.model_fields})


OPERATIONS = (
    Operation(
        name="list_reports",
        summary="List the reports that can be run",
        method="GET",
        path="/v1/reports",
        scope="read",
        request=Nothing,
        response=ReportList,
        run=list_all,
    ),
    Operation(
        name="get_report",
        summary="Show one report and its parameters",
        method="GET",
        path="/v1/reports/{name}",
        scope="read",
        request=GetReport,
        response=Report,
        run=get,
        errors=(UnknownReport,),
    ),
    Operation(
        name="run_report",
        summary="Run a report with parameters",
        method="POST",
        path="/v1/reports/{name}/runs",
        scope="write",
        request=RunReport,
        response=Run,
        run=run_one,
        errors=(UnknownReport,),
        status=202,
        location="/v1/runs/{run_id}",
    ),
)
