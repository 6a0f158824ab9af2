"""Errors as JSON and back: a remote caller meets the same class as a local one."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from helix_lab.domain.model import errors
from helix_lab.domain.model.errors import (
    DataFolderInUse,
    HelixError,
    InvalidRequest,
    NodeIdInUse,
    NodeRemoved,
    ProviderRateLimited,
    UnknownConflict,
    UnknownConversation,
    UnknownDebate,
    UnknownEntity,
    UnknownMemory,
    UnknownNode,
    UnknownPattern,
    UnknownResult,
    UnknownRun,
    UnknownSchedule,
    UnknownTrace,
    UnknownUser,
)
from helix_lab.operations.problems import HTTP_STATUS, from_problem, status_of, to_problem

NAMED_BY_ID = {
    NodeIdInUse,
    UnknownConflict,
    UnknownConversation,
    UnknownDebate,
    UnknownEntity,
    UnknownMemory,
    UnknownNode,
    UnknownPattern,
    UnknownResult,
    UnknownRun,
    UnknownSchedule,
    UnknownTrace,
    UnknownUser,
}
CLASSES = [
    value
    for value in vars(errors).values()
    if isinstance(value, type) and issubclass(value, HelixError)
]


def make(error_class: type[HelixError]) -> HelixError:
    """An error of this class, as the program raises it."""
    if error_class is DataFolderInUse:
        return DataFolderInUse("/lab", pid=7, url="http://127.0.0.1:7061/")
    if error_class is NodeRemoved:
        return NodeRemoved("east", removed_by="west")
    if error_class in NAMED_BY_ID:
        return error_class("the-id")
    return error_class("what failed: é", field="x", faults=[{"a": None}], number=1.5)


def send(error: HelixError) -> HelixError:
    """The error after a journey as JSON."""
    return from_problem(json.loads(json.dumps(to_problem(error))), status=status_of(error))


@pytest.mark.parametrize("error_class", CLASSES, ids=lambda found: found.__name__)
def test_an_error_arrives_as_it_was_sent(error_class: type[HelixError]) -> None:
    error = make(error_class)

    arrived = send(error)

    assert type(error) is type(arrived)
    assert (error.code, error.message, error.details) == (
        arrived.code,
        arrived.message,
        arrived.details,
    )
    assert str(error) == str(arrived)
    assert error.kind == arrived.kind


def test_every_class_has_a_code_of_its_own_and_a_status() -> None:
    codes = [error_class.code for error_class in CLASSES]

    assert sorted(set(codes)) == sorted(codes)
    assert {error_class.kind for error_class in CLASSES} <= set(HTTP_STATUS)


def test_every_class_says_for_what_it_is_raised() -> None:
    assert [] == [found.__name__ for found in CLASSES if not found.__doc__]


def test_an_error_is_also_of_the_standard_kind() -> None:
    assert isinstance(InvalidRequest("x"), ValueError)
    assert isinstance(UnknownConversation("x"), LookupError)
    assert isinstance(ProviderRateLimited("x"), ConnectionError)


@pytest.mark.parametrize("name", ["message", "self", "code", "kind", "args", "details"])
def test_details_may_have_any_name(name: str) -> None:
    body = {"error": {"code": "CONFLICT", "message": "m", "details": {name: 1}}}

    error = from_problem(body, status=409)

    assert ("m", {name: 1}) == (error.message, error.details)


@pytest.mark.parametrize(
    "body",
    [
        None,
        "text",
        [],
        {},
        {"error": None},
        {"error": "text"},
        {"error": []},
        {"message": "Forbidden", "reason": None},
    ],
)
def test_an_answer_of_another_program_is_an_error_with_its_status(body: Any) -> None:
    error = from_problem(body, status=502)

    assert HelixError is type(error)
    assert "502" in error.message


@pytest.mark.parametrize(
    "problem",
    [
        {"code": "SOMETHING_NEW", "message": "m"},
        {"code": None, "message": "m"},
        {"message": "m", "details": None},
        {"message": "m", "details": "text"},
        {"message": "m", "details": [1]},
    ],
)
def test_a_problem_that_is_not_known_keeps_its_message(problem: dict[str, Any]) -> None:
    error = from_problem({"error": problem}, status=500)

    assert (HelixError, "m") == (type(error), error.message)


def test_a_problem_has_the_four_fields_of_the_contract() -> None:
    problem = to_problem(UnknownRun("r"))["error"]

    assert ["code", "message", "details", "timestamp"] == list(problem)
    age = datetime.now(UTC) - datetime.fromisoformat(problem["timestamp"])
    assert 0 <= age.total_seconds() < 60
