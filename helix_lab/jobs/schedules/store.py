"""Schedules in the record store."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from helix_lab.domain.model.errors import Conflict, UnknownSchedule
from helix_lab.records.database import Records
from helix_lab.records.tables import SCHEDULE

MOST_SCHEDULES = 500


@dataclass(frozen=True, slots=True)
class Schedule:
    """A report, and when it runs by itself.

    Attributes:
        secrets: secret parameter → environment variable of the server that holds its value.
        late_s: how late a run may begin; a time that was missed by more is let go.
        next_at: when it is due; None while it is paused.
        last_at: the due time of its last run.
        last_missed_at: the due time that was last let go.
        problem: why the last due time made no run; None if it made one.
    """

    schedule_id: str
    report: str
    cron: str
    timezone: str
    parameters: Mapping[str, Any]
    secrets: Mapping[str, str]
    timeout_s: float
    late_s: float
    created_at: datetime
    next_at: datetime | None
    last_at: datetime | None = None
    last_run_id: str | None = None
    last_missed_at: datetime | None = None
    problem: str | None = None

    @property
    def is_paused(self) -> bool:
        """Whether it waits for nothing."""
        return self.next_at is None


class ScheduleStore:
    """Schedules, kept until somebody deletes them."""

    def __init__(self, records: Records) -> None:
        self._records = records

    def add(self, schedule: Schedule) -> None:
        """Keep a new schedule.

        Raises:
            Conflict: there are too many.
        """
        with self._records.write() as connection:
            count = connection.execute(
                sa.select(sa.func.count()).select_from(SCHEDULE)
            ).scalar_one()
            if count >= MOST_SCHEDULES:
                message = f"there are {count} schedules, which is the most; delete some first"
                raise Conflict(message, count=count)
            connection.execute(sa.insert(SCHEDULE).values(asdict(schedule)))

    def get(self, schedule_id: str) -> Schedule:
        """The schedule of this id.

        Raises:
            UnknownSchedule: there is none.
        """
        query = sa.select(SCHEDULE).where(SCHEDULE.c.schedule_id == schedule_id)
        with self._records.read() as connection:
            row = connection.execute(query).one_or_none()
        if row is None:
            raise UnknownSchedule(schedule_id)
        return _to_schedule(row)

    def list_all(self, *, report: str | None = None) -> list[Schedule]:
        """Schedules of one report or of all, oldest first."""
        query = sa.select(SCHEDULE).order_by(SCHEDULE.c.created_at, SCHEDULE.c.schedule_id)
        if report is not None:
            query = query.where(SCHEDULE.c.report == report)
        with self._records.read() as connection:
            return [_to_schedule(row) for row in connection.execute(query)]

    def list_due(self, now: datetime) -> list[Schedule]:
        """Schedules whose time has come, the longest due first."""
        query = (
            sa.select(SCHEDULE)
            .where(SCHEDULE.c.next_at <= now)
            .order_by(SCHEDULE.c.next_at, SCHEDULE.c.schedule_id)
        )
        with self._records.read() as connection:
            return [_to_schedule(row) for row in connection.execute(query)]

    def find_next(self) -> datetime | None:
        """When the next schedule is due; None if none will be."""
        query = sa.select(SCHEDULE.c.next_at).where(SCHEDULE.c.next_at.is_not(None))
        with self._records.read() as connection:
            return connection.execute(query.order_by(SCHEDULE.c.next_at).limit(1)).scalar()

    def set_next(self, schedule_id: str, next_at: datetime | None) -> None:
        """Let a schedule be due then; None pauses it."""
        with self._records.write() as connection:
            connection.execute(
                sa.update(SCHEDULE)
                .where(SCHEDULE.c.schedule_id == schedule_id)
                .values(next_at=next_at)
            )

    def move_on(self, schedule: Schedule, *, next_at: datetime | None, **outcome: Any) -> None:
        """Note what became of a due time, unless the schedule has changed meanwhile."""
        with self._records.write() as connection:
            connection.execute(
                sa.update(SCHEDULE)
                .where(
                    SCHEDULE.c.schedule_id == schedule.schedule_id,
                    SCHEDULE.c.next_at == schedule.next_at,
                )
                .values(next_at=next_at, **outcome)
            )

    def remove(self, schedule_id: str) -> None:
        """Forget a schedule; its runs stay."""
        with self._records.write() as connection:
            connection.execute(sa.delete(SCHEDULE).where(SCHEDULE.c.schedule_id == schedule_id))


def _to_schedule(row: Any) -> Schedule:
    return Schedule(**{name: row._mapping[name] for name in Schedule.__slots__})  # noqa: SLF001 - SQLAlchemy's public name
