"""Settings: where a lab keeps its data, and what it is told by the environment."""

from __future__ import annotations

import os
import re
import shlex
import socket
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from dataclasses import field as field_of
from pathlib import Path
from typing import Any

from helix_lab.domain.model.errors import InvalidRequest

DEFAULT_PORT = 7061
GREATEST_PORT = 65535
DEFAULT_REPORT_RUNS_KEPT = 50
_RECORDS_SCHEMES = ("postgresql+psycopg", "postgresql", "postgres")
OFFLINE = "offline"
"""The built-in provider; no configured one may take its name."""


@dataclass(frozen=True, slots=True)
class ProviderSettings:
    """One LLM provider.

    Attributes:
        name: how debates call it.
        base_url: of an OpenAI-compatible API, such as `https://api.deepseek.com/v1`; or a
            `file:` address of recorded turns, which are then replayed.
        model: used where a request names none.
        api_key_env: environment variable that holds the key; the key itself is never kept here.
    """

    name: str
    base_url: str
    model: str
    api_key_env: str | None = None


@dataclass(frozen=True, slots=True)
class Settings:
    """All that a lab can be told; nothing configured means embedded.

    Attributes:
        records_url: of the record store on PostgreSQL, with its password; None for SQLite in the
            data folder.
    """

    data_dir: Path
    node_id: str
    port: int = DEFAULT_PORT
    providers: tuple[ProviderSettings, ...] = ()
    report_runs_kept: int = DEFAULT_REPORT_RUNS_KEPT
    records_url: str | None = field_of(default=None, repr=False)


def read_settings(
    *, data_dir: Path | str | None = None, environment: Mapping[str, str] | None = None
) -> Settings:
    """The settings in force: arguments first, then the environment, then defaults.

    Variables: `HELIX_DATA_DIR`, `HELIX_PORT`, `NODE_ID`, `HELIX_REPORT_RUNS_KEPT`, and
    `HELIX_PROVIDERS`, a JSON list of `{"name", "base_url", "model", "api_key_env"}` or the path
    of a file that holds one; `HELIX_RECORDS_URL`. `HELIX_ENV_FILE` names a file of lines
    `NAME=value`, such as `helix-lab stack up` writes; the environment goes before it.

    Raises:
        InvalidRequest: a variable has a value that cannot be used.
    """
    env = _add_env_file(os.environ if environment is None else environment)
    return Settings(
        data_dir=_read_folder(data_dir or env.get("HELIX_DATA_DIR") or _default_data_dir()),
        node_id=env.get("NODE_ID") or socket.gethostname() or "node-1",
        port=_read_port(env.get("HELIX_PORT")),
        providers=_read_providers(env.get("HELIX_PROVIDERS")),
        report_runs_kept=_read_count(env.get("HELIX_REPORT_RUNS_KEPT")),
        records_url=_read_records_url(env.get("HELIX_RECORDS_URL")),
    )


def _add_env_file(env: Mapping[str, str]) -> Mapping[str, str]:
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


def _read_records_url(text: str | None) -> str | None:
    """The address with the driver that Helix Lab uses; the message never shows it."""
    if not text:
        return None
    scheme, separator, rest = text.partition("://")
    if not separator or not rest or scheme not in _RECORDS_SCHEMES:
        message = (
            f"HELIX_RECORDS_URL begins with {scheme[:20]!r}; it must be "
            "postgresql+psycopg://user:password@host:port/database, or unset for SQLite"
        )
        raise InvalidRequest(message, field="HELIX_RECORDS_URL")
    return f"{_RECORDS_SCHEMES[0]}://{rest}"


def _default_data_dir() -> str:
    from platformdirs import user_data_dir

    return user_data_dir("helix-lab", appauthor=False)


def _read_folder(path: Path | str) -> Path:
    try:
        return Path(path).expanduser().absolute()
    except RuntimeError as error:
        message = f"HELIX_DATA_DIR is {str(path)!r}, which is no path here: {error}"
        raise InvalidRequest(message, field="HELIX_DATA_DIR") from None


def _read_port(text: str | None) -> int:
    if not text:
        return DEFAULT_PORT
    is_number = text.isdecimal() and len(text) <= len(str(GREATEST_PORT))
    if not is_number or int(text) > GREATEST_PORT:
        message = f"HELIX_PORT is {text!r}; it must be a port from 0 (any free one) to 65535"
        raise InvalidRequest(message, field="HELIX_PORT")
    return int(text)


def _read_count(text: str | None) -> int:
    if not text:
        return DEFAULT_REPORT_RUNS_KEPT
    if not re.fullmatch(r"0*[1-9][0-9]{0,5}", text, re.ASCII):
        message = f"HELIX_REPORT_RUNS_KEPT is {text!r}; it must be a number from 1 to 999999"
        raise InvalidRequest(message, field="HELIX_REPORT_RUNS_KEPT")
    return int(text)


def _read_providers(text: str | None) -> tuple[ProviderSettings, ...]:
    if not text:
        return ()
    import msgspec

    raw = text if text.lstrip().startswith("[") else _read_file(text)
    try:
        found: list[dict[str, Any]] = msgspec.json.decode(raw, type=list[dict[str, Any]])
        providers = tuple(ProviderSettings(**item) for item in found)
        _check_providers(providers)
    except (msgspec.DecodeError, TypeError, ValueError) as error:
        message = (
            "HELIX_PROVIDERS must be a JSON list of objects with name, base_url, model and "
            f"optionally api_key_env, or the path of a file with one: {error}"
        )
        raise InvalidRequest(message, field="HELIX_PROVIDERS") from None
    return providers


def _check_providers(providers: Sequence[ProviderSettings]) -> None:
    names = [OFFLINE]
    for provider in providers:
        for field, value in asdict(provider).items():
            is_absent = value is None and field == "api_key_env"
            if not is_absent and not (isinstance(value, str) and value.strip()):
                message = f"{field} of provider {provider.name!r} must be a text"
                raise ValueError(message)
        if provider.name in names:
            message = f"the name {provider.name!r} is taken; each provider needs its own"
            raise ValueError(message)
        names.append(provider.name)


def _read_file(path: str) -> str:
    try:
        return Path(path).expanduser().read_text(encoding="utf-8")
    except (OSError, ValueError, RuntimeError) as error:
        message = f"HELIX_PROVIDERS names a file that cannot be read: {error}"
        raise InvalidRequest(message, field="HELIX_PROVIDERS") from None
