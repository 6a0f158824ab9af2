"""From an operation's outcome to an HTTP answer."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from helix_lab.domain.model.errors import Unavailable
from helix_lab.operations.cancellation import CancelScope, cancel_scope
from helix_lab.operations.problems import make_problem
from helix_lab.operations.system import describe_outage
from helix_lab_server.asking import Asked, is_lenient, read_values

if TYPE_CHECKING:
    from helix_lab.operations.operation import Operation, Response
    from helix_lab_server.holder import LabHolder

_UNFINISHED = frozenset({"queued", "pending", "submitted", "running"})
_PLACEHOLDER = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes back: always JSON."""

    status: int
    body: str | bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    location: str | None = None
    """Path of what was made, below the base URL."""


def carry_out(
    holder: LabHolder, operation: Operation, asked: Asked, *, scope: CancelScope
) -> Answer:
    """Read a request, run its operation, and write the answer; blocks, so run it in a thread.

    Raises:
        HelixError: what the client or a service is to blame for.
    """
    with cancel_scope(scope):
        values = read_values(operation, asked)
        try:
            lab = holder.get()
        except Unavailable as error:
            outage = describe_outage(error) if operation.name == "get_health" else None
            if outage is None:
                raise
            return _tell(operation, values, outage)
        response = lab.call(operation, values, lenient=is_lenient(operation))
        return _tell(operation, values, response)


def tell_problem(
    status: int,
    *,
    code: str,
    message: str,
    details: dict[str, Any] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Answer:
    """The answer that tells an error, in the one shape of all errors."""
    problem = make_problem(code, message, details)
    return Answer(status, json.dumps(problem, default=str), headers or {})


def _tell(operation: Operation, values: Mapping[str, Any], response: Response) -> Answer:
    status, headers = operation.status, dict[str, str]()
    wait_s = values.get("wait_s")
    if wait_s and status == HTTPStatus.ACCEPTED and _is_finished(response):
        status = HTTPStatus.OK
        headers["Preference-Applied"] = f"wait={wait_s}"
    location = _fill(operation.location, response) if operation.location else None
    return Answer(status, response.to_json(), headers, location)


def _is_finished(response: Response) -> bool:
    state = getattr(response, "state", None) or getattr(response, "status", None)
    return state is not None and state not in _UNFINISHED


def _fill(path: str, response: Response) -> str:
    return _PLACEHOLDER.sub(
        lambda found: quote(str(getattr(response, found.group(1))), safe=""), path
    )
