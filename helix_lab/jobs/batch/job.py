"""The job: reads what is new, asks one statement, and writes the result to the lake."""

from __future__ import annotations

import shutil
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from helix_lab.domain.model.errors import InvalidRequest
from helix_lab.jobs.batch import topics
from helix_lab.jobs.batch.catalog import JOBS, TOPIC_MODELING, BatchJob, Options, make_schema
from helix_lab.jobs.batch.choosing import EngineName, choose_engine
from helix_lab.jobs.batch.inputs import (
    Selection,
    Source,
    choose_inputs,
    choose_output,
    list_sources,
    measure,
)
from helix_lab.jobs.batch.partials import Partials
from helix_lab.jobs.batch.results import encode_result
from helix_lab.jobs.runner import JobKind, JobRunner, RunContext
from helix_lab.jobs.runs import Run
from helix_lab.ports.batch import BatchEngine, InputFile, Watch
from helix_lab.ports.lake import Lake
from helix_lab.queries.statements import load_batch_statement

if TYPE_CHECKING:
    import pyarrow as pa

KIND: Final = "batch"
_LOT_ROWS: Final = 20_000
"""Rows that are kept together: a job that dies reads no more than these again."""
_READ: Final = 0.9
_ASKED: Final = 0.97


@dataclass(slots=True)
class Tally:
    """What a running job has done so far.

    Attributes:
        rows_total: rows of the input; None until it is known.
        rows_processed: of them, those that were read, now or by an earlier job.
        rows_read: those that were read now.
    """

    rows_total: int | None = None
    rows_processed: int = 0
    rows_read: int = 0


class BatchJobs:
    """The five batch jobs of a lab.

    Args:
        jobs: runs them.
        lake: where input and results are.
        engines: by name.
        folder: for what is kept between two runs; it may be deleted.
        read_merges: entity id → the id that it shows as, for what people merged.
        is_cluster: the engine spark runs on a cluster.
    """

    def __init__(
        self,
        jobs: JobRunner,
        lake: Lake,
        engines: Mapping[str, BatchEngine],
        folder: Path,
        *,
        read_merges: Callable[[], Mapping[str, str]],
        is_cluster: bool = False,
    ) -> None:
        self.jobs = jobs
        self.lake = lake
        self.engines = engines
        self.is_cluster = is_cluster
        self.partials = Partials(folder)
        self.folder = folder
        self.read_merges = read_merges
        self.tallies: dict[str, Tally] = {}
        jobs.register(JobKind(KIND, self._execute, clean_up=self._forget))

    def start(
        self,
        job_type: str,
        *,
        input_path: str | None = None,
        output_path: str | None = None,
        days: tuple[date | None, date | None] = (None, None),
        engine: EngineName = "auto",
        options: Options | None = None,
    ) -> Run:
        """Check what is asked, choose an engine, and start a run.

        Args:
            job_type: one of `JOBS`.
            input_path: a folder or file of the lake; None: all that the job is made for.
            output_path: a folder of the lake; see `inputs.choose_output`.
            days: the first and the last of the files that are read.
            engine: `auto` for the one that suits.
            options: of the job.

        Raises:
            InvalidRequest: there is no such job, or a path cannot be used.
            Unavailable, MissingDriver: the engine cannot work.
        """
        job = find_job(job_type)
        if job is TOPIC_MODELING:
            topics.check_installed()
        selection = _select(choose_inputs(self.lake, job, input_path), days)
        output = choose_output(self.lake, job, output_path)
        size = measure(self.lake, selection)
        choice = choose_engine(self.engines, engine, input_bytes=size, is_cluster=self.is_cluster)
        request = {
            "job_type": job.name,
            "input_paths": list(selection.paths),
            "start_date": selection.start_date and selection.start_date.isoformat(),
            "end_date": selection.end_date and selection.end_date.isoformat(),
            "output_path": output,
            "engine": choice.engine.name,
            "engine_reason": choice.reason,
            "options": asdict(options or Options()),
        }
        return self.jobs.submit(KIND, request, run_id=f"job-{uuid.uuid4().hex}")

    def _execute(self, context: RunContext) -> Mapping[str, Any]:
        context.check()
        tally = self.tallies.setdefault(context.run.run_id, Tally())
        return _Execution(context, self, tally).run()

    def _forget(self, run: Run) -> None:
        self.tallies.pop(run.run_id, None)


def find_job(job_type: str) -> BatchJob:
    """The job of this name.

    Raises:
        InvalidRequest: there is none; the message names the five.
    """
    if job_type not in JOBS:
        message = (
            f"field 'job_type': there is no job {job_type[:100]!r}; there are {', '.join(JOBS)}"
        )
        raise InvalidRequest(message, field="job_type")
    return JOBS[job_type]


def _select(paths: Sequence[str], days: tuple[date | None, date | None]) -> Selection:
    first, last = days
    if first is not None and last is not None and last < first:
        message = f"field 'end_date': {last} is before the start_date, {first}"
        raise InvalidRequest(message, field="end_date")
    return Selection(paths, first, last)


