"""Errors as JSON, one shape for every door, and back again.

Shape: `{"error": {"code", "message", "details", "timestamp"}}`.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from helix_lab.domain.model import errors
from helix_lab.domain.model.errors import HelixError, Kind

HTTP_STATUS: dict[Kind, int] = {
    "invalid": 400,
    "forbidden": 403,
    "not_found": 404,
    "conflict": 409,
    "gone": 410,
    "stale": 412,
    "too_large": 413,
    "cancelled": 409,
    "unavailable": 503,
    "internal": 500,
}


def status_of(error: type[HelixError] | HelixError) -> int:
    """The HTTP status that tells this error."""
    return HTTP_STATUS[error.kind]


def to_problem(error: HelixError) -> dict[str, Any]:
    """The JSON body that tells this error."""
    return make_problem(error.code, error.message, error.details)


def make_problem(code: str, message: str, details: dict[str, Any] | None = None) -> dict[str, Any]:
    """The JSON body of an error that has no class of ours, such as an unknown route."""
    return {
        "error": {
            "code": code,
            "message": message,
            "details": details or {},
            "timestamp": datetime.now(UTC).isoformat(timespec="milliseconds"),
        }
    }


def from_problem(body: Any, *, status: int) -> HelixError:
    """The error that a JSON body tells; of our class where its code is known."""
    problem = body.get("error") if isinstance(body, dict) else None
    if not isinstance(problem, dict):
        return HelixError(f"the server answered {status} without an explanation", status=status)
    by_code = _classes_by_code()
    error_class = by_code.get(str(problem.get("code")), HelixError)
    error = error_class.__new__(error_class)
    details = problem.get("details")
    HelixError.__init__(
        error, str(problem.get("message")), **(details if isinstance(details, dict) else {})
    )
    return error


def _classes_by_code() -> dict[str, type[HelixError]]:
    found: dict[str, type[HelixError]] = {}
    for value in vars(errors).values():
        if isinstance(value, type) and issubclass(value, HelixError):
            found.setdefault(value.code, value)
    return found
