"""The operations as methods: what Tab shows, what help says, what a wrong call tells."""

from __future__ import annotations

import inspect
from typing import Any

import pytest

from helix_lab.domain.model.errors import InvalidRequest
from helix_lab.operations.methods import Methods
from helix_lab.operations.operation import Operation
from helix_lab.operations.table import OPERATIONS, find_operation


class Recorder(Methods):
    """Keeps what it is asked to carry out."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, dict[str, Any]]] = []

    def call(self, operation: Operation, values: dict[str, Any]) -> Any:
        self.calls.append((operation.name, values))
        return len(self.calls)


def signature_of(name: str) -> inspect.Signature:
    return inspect.signature(getattr(Recorder(), name))


def test_every_operation_is_a_method_that_completion_shows() -> None:
    assert {operation.name for operation in OPERATIONS} <= set(dir(Recorder()))


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
def test_a_method_shows_the_fields_of_its_request(operation: Operation) -> None:
    signature = signature_of(operation.name)
    required = {
        name for name, field in operation.request.model_fields.items() if field.is_required()
    }

    assert set(operation.request.model_fields) == {
        name.removesuffix("_")
        for name in signature.parameters  # `from_` is the field `from`
    }
    assert required == {
        name.removesuffix("_")
        for name, p in signature.parameters.items()
        if p.default is inspect.Parameter.empty
    }
    assert operation.response is signature.return_annotation


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
def test_the_help_of_a_method_says_what_it_does_and_what_it_takes(operation: Operation) -> None:
    method = getattr(Recorder(), operation.name)
    text = inspect.getdoc(method) or ""

    assert operation.summary == text.splitlines()[0]
    assert operation.name == method.__name__
    for name in operation.request.model_fields:
        assert f"{name}:" in text


def test_required_fields_are_given_by_position_or_name_and_others_by_name() -> None:
    parameters = signature_of("replay").parameters

    assert inspect.Parameter.POSITIONAL_OR_KEYWORD is parameters["conversation_id"].kind
    assert inspect.Parameter.KEYWORD_ONLY is parameters["max_tokens"].kind
    assert (None, False) == (
        parameters["max_tokens"].default,
        parameters["include_metadata"].default,
    )


def test_a_call_carries_only_what_was_given() -> None:
    recorder = Recorder()

    recorder.replay("c1", max_tokens=5)
    recorder.replay(conversation_id="c1")
    recorder.get_health()

    expected = [
        ("replay", {"conversation_id": "c1", "max_tokens": 5}),
        ("replay", {"conversation_id": "c1"}),
        ("get_health", {}),
    ]
    assert expected == recorder.calls


@pytest.mark.parametrize(
    ("args", "kwargs"),
    [((), {}), (("a", "b"), {}), (("a",), {"conversation_id": "b"}), (("a",), {"max_token": 1})],
)
def test_a_call_that_does_not_fit_names_the_method_and_its_fields(
    args: tuple[Any, ...], kwargs: dict[str, Any]
) -> None:
    with pytest.raises(InvalidRequest, match=r"^replay: .*; it takes conversation_id, max_tokens"):
        Recorder().replay(*args, **kwargs)


def test_a_method_that_is_not_there_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError):
        Recorder().no_such_operation()


def test_operations_are_found_by_name() -> None:
    assert "replay" == find_operation("replay").name
    with pytest.raises(LookupError, match="'replays'"):
        find_operation("replays")


def test_names_and_routes_of_operations_are_unique() -> None:
    names = [operation.name for operation in OPERATIONS]
    routes = [(operation.method, operation.path) for operation in OPERATIONS]

    assert sorted(set(names)) == sorted(names)
    assert sorted(set(routes)) == sorted(routes)


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
def test_the_fields_of_a_path_are_fields_of_the_request(operation: Operation) -> None:
    assert set(operation.path_fields) <= set(operation.request.model_fields)
    if operation.location:
        found = Operation.path_fields.fget(_with_path(operation, operation.location))  # type: ignore[attr-defined]
        assert set(found) <= set(operation.response.model_fields)


def _with_path(operation: Operation, path: str) -> Any:
    return type("Place", (), {"path": path})
