"""How requests lie in HTTP bodies, as OpenAPI says it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from helix_lab.operations.examples import EXAMPLES
from helix_lab.operations.operation import Operation

Json = dict[str, Any]

UPLOAD_PART = "file"
"""Name of the part of a multipart form that holds an uploaded file."""

HIDDEN_IN_UPLOADS = frozenset({"path", "is_upload"})
"""Fields of an upload that the server sets; a client must not name a file of its machine."""


def describe_body(operation: Operation, request: Json) -> Json | None:
    """The `requestBody` of an operation; None where nothing lies in the body.

    Args:
        operation: a POST or PATCH.
        request: JSON Schema of its request.
    """
    if operation.body == "upload":
        return _describe_upload()
    if operation.body_field is not None:
        schema = _one_or_many(operation.body_field, request["properties"][operation.body_field])
        is_required = True
    else:
        schema = _without_fields(request, operation.path_fields)
        is_required = bool(schema.get("required"))
        if not schema["properties"]:
            return None
    content: Json = {"schema": schema}
    if operation.name in EXAMPLES:
        content["examples"] = {
            name: {"value": value} for name, value in EXAMPLES[operation.name].items()
        }
    return {"required": is_required, "content": {"application/json": content}}


def _one_or_many(name: str, many: Json) -> Json:
    wrapped = {
        "type": "object",
        "required": [name],
        "properties": {name: many},
        "additionalProperties": False,
    }
    return {"anyOf": [many["items"], many, wrapped]} if "items" in many else many


def _without_fields(schema: Json, left_out: Iterable[str]) -> Json:
    gone = set(left_out)
    kept = {name: value for name, value in schema.items() if name != "required"}
    kept["properties"] = {
        name: value for name, value in schema.get("properties", {}).items() if name not in gone
    }
    required = [name for name in schema.get("required", []) if name not in gone]
    return kept | ({"required": required} if required else {})


def _describe_upload() -> Json:
    form = {
        "type": "object",
        "required": [UPLOAD_PART],
        "properties": {UPLOAD_PART: {"type": "string", "format": "binary", "minLength": 1}},
        "additionalProperties": False,
    }
    return {
        "required": True,
        "description": "The bytes of the file, raw or as the only part of a form.",
        "content": {
            "application/octet-stream": {
                "schema": {"type": "string", "format": "binary", "minLength": 1}
            },
            "multipart/form-data": {"schema": form},
        },
    }
