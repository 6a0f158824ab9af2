"""The rebuild job: a store is dropped and filled again from the log."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from helix_lab.jobs.runner import JobKind, RunContext
from helix_lab.projections.runner import ProjectionRunner


def make_rebuild_kind(projections: ProjectionRunner) -> JobKind:
    """The job that rebuilds one store."""

    def run(context: RunContext) -> Mapping[str, Any]:
        store = context.request["store"]

        def on_progress(progress: float) -> None:
            context.report(progress)
            context.check()

        context.check()
        projections.rebuild(store, on_progress=on_progress)
        return {"store": store}

    return JobKind("rebuild", run)
