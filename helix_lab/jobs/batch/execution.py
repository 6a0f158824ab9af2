"""One run of a batch job: reads what is new, asks one statement, writes the result to the lake."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from helix_lab.jobs.batch import topics
from helix_lab.jobs.batch.catalog import JOBS, TOPIC_MODELING, BatchJob, Options
from helix_lab.jobs.batch.inputs import Selection, Source, list_sources
from helix_lab.jobs.batch.partials import Partials
from helix_lab.jobs.batch.readings import make_schema
from helix_lab.jobs.batch.results import encode_result
from helix_lab.jobs.batch.staging import stage_file
from helix_lab.jobs.runner import RunContext
from helix_lab.ports.batch import SOURCE, BatchEngine, InputFile, Watch
from helix_lab.ports.lake import Lake
from helix_lab.queries.statements import load_batch_statement

if TYPE_CHECKING:
    import pyarrow as pa

_LOT_ROWS: Final = 20_000
"""Rows that are kept together: a job that dies reads no more than these again."""
_READ: Final = 0.9
_ASKED: Final = 0.97
_DAYS: Final = ("start_date", "end_date")


@dataclass(frozen=True, slots=True)
class Rooms:
    """What a run works with.

    Attributes:
        folder: for copies of files that engines cannot reach.
        read_merges: entity id → the id that it shows as, for what people merged.
    """

    lake: Lake
    engine: BatchEngine
    partials: Partials
    folder: Path
    read_merges: Callable[[], Mapping[str, str]]


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


class Execution:
    """One run of a batch job."""

    def __init__(self, context: RunContext, rooms: Rooms, tally: Tally) -> None:
        request = context.request
        self._context = context
        self._rooms = rooms
        self._tally = tally
        self._job = JOBS[request["job_type"]]
        self._engine = rooms.engine
        self._options = Options(**request["options"])
        self._began_s = time.monotonic()
        self._watch = Watch(context.check, lambda _: None)

    def run(self) -> Mapping[str, Any]:
        """Read, ask, write."""
        request = self._context.request
        days = [request[name] and date.fromisoformat(request[name]) for name in _DAYS]
        sources = list_sources(self._rooms.lake, Selection(request["input_paths"], *days))
        self._read(sources)
        self._context.check()
        result = self._ask(sources)
        self._context.report(_ASKED)
        self._context.check()
        path = f"{request['output_path']}/{self._context.run.run_id}.parquet"
        content = encode_result(result, self._job)
        self._rooms.lake.write([(path, content)])
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
        self._rooms.partials.sweep_once()
        missing = self._rooms.partials.find_missing(reading, sources)
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

        self._rooms.partials.add(self._job.reading, lot, fill)

    @contextmanager
    def _staged(
        self, sources: Sequence[Source], missing: Sequence[Source]
    ) -> Iterator[tuple[dict[str, InputFile], int]]:
        """The missing files where the engine finds them, by id, and the rows of all sources."""
        self._rooms.folder.mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(prefix="staged-", dir=self._rooms.folder))
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
        self._context.check()
        return stage_file(self._rooms.lake, source, folder)

    def _ask(self, sources: Sequence[Source]) -> pa.Table:
        import pyarrow as pa

        job, options = self._job, self._options
        files = self._rooms.partials.find_files(job.reading, sources)
        ids = pa.array([source.id for source in sources], pa.string())
        tables: dict[str, Any] = {
            job.reading.name: files
            or make_schema({**job.reading.columns, SOURCE: "text"}).empty_table(),
            "inputs": pa.table({"source": ids}),
        }
        if job.is_merged:
            tables["merged"] = _tell_merges(self._rooms.read_merges())
        statement = load_batch_statement(job.statement)
        found = self._engine.ask(statement, tables, job.parameters(options), watch=self._watch)
        if job is TOPIC_MODELING:
            rows = topics.find_topics(found, options)
        else:
            rows = [job.derive(row) for row in found.to_pylist()]
        return make_table(job, rows)


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
