"""Starts reports when their schedules are due."""

from __future__ import annotations

import logging
import os
import threading
import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from helix_lab.domain.model.errors import (
    Conflict,
    HelixError,
    InvalidRequest,
    Unavailable,
    UnknownRun,
)
from helix_lab.jobs.reports.job import Reports
from helix_lab.jobs.schedules.store import Schedule, ScheduleStore
from helix_lab.jobs.schedules.times import Times, read_times

LOGGER = logging.getLogger(__name__)
_LOOK_EVERY_S = 5.0
_AGAIN_AFTER_S = 1.0


class Schedules:
    """The schedules of a lab, and the thread that watches them.

    Several processes may share a record store: the id of a run is made of its schedule and due
    time, so only one of them can add it. A lab that is not served runs nothing, since a report
    needs a server.

    Args:
        store: where schedules are kept.
        reports: what they run.
        clock: gives the time; another one for tests.
    """

    def __init__(
        self,
        store: ScheduleStore,
        reports: Reports,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.store = store
        self._reports = reports
        self._clock = clock
        self._is_closing = False
        self._wake = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="helix-schedules", daemon=True)

    def create(
        self,
        report: str,
        cron: str,
        *,
        timezone: str,
        parameters: Mapping[str, Any],
        secrets: Mapping[str, str],
        timeout_s: float,
        late_s: float,
    ) -> Schedule:
        """Keep a new schedule.

        Args:
            report: its name.
            cron: five fields.
            timezone: whose clocks the fields speak of.
            parameters: values by name, none of them secret.
            secrets: secret parameter → environment variable of the server.
            timeout_s: a run is stopped after this time.
            late_s: how late a run may begin.

        Raises:
            UnknownReport: there is no report of this name.
            InvalidRequest: a field does not fit, or the report cannot run.
            Conflict: there are too many schedules.
        """
        times = read_times(cron, timezone)
        self._check(report, parameters, secrets)
        now = self._clock()
        schedule = Schedule(
            schedule_id=f"schedule-{uuid.uuid4().hex[:12]}",
            report=report,
            cron=times.cron,
            timezone=timezone,
            parameters=dict(parameters),
            secrets=dict(secrets),
            timeout_s=timeout_s,
            late_s=late_s,
            created_at=now,
            next_at=times.find_next(now),
        )
        self.store.add(schedule)
        self._wake.set()
        return schedule

    def pause(self, schedule_id: str) -> Schedule:
        """Let a schedule rest."""
        self.store.get(schedule_id)
        self.store.set_next(schedule_id, None)
        return self.store.get(schedule_id)

    def resume(self, schedule_id: str) -> Schedule:
        """Let a schedule be due again, from now on; what it slept through stays undone."""
        schedule = self.store.get(schedule_id)
        if schedule.is_paused:
            times = read_times(schedule.cron, schedule.timezone)
            self.store.set_next(schedule_id, times.find_next(self._clock()))
            self._wake.set()
        return self.store.get(schedule_id)

    def remove(self, schedule_id: str) -> Schedule:
        """Forget a schedule and give it as it was; its runs stay."""
        schedule = self.store.get(schedule_id)
        self.store.remove(schedule_id)
        return schedule

    def run_due(self) -> None:
        """Start what is due, once each, and note what is let go."""
        if self._reports.find_address() is None:
            return
        now = self._clock()
        for schedule in self.store.list_due(now):
            try:
                times = read_times(schedule.cron, schedule.timezone)
            except InvalidRequest as error:  # such as a time zone that is no more
                self.store.move_on(schedule, next_at=None, problem=error.message)
            else:
                outcome = self._run_one(schedule, times, now)
                self.store.move_on(schedule, next_at=times.find_next(now), **outcome)

    def start(self) -> None:
        """Begin to watch."""
        self._thread.start()

    def close(self) -> None:
        """Stop watching; closing twice is harmless."""
        self._is_closing = True
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join()

    def _check(self, name: str, parameters: Mapping[str, Any], secrets: Mapping[str, str]) -> None:
        report = self._reports.library.get(name)
        for key in report.secrets:
            if key in parameters:
                message = (
                    f"parameter {key!r} is secret, and a schedule keeps no secret: name an "
                    "environment variable of the server that holds it, in `secrets`"
                )
                raise InvalidRequest(message, field=f"parameters.{key}")
        for key in secrets:
            if key not in report.secrets:
                known = ", ".join(report.secrets) or "none"
                message = f"report {name!r} has no secret parameter {key!r}; it has: {known}"
                raise InvalidRequest(message, field=f"secrets.{key}")
        self._reports.check(name, {**parameters, **_read_secrets(secrets)})

    def _run_one(self, schedule: Schedule, times: Times, now: datetime) -> dict[str, Any]:
        """Start the run of a due time; what came of it is told as columns of the schedule."""
        assert schedule.next_at is not None  # noqa: S101 - it is due
        earliest = max(schedule.next_at, now - timedelta(seconds=schedule.late_s))
        due_at = times.find_latest(since=earliest, until=now)
        if due_at is None:
            problem = f"no server was there within {schedule.late_s:g} s"
            return _let_go(schedule, schedule.next_at, problem)
        if self._is_running(schedule.last_run_id):
            problem = f"the run before, {schedule.last_run_id}, had not ended"
            return _let_go(schedule, due_at, problem)
        try:
            run_id = self._start(schedule, due_at)
        except Unavailable:
            raise  # The lab closes: the time stays due.
        except HelixError as error:
            return _let_go(schedule, due_at, error.message)
        except Exception as error:
            LOGGER.exception("%s could not start its run", schedule.schedule_id)
            return _let_go(schedule, due_at, f"{type(error).__name__}: {error}")
        return {"last_at": due_at, "last_run_id": run_id, "problem": None}

    def _start(self, schedule: Schedule, due_at: datetime) -> str:
        run_id = f"{schedule.schedule_id}-{due_at:%Y%m%dT%H%MZ}"
        try:
            self._reports.start(
                schedule.report,
                {**schedule.parameters, **_read_secrets(schedule.secrets)},
                timeout_s=schedule.timeout_s,
                run_id=run_id,
                schedule_id=schedule.schedule_id,
            )
        except Conflict:
            LOGGER.info("run %s was started by another process, or before a crash", run_id)
        return run_id

    def _is_running(self, run_id: str | None) -> bool:
        if run_id is None:
            return False
        try:
            return not self._reports.jobs.store.get(run_id).is_ended
        except UnknownRun:  # it is no longer kept
            return False

    def _watch(self) -> None:
        while not self._is_closing:
            wait_s = _LOOK_EVERY_S
            try:
                self.run_due()
                wait_s = self._measure_wait()
            except Unavailable as error:
                if not self._is_closing:
                    LOGGER.warning("schedules are looked at again soon: %s", error)
            except Exception:
                LOGGER.exception("a schedule could not be looked at")
            self._wake.wait(wait_s)
            self._wake.clear()

    def _measure_wait(self) -> float:
        """Seconds until the next look: others may add schedules, and clocks may be set."""
        next_at = self.store.find_next()
        if next_at is None or self._reports.find_address() is None:
            return _LOOK_EVERY_S
        left_s = (next_at - self._clock()).total_seconds()
        return min(left_s, _LOOK_EVERY_S) if left_s > 0 else _AGAIN_AFTER_S


def _let_go(schedule: Schedule, due_at: datetime, problem: str) -> dict[str, Any]:
    moment = due_at.isoformat()
    LOGGER.warning("%s made no run for %s: %s", schedule.schedule_id, moment, problem)
    return {"last_missed_at": due_at, "problem": problem}


def _read_secrets(variables: Mapping[str, str]) -> dict[str, str]:
    """Values of secret parameters, from the environment of this process."""
    values = {}
    for name, variable in variables.items():
        if not os.environ.get(variable):
            message = (
                f"the secret {name!r} is to come from the environment variable {variable!r}, which "
                "the server does not have; set it and start the server again"
            )
            raise InvalidRequest(message, field=f"secrets.{name}")
        values[name] = os.environ[variable]
    return values
