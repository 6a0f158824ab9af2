"""The batch jobs of a lab: what is asked is checked, an engine chosen, and a run begun."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Any, Final

from helix_lab.domain.model.errors import InvalidRequest
from helix_lab.jobs.batch import topics
from helix_lab.jobs.batch.catalog import JOBS, TOPIC_MODELING, BatchJob, Options
from helix_lab.jobs.batch.choosing import EngineName, choose_engine
from helix_lab.jobs.batch.execution import Execution, Rooms, Tally
from helix_lab.jobs.batch.inputs import (
    RESULTS,
    Selection,
    choose_inputs,
    choose_output,
    measure,
)
from helix_lab.jobs.batch.partials import Partials
from helix_lab.jobs.runner import JobKind, JobRunner, RunContext
from helix_lab.jobs.runs import Run
from helix_lab.ports.batch import BatchEngine
from helix_lab.ports.lake import Lake

KIND: Final = "batch"


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
        self.partials = Partials(folder / "kept")
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

    def forget_results(self) -> None:
        """Remove every result from the lake: they may name anybody, and can be made again."""
        self.lake.delete([file.path for file in self.lake.list_files(RESULTS)])

    def _execute(self, context: RunContext) -> Mapping[str, Any]:
        context.check()
        tally = self.tallies.setdefault(context.run.run_id, Tally())
        rooms = Rooms(
            self.lake,
            self.engines[context.request["engine"]],
            self.partials,
            self.folder,
            self.read_merges,
        )
        return Execution(context, rooms, tally).run()

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
