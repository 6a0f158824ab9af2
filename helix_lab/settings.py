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
from urllib.parse import quote

from helix_lab.domain.context.digest import STRATEGIES
from helix_lab.domain.context.policy import ContextPolicy
from helix_lab.domain.model.errors import InvalidRequest
from helix_lab.ports.chat import DEFAULT_WINDOW_TOKENS, MAX_WINDOW_TOKENS, MIN_WINDOW_TOKENS

DEFAULT_PORT = 7061
GREATEST_PORT = 65535
DEFAULT_REPORT_RUNS_KEPT = 50
LAST_WRITE_WINS = "last_write_wins"
MEMORY_STRATEGIES = (LAST_WRITE_WINS, "merge_all")
MEMORY_TYPES = ("episodic", "semantic", "procedural", "working")
_FUNCTION = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_]\w*")
DEFAULT_CONTEXT_CACHE_SIZE = 100
DEFAULT_CONTEXT_CACHE_TTL_S = 1800.0
MAX_CONTEXT_CACHE_TTL_S = 366 * 86_400.0
NEO4J = "neo4j"
_NEO4J_SCHEMES = ("bolt", "bolt+s", "bolt+ssc", "neo4j", "neo4j+s", "neo4j+ssc")
_RECORDS_SCHEMES = ("postgresql+psycopg", "postgresql", "postgres")
_LOG_SCHEMES = ("kafka://", "kafka+ssl://")
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
        context_window_tokens: what a prompt and its reply may have together.
    """

    name: str
    base_url: str
    model: str
    api_key_env: str | None = None
    context_window_tokens: int = DEFAULT_WINDOW_TOKENS


@dataclass(frozen=True, slots=True)
class Neo4jSettings:
    """A Neo4j server for the graph.

    Attributes:
        uri: such as bolt://127.0.0.1:7687.
    """

    uri: str
    username: str
    password: str = field_of(repr=False)
    database: str


@dataclass(frozen=True, slots=True)
class Settings:
    """All that a lab can be told; nothing configured means embedded.

    Attributes:
        records_url: of the record store on PostgreSQL, with its password; None for SQLite in the
            data folder.
        memory_log: the log through which nodes exchange memories: the path of a file that they
            share; None: this node is alone.
        cache_url: of a Redis that keeps contexts beside this process, with its password.
        log_url: of the event log on Kafka, with its password; None for SQLite in the data folder.
        neo4j: where the graph is; None for Ladybug in the data folder.
    """

    data_dir: Path
    node_id: str
    port: int = DEFAULT_PORT
    providers: tuple[ProviderSettings, ...] = ()
    report_runs_kept: int = DEFAULT_REPORT_RUNS_KEPT
    memory_strategy: str = LAST_WRITE_WINS
    context: ContextPolicy = field_of(default_factory=ContextPolicy)
    context_cache_size: int = DEFAULT_CONTEXT_CACHE_SIZE
    context_cache_ttl_s: float = DEFAULT_CONTEXT_CACHE_TTL_S
    records_url: str | None = field_of(default=None, repr=False)
    memory_log: str | None = None
    cache_url: str | None = field_of(default=None, repr=False)
    log_url: str | None = field_of(default=None, repr=False)
    neo4j: Neo4jSettings | None = None


def read_settings(
    *, data_dir: Path | str | None = None, environment: Mapping[str, str] | None = None
) -> Settings:
    """The settings in force: arguments first, then the environment, then defaults.

    Variables: `HELIX_DATA_DIR`, `HELIX_PORT`, `NODE_ID`, `HELIX_REPORT_RUNS_KEPT`,
    `MEMORY_CRDT_STRATEGY` (or `CRDT_STRATEGY`), `HELIX_MEMORY_LOG`,
    `MEMORY_EVENT_SOURCING_ENABLED`, `CONTEXT_…`, `HELIX_LOG_URL` (or
    `KAFKA_BOOTSTRAP_SERVERS`), `HELIX_RECORDS_URL`, `NEO4J_…`, `HELIX_CACHE_URL` (or `REDIS_HOST`,
    `REDIS_PORT`, `REDIS_PASSWORD`), and `HELIX_PROVIDERS`, a JSON list of `{"name",
    "base_url", "model", "api_key_env", "context_window_tokens"}` or the path of a file that
    holds one. `HELIX_ENV_FILE` names a file of lines `NAME=value`, such as `helix-lab stack up`
    writes; the environment goes before it.

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
        memory_strategy=_read_strategy("MEMORY_CRDT_STRATEGY", env.get("MEMORY_CRDT_STRATEGY"))
        or _read_strategy("CRDT_STRATEGY", env.get("CRDT_STRATEGY"))
        or LAST_WRITE_WINS,
        context=_read_context(env),
        context_cache_size=_read_cache_size(env.get("CONTEXT_CACHE_SIZE")),
        context_cache_ttl_s=_read_ttl(env.get("CONTEXT_CACHE_TTL")),
        records_url=_read_records_url(env.get("HELIX_RECORDS_URL")),
        memory_log=_read_memory_log(env),
        cache_url=_read_cache_url(env),
        log_url=_read_log_url(env),
        neo4j=_read_neo4j(env),
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


