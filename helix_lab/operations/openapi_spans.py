"""The route of the contract that takes spans in: no operation, since OTLP says how it looks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from helix_lab.domain.model.errors import (
    HelixError,
    InvalidRequest,
    LogWriteFailed,
    TooLarge,
    Unauthorized,
    Unavailable,
)
from helix_lab.operations.openapi_bodies import Json

SPANS_PATH = "/v1/traces"
FORMS: Mapping[str, Literal["protobuf", "json"]] = {
    "application/x-protobuf": "protobuf",
    "application/json": "json",
}
SPAN_ERRORS: tuple[type[HelixError], ...] = (
    InvalidRequest,
    TooLarge,
    Unavailable,
    LogWriteFailed,
    HelixError,
    Unauthorized,
)

_DESCRIPTION = """\
OTLP/HTTP: an `ExportTraceServiceRequest` in protobuf or JSON, also with `Content-Encoding: gzip`.
Point `OTEL_EXPORTER_OTLP_ENDPOINT` of a program at the address of this server. A span that was
delivered before changes nothing. Spans that are refused are counted in `partialSuccess`.
"""


def describe_spans(problems: Json) -> Json:
    """The description of its POST, with these answers where something is wrong."""
    answer: Json = {
        "type": "object",
        "properties": {
            "partialSuccess": {
                "type": "object",
                "properties": {
                    "rejectedSpans": {"type": "string"},
                    "errorMessage": {"type": "string"},
                },
            }
        },
    }
    request: Json = {
        "type": "object",
        "properties": {"resourceSpans": {"type": "array", "items": {"type": "object"}}},
    }
    return {
        "operationId": "take_in_spans",
        "summary": "Take in spans of OpenTelemetry (OTLP/HTTP)",
        "description": _DESCRIPTION,
        "tags": ["traces"],
        "requestBody": {"required": True, "content": _in_both_forms(request)},
        "responses": {
            "200": {"description": "What became of them.", "content": _in_both_forms(answer)},
            **problems,
            # The same shape as of any refusal, by the server and not by an error of the lab.
            "415": {**problems["400"], "description": "The content type is neither of the two."},
        },
    }


def _in_both_forms(schema: Json) -> Json:
    binary: Json = {"type": "string", "format": "binary"}
    schemas = {"protobuf": binary, "json": schema}
    return {name: {"schema": schemas[form]} for name, form in FORMS.items()}
