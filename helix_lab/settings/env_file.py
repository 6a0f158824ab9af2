"""The file of variables that stands beside the environment."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path

from helix_lab.domain.model.errors import InvalidRequest


def add_env_file(env: Mapping[str, str]) -> Mapping[str, str]:
    """The environment, and what the file that it names says beside it."""
    path = env.get("HELIX_ENV_FILE")
    return {**read_env_file(Path(path)), **env} if path else env


def read_env_file(path: Path) -> dict[str, str]:
    """The variables of a file with lines `NAME=value`, quoted as in a shell; `#` begins a comment.

    Raises:
        InvalidRequest: it cannot be read, or a line is something else.
    """
    try:
        lines = path.expanduser().read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError, RuntimeError) as error:
        message = f"HELIX_ENV_FILE names a file that cannot be read: {error}"
        raise InvalidRequest(message, field="HELIX_ENV_FILE") from None
    found: dict[str, str] = {}
    for number, line in enumerate(lines, 1):
        found.update(_read_assignment(line, f"{path}, line {number}"))
    return found


def _read_assignment(line: str, place: str) -> dict[str, str]:
    try:
        words = shlex.split(line, comments=True)
    except ValueError as error:
        message = f"{place}: {error}"  # not the line itself: it may hold a password
        raise InvalidRequest(message, field="HELIX_ENV_FILE") from None
    if not words:
        return {}
    name, equals, value = words[-1].partition("=")
    if not (equals and name.isidentifier() and words[:-1] in ([], ["export"])):
        message = f"{place}: it must be NAME=value, with quotes around a value that has spaces"
        raise InvalidRequest(message, field="HELIX_ENV_FILE")
    return {name: value}
