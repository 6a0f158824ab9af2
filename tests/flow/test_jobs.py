"""Runs: states, progress, errors, cancel."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

import pytest

from helix_lab.domain.model.errors import (
    Conflict,
    HelixError,
    InvalidRequest,
    RunCancelled,
    UnknownRun,
)
from helix_lab.jobs.runner import RunContext
from helix_lab.jobs.runs import Run
from tests.flow.labs import wait_until
from tests.flow.workshop import Gate, Workshop, finish


def test_a_run_goes_from_queued_over_running_to_its_result(workshop: Workshop, gate: Gate) -> None:
    runner = workshop.open(gate)
    states: list[str] = []
    runner.listen(lambda run: states.append(run.state))

    run = runner.submit("task", {"a": [1, "é"]})
    gate.is_open.set()
    ended = finish(runner, run)

    assert ("succeeded", 1.0, None) == (ended.state, ended.progress, ended.error)
    assert {"request": {"a": [1, "é"]}} == ended.result
    assert ended.started_at is not None
    assert ended.ended_at is not None
    assert ended.created_at <= ended.started_at <= ended.ended_at
    wait_until(lambda: states[-1] == "succeeded")
    assert ["queued", "running", "succeeded"] == list(dict.fromkeys(states))


def test_progress_never_goes_back_and_stays_between_0_and_1(workshop: Workshop) -> None:
    seen: list[float] = []

    def work(context: RunContext) -> Mapping[str, Any]:
        for progress in (0.1, 0.7, 0.3, -5.0, 0.8, 99.0):
            context._reported_at = 0.0  # as if time had passed since the last report
            context.report(progress)
            seen.append(workshop.store.get(context.run.run_id).progress)
        return {}

    runner = workshop.open(work)
    finish(runner, runner.submit("task", {}))

    assert [0.1, 0.7, 0.7, 0.7, 0.8, 1.0] == seen


def test_reports_in_a_burst_are_not_all_written(workshop: Workshop) -> None:
    changes: list[Run] = []

    def work(context: RunContext) -> Mapping[str, Any]:
        for step in range(10_000):
            context.report(step / 10_000)
        return {}

    runner = workshop.open(work)
    runner.listen(changes.append)
    finish(runner, runner.submit("task", {}))

    assert len(changes) < 1_000


def test_an_error_of_ours_ends_the_run_with_its_code(workshop: Workshop) -> None:
    def work(context: RunContext) -> Mapping[str, Any]:
        message = "field 'path': no such file"
        raise InvalidRequest(message, field="path")

    runner = workshop.open(work)
    ended = finish(runner, runner.submit("task", {}))

    expected = {
        "code": "INVALID_REQUEST",
        "message": "field 'path': no such file",
        "details": {"field": "path"},
    }
    assert ("failed", expected, None) == (ended.state, ended.error, ended.result)


def test_an_unexpected_exception_ends_the_run_and_is_logged(
    workshop: Workshop, caplog: pytest.LogCaptureFixture
) -> None:
    def work(context: RunContext) -> Mapping[str, Any]:
        raise ZeroDivisionError

    runner = workshop.open(work)
    with caplog.at_level(logging.ERROR):
        ended = finish(runner, runner.submit("task", {}))

    assert ended.error is not None
    assert ("failed", "INTERNAL_ERROR") == (ended.state, ended.error["code"])
    assert "ZeroDivisionError" in caplog.text
    assert ended.run_id in caplog.text


@pytest.mark.parametrize("odd", [object(), {1: object()}, float("nan").hex])
def test_a_result_that_is_no_json_fails_the_run(workshop: Workshop, odd: Any) -> None:
    runner = workshop.open(lambda context: {"odd": odd})

    ended = finish(runner, runner.submit("task", {}))

    assert ended.error is not None
    assert ("failed", "INTERNAL_ERROR") == (ended.state, ended.error["code"])


def test_an_error_whose_details_are_no_json_still_ends_the_run(workshop: Workshop) -> None:
    def work(context: RunContext) -> Mapping[str, Any]:
        message = "odd"
        raise HelixError(message, odd=object())

    runner = workshop.open(work)
    ended = finish(runner, runner.submit("task", {}))

    assert ended.error is not None
    assert ("failed", "odd") == (ended.state, ended.error["message"])


def test_a_listener_that_fails_does_not_fail_the_run(workshop: Workshop, gate: Gate) -> None:
    runner = workshop.open(gate)
    runner.listen(lambda run: 1 / 0)  # type: ignore[arg-type]
    gate.is_open.set()

    ended = finish(runner, runner.submit("task", {}))

    assert "succeeded" == ended.state


def test_a_running_run_is_cancelled(workshop: Workshop, gate: Gate) -> None:
    runner = workshop.open(gate)
    run = runner.submit("task", {})
    gate.wait_for_begin()

    runner.cancel(run.run_id)
    ended = finish(runner, run)

    assert ("cancelled", None, None) == (ended.state, ended.result, ended.error)
    with pytest.raises(Conflict, match="has ended as cancelled"):
        runner.cancel(run.run_id)


def test_a_queued_run_is_cancelled_at_once_though_all_workers_are_busy(
    workshop: Workshop, gate: Gate
) -> None:
    cleaned_up: list[str] = []

    def work(context: RunContext) -> Mapping[str, Any]:
        try:
            return gate(context)
        except RunCancelled:
            cleaned_up.append(context.run.run_id)
            raise

    runner = workshop.open(work, workers=1)
    busy = runner.submit("task", {})
    gate.wait_for_begin()
    queued = runner.submit("task", {})

    answer = runner.cancel(queued.run_id)

    assert ("cancelled", None) == (answer.state, answer.started_at)
    assert [queued.run_id] == cleaned_up
    gate.is_open.set()
    assert "succeeded" == finish(runner, busy).state


def test_an_unknown_run_is_named(workshop: Workshop, gate: Gate) -> None:
    runner = workshop.open(gate)

    for call in (runner.cancel, workshop.store.get):
        with pytest.raises(UnknownRun, match="'ghost'"):
            call("ghost")


def test_a_run_id_is_given_once(workshop: Workshop, gate: Gate) -> None:
    runner = workshop.open(gate)
    runner.submit("task", {}, run_id="mine")

    with pytest.raises(Conflict, match="'mine'"):
        runner.submit("task", {}, run_id="mine")


def test_waiting_ends_with_the_time_too(workshop: Workshop, gate: Gate) -> None:
    runner = workshop.open(gate)
    run = runner.submit("task", {})
    gate.wait_for_begin()

    assert "running" == runner.wait(run.run_id, timeout_s=0.05).state
