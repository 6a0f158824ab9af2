"""Operations on schedules: a report that runs by itself, until somebody pauses or deletes it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from pydantic import Field

from helix_lab.domain.model.errors import Conflict, UnknownReport, UnknownSchedule
from helix_lab.jobs.schedules.store import Schedule as ScheduleRecord
from helix_lab.jobs.schedules.times import describe_cron
from helix_lab.operations.operation import Id, Name, Operation, Request, Response, Text
from helix_lab.operations.services import Services


class ScheduleReport(Request):
    """Which report, when, and what it is told."""

    name: Name = Field(description="its name")
    cron: Text = Field(
        max_length=200,
        description="minute, hour, day of month, month, day of week, such as 0 7 * * 1",
    )
    timezone: Name = Field("UTC", description="whose clocks it goes by, such as Europe/Berlin")
    parameters: dict[str, Any] = Field(
        default_factory=dict, description="values by name, none of them secret"
    )
    secrets: dict[str, Name] = Field(
        default_factory=dict,
        description="secret parameter → environment variable of the server that holds its value",
    )
    timeout_s: float = Field(600, gt=0, le=86_400, description="stopped after this time")
    late_s: float = Field(
        3600, ge=60, le=86_400, description="run late by so much if no server was there in time"
    )


class ListSchedules(Request):
    """Which schedules to list."""

    report: Name | None = Field(None, description="only of this report")


class GetSchedule(Request):
    """Which schedule."""

    schedule_id: Id = Field(description="its id")


class Schedule(Response):
    """When a report runs by itself, and what became of that."""

    schedule_id: str
    report: str
    cron: str
    meaning: str = Field(description="of the cron expression, in words")
    timezone: str
    parameters: Mapping[str, Any]
    secrets: Mapping[str, str]
    timeout_s: float
    late_s: float
    is_paused: bool
    created_at: datetime
    next_at: datetime | None = Field(description="when it is due; none while it is paused")
    last_at: datetime | None = Field(description="the due time of its last run")
    last_run_id: str | None
    last_missed_at: datetime | None = Field(description="the due time that last made no run")
    problem: str | None = Field(description="why the last due time made no run")


class ScheduleList(Response):
    """Schedules, oldest first."""

    schedules: list[Schedule]


def create(services: Services, request: ScheduleReport) -> Schedule:
    """Let a report run by itself."""
    schedule = services.schedules.create(
        request.name,
        request.cron,
        timezone=request.timezone,
        parameters=request.parameters,
        secrets=request.secrets,
        timeout_s=request.timeout_s,
        late_s=request.late_s,
    )
    return _show(schedule)


def list_all(services: Services, request: ListSchedules) -> ScheduleList:
    """All schedules, or those of a report."""
    found = services.schedules.store.list_all(report=request.report)
    return ScheduleList(schedules=[_show(schedule) for schedule in found])


def get(services: Services, request: GetSchedule) -> Schedule:
    """One schedule."""
    return _show(services.schedules.store.get(request.schedule_id))


def pause(services: Services, request: GetSchedule) -> Schedule:
    """Let a schedule rest."""
    return _show(services.schedules.pause(request.schedule_id))


def resume(services: Services, request: GetSchedule) -> Schedule:
    """Let a schedule go on."""
    return _show(services.schedules.resume(request.schedule_id))


def delete(services: Services, request: GetSchedule) -> Schedule:
    """Forget a schedule."""
    return _show(services.schedules.remove(request.schedule_id))


def _show(schedule: ScheduleRecord) -> Schedule:
    told = {name: getattr(schedule, name) for name in Schedule.model_fields if name != "meaning"}
    return Schedule(**told, meaning=describe_cron(schedule.cron))


OPERATIONS = (
    Operation(
        name="schedule_report",
        summary="Let a report run by itself, at the times of a cron expression",
        method="POST",
        path="/v1/reports/{name}/schedules",
        scope="write",
        request=ScheduleReport,
        response=Schedule,
        run=create,
        errors=(UnknownReport, Conflict),
        status=201,
        location="/v1/schedules/{schedule_id}",
    ),
    Operation(
        name="list_schedules",
        summary="List when reports run by themselves",
        method="GET",
        path="/v1/schedules",
        scope="read",
        request=ListSchedules,
        response=ScheduleList,
        run=list_all,
    ),
    Operation(
        name="get_schedule",
        summary="Show one schedule",
        method="GET",
        path="/v1/schedules/{schedule_id}",
        scope="read",
        request=GetSchedule,
        response=Schedule,
        run=get,
        errors=(UnknownSchedule,),
    ),
    Operation(
        name="pause_schedule",
        summary="Let a schedule rest",
        method="POST",
        path="/v1/schedules/{schedule_id}/pause",
        scope="write",
        request=GetSchedule,
        response=Schedule,
        run=pause,
        errors=(UnknownSchedule,),
    ),
    Operation(
        name="resume_schedule",
        summary="Let a schedule go on, from now",
        method="POST",
        path="/v1/schedules/{schedule_id}/resume",
        scope="write",
        request=GetSchedule,
        response=Schedule,
        run=resume,
        errors=(UnknownSchedule,),
    ),
    Operation(
        name="delete_schedule",
        summary="Forget a schedule; its runs stay",
        method="DELETE",
        path="/v1/schedules/{schedule_id}",
        scope="write",
        request=GetSchedule,
        response=Schedule,
        run=delete,
        errors=(UnknownSchedule,),
    ),
)
