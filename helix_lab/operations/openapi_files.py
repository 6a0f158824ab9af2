"""The one route of the contract that answers a file: no operation, since other doors open it."""

from __future__ import annotations

from helix_lab.domain.model.errors import (
    HelixError,
    InvalidRequest,
    Unauthorized,
    Unavailable,
    UnknownArtifact,
    UnknownRun,
)
from helix_lab.operations.openapi_bodies import Json

ARTIFACT_PATH = "/v1/runs/{run_id}/artifacts/{artifact}"
ARTIFACT_ERRORS: tuple[type[HelixError], ...] = (
    InvalidRequest,
    Unavailable,
    HelixError,
    Unauthorized,
    UnknownRun,
    UnknownArtifact,
)

ARTIFACT_FORMS = {
    ".html": "text/html; charset=utf-8",
    ".txt": "text/plain; charset=utf-8",
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".ipynb": "application/x-ipynb+json",
    ".json": "application/json",
    ".csv": "text/csv; charset=utf-8",
    ".parquet": "application/vnd.apache.parquet",
}
"""Suffix → content type; of any other file it is `UNKNOWN_FORM`."""

UNKNOWN_FORM = "application/octet-stream"

_DESCRIPTION = """\
A page is shown in a sandbox: it can neither read cookies nor ask the server as its reader. What a
browser should not show is sent as an attachment.
"""


def describe_artifact(problems: Json) -> Json:
    """The description of its GET, with these answers where something is wrong."""
    forms = {form.partition(";")[0] for form in (*ARTIFACT_FORMS.values(), UNKNOWN_FORM)}
    file: Json = {
        "description": "The file.",
        "content": {form: {"schema": {}} for form in sorted(forms)},
        "headers": {
            "Content-Security-Policy": _header("`sandbox allow-scripts`"),
            "Content-Disposition": _header("`inline` or `attachment`, and the name"),
        },
    }
    return {
        "operationId": "get_artifact",
        "summary": "Send a file that a run made",
        "description": _DESCRIPTION,
        "tags": ["runs"],
        "parameters": [
            _parameter("run_id", "its id"),
            _parameter("artifact", "one of the `artifacts` of the run, such as report.html"),
        ],
        "responses": {"200": file, **problems},
    }


def _parameter(name: str, description: str) -> Json:
    schema = {"type": "string", "minLength": 1, "maxLength": 200}
    return {
        "name": name,
        "in": "path",
        "required": True,
        "schema": schema,
        "description": description,
    }


def _header(description: str) -> Json:
    return {"description": description, "required": True, "schema": {"type": "string"}}
