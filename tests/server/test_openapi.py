from __future__ import annotations

import json
from typing import Any

import httpx
import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate

from helix_lab.operations.examples import EXAMPLES
from helix_lab.operations.openapi import make_openapi
from helix_lab.operations.openapi_files import ARTIFACT_PATH
from helix_lab.operations.operation import Operation, parse_request
from helix_lab.operations.problems import status_of
from helix_lab.operations.table import OPERATIONS, find_operation
from helix_lab_server.asking import Asked, read_values

DOCUMENT = make_openapi(OPERATIONS, version="1.2.3", server_url="/base")
BY_NAME = pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)


def describe(operation: Operation) -> dict[str, Any]:
    described: dict[str, Any] = DOCUMENT["paths"][operation.path][operation.method.lower()]
    return described


def test_the_document_is_valid_openapi() -> None:
    validate(DOCUMENT)


def test_the_document_is_served_with_the_url_of_the_server(client: httpx.Client) -> None:
    served = client.get("v1/openapi.json").json()

    assert "3.1.0" == served["openapi"]
    assert [{"url": "/"}] == served["servers"]
    assert DOCUMENT["paths"] == served["paths"]


@BY_NAME
def test_every_operation_is_described(operation: Operation) -> None:
    described = describe(operation)

    assert operation.name == described["operationId"]
    assert [operation.noun] == described["tags"]
    assert (operation.scope == "public") == (described.get("security") == [])


@BY_NAME
def test_every_answer_of_an_operation_is_described(operation: Operation) -> None:
    statuses = {str(operation.status), "400", "500", "503"}
    statuses |= {str(status_of(error)) for error in operation.errors}

    assert statuses <= set(describe(operation)["responses"])


@BY_NAME
def test_every_field_of_a_request_lies_in_exactly_one_place(operation: Operation) -> None:
    described = describe(operation)
    named = [p["name"] for p in described.get("parameters", []) if p["in"] != "header"]
    content = described.get("requestBody", {}).get("content", {})
    if operation.body == "one_or_many":
        named.append(str(operation.body_field))
    elif operation.body == "upload":
        named += ["path", "is_upload"]
    else:
        named += content.get("application/json", {}).get("schema", {}).get("properties", {})

    assert sorted(operation.request.model_fields) == sorted(named)


def test_the_file_of_a_run_is_described_with_its_sandbox_and_the_types_that_are_sent() -> None:
    described = DOCUMENT["paths"][ARTIFACT_PATH]["get"]
    answers = described["responses"]

    assert {"run_id", "artifact"} == {parameter["name"] for parameter in described["parameters"]}
    assert {"200", "400", "403", "404", "500", "503"} == set(answers)
    assert "Content-Security-Policy" in answers["200"]["headers"]
    assert {"text/html", "application/x-ipynb+json", "image/png"} < set(answers["200"]["content"])


def test_no_two_operations_share_a_name_or_a_route() -> None:
    names = {operation.name for operation in OPERATIONS}
    routes = {(operation.method, operation.path) for operation in OPERATIONS}

    assert (len(OPERATIONS), len(OPERATIONS)) == (len(names), len(routes))


@pytest.mark.parametrize(
    ("name", "example"), [(name, key) for name, examples in EXAMPLES.items() for key in examples]
)
def test_every_example_fits_its_schema_and_is_accepted(name: str, example: str) -> None:
    operation, body = find_operation(name), EXAMPLES[name][example]
    schema = describe(operation)["requestBody"]["content"]["application/json"]["schema"]
    asked = Asked(path=["an-id" for _ in operation.path_fields], body=json.dumps(body).encode())

    Draft202012Validator(schema | {"components": DOCUMENT["components"]}).validate(body)
    parse_request(operation.request, read_values(operation, asked))


TALK = [
    {
        "role": "user",
        "message_id": f"talk-{number}",
        "content": f"On day {number} Maria moved {number} crates of lemons to Lisbon.",
        "created_at": "2026-01-01T10:00:00Z",
    }
    for number in range(40)
]
"""Something to compress; recorded once, however often it is sent."""
TALK[0]["content"] = "Redis and Kafka."


def prepare_entities(client: httpx.Client, name: str) -> None:
    """Two entities that are merged only where a split is asked for."""
    split = EXAMPLES["split_entities"]["latest"]
    client.post("v1/knowledge/entities/split", json=split)  # refused where nothing is merged
    if name == "split_entities":
        same = EXAMPLES["merge_entities"]["same"]
        client.post("v1/knowledge/entities/merge", json=same).raise_for_status()


@pytest.mark.parametrize("name", list(EXAMPLES))
def test_the_server_does_what_every_example_asks(client: httpx.Client, name: str) -> None:
    operation = find_operation(name)
    started = {"conversation_id": "conv-123", "user_id": "user-456", "title": "Sign-in"}
    client.post("v1/conversations", json=started).raise_for_status()
    client.post("v1/conversations/conv-123/messages", json=TALK).raise_for_status()

    if name in {"merge_entities", "split_entities"}:
        prepare_entities(client, name)
    for body in EXAMPLES[name].values():
        path = operation.path.lstrip("/").replace("{conversation_id}", "conv-123")
        path = path.replace("{name}", "provider-performance")
        answer = client.request(operation.method, path, json=body)
        assert answer.is_success, answer.text
