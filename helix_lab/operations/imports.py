"""The operation that takes in a file of another program."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field

from helix_lab.domain.model.errors import InvalidRequest
from helix_lab.operations.cancellation import current_scope
from helix_lab.operations.operation import Operation, Request
from helix_lab.operations.runs import Run, show_run
from helix_lab.operations.services import Services

Format = Literal["chatgpt", "claude", "openai_jsonl", "messages_jsonl", "debates_jsonl"]


class StartImport(Request):
    """A file to take in."""

    path: str = Field(min_length=1, description="the file; over HTTP the body is the file itself")
    format: Format | None = Field(None, description="told from the file's shape if absent")
    is_upload: bool = Field(default=False, description="the file is a copy, deleted afterwards")
    wait_s: float = Field(0, ge=0, le=300, description="wait so long for the end of the run")


def start(services: Services, request: StartImport) -> Run:
    """Start the import of a file."""
    path = Path(request.path).expanduser().absolute()
    if not path.is_file():
        message = f"field 'path': there is no file {path}"
        raise InvalidRequest(message, field="path")
    run = services.jobs.submit(
        "import",
        {"path": str(path), "format": request.format, "is_upload": request.is_upload},
    )
    if request.wait_s:
        scope = current_scope()
        run = services.jobs.wait(
            run.run_id, timeout_s=request.wait_s, should_stop=lambda: scope.is_cancelled
        )
    return show_run(run)


OPERATIONS = (
    Operation(
        name="start_import",
        summary="Take in a file: a ChatGPT or Claude export, JSON Lines, debates",
        method="POST",
        path="/v1/imports",
        scope="write",
        request=StartImport,
        response=Run,
        run=start,
        status=202,
        body="upload",
        location="/v1/runs/{run_id}",
    ),
)
