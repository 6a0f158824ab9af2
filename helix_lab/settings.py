"""Settings: where a lab keeps its data, and what it is told by the environment."""

from __future__ import annotations

import os
import re
import socket
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from helix_lab.domain.model.errors import InvalidRequest

DEFAULT_PORT = 7061
GREATEST_PORT = 65535
DEFAULT_REPORT_RUNS_KEPT = 50
LAST_WRITE_WINS = "last_write_wins"
MEMORY_STRATEGIES = (LAST_WRITE_WINS, "merge_all")
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
    """All that a lab can be told; nothing configured means embedded."""

    data_dir: Path
    node_id: str
    port: int = DEFAULT_PORT
    providers: tuple[ProviderSettings, ...] = ()
    report_runs_kept: int = DEFAULT_REPORT_RUNS_KEPT
    memory_strategy: str = LAST_WRITE_WINS


def read_settings(
    *, data_dir: Path | str | None = None, environment: Mapping[str, str] | None = None
) -> Settings:
    """The settings in force: arguments first, then the environment, then defaults.

    Variables: `HELIX_DATA_DIR`, `HELIX_PORT`, `NODE_ID`, `HELIX_REPORT_RUNS_KEPT`,
    `MEMORY_CRDT_STRATEGY` (or `CRDT_STRATEGY`), and `HELIX_PROVIDERS`, a JSON list of `{"name",
    "base_url", "model", "api_key_env"}` or the path of a file that holds one.

    Raises:
        InvalidRequest: a variable has a value that cannot be used.
    """
    env = os.environ if environment is None else environment
    return Settings(
        data_dir=_read_folder(data_dir or env.get("HELIX_DATA_DIR") or _default_data_dir()),
        node_id=env.get("NODE_ID") or socket.gethostname() or "node-1",
        port=_read_port(env.get("HELIX_PORT")),
        providers=_read_providers(env.get("HELIX_PROVIDERS")),
        report_runs_kept=_read_count(env.get("HELIX_REPORT_RUNS_KEPT")),
        memory_strategy=_read_strategy("MEMORY_CRDT_STRATEGY", env.get("MEMORY_CRDT_STRATEGY"))
        or _read_strategy("CRDT_STRATEGY", env.get("CRDT_STRATEGY"))
        or LAST_WRITE_WINS,
    )


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


def _read_strategy(name: str, text: str | None) -> str | None:
    if not text:
        return None
    if text not in MEMORY_STRATEGIES:
        message = f"{name} is {text!r}; it must be one of: {', '.join(MEMORY_STRATEGIES)}"
        raise InvalidRequest(message, field=name)
    return text


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
