"""Operations on the lake: archive, restore, ask, check."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from helix_lab.domain.lake.paths import read_partition
from helix_lab.domain.lake.schema import DATASETS
from helix_lab.domain.model.errors import (
    DamagedFile,
    InvalidRequest,
    QueryCancelled,
    QueryFailed,
    QueryRefused,
    QueryTimedOut,
    Unavailable,
    UnknownConversation,
    UnknownRun,
)
from helix_lab.jobs.lake.archiving import ARCHIVE
from helix_lab.jobs.lake.checking import check_lake
from helix_lab.jobs.lake.restoring import RESTORE
from helix_lab.jobs.runs import Run as RunRecord
from helix_lab.operations.cancellation import current_scope
from helix_lab.operations.operation import Id, Operation, Request, Response, StreamItem
from helix_lab.operations.runs import Run, State, show_run
from helix_lab.operations.services import Services
from helix_lab.operations.sql import QueryAnswer, RunQuery, ask_engine, stream_answer
from helix_lab.ports.analytics import RunningStatement
from helix_lab.queries.history import has_conversation
from helix_lab.queries.lake import Chosen, count_chosen

_MB = 1_000_000
_BYTES_A_TOKEN = 2
"""A model token of text and its columns, compressed; a guess, for the estimate alone."""


def _read_day(text: str) -> str:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        day = None
    if day is None or day.isoformat() != text:
        message = "must be a day such as 2026-01-29"
        raise ValueError(message)
    if day > datetime.now(UTC).date():
        message = f"{text} is in the future (days are those of UTC); nothing can be archived of it"
        raise ValueError(message)
    return text


Day = Annotated[str, AfterValidator(_read_day)]


class ArchiveConversations(Request):
    """What to archive: one conversation, those of a day, or all; exactly one of the three."""

    conversation_id: Id | None = None
    date: Day | None = Field(
        None,
        description="conversations that were open on this day (UTC), and its figures",
        examples=["2026-01-29"],
    )
    all: bool = Field(False, description="every conversation")  # noqa: FBT003 - a field's default
    format: Literal["parquet", "json"] = "parquet"
    entities: bool = Field(
        False,  # noqa: FBT003 - a field's default
        description="also a snapshot of the graph's entities",
    )


class ArchiveJob(Response):
    """An archive that was begun; its status is at /v1/datalake/archive/{job_id}/status."""

    job_id: str
    status: State
    conversations_to_archive: int
    estimated_size_mb: float = Field(description="a guess by the number of tokens")


class GetArchive(Request):
    """Which archive."""

    job_id: Id = Field(description="what its start answered")


class ArchiveStatus(Response):
    """How far an archive is; figures of files are null until it has succeeded."""

    job_id: str
    status: State
    progress: float = Field(description="0 to 1; never goes back")
    conversations_to_archive: int
    conversations_archived: int
    conversations_unchanged: int | None = Field(description="of them, there already and the same")
    files_created: int | None
    total_size_mb: float | None = Field(description="of the files created")
    compression_ratio: float | None = Field(
        description="bytes of the files created by those of their events as JSON"
    )
    started_at: datetime | None
    completed_at: datetime | None
    duration_seconds: float | None
    error: Mapping[str, Any] | None


class RestoreLab(Request):
    """Nothing to choose: all that the lake holds."""


class CheckLake(Request):
    """How thoroughly, and whether to mend."""

    thorough: bool = Field(False, description="read every file")  # noqa: FBT003 - a field's default
    repair: bool = Field(
        False,  # noqa: FBT003 - a field's default
        description="remove what killed archives left behind",
    )


class LakeCheck(Response):
    """What a check found. `is_sound`: nothing is missing, damaged, repeated or left behind."""

    is_sound: bool
    place: str
    files: int
    total_size_mb: float
    rows: Mapping[str, int] = Field(description="by dataset, as the manifests tell")
    missing: list[str] = Field(description="listed files that are not there")
    damaged: list[str] = Field(description="listed files of other size or content")
    orphans: list[str] = Field(description="files that no manifest lists")
    repeated: list[str] = Field(description="conversations in the manifests of two days")
    removed: int = Field(description="orphans and unfinished writes that were removed")


class DescribeLake(Request):
    """Nothing to say."""


class LakeColumn(Response):
    """A column of a dataset."""

    dataset: str
    column: str
    type: str
    meaning: str


class LakeDescription(Response):
    """Where the lake is, how much it holds, what can be asked of it."""

    place: str
    backend: str
    files: Mapping[str, int] = Field(description="by dataset")
    total_size_mb: float
    newest_day: str | None = Field(description="the last day with an archived conversation")
    columns: list[LakeColumn]


def archive(services: Services, request: ArchiveConversations) -> ArchiveJob:
    """Start an archive."""
    chosen = _choose(services, request)
    run = services.jobs.submit(
        ARCHIVE,
        {
            "conversation_id": request.conversation_id,
            "date": request.date,
            "format": request.format,
            "entities": request.entities,
            "conversations": chosen.conversations,
        },
    )
    return ArchiveJob(
        job_id=run.run_id,
        status=run.state,
        conversations_to_archive=chosen.conversations,
        estimated_size_mb=chosen.tokens * _BYTES_A_TOKEN / _MB,
    )


def _choose(services: Services, request: ArchiveConversations) -> Chosen:
    named = [request.conversation_id is not None, request.date is not None, request.all]
    if sum(named) != 1:
        message = (
            "field 'conversation_id': give exactly one of conversation_id, date (such as "
            "2026-01-29) and all"
        )
        raise InvalidRequest(message, field="conversation_id")
    if request.conversation_id is not None:
        if not has_conversation(services.log, request.conversation_id):
            raise UnknownConversation(request.conversation_id)
        return Chosen(1, 0)
    day = None if request.date is None else date.fromisoformat(request.date)
    return services.ask("conversations", lambda: count_chosen(services.records, day))


def get_archive(services: Services, request: GetArchive) -> ArchiveStatus:
    """How far an archive is."""
    run = services.jobs.store.get(request.job_id)
    if run.kind != ARCHIVE:
        raise UnknownRun(request.job_id)
    return show_archive(run)


def show_archive(run: RunRecord) -> ArchiveStatus:
    """A run of an archive as it is answered."""
    result = run.result or {}
    expected = int(run.request.get("conversations") or 0)
    size = result.get("total_bytes")
    seconds = None
    if run.started_at is not None:
        seconds = ((run.ended_at or datetime.now(UTC)) - run.started_at).total_seconds()
    return ArchiveStatus(
        job_id=run.run_id,
        status=run.state,
        progress=run.progress,
        conversations_to_archive=expected,
        conversations_archived=result.get("conversations_archived", round(run.progress * expected)),
        conversations_unchanged=result.get("conversations_unchanged"),
        files_created=result.get("files_created"),
        total_size_mb=None if size is None else size / _MB,
        compression_ratio=result.get("compression_ratio"),
        started_at=run.started_at,
        completed_at=run.ended_at,
        duration_seconds=seconds,
        error=run.error,
    )


def restore(services: Services, request: RestoreLab) -> Run:  # noqa: ARG001
    """Start a restore."""
    services.lake.probe()
    return show_run(services.jobs.submit(RESTORE, {}))


def query(services: Services, request: RunQuery) -> QueryAnswer:
    """One's own SQL on the lake; stops when its caller goes away."""
    return _carry_out(services, request, [])


