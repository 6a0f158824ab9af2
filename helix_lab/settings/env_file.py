"""The file of variables that stands beside the environment."""

from __future__ import annotations

import shlex
from pathlib import Path

from helix_lab.domain.model.errors import InvalidRequest


def read_env_file(path: Path) -> dict[str, str]:
    """The variables of a file with lines `NAME=value`, quoted as in a shell; `#` begins a comment.

    Raises:
        InvalidRequest: it cannot be read, or a line is something else.
    """
    return {name: value for name, value, _ in read_env_lines(path)}


def read_env_lines(path: Path) -> list[tuple[str, str, int]]:
    """The same as (name, value, number of the line), in order.

    Raises:
        InvalidRequest: it cannot be read, or a line is something else.
    """
    try:
        lines = path.expanduser().read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError, RuntimeError) as error:
        message = f"HELIX_ENV_FILE names a file that cannot be read: {error}"
        raise InvalidRequest(message, field="HELIX_ENV_FILE") from None
    return [
        (*found, number)
        for number, line in enumerate(lines, 1)
        if (found := _read_assignment(line, f"{path}, line {number}"))
    ]


def _read_assignment(line: str, place: str) -> tuple[str, str] | None:
    try:
        words = shlex.split(line, comments=True)
    except ValueError as error:
        message = f"{place}: {error}"  # not the line itself: it may hold a password
        raise InvalidRequest(message, field="HELIX_ENV_FILE") from None
    if not words:
        return None
    name, equals, value = words[-1].partition("=")
    if not (equals and name.isidentifier() and words[:-1] in ([], ["export"])):
        message = f"{place}: it must be NAME=value, with quotes around a value that has spaces"
        raise InvalidRequest(message, field="HELIX_ENV_FILE")
    return name, value
