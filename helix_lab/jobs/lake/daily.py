"""Archives by themselves: each day, after it has ended (UTC)."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

from helix_lab.domain.model.errors import HelixError, UnknownRun
from helix_lab.jobs.lake.archiving import ARCHIVE
from helix_lab.jobs.runner import JobRunner

LOGGER = logging.getLogger(__name__)
DAYS_BACK = 7
"""So many days are made up for, where no lab was open at their ends."""
_LOOK_EVERY_S = 60.0
_AGAIN_AFTER = timedelta(hours=1)
_MOST_TRIES = 24


class DailyArchives:
    """Looks once a minute whether a day has ended that was not archived yet.

    The runs of a day have ids of their own, so that no day is archived twice, also not by a
    process that opens the lab anew. A run that failed is tried again an hour later.

    Args:
        jobs: where archives run.
        count: how many conversations a day has.
        read_clock: the moment, UTC.
    """

    def __init__(
        self,
        jobs: JobRunner,
        count: Callable[[date], int],
        *,
        read_clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._jobs = jobs
        self._count = count
        self._read_clock = read_clock
        self._closing = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to look."""
        self._thread = threading.Thread(target=self._run, name="helix-daily-archive", daemon=True)
        self._thread.start()

    def look(self) -> list[str]:
        """Start the archives that are due; the ids of their runs."""
        now = self._read_clock()
        days = [now.date() - timedelta(days=back) for back in range(DAYS_BACK, 0, -1)]
        found = [(day, self._choose_run(day, now)) for day in days]
        return [self._submit(day, run_id) for day, run_id in found if run_id and self._count(day)]

    def close(self) -> None:
        """Look no more."""
        self._closing.set()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        while not self._closing.is_set():
            try:
                self.look()
            except HelixError:
                LOGGER.exception("the archives of past days could not be started; trying again")
            self._closing.wait(_LOOK_EVERY_S)

    def _choose_run(self, day: date, now: datetime) -> str | None:
        """The id of the run to start for a day; None where nothing is due."""
        for number in range(1, _MOST_TRIES + 1):
            run_id = f"{ARCHIVE}-{day.isoformat()}-{number}"
            try:
                run = self._jobs.store.get(run_id)
            except UnknownRun:
                return run_id
            if run.state != "failed" or run.ended_at is None or now - run.ended_at < _AGAIN_AFTER:
                return None
        return None

    def _submit(self, day: date, run_id: str) -> str:
        request = {
            "conversation_id": None,
            "date": day.isoformat(),
            "format": "parquet",
            "entities": True,
            "conversations": self._count(day),
        }
        return self._jobs.submit(ARCHIVE, request, run_id=run_id).run_id