def _read_memory_log(env: Mapping[str, str]) -> str | None:
    """Where the nodes meet; switched off by MEMORY_EVENT_SOURCING_ENABLED=false."""
    switch = (env.get("MEMORY_EVENT_SOURCING_ENABLED") or "").lower()
    if switch not in {"", "true", "false"}:
        message = f"MEMORY_EVENT_SOURCING_ENABLED is {switch!r}; it must be true or false"
        raise InvalidRequest(message, field="MEMORY_EVENT_SOURCING_ENABLED")
    place = env.get("HELIX_MEMORY_LOG")
    if switch == "true" and not place:
        message = (
            "MEMORY_EVENT_SOURCING_ENABLED is true, and there is no log to meet at: set "
            "HELIX_MEMORY_LOG to the path of a file that the nodes share"
        )
        raise InvalidRequest(message, field="HELIX_MEMORY_LOG")
    if not place or switch == "false":
        return None
    if "://" in place:
        message = f"HELIX_MEMORY_LOG is {place!r}; it must be the path of a file"
        raise InvalidRequest(message, field="HELIX_MEMORY_LOG")
    return str(Path(place).expanduser().absolute())


def _read_cache_url(env: Mapping[str, str]) -> str | None:
    """The address of Redis: as a whole, or by the parts that `helix-lab stack up` writes."""
    url, host = env.get("HELIX_CACHE_URL"), env.get("REDIS_HOST")
    if url:
        scheme, separator, rest = url.partition("://")
        if not separator or not rest or scheme not in {"redis", "rediss"}:
            message = (
                f"HELIX_CACHE_URL begins with {scheme[:20]!r}; it must be "
                "redis://:password@host:port/0, or unset for the memory of this process"
            )
            raise InvalidRequest(message, field="HELIX_CACHE_URL")
        return url
    if not host:
        return None
    port = env.get("REDIS_PORT") or "6379"
    if not port.isascii() or not port.isdecimal() or not 0 < int(port[:6]) <= GREATEST_PORT:
        message = f"REDIS_PORT is {port!r}; it must be a port from 1 to 65535"
        raise InvalidRequest(message, field="REDIS_PORT")
    password = env.get("REDIS_PASSWORD")
    account = f":{quote(password, safe='')}@" if password else ""
    return f"redis://{account}{host}:{port}/0"


def _read_log_url(env: Mapping[str, str]) -> str | None:
    """The address of Kafka, by our own variable or by the guide's; the message never shows it."""
    url = env.get("HELIX_LOG_URL")
    if url:
        if not url.startswith(_LOG_SCHEMES):
            scheme = url.partition("://")[0][:20]
            message = (
                f"HELIX_LOG_URL begins with {scheme!r}; it must be kafka://host:port[,host:port…], "
                "or unset for SQLite"
            )
            raise InvalidRequest(message, field="HELIX_LOG_URL")
        return url
    servers = env.get("KAFKA_BOOTSTRAP_SERVERS")
    return f"{_LOG_SCHEMES[0]}{servers}" if servers else None


def _read_neo4j(env: Mapping[str, str]) -> Neo4jSettings | None:
    """The server that the guide's variables name; the message never shows the password."""
    uri = env.get("NEO4J_URI")
    if not uri:
        return None
    if uri.partition("://")[0] not in _NEO4J_SCHEMES or "://" not in uri:
        message = (
            f"NEO4J_URI begins with {uri.partition(':')[0][:20]!r}; it must be such as "
            f"bolt://127.0.0.1:7687, with one of {', '.join(_NEO4J_SCHEMES)}, or unset for the "
            "embedded graph"
        )
        raise InvalidRequest(message, field="NEO4J_URI")
    password = env.get("NEO4J_PASSWORD")
    if not password:
        message = "NEO4J_URI is set, so NEO4J_PASSWORD must be set, too"
        raise InvalidRequest(message, field="NEO4J_PASSWORD")
    username = env.get("NEO4J_USERNAME") or NEO4J
    return Neo4jSettings(uri, username, password, env.get("NEO4J_DATABASE") or NEO4J)


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
    first, *others = text.split(",")
    parts = [("", first), *(part.partition("=")[::2] for part in others)]
    for number, (kind, strategy) in enumerate(parts):
        is_known = strategy.strip() in MEMORY_STRATEGIES or _FUNCTION.fullmatch(strategy.strip())
        if not is_known or (number and kind.strip() not in MEMORY_TYPES):
            message = (
                f"{name} is {text!r}; it must be one of {', '.join(MEMORY_STRATEGIES)} or a "
                "function of your own as package.module:function, and may go on with "
                f",type=strategy for the types {', '.join(MEMORY_TYPES)}"
            )
            raise InvalidRequest(message, field=name)
    return text


