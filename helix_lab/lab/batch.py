"""The batch engines, and the jobs that run on them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import ExitStack

from helix_lab.adapters.batch_duckdb import DuckDBBatch
from helix_lab.adapters.batch_spark import SparkBatch
from helix_lab.data_folder import DataFolder
from helix_lab.domain.knowledge.merges import list_active, resolve
from helix_lab.jobs.batch.job import BatchJobs
from helix_lab.jobs.runner import JobRunner
from helix_lab.ports.batch import BatchEngine
from helix_lab.ports.graph import GraphStore
from helix_lab.ports.lake import Lake
from helix_lab.projections.runner import ProjectionRunner
from helix_lab.settings import Settings


def open_engines(
    settings: Settings, folder: DataFolder, stack: ExitStack
) -> dict[str, BatchEngine]:
    """Every engine by name; none starts anything before its first job."""
    place = folder.path / "batch"
    engines: tuple[BatchEngine, ...] = (
        DuckDBBatch(place, readers=os.cpu_count() or 1),
        SparkBatch(settings.spark_url, place / "spark"),
    )
    for engine in engines:
        stack.callback(engine.close)
    return {engine.name: engine for engine in engines}


def make_batch_jobs(
    settings: Settings,
    folder: DataFolder,
    jobs: JobRunner,
    engines: Mapping[str, BatchEngine],
    lake: Lake,
    graph: GraphStore,
    projections: ProjectionRunner,
) -> BatchJobs:
    """The five jobs on these engines."""

    def read_merges() -> Mapping[str, str]:
        with projections.reading("graph"):
            return resolve(list_active(graph.ask("all_merges")))

    return BatchJobs(
        jobs,
        lake,
        engines,
        folder.path / "batch",
        read_merges=read_merges,
        is_cluster=settings.spark_url.startswith("spark://"),
    )
