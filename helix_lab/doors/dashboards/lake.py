"""Jobs and lake: what is archived, how fresh that is, and the batch jobs over it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

from helix_lab.doors.dashboards.parts import (
    follow_lab,
    make_html,
    show_moment,
    write_cards,
    write_notice,
    write_table,
)
from helix_lab.operations.batch_jobs import BatchJob
from helix_lab.operations.lake import LakeDescription
from helix_lab.operations.methods import Methods
from helix_lab.operations.runs import Run

if TYPE_CHECKING:
    import panel as pn

REFRESH_MS = 5000
LOOK_EVERY_S = 60.0
"""Between two looks at the files, unless an archive or a job has ended: a lake has many of them."""

_SHOWN = 10
_STEPS = 10
_EMPTY = "Nothing is archived yet. Archive a day or all, or let each day be archived by itself:"
_COMMANDS = (
    "helix-lab archive --all --entities",
    "HELIX_LAKE_ARCHIVE=daily helix-lab serve",
)
_FILES = ("dataset", "files")
_ARCHIVES = ("begun, UTC", "state", "progress", "seconds", "what went wrong")
_JOBS = (
    "job", "submitted, UTC", "state", "progress", "engine", "rows of the input", "of them read",
    "found", "seconds",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Facts:
    """What the page shows, read at one moment."""

    lake: LakeDescription
    archives: Sequence[Run]
    jobs: Sequence[BatchJob]


def make_lake(lab: Methods) -> pn.Column:
    """The page, which follows the lab as long as it is open."""
    page = _Lake(lab)
    parts = (page.notice, page.cards, page.jobs, page.archives, page.files)
    return follow_lab("lake", page, *parts, every_ms=REFRESH_MS)


class _Lake:
    def __init__(self, lab: Methods) -> None:
        self._lab = lab
        self._lake: LakeDescription | None = None
        self._look_at_s = 0.0
        self._ended: frozenset[str] = frozenset()
        self.notice = make_html()
        self.cards = make_html()
        self.jobs = make_html()
        self.archives = make_html()
        self.files = make_html()

    def read(self) -> Facts:
        archives = self._lab.list_runs(kind="archive", limit=_SHOWN).runs
        jobs = self._lab.list_batch_jobs(limit=_SHOWN).jobs
        ended = frozenset(
            [run.run_id for run in archives if run.ended_at is not None]
            + [job.job_id for job in jobs if job.completed_at is not None]
        )
        if self._lake is None or ended != self._ended or time.monotonic() > self._look_at_s:
            self._lake = self._lab.describe_lake()
            self._look_at_s = time.monotonic() + LOOK_EVERY_S
            self._ended = ended
        return Facts(self._lake, archives, jobs)

    def show(self, facts: Facts) -> None:
        lake = facts.lake
        is_empty = not (any(lake.files.values()) or facts.archives)
        self.notice.object = write_notice(_EMPTY, *_COMMANDS) if is_empty else ""
        self.cards.object = write_cards(_list_cards(facts))
        self.jobs.object = write_table(
            "Batch jobs",
            _JOBS,
            [_show_job(job) for job in facts.jobs],
            empty="None yet: helix-lab job submit --job-type EntityExtraction",
        )
        self.archives.object = write_table(
            "Archives", _ARCHIVES, [_show_archive(run) for run in facts.archives], empty="None yet."
        )
        self.files.object = write_table(
            f"Files of {lake.place}", _FILES, sorted(lake.files.items()), empty="No file yet."
        )


def _list_cards(facts: Facts) -> list[tuple[str, str]]:
    lake = facts.lake
    running = [job for job in facts.jobs if job.completed_at is None]
    return [
        ("files", f"{sum(lake.files.values()):,}"),
        ("size", f"{lake.total_size_mb:,.1f} MB"),
        ("newest day", lake.newest_day or "none"),
        ("days since", _count_days(lake.newest_day)),
        ("kept in", lake.backend),
        ("jobs under way", f"{len(running):,}"),
    ]


def _count_days(newest_day: str | None) -> str:
    if newest_day is None:
        return "–"
    return f"{max(0, (datetime.now(UTC).date() - date.fromisoformat(newest_day)).days):,}"


def _show_job(job: BatchJob) -> tuple[object, ...]:
    return (
        job.job_type,
        show_moment(job.submitted_at),
        job.status,
        _draw(job.progress),
        job.engine,
        job.rows_total,
        job.rows_read,
        _name_found(job),
        round(job.elapsed_seconds, 1),
    )


def _name_found(job: BatchJob) -> str:
    counted = {
        "entities": job.entities_extracted,
        "relationships": job.relationships_found,
        "topics": job.topics_identified,
        "providers": job.providers_rated,
        "debates": job.debates_analysed,
    }
    found = [f"{number:,} {name}" for name, number in counted.items() if number is not None]
    message = str((job.error or {}).get("message", ""))
    return ", ".join(found) or message


def _show_archive(run: Run) -> tuple[object, ...]:
    begun = run.started_at or run.created_at
    until = run.ended_at or datetime.now(UTC)
    return (
        show_moment(begun),
        run.state,
        _draw(run.progress),
        round((until - begun).total_seconds(), 1),
        str((run.error or {}).get("message", "")),
    )


def _draw(progress: float) -> str:
    """A bar of text, which a screen reader reads as the number behind it."""
    done = round(progress * _STEPS)
    return f"{'█' * done}{'░' * (_STEPS - done)} {progress:.0%}"