def _read_context(env: Mapping[str, str]) -> ContextPolicy:
    usual = ContextPolicy()
    strategy = env.get("CONTEXT_COMPRESSION_STRATEGY") or usual.strategy
    if strategy not in STRATEGIES:
        message = (
            f"CONTEXT_COMPRESSION_STRATEGY is {strategy!r}; it must be one of "
            f"{', '.join(STRATEGIES)}"
        )
        raise InvalidRequest(message, field="CONTEXT_COMPRESSION_STRATEGY")
    ratio = _read_share("CONTEXT_COMPRESSION_RATIO", env.get("CONTEXT_COMPRESSION_RATIO"))
    cap = _read_share("CONTEXT_MAX_COMPRESSION_RATIO", env.get("CONTEXT_MAX_COMPRESSION_RATIO"))
    quality = _read_share(
        "CONTEXT_MIN_QUALITY_SCORE", env.get("CONTEXT_MIN_QUALITY_SCORE"), is_zero_allowed=True
    )
    ratio = usual.ratio if ratio is None else ratio
    return ContextPolicy(
        strategy=strategy,
        ratio=ratio,
        minimum_quality=usual.minimum_quality if quality is None else quality,
        max_ratio=max(ratio, usual.max_ratio if cap is None else cap),
        llm_provider=env.get("CONTEXT_COMPRESSION_PROVIDER") or None,
    )


def _read_share(name: str, text: str | None, *, is_zero_allowed: bool = False) -> float | None:
    if not text:
        return None
    share = _read_number(text)
    if share is None or not 0 <= share <= 1 or (share == 0 and not is_zero_allowed):
        least = "from 0" if is_zero_allowed else "above 0"
        message = f"{name} is {text!r}; it must be a number {least} to 1, such as 0.30"
        raise InvalidRequest(message, field=name)
    return share


def _read_cache_size(text: str | None) -> int:
    if not text:
        return DEFAULT_CONTEXT_CACHE_SIZE
    if not re.fullmatch(r"[0-9]{1,6}", text, re.ASCII):
        message = (
            f"CONTEXT_CACHE_SIZE is {text!r}; it must be a number of conversations from 0 "
            "(keep none) to 999999"
        )
        raise InvalidRequest(message, field="CONTEXT_CACHE_SIZE")
    return int(text)


def _read_ttl(text: str | None) -> float:
    if not text:
        return DEFAULT_CONTEXT_CACHE_TTL_S
    ttl_s = _read_number(text)
    if ttl_s is None or not 0 < ttl_s <= MAX_CONTEXT_CACHE_TTL_S:
        message = (
            f"CONTEXT_CACHE_TTL is {text!r}; it must be a number of seconds above 0, at most "
            f"{MAX_CONTEXT_CACHE_TTL_S:.0f}"
        )
        raise InvalidRequest(message, field="CONTEXT_CACHE_TTL")
    return ttl_s


def _read_number(text: str) -> float | None:
    if not re.fullmatch(r"[0-9]{0,9}(\.[0-9]{0,9})?", text, re.ASCII) or text == ".":
        return None
    return float(text)


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
        _check_window(provider)
        for name, value in asdict(provider).items():
            if name == "context_window_tokens":
                continue
            is_absent = value is None and name == "api_key_env"
            if not is_absent and not (isinstance(value, str) and value.strip()):
                message = f"{name} of provider {provider.name!r} must be a text"
                raise ValueError(message)
        if provider.name in names:
            message = f"the name {provider.name!r} is taken; each provider needs its own"
            raise ValueError(message)
        names.append(provider.name)


def _check_window(provider: ProviderSettings) -> None:
    window: object = provider.context_window_tokens
    is_whole = isinstance(window, int) and not isinstance(window, bool)
    if not is_whole or not MIN_WINDOW_TOKENS <= provider.context_window_tokens <= MAX_WINDOW_TOKENS:
        message = (
            f"context_window_tokens of provider {provider.name!r} must be a whole number from "
            f"{MIN_WINDOW_TOKENS} to {MAX_WINDOW_TOKENS}"
        )
        raise ValueError(message)


def _read_file(path: str) -> str:
    try:
        return Path(path).expanduser().read_text(encoding="utf-8")
    except (OSError, ValueError, RuntimeError) as error:
        message = f"HELIX_PROVIDERS names a file that cannot be read: {error}"
        raise InvalidRequest(message, field="HELIX_PROVIDERS") from None
