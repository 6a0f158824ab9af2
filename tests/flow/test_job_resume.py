"""Runs that a close, a crash or a failed preparation interrupted."""

from __future__ import annotations

import pytest

from helix_lab.domain.model.errors import (
    Conflict,
)
from helix_lab.jobs.runner import LabClosing
from tests.flow.workshop import Gate, Workshop, finish


@pytest.mark.parametrize("error", [Conflict("no"), ValueError("no"), KeyboardInterrupt()])
def test_a_run_whose_preparation_fails_never_starts(
    workshop: Workshop, gate: Gate, error: BaseException
) -> None:
    def prepare() -> None:
        raise error

    runner = workshop.open(gate)
    with pytest.raises(type(error)):
        runner.submit("task", {}, run_id="r", before_start=prepare)

    assert "failed" == workshop.store.get("r").state
    assert [] == workshop.open(gate).resume()


def test_closing_lets_a_run_go_and_opening_takes_it_up(workshop: Workshop, gate: Gate) -> None:
    runner = workshop.open(gate)
    run = runner.submit("task", {"a": 1})
    gate.wait_for_begin()
    started_at = workshop.store.get(run.run_id).started_at

    runner.close()
    assert "running" == workshop.store.get(run.run_id).state

    again = workshop.open(gate)
    assert [run.run_id] == [resumed.run_id for resumed in again.resume()]
    gate.is_open.set()
    ended = finish(again, run)
    assert ("succeeded", {"request": {"a": 1}}) == (ended.state, ended.result)
    assert started_at == ended.started_at


def test_closing_leaves_queued_runs_for_the_next_time_in_their_order(
    workshop: Workshop, gate: Gate
) -> None:
    runner = workshop.open(gate, workers=1)
    runs = [runner.submit("task", {"n": number}) for number in range(4)]
    gate.wait_for_begin()

    runner.close()
    states = [workshop.store.get(run.run_id).state for run in runs]

    assert ["running", "queued", "queued", "queued"] == states
    resumed = workshop.open(gate, workers=1).resume()
    assert [run.run_id for run in runs] == [run.run_id for run in resumed]


def test_a_cancel_that_came_before_the_crash_counts_after_it(
    workshop: Workshop, gate: Gate
) -> None:
    workshop.store.add("r", "task", {})
    workshop.store.start("r")
    workshop.store.request_cancel("r")

    runner = workshop.open(gate)
    (run,) = runner.resume()

    assert "cancelled" == finish(runner, run).state


def test_a_crash_ends_a_run_that_cannot_be_taken_up(workshop: Workshop, gate: Gate) -> None:
    for name in ("running", "queued"):
        workshop.store.add(name, "task", {})
    workshop.store.start("running")
    gate.is_open.set()

    runner = workshop.open(gate, is_resumable=False)
    runner.resume()

    running, queued = (finish(runner, workshop.store.get(n)) for n in ("running", "queued"))
    assert running.error is not None
    assert ("failed", "INTERRUPTED") == (running.state, running.error["code"])
    assert "succeeded" == queued.state


def test_a_run_of_a_job_that_is_gone_fails(workshop: Workshop, gate: Gate) -> None:
    workshop.store.add("r", "job of another version", {})

    workshop.open(gate).resume()

    assert "failed" == workshop.store.get("r").state


def test_a_run_that_has_ended_stays_as_it_is(workshop: Workshop, gate: Gate) -> None:
    gate.is_open.set()
    runner = workshop.open(gate)
    ended = finish(runner, runner.submit("task", {}))

    workshop.store.end(ended.run_id, "failed", error={"code": "X"})
    workshop.store.report(ended.run_id, 0.1)
    workshop.store.request_cancel(ended.run_id)
    workshop.store.start(ended.run_id)

    assert ended == workshop.store.get(ended.run_id)
    assert [] == workshop.open(gate).resume()


def test_a_closing_lab_is_no_error_of_a_job(workshop: Workshop) -> None:
    assert not issubclass(LabClosing, Exception)
