"""Schedules under a clock that the test sets: what runs, what is let go, what is refused."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from helix_lab.domain.model.errors import (
    Conflict,
    HelixError,
    InvalidRequest,
    UnknownReport,
    UnknownSchedule,
)
from helix_lab.jobs.reports.job import Reports
from helix_lab.jobs.runs import Run
from helix_lab.jobs.schedules import store as store_module
from helix_lab.jobs.schedules.scheduler import Schedules
from helix_lab.jobs.schedules.store import Schedule, ScheduleStore
from helix_lab.records.database import Records
from helix_lab.records.tables import SCHEDULE
from tests.reports.making import await_end, open_reports, wait_until, write_report

MONDAY = datetime(2026, 1, 5, tzinfo=UTC)
SEVEN = MONDAY + timedelta(hours=7)
HOUR = timedelta(hours=1)
WEEK = timedelta(weeks=1)
RULES = {
    "count": {"type": "integer", "minimum": 1},
    "key": {"type": "string", "secret": True},
}


class Clock:
    """Shows what it is told to."""

    def __init__(self) -> None:
        self.now = MONDAY

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def reports(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Reports]:
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    source = "open('seen', 'w').write(f'{count} {key[::-1]}')"
    write_report(
        tmp_path / "lab" / "reports", "note", source, parameters="count = 1\nkey = ''", schema=RULES
    )
    with open_reports(tmp_path / "lab") as reports:
        yield reports


@contextmanager
def open_schedules(home: Path, reports: Reports, clock: Clock) -> Iterator[Schedules]:
    """Schedules on the record store of a folder, as a process of its own would open them."""
    records = Records.embedded(home / "records.sqlite")
    schedules = Schedules(ScheduleStore(records), reports, clock=clock)
    try:
        yield schedules
    finally:
        schedules.close()
        records.close()


@pytest.fixture
def schedules(tmp_path: Path, reports: Reports, clock: Clock) -> Iterator[Schedules]:
    with open_schedules(tmp_path / "lab", reports, clock) as schedules:
        yield schedules


def create(schedules: Schedules, cron: str = "0 7 * * 1", **more: Any) -> Schedule:
    asked: dict[str, Any] = {
        "timezone": "UTC",
        "parameters": {},
        "secrets": {},
        "timeout_s": 60,
        "late_s": 3600,
    }
    return schedules.create("note", cron, **{**asked, **more})


def run_at(schedules: Schedules, clock: Clock, now: datetime) -> None:
    clock.now = now
    schedules.run_due()


def list_runs(reports: Reports) -> list[Run]:
    return reports.jobs.store.list_page(limit=100, kind="report")


def test_a_schedule_runs_its_report_when_it_is_due_and_the_run_names_it(
    schedules: Schedules, reports: Reports, clock: Clock
) -> None:
    made = create(schedules, parameters={"count": 3})
    run_at(schedules, clock, SEVEN - timedelta(seconds=1))
    assert [] == list_runs(reports)

    run_at(schedules, clock, SEVEN)
    run_at(schedules, clock, SEVEN + timedelta(seconds=5))

    [run] = [await_end(reports, run) for run in list_runs(reports)]
    assert ("succeeded", made.schedule_id) == (run.state, run.request["schedule_id"])
    assert "3 " == reports.artifacts.find(run.run_id, "seen").read_text()
    found = schedules.store.get(made.schedule_id)
    assert (SEVEN, run.run_id) == (found.last_at, found.last_run_id)
    assert (SEVEN + WEEK, None, None) == (found.next_at, found.last_missed_at, found.problem)


def test_a_run_that_was_missed_by_less_than_the_limit_comes_late(
    schedules: Schedules, reports: Reports, clock: Clock
) -> None:
    made = create(schedules)

    run_at(schedules, clock, SEVEN + timedelta(seconds=3600))

    assert SEVEN == schedules.store.get(made.schedule_id).last_at
    assert 1 == len(list_runs(reports))


def test_a_run_that_was_missed_by_more_is_noted_as_missed(
    schedules: Schedules, reports: Reports, clock: Clock
) -> None:
    made = create(schedules)

    run_at(schedules, clock, SEVEN + timedelta(seconds=3601))

    found = schedules.store.get(made.schedule_id)
    assert (None, SEVEN, SEVEN + WEEK) == (found.last_at, found.last_missed_at, found.next_at)
    assert "no server was there within 3600 s" == found.problem
    assert [] == list_runs(reports)


def test_many_missed_times_make_one_run(
    schedules: Schedules, reports: Reports, clock: Clock
) -> None:
    made = create(schedules, "* * * * *")

    run_at(schedules, clock, SEVEN + timedelta(seconds=30))

    assert SEVEN == schedules.store.get(made.schedule_id).last_at
    assert 1 == len(list_runs(reports))


def test_two_processes_on_one_record_store_start_a_run_once(
    tmp_path: Path, schedules: Schedules, reports: Reports, clock: Clock
) -> None:
    made = create(schedules)
    clock.now = SEVEN
    with open_schedules(tmp_path / "lab", reports, clock) as other:
        # The other process has read what is due, but is slow to act on it.
        [seen] = other.store.list_due(SEVEN)
        schedules.run_due()
        other.store.list_due = lambda now: [seen]  # type: ignore[method-assign]

        other.run_due()

    assert 1 == len(list_runs(reports))
    assert SEVEN + WEEK == schedules.store.get(made.schedule_id).next_at


def test_a_crash_between_the_run_and_its_note_makes_no_second_run(
    schedules: Schedules, reports: Reports, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = create(schedules)
    with monkeypatch.context() as patch:
        patch.setattr(schedules.store, "move_on", lambda *_, **__: None)
        run_at(schedules, clock, SEVEN)

    run_at(schedules, clock, SEVEN + timedelta(seconds=1))

    [run] = list_runs(reports)
    assert run.run_id == schedules.store.get(made.schedule_id).last_run_id


def test_a_time_that_comes_while_the_run_before_goes_on_is_let_go(
    tmp_path: Path, schedules: Schedules, reports: Reports, clock: Clock
) -> None:
    hanging = "open('began', 'w').close()\nimport time\ntime.sleep(600)"
    write_report(tmp_path / "lab" / "reports", "note", hanging)
    made = create(schedules, "0 * * * *")
    run_at(schedules, clock, SEVEN)
    [run] = list_runs(reports)
    wait_until((tmp_path / "lab/runs" / run.run_id / "began").exists, "the start")

    run_at(schedules, clock, SEVEN + HOUR)

    found = schedules.store.get(made.schedule_id)
    assert (SEVEN, SEVEN + HOUR) == (found.last_at, found.last_missed_at)
    assert f"the run before, {run.run_id}, had not ended" == found.problem
    reports.jobs.cancel(run.run_id)
    assert "cancelled" == await_end(reports, run).state
    run_at(schedules, clock, SEVEN + 2 * HOUR)
    assert 2 == len(list_runs(reports))
    assert schedules.store.get(made.schedule_id).problem is None


def test_a_lab_that_is_not_served_leaves_what_is_due_to_one_that_is(
    schedules: Schedules, reports: Reports, clock: Clock
) -> None:
    made = create(schedules)
    find_address, reports.find_address = reports.find_address, lambda: None

    run_at(schedules, clock, SEVEN)
    assert SEVEN == schedules.store.get(made.schedule_id).next_at
    reports.find_address = find_address
    schedules.run_due()

    assert 1 == len(list_runs(reports))


def test_a_paused_schedule_rests_and_a_resumed_one_makes_nothing_up(
    schedules: Schedules, reports: Reports, clock: Clock
) -> None:
    made = create(schedules)

    assert schedules.pause(made.schedule_id).is_paused
    run_at(schedules, clock, SEVEN)
    resumed = schedules.resume(made.schedule_id)
    schedules.run_due()

    assert SEVEN + WEEK == resumed.next_at
    assert resumed == schedules.resume(made.schedule_id)
    assert [] == list_runs(reports)


def test_a_deleted_schedule_is_gone(schedules: Schedules, reports: Reports, clock: Clock) -> None:
    made = create(schedules)

    assert made == schedules.remove(made.schedule_id)
    run_at(schedules, clock, SEVEN)

    assert ([], []) == (schedules.store.list_all(), list_runs(reports))
    for ask in (schedules.store.get, schedules.pause, schedules.resume, schedules.remove):
        with pytest.raises(UnknownSchedule, match="helix-lab schedules list"):
            ask(made.schedule_id)


def test_schedules_outlive_the_process_that_made_them(
    tmp_path: Path, schedules: Schedules, reports: Reports, clock: Clock
) -> None:
    made = create(schedules, timezone="Europe/Berlin", parameters={"count": 2})
    schedules.close()

    with open_schedules(tmp_path / "lab", reports, clock) as others:
        assert [made] == others.store.list_all(report="note")
        assert [] == others.store.list_all(report="another")
        assert SEVEN - HOUR == made.next_at


def test_a_secret_comes_from_the_environment_and_is_stored_nowhere(
    tmp_path: Path,
    schedules: Schedules,
    reports: Reports,
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("THE_KEY", "hush-hush")
    create(schedules, secrets={"key": "THE_KEY"})

    run_at(schedules, clock, SEVEN)

    [run] = [await_end(reports, run) for run in list_runs(reports)]
    assert "1 hsuh-hsuh" == reports.artifacts.find(run.run_id, "seen").read_text()
    kept = [path for path in (tmp_path / "lab").rglob("*") if path.is_file()]
    assert [] == [path for path in kept if b"hush-hush" in path.read_bytes()]


def test_a_secret_that_is_no_longer_there_is_told(
    schedules: Schedules, reports: Reports, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("THE_KEY", "hush-hush")
    made = create(schedules, secrets={"key": "THE_KEY"})
    monkeypatch.delenv("THE_KEY")

    run_at(schedules, clock, SEVEN)

    problem = schedules.store.get(made.schedule_id).problem
    assert problem is not None
    assert "environment variable 'THE_KEY', which the server does not have" in problem
    assert [] == list_runs(reports)


def test_a_report_that_is_gone_is_told_and_hinders_no_other(
    tmp_path: Path, schedules: Schedules, reports: Reports, clock: Clock
) -> None:
    made = create(schedules)
    folder = tmp_path / "lab" / "reports"
    (folder / "note.ipynb").rename(folder / "other.ipynb")
    other = schedules.create(
        *("other", "0 7 * * *"),
        timezone="UTC",
        parameters={},
        secrets={},
        timeout_s=60,
        late_s=3600,
    )

    run_at(schedules, clock, SEVEN)

    found = schedules.store.get(made.schedule_id)
    assert (SEVEN, SEVEN + WEEK) == (found.last_missed_at, found.next_at)
    assert "no report 'note'" in str(found.problem)
    assert SEVEN == schedules.store.get(other.schedule_id).last_at


def test_a_zone_that_is_no_more_pauses_its_schedule_alone(
    tmp_path: Path, schedules: Schedules, reports: Reports, clock: Clock
) -> None:
    made, fine = create(schedules), create(schedules)
    records = Records.embedded(tmp_path / "lab" / "records.sqlite")
    with records.write() as connection:
        gone = sa.update(SCHEDULE).where(SCHEDULE.c.schedule_id == made.schedule_id)
        connection.execute(gone.values(timezone="Mars/Olympus"))
    records.close()

    run_at(schedules, clock, SEVEN)

    found = schedules.store.get(made.schedule_id)
    assert found.is_paused
    assert "Mars/Olympus" in str(found.problem)
    assert SEVEN == schedules.store.get(fine.schedule_id).last_at


@pytest.mark.parametrize(
    ("more", "field", "said"),
    [
        ({"cron": "whenever"}, "cron", "has 1 fields"),
        ({"timezone": "Mars/Olympus"}, "timezone", "no time zone 'Mars/Olympus'"),
        ({"parameters": {"cuont": 1}}, "parameters.cuont", "no parameter 'cuont'"),
        ({"parameters": {"count": "1"}}, "parameters.count", "must be integer"),
        ({"parameters": {"count": 0}}, "parameters.count", "bigger than or equal to 1"),
        ({"parameters": {"key": "hush-hush"}}, "parameters.key", "keeps no secret"),
        ({"secrets": {"key": "NOT_THERE"}}, "secrets.key", "'NOT_THERE', which the server"),
        ({"secrets": {"count": "HOME"}}, "secrets.count", "no secret parameter 'count'"),
    ],
)
def test_what_does_not_fit_is_refused_with_the_field(
    schedules: Schedules, more: dict[str, Any], field: str, said: str
) -> None:
    with pytest.raises(InvalidRequest) as caught:
        create(schedules, **more)

    assert field == caught.value.details["field"]
    assert said in caught.value.message
    assert "hush-hush" not in str(caught.value)
    assert [] == schedules.store.list_all()


def test_a_report_that_there_is_not_cannot_be_scheduled(schedules: Schedules) -> None:
    with pytest.raises(UnknownReport, match=r"there are: .*note"):
        schedules.create(
            *("nothing", "0 7 * * 1"),
            timezone="UTC",
            parameters={},
            secrets={},
            timeout_s=60,
            late_s=60,
        )


def test_there_is_a_limit_to_schedules(
    schedules: Schedules, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store_module, "MOST_SCHEDULES", 1)
    create(schedules)

    with pytest.raises(Conflict, match="delete some first") as caught:
        create(schedules)

    assert isinstance(caught.value, HelixError)


def test_the_thread_runs_what_is_due_and_closes_at_once(
    schedules: Schedules, reports: Reports, clock: Clock
) -> None:
    create(schedules)
    clock.now = SEVEN

    schedules.start()
    wait_until(lambda: list_runs(reports), "the run")
    schedules.close()

    assert not schedules._thread.is_alive()
    assert 1 == len(list_runs(reports))