class _Execution:
    """One run of a batch job."""

    def __init__(self, context: RunContext, batch: BatchJobs, tally: Tally) -> None:
        request = context.request
        self._context = context
        self._batch = batch
        self._tally = tally
        self._job = find_job(request["job_type"])
        self._engine = batch.engines[request["engine"]]
        self._options = Options(**request["options"])
        self._began_s = time.monotonic()
        self._watch = Watch(context.check, lambda _: None)

    def run(self) -> Mapping[str, Any]:
        """Read, ask, write."""
        request = self._context.request
        days = [request[name] and date.fromisoformat(request[name]) for name in _DAYS]
        sources = list_sources(self._batch.lake, Selection(request["input_paths"], *days))
        self._read(sources)
        self._context.check()
        result = self._ask(sources)
        self._context.report(_ASKED)
        self._context.check()
        path = f"{request['output_path']}/{self._context.run.run_id}.parquet"
        content = encode_result(result, self._job)
        self._batch.lake.write([(path, content)])
        return {
            "job_type": self._job.name,
            "engine": self._engine.name,
            "engine_reason": request["engine_reason"],
            "output_path": path,
            "output_bytes": len(content),
            "files": len(sources),
            "rows_processed": self._tally.rows_processed,
            "rows_read": self._tally.rows_read,
            "rows_found": result.num_rows,
            self._job.found: result.num_rows,
            "duration_s": round(time.monotonic() - self._began_s, 3),
        }

    def _read(self, sources: Sequence[Source]) -> None:
        reading, tally = self._job.reading, self._tally
        self._batch.partials.sweep_once()
        missing = self._batch.partials.find_missing(reading, sources)
        with self._staged(sources, missing) as (files, total):
            tally.rows_total = total
            tally.rows_processed = total - sum(file.rows for file in files.values())
            for lot in _split(missing, files):
                self._read_lot(lot, files)

    def _read_lot(self, lot: Sequence[Source], files: Mapping[str, InputFile]) -> None:
        tally, dataset = self._tally, lot[0].dataset
        before = tally.rows_processed, tally.rows_read

        def advance(rows: int) -> None:
            tally.rows_processed, tally.rows_read = before[0] + rows, before[1] + rows
            self._context.report(_READ * tally.rows_processed / max(tally.rows_total or 0, 1))

        def fill(folder: Path) -> list[Path]:
            return self._engine.read(
                self._job.reading.stage(dataset),
                [files[source.id] for source in lot],
                folder,
                watch=Watch(self._context.check, advance),
                parts=self._options.partitions,
            )

        self._batch.partials.add(self._job.reading, lot, fill)

    @contextmanager
    def _staged(
        self, sources: Sequence[Source], missing: Sequence[Source]
    ) -> Iterator[tuple[dict[str, InputFile], int]]:
        """The missing files where the engine finds them, by id, and the rows of all sources."""
        self._batch.folder.mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(prefix="staged-", dir=self._batch.folder))
        try:
            files = {source.id: self._stage(source, folder) for source in missing}
            known = {
                source.id: file.rows for source, file in zip(missing, files.values(), strict=True)
            }
            total = 0
            for source in sources:
                rows = known.get(source.id, source.rows)
                total += self._stage(source, folder).rows if rows is None else rows
            yield files, total
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def _stage(self, source: Source, folder: Path) -> InputFile:
        from helix_lab.jobs.batch.staging import stage_file

        self._context.check()
        return stage_file(self._batch.lake, source, folder)

    def _ask(self, sources: Sequence[Source]) -> pa.Table:
        import pyarrow as pa

        job, options = self._job, self._options
        files = self._batch.partials.find_files(job.reading, sources)
        ids = pa.array([source.id for source in sources], pa.string())
        tables: dict[str, Any] = {
            job.reading.name: files
            or make_schema({**job.reading.columns, "source": "text"}).empty_table(),
            "inputs": pa.table({"source": ids}),
        }
        if job.is_merged:
            tables["merged"] = _tell_merges(self._batch.read_merges())
        statement = load_batch_statement(job.statement)
        found = self._engine.ask(statement, tables, job.parameters(options), watch=self._watch)
        if job is TOPIC_MODELING:
            rows = topics.find_topics(found, options)
        else:
            rows = [job.derive(row) for row in found.to_pylist()]
        return make_table(job, rows)


_DAYS: Final = ("start_date", "end_date")


def make_table(job: BatchJob, rows: Sequence[Mapping[str, Any]]) -> pa.Table:
    """Rows with the columns and types of the job's result, whatever engine they come from."""
    import pyarrow as pa

    plain = make_schema(
        {name: "text" if kind == "moment" else kind for name, kind in job.columns.items()}
    )
    return pa.Table.from_pylist(list(rows), schema=plain).cast(make_schema(job.columns))


def _tell_merges(merges: Mapping[str, str]) -> pa.Table:
    import pyarrow as pa

    columns = {"entity_id": list(merges), "shown": list(merges.values())}
    return pa.table(columns, pa.schema([(name, pa.string()) for name in columns]))


def _split(missing: Sequence[Source], files: Mapping[str, InputFile]) -> Iterator[list[Source]]:
    """Sources of one dataset each, of some thousand rows."""
    lot: list[Source] = []
    rows = 0
    for source in missing:
        if lot and (rows >= _LOT_ROWS or source.dataset != lot[0].dataset):
            yield lot
            lot, rows = [], 0
        lot.append(source)
        rows += files[source.id].rows
    if lot:
        yield lot
