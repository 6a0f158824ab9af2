"""Operations on batch jobs over the lake: submit, follow, list, cancel, and read the result."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from helix_lab.domain.model.errors import Conflict, MissingDriver, Unavailable, UnknownRun
from helix_lab.jobs.batch.catalog import JOBS, Options
from helix_lab.jobs.batch.choosing import EngineName
from helix_lab.jobs.batch.job import KIND
from helix_lab.jobs.batch.results import decode_result, to_arrow, to_csv
from helix_lab.jobs.runs import Run as RunRecord
from helix_lab.operations.cancellation import current_scope
from helix_lab.operations.operation import Id, Name, Operation, Request, Response, Text
from helix_lab.operations.paging import Cursor, Limit, make_cursor, read_cursor
from helix_lab.operations.runs import State
from helix_lab.operations.services import Services

_MOST_ROWS = 100_000


def _check_day(text: str) -> str:
    try:
        date.fromisoformat(text)
    except ValueError:
        message = f"{text[:40]!r} is no day; it must be such as 2026-01-30"
        raise ValueError(message) from None
    return text


Day = Annotated[str, AfterValidator(_check_day)]


class BatchConfig(Request):
    """Settings of a job; each takes notice of those that concern it."""

    partitions: int | None = Field(
        None, ge=1, le=10_000, description="pieces to cut the reading into, at least"
    )
    min_entity_confidence: float = Field(0.0, ge=0, le=1, description="of entities and pairs")
    entity_types: list[Name] = Field(
        default_factory=list, max_length=20, description="EntityExtraction: only these"
    )
    window_size: int = Field(
        10, ge=1, le=1000, description="RelationshipMining: messages in a row that go together"
    )
    min_cooccurrence: int = Field(
        5, ge=1, le=1_000_000, description="RelationshipMining: windows that name both"
    )
    method: Literal["nmf", "lda"] = Field("nmf", description="TopicModeling: how")
    topics: int = Field(10, ge=1, le=200, description="TopicModeling: how many to look for")
    terms: int = Field(10, ge=1, le=50, description="TopicModeling: terms to show of each")
    document_size: int = Field(
        20, ge=1, le=1000, description="TopicModeling: messages in a row that are one document"
    )
    min_documents: int = Field(2, ge=1, le=1_000_000, description="TopicModeling: of a term")
    max_document_share: float = Field(0.5, gt=0, le=1, description="TopicModeling: of a term")
    max_terms: int = Field(5000, ge=2, le=100_000, description="TopicModeling: in all")
    seed: int = Field(1, ge=0, le=2**31 - 1, description="TopicModeling: of what is random")


class SubmitBatchJob(Request):
    """A batch job: which, over what, how."""

    job_type: Text = Field(description=", ".join(JOBS))
    input_path: Text | None = Field(
        None, description="a folder or file of the lake; all that the job reads if absent"
    )
    output_path: Text | None = Field(
        None, description="a folder of the lake, below `results`; results/<job_type> if absent"
    )
    start_date: Day | None = Field(None, description="the first day, by the folders of the lake")
    end_date: Day | None = Field(None, description="the last day")
    engine: EngineName = Field("auto", description="auto chooses, and says why")
    config: BatchConfig | None = Field(None, description="settings of the job")
    wait_s: float = Field(0, ge=0, le=300, description="wait so long for the end of the job")


class BatchJob(Response):
    """A batch job, and how far it is.

    The figures of what was found are null until the job has found them.
    """

    job_id: str
    job_type: str
    status: Literal["submitted", "queued", "running", "succeeded", "failed", "cancelled"]
    progress: float = Field(description="0 to 1; never goes back")
    engine: str
    engine_reason: str = Field(description="why this engine")
    spark_ui_url: str | None = Field(description="where Spark shows its work, if it does")
    input_paths: list[str]
    output_path: str = Field(description="in the lake: the file, and before that its folder")
    rows_total: int | None = Field(description="of the input, once they are counted")
    rows_processed: int = Field(description="of them, those that were read, now or before")
    rows_read: int = Field(description="of them, those that this job had to read")
    entities_extracted: int | None
    relationships_found: int | None
    topics_identified: int | None
    providers_rated: int | None
    debates_analysed: int | None
    submitted_at: datetime
    started_at: datetime | None
    completed_at: datetime | None
    elapsed_seconds: float
    estimated_remaining_seconds: float | None = Field(description="null until there is an estimate")
    error: Mapping[str, Any] | None


class ListBatchJobs(Request):
    """Which jobs to list."""

    state: State | None = Field(None, description="only in this state")
    limit: Limit = 50
    cursor: Cursor = None


class BatchJobList(Response):
    """One page of batch jobs, newest first."""

    jobs: list[BatchJob]
    next_cursor: str | None


class GetBatchJob(Request):
    """Which job."""

    job_id: Id = Field(description="its id")


class GetBatchJobResult(Request):
    """Which result, and in which form."""

    job_id: Id = Field(description="its id")
    format: Literal["json", "csv", "arrow"] = Field("json", description="form of the rows")
    limit: int = Field(_MOST_ROWS, ge=1, le=_MOST_ROWS, description="rows at most")


class BatchJobResult(Response):
    """The rows of a result: in `rows`, in `csv`, or in `arrow`, by the format that was asked."""

    job_id: str
    job_type: str
    output_path: str = Field(description="the Parquet file in the lake, with all rows")
    columns: list[str]
    row_count: int = Field(description="of the whole result")
    rows: list[dict[str, Any]] | None
    csv: str | None
    arrow: str | None = Field(description="a stream of Arrow IPC, in base64")


def submit(services: Services, request: SubmitBatchJob) -> BatchJob:
    """Start a batch job."""
    run = services.batch.start(
        request.job_type,
        input_path=request.input_path,
        output_path=request.output_path,
        days=(_to_date(request.start_date), _to_date(request.end_date)),
        engine=request.engine,
        options=Options(**(request.config or BatchConfig()).model_dump()),
    )
    if request.wait_s:
        scope = current_scope()
        run = services.jobs.wait(
            run.run_id, timeout_s=request.wait_s, should_stop=lambda: scope.is_cancelled
        )
    shown = _show(services, run)
    is_new = shown.status == "queued"
    return shown.model_copy(update={"status": "submitted"}) if is_new else shown


def _to_date(day: str | None) -> date | None:
    return None if day is None else date.fromisoformat(day)


def get_status(services: Services, request: GetBatchJob) -> BatchJob:
    """One job."""
    return _show(services, _find(services, request.job_id))


def list_page(services: Services, request: ListBatchJobs) -> BatchJobList:
    """One page of jobs."""
    found = services.jobs.store.list_page(
        limit=request.limit + 1,
        before=read_cursor(request.cursor),
        kind=KIND,
        state=request.state,
    )
    page, more = found[: request.limit], found[request.limit :]
    cursor = make_cursor(page[-1].created_at, page[-1].run_id) if more else None
    return BatchJobList(jobs=[_show(services, run) for run in page], next_cursor=cursor)


def cancel(services: Services, request: GetBatchJob) -> BatchJob:
    """Ask a job to stop."""
    return _show(services, services.jobs.cancel(_find(services, request.job_id).run_id))


def get_result(services: Services, request: GetBatchJobResult) -> BatchJobResult:
    """The rows that a job found."""
    run = _find(services, request.job_id)
    if run.result is None:
        message = (
            f"job {run.run_id!r} is {run.state} and has no result"
            if run.is_ended
            else f"job {run.run_id!r} is {run.state}; its result is there once it has succeeded"
        )
        raise Conflict(message, job_id=run.run_id, state=run.state)
    table = decode_result(services.lake.read(run.result["output_path"]))
    page = table.slice(0, request.limit)
    form = request.format
    return BatchJobResult(
        job_id=run.run_id,
        job_type=run.request["job_type"],
        output_path=run.result["output_path"],
        columns=table.column_names,
        row_count=table.num_rows,
        rows=page.to_pylist() if form == "json" else None,
        csv=to_csv(page) if form == "csv" else None,
        arrow=base64.b64encode(to_arrow(page)).decode() if form == "arrow" else None,
    )


def _find(services: Services, job_id: str) -> RunRecord:
    run = services.jobs.store.get(job_id)
    if run.kind != KIND:
        raise UnknownRun(job_id)
    return run


def _show(services: Services, run: RunRecord) -> BatchJob:
    result = run.result or {}
    tally = services.batch.tallies.get(run.run_id)
    done = result.get("rows_processed", 0)
    elapsed_s = _measure(run)
    is_spark = run.request["engine"] == "spark"
    return BatchJob(
        job_id=run.run_id,
        job_type=run.request["job_type"],
        status=run.state,
        progress=run.progress,
        engine=run.request["engine"],
        engine_reason=run.request["engine_reason"],
        spark_ui_url=services.batch.engines["spark"].describe() if is_spark else None,
        input_paths=run.request["input_paths"],
        output_path=result.get("output_path") or run.request["output_path"],
        rows_total=tally.rows_total if tally else result.get("rows_processed"),
        rows_processed=tally.rows_processed if tally else done,
        rows_read=tally.rows_read if tally else result.get("rows_read", 0),
        **{job.found: result.get(job.found) for job in JOBS.values()},
        submitted_at=run.created_at,
        started_at=run.started_at,
        completed_at=run.ended_at,
        elapsed_seconds=round(elapsed_s, 3),
        estimated_remaining_seconds=_estimate(run, elapsed_s),
        error=run.error,
    )


def _measure(run: RunRecord) -> float:
    """Seconds since its start, or that it took."""
    if run.started_at is None:
        return 0.0
    return max(0.0, ((run.ended_at or datetime.now(UTC)) - run.started_at).total_seconds())


def _estimate(run: RunRecord, elapsed_s: float) -> float | None:
    """Seconds that are left, if it goes on as it went."""
    if run.is_ended:
        return 0.0
    return round(elapsed_s / run.progress * (1 - run.progress), 3) if run.progress else None


OPERATIONS = (
    Operation(
        name="submit_batch_job",
        summary="Start a batch job over the lake",
        method="POST",
        path="/v1/spark/jobs",
        scope="write",
        request=SubmitBatchJob,
        response=BatchJob,
        run=submit,
        errors=(Unavailable, MissingDriver),
        status=202,
        location="/v1/spark/jobs/{job_id}/status",
    ),
    Operation(
        name="list_batch_jobs",
        summary="List batch jobs, newest first",
        method="GET",
        path="/v1/spark/jobs",
        scope="read",
        request=ListBatchJobs,
        response=BatchJobList,
        run=list_page,
    ),
    Operation(
        name="get_batch_job_status",
        summary="Show a batch job and how far it is",
        method="GET",
        path="/v1/spark/jobs/{job_id}/status",
        scope="read",
        request=GetBatchJob,
        response=BatchJob,
        run=get_status,
        errors=(UnknownRun,),
    ),
    Operation(
        name="cancel_batch_job",
        summary="Ask a batch job to stop",
        method="POST",
        path="/v1/spark/jobs/{job_id}/cancel",
        scope="write",
        request=GetBatchJob,
        response=BatchJob,
        run=cancel,
        errors=(UnknownRun, Conflict),
    ),
    Operation(
        name="get_batch_job_result",
        summary="Read what a batch job found, as rows, CSV or Arrow",
        method="GET",
        path="/v1/spark/jobs/{job_id}/result",
        scope="read",
        request=GetBatchJobResult,
        response=BatchJobResult,
        run=get_result,
        errors=(UnknownRun, Conflict),
    ),
)
