"""Operations on runs: list, show, cancel; and the rebuild of a store."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal

from pydantic import Field

from helix_lab.domain.model.errors import Conflict, InvalidRequest, UnknownRun
from helix_lab.jobs.runs import Run as RunRecord
from helix_lab.operations.operation import Id, Name, Operation, Request, Response
from helix_lab.operations.paging import Cursor, Limit, make_cursor, read_cursor
from helix_lab.operations.services import Services

State = Literal["queued", "running", "succeeded", "failed", "cancelled"]


class ListRuns(Request):
    """Which runs to list."""

    kind: Name | None = Field(None, description="only of this job: debate, import, rebuild, report")
    state: State | None = Field(None, description="only in this state")
    limit: Limit = 50
    cursor: Cursor = None


class Run(Response):
    """One execution of a job."""

    run_id: str
    kind: str
    state: State
    progress: float = Field(description="0 to 1; never goes back")
    result: Mapping[str, Any] | None
    error: Mapping[str, Any] | None
    artifacts: Sequence[str]
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    schedule_id: str | None = Field(None, description="of the schedule that asked for it")


class Runs(Response):
    """One page of runs, newest first."""

    runs: list[Run]
    next_cursor: str | None


class GetRun(Request):
    """Which run."""

    run_id: Id = Field(description="its id")


class RebuildStore(Request):
    """Which store to fill again from the log."""

    store: Name = Field(description="conversations or analytics")


def show_run(run: RunRecord) -> Run:
    """A run as the doors show it."""
    told = {name: getattr(run, name) for name in Run.model_fields if name != "schedule_id"}
    return Run(**told, schedule_id=run.request.get("schedule_id"))


def list_page(services: Services, request: ListRuns) -> Runs:
    """One page of runs."""
    found = services.jobs.store.list_page(
        limit=request.limit + 1,
        before=read_cursor(request.cursor),
        kind=request.kind,
        state=request.state,
    )
    page, more = found[: request.limit], found[request.limit :]
    cursor = make_cursor(page[-1].created_at, page[-1].run_id) if more else None
    return Runs(runs=[show_run(run) for run in page], next_cursor=cursor)


def get(services: Services, request: GetRun) -> Run:
    """One run."""
    return show_run(services.jobs.store.get(request.run_id))


def cancel(services: Services, request: GetRun) -> Run:
    """Ask a run to stop."""
    return show_run(services.jobs.cancel(request.run_id))


def rebuild(services: Services, request: RebuildStore) -> Run:
    """Start the rebuild of a store."""
    if request.store not in services.projections.names:
        allowed = ", ".join(services.projections.names)
        message = f"field 'store': there is no store {request.store!r}; allowed: {allowed}"
        raise InvalidRequest(message, field="store")
    return show_run(services.jobs.submit("rebuild", {"store": request.store}))


OPERATIONS = (
    Operation(
        name="list_runs",
        summary="List runs, newest first",
        method="GET",
        path="/v1/runs",
        scope="read",
        request=ListRuns,
        response=Runs,
        run=list_page,
    ),
    Operation(
        name="get_run",
        summary="Show one run",
        method="GET",
        path="/v1/runs/{run_id}",
        scope="read",
        request=GetRun,
        response=Run,
        run=get,
        errors=(UnknownRun,),
    ),
    Operation(
        name="cancel_run",
        summary="Ask a run to stop",
        method="POST",
        path="/v1/runs/{run_id}/cancel",
        scope="write",
        request=GetRun,
        response=Run,
        run=cancel,
        errors=(UnknownRun, Conflict),
    ),
    Operation(
        name="rebuild_store",
        summary="Drop a store and fill it again from the log",
        method="POST",
        path="/v1/stores/{store}/rebuild",
        scope="admin",
        request=RebuildStore,
        response=Run,
        run=rebuild,
        status=202,
        location="/v1/runs/{run_id}",
    ),
)