def stream(services: Services, request: RunQuery) -> Iterator[list[StreamItem]]:
    """How far the statement is, and then its answer."""
    return stream_answer(lambda statements: _carry_out(services, request, statements))


def _carry_out(
    services: Services, request: RunQuery, statements: list[RunningStatement]
) -> QueryAnswer:
    return ask_engine(services.lake_reader.query, services, request, statements)


def check(services: Services, request: CheckLake) -> LakeCheck:
    """Compare the manifests of the lake with its files."""
    scope = current_scope()

    def stop_if_unwanted() -> None:
        if scope.is_cancelled:
            message = "the check was stopped because its caller went away"
            raise QueryCancelled(message)

    with services.lake_gate.changing(stop_if_unwanted):
        place = services.lake.probe()
        found = check_lake(
            services.lake,
            is_thorough=request.thorough,
            is_repairing=request.repair,
            check=stop_if_unwanted,
        )
    wrong = [*found.missing, *found.damaged, *found.repeated]
    left = [] if request.repair else found.orphans
    return LakeCheck(
        is_sound=not wrong and not left,
        place=place,
        files=found.files - (len(found.orphans) if request.repair else 0),
        total_size_mb=found.bytes / _MB,
        rows=found.rows,
        missing=found.missing,
        damaged=found.damaged,
        orphans=found.orphans,
        repeated=found.repeated,
        removed=len(found.orphans) + found.unfinished if request.repair else 0,
    )


