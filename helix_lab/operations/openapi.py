"""The REST contract as an OpenAPI 3.1 document, made from the table of operations."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from pydantic.json_schema import JsonSchemaMode, models_json_schema

from helix_lab.domain.model.errors import (
    HelixError,
    InvalidRequest,
    TooLarge,
    Unauthorized,
    Unavailable,
)
from helix_lab.operations.openapi_bodies import HIDDEN_IN_UPLOADS, Json, describe_body
from helix_lab.operations.openapi_files import ARTIFACT_ERRORS, ARTIFACT_PATH, describe_artifact
from helix_lab.operations.openapi_spans import SPAN_ERRORS, SPANS_PATH, describe_spans
from helix_lab.operations.operation import Operation
from helix_lab.operations.problems import status_of

if TYPE_CHECKING:
    from pydantic import BaseModel

_REF = "#/components/schemas/"
_DESCRIPTION = """\
Everything that Helix Lab can be asked for.

Every route below `/v1` needs the token of the Jupyter server: `Authorization: token …` or
`Authorization: Bearer …`. Without it the answer is 403. Errors have one shape, `Problem`.
A body is read as JSON whatever its content type. Unknown fields and parameters are refused,
and so is text with a NUL character, wherever it is.
"""


def make_openapi(operations: Sequence[Operation], *, version: str, server_url: str = "/") -> Json:
    """The OpenAPI 3.1 document of these operations.

    Args:
        operations: in the order of the documentation.
        version: of Helix Lab.
        server_url: where the routes begin; the base URL of the Jupyter server.
    """
    schemas, refs = _collect_schemas(operations)
    paths: dict[str, Json] = defaultdict(dict)
    for operation in operations:
        paths[operation.path][operation.method.lower()] = _describe(operation, schemas, refs)
    paths[ARTIFACT_PATH]["get"] = describe_artifact(_describe_problems(ARTIFACT_ERRORS))
    paths[SPANS_PATH]["post"] = describe_spans(_describe_problems(SPAN_ERRORS))
    tags = dict.fromkeys(operation.noun for operation in operations)
    document = {
        "openapi": "3.1.0",
        "info": {
            "title": "Helix Lab",
            "version": version,
            "description": _DESCRIPTION,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": server_url}],
        "tags": [{"name": tag} for tag in tags],
        "security": [{"token": []}, {"bearer": []}],
        "paths": dict(paths),
    }
    return document | {"components": _make_components(document, schemas)}


# Schemas ----------------------------------------------------------------------------------


def _collect_schemas(
    operations: Sequence[Operation],
) -> tuple[Json, Mapping[Any, Json]]:
    models: dict[tuple[type[BaseModel], JsonSchemaMode], None] = {}
    for operation in operations:
        models[operation.request, "validation"] = None
        models[operation.response, "serialization"] = None
    refs, definitions = models_json_schema(list(models), ref_template=f"{_REF}{{model}}")
    schemas: Json = definitions.get("$defs", {})
    return schemas | {"Problem": _PROBLEM}, refs


def _make_components(document: Json, schemas: Json) -> Json:
    return {
        "schemas": {name: schemas[name] for name in sorted(_find_used(document, schemas))},
        "securitySchemes": {
            "token": {
                "type": "apiKey",
                "in": "header",
                "name": "Authorization",
                "description": "`token` and a space before the token of the Jupyter server",
            },
            "bearer": {"type": "http", "scheme": "bearer"},
        },
    }


def _find_used(document: Json, schemas: Json) -> set[str]:
    """Names of the schemas that a document refers to, directly or through others."""
    used: set[str] = set()
    waiting: list[Any] = [document]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            name = str(value.get("$ref", "")).removeprefix(_REF)
            if name and name not in used:
                used.add(name)
                waiting.append(schemas[name])
            waiting.extend(value.values())
        elif isinstance(value, list):
            waiting.extend(value)
    return used


_PROBLEM: Json = {
    "title": "Problem",
    "description": "What went wrong, why, and what to do next.",
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["code", "message", "details", "timestamp"],
            "properties": {
                "code": {"type": "string", "description": "a stable name for programs"},
                "message": {"type": "string", "description": "for people"},
                "details": {"type": "object", "description": "such as the field at fault"},
                "timestamp": {"type": "string", "format": "date-time"},
            },
        }
    },
}


# One operation ----------------------------------------------------------------------------


def _describe(operation: Operation, schemas: Json, refs: Mapping[Any, Json]) -> Json:
    request = _resolve(schemas, refs[operation.request, "validation"])
    described: Json = {
        "operationId": operation.name,
        "summary": operation.summary,
        "description": request.get("description", operation.summary),
        "tags": [operation.noun],
        "responses": _describe_responses(operation, refs[operation.response, "serialization"]),
    }
    parameters = [*_describe_parameters(operation, request), *_describe_preference(operation)]
    if parameters:
        described["parameters"] = parameters
    if operation.scope == "public":
        described["security"] = []
    if operation.method in {"POST", "PATCH"}:
        body = describe_body(operation, request)
        described |= {"requestBody": body} if body else {}
    return described


def _resolve(schemas: Json, ref: Json) -> Json:
    found: Json = schemas[ref["$ref"].removeprefix(_REF)]
    return found


def _describe_parameters(operation: Operation, request: Json) -> list[Json]:
    in_query = operation.method in {"GET", "DELETE"} or operation.body == "upload"
    required = request.get("required", [])
    parameters: list[Json] = []
    for name, schema in request.get("properties", {}).items():
        is_in_path = name in operation.path_fields
        if not is_in_path and (not in_query or name in _hidden_fields(operation)):
            continue
        shown = _without_null(schema)
        parameter: Json = {
            "name": name,
            "in": "path" if is_in_path else "query",
            "required": is_in_path or name in required,
            "schema": shown,
        }
        if "description" in shown:
            parameter["description"] = shown.pop("description")
        parameters.append(parameter)
    return parameters


def _hidden_fields(operation: Operation) -> frozenset[str]:
    return HIDDEN_IN_UPLOADS if operation.body == "upload" else frozenset()


def _without_null(schema: Json) -> Json:
    """A schema for text in a URL, which has no null: an absent parameter is left out."""
    kept = {name: value for name, value in schema.items() if name not in {"title", "anyOf"}}
    choices = [choice for choice in schema.get("anyOf", []) if choice != {"type": "null"}]
    if kept.get("default", ...) is None:
        del kept["default"]
    if len(choices) == 1:
        return {**choices[0], **kept}
    return kept | ({"anyOf": choices} if choices else {})


def _describe_preference(operation: Operation) -> list[Json]:
    if not _can_wait(operation):
        return []
    description = "`wait=N`: wait so many seconds for the end (RFC 7240), like the field wait_s"
    schema = {"type": "string"}
    return [{"name": "Prefer", "in": "header", "schema": schema, "description": description}]


def _can_wait(operation: Operation) -> bool:
    return operation.status == HTTPStatus.ACCEPTED and "wait_s" in operation.request.model_fields


# Answers ----------------------------------------------------------------------------------


def _describe_responses(operation: Operation, response: Json) -> Json:
    content = {"application/json": {"schema": response}}
    success: Json = {"description": HTTPStatus(operation.status).phrase, "content": content}
    if operation.location:
        success["headers"] = {"Location": _header("Where to ask for what was made.")}
    responses: Json = {str(operation.status): success}
    if _can_wait(operation):
        header = _header("The wait that was honoured.", is_required=False)
        responses["200"] = {
            "description": "It ended within the wait that was asked for.",
            "content": content,
            "headers": success.get("headers", {}) | {"Preference-Applied": header},
        }
    return responses | _describe_problems((*_shared_errors(operation), *operation.errors))


def _describe_problems(errors: Sequence[type[HelixError]]) -> Json:
    by_status: dict[int, list[type[HelixError]]] = defaultdict(list)
    for error in errors:
        by_status[status_of(error)].append(error)
    return {str(status): _describe_problem(by_status[status]) for status in sorted(by_status)}


def _shared_errors(operation: Operation) -> list[type[HelixError]]:
    """What every route of this form may answer."""
    errors: list[type[HelixError]] = [InvalidRequest, Unavailable, HelixError]
    if operation.scope != "public":
        errors.append(Unauthorized)
    if operation.method in {"POST", "PATCH"} and TooLarge not in operation.errors:
        errors.append(TooLarge)
    return errors


def _describe_problem(errors: Sequence[type[HelixError]]) -> Json:
    lines = [f"`{error.code}`: {_first_sentence(error)}" for error in errors]
    schema = {"$ref": f"{_REF}Problem"}
    return {
        "description": "\n\n".join(lines),
        "content": {"application/json": {"schema": schema}},
    }


def _first_sentence(error: type[HelixError]) -> str:
    if error is HelixError:
        return "An unexpected error; the server's log has the details."
    text = " ".join((error.__doc__ or "").split())
    return re.split(r"(?<=\.)\s", text, maxsplit=1)[0]


def _header(description: str, *, is_required: bool = True) -> Json:
    return {"description": description, "required": is_required, "schema": {"type": "string"}}