def describe(services: Services, request: DescribeLake) -> LakeDescription:  # noqa: ARG001
    """Where the lake is, and what it holds."""
    place = services.lake.probe()
    files = [file for name in DATASETS for file in services.lake.list_files(name)]
    counts = {name: sum(f.path.startswith(f"{name}/") for f in files) for name in DATASETS}
    days = [read_partition(file.path) for file in files]
    known = [day for day in days if day is not None]
    return LakeDescription(
        place=place,
        backend=services.backends["minio"].backend,
        files=counts,
        total_size_mb=sum(file.bytes for file in files) / _MB,
        newest_day=max(known).isoformat() if known else None,
        columns=[
            LakeColumn(
                dataset=dataset.name, column=column.name, type=column.kind, meaning=column.meaning
            )
            for dataset in DATASETS.values()
            for column in dataset.columns
        ],
    )


OPERATIONS = (
    Operation(
        name="archive_conversations",
        summary="Archive a conversation, a day or all into the lake",
        method="POST",
        path="/v1/datalake/archive",
        scope="write",
        request=ArchiveConversations,
        response=ArchiveJob,
        run=archive,
        status=202,
        errors=(UnknownConversation,),
        location="/v1/datalake/archive/{job_id}/status",
    ),
    Operation(
        name="get_archive",
        summary="Tell how far an archive is",
        method="GET",
        path="/v1/datalake/archive/{job_id}/status",
        scope="read",
        request=GetArchive,
        response=ArchiveStatus,
        run=get_archive,
        errors=(UnknownRun,),
    ),
    Operation(
        name="restore_lab",
        summary="Record again all that the lake holds; what is in the log already stays",
        method="POST",
        path="/v1/datalake/restore",
        scope="admin",
        request=RestoreLab,
        response=Run,
        run=restore,
        status=202,
        errors=(Unavailable,),
        location="/v1/runs/{run_id}",
    ),
    Operation(
        name="query_lake",
        summary="Ask the files of the lake in SQL, reading only",
        method="POST",
        path="/v1/datalake/query",
        scope="read",
        request=RunQuery,
        response=QueryAnswer,
        run=query,
        stream=stream,
        errors=(QueryRefused, QueryFailed, QueryTimedOut, QueryCancelled, Unavailable),
    ),
    Operation(
        name="check_lake",
        summary="Compare the manifests of the lake with its files",
        method="POST",
        path="/v1/datalake/check",
        scope="admin",
        request=CheckLake,
        response=LakeCheck,
        run=check,
        errors=(DamagedFile, QueryCancelled, Unavailable),
    ),
    Operation(
        name="describe_lake",
        summary="Tell where the lake is, what it holds, and its columns",
        method="GET",
        path="/v1/datalake",
        scope="read",
        request=DescribeLake,
        response=LakeDescription,
        run=describe,
        errors=(Unavailable,),
    ),
)
