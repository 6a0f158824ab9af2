"""Settings: where a lab keeps its data, and what it is told by the environment."""

from __future__ import annotations

import os
import re
import socket
from collections.abc import Mapping
from pathlib import Path

from helix_lab.domain.model.errors import InvalidRequest
from helix_lab.settings.contexts import read_cache_size, read_context, read_ttl
from helix_lab.settings.env_file import read_env_file
from helix_lab.settings.form import (
    DEFAULT_PORT,
    DEFAULT_REPORT_RUNS_KEPT,
    GREATEST_PORT,
    LAST_WRITE_WINS,
    LakeSettings,
    Neo4jSettings,
    ProviderSettings,
    Settings,
)
from helix_lab.settings.lake import read_archiving, read_lake
from helix_lab.settings.learning import LearningSettings, read_learning
from helix_lab.settings.providers import read_providers
from helix_lab.settings.services import (
    read_analytics_url,
    read_cache_url,
    read_log_url,
    read_memory_log,
    read_neo4j,
    read_records_url,
    read_snapshot_interval,
    read_spark_url,
    read_workers,
)
from helix_lab.settings.sources import Sources, gather_sources

__all__ = [
    "DEFAULT_PORT",
    "LakeSettings",
    "LearningSettings",
    "Neo4jSettings",
    "ProviderSettings",
    "Settings",
    "read_env_file",
    "read_settings",
    "read_sources",
]

MEMORY_STRATEGIES = (LAST_WRITE_WINS, "merge_all")
MEMORY_TYPES = ("episodic", "semantic", "procedural", "working")
_FUNCTION = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_]\w*")


def read_settings(
    *, data_dir: Path | str | None = None, environment: Mapping[str, str] | None = None
) -> Settings:
    """The settings in force: arguments, else the environment, else a file, else defaults.

    `settings.catalog` lists the variables. `HELIX_ENV_FILE` names a file of lines `NAME=value`,
    such as `helix-lab stack up` writes; `HELIX_CONFIG` a YAML file of the guide's shape, which
    comes after it.

    Raises:
        InvalidRequest: a setting has a value that cannot be used; where it stands in a file, the
            message names file and line.
    """
    return read_sources(data_dir=data_dir, environment=environment)[1]


def read_sources(
    *, data_dir: Path | str | None = None, environment: Mapping[str, str] | None = None
) -> tuple[Sources, Settings]:
    """As `read_settings`, and where each setting comes from.

    Raises:
        InvalidRequest: a setting has a value that cannot be used.
    """
    sources = gather_sources(os.environ if environment is None else environment)
    with sources.locating():
        return sources, _read(sources.values, data_dir)


def _read(env: Mapping[str, str], data_dir: Path | str | None) -> Settings:
    return Settings(
        data_dir=_read_folder(data_dir or env.get("HELIX_DATA_DIR") or _default_data_dir()),
        node_id=env.get("NODE_ID") or socket.gethostname() or "node-1",
        port=_read_port(env.get("HELIX_PORT")),
        providers=read_providers(env.get("HELIX_PROVIDERS")),
        report_runs_kept=_read_count(env.get("HELIX_REPORT_RUNS_KEPT")),
        memory_strategy=_read_strategy("MEMORY_CRDT_STRATEGY", env.get("MEMORY_CRDT_STRATEGY"))
        or _read_strategy("CRDT_STRATEGY", env.get("CRDT_STRATEGY"))
        or LAST_WRITE_WINS,
        context=read_context(env),
        context_cache_size=read_cache_size(env.get("CONTEXT_CACHE_SIZE")),
        context_cache_ttl_s=read_ttl(env.get("CONTEXT_CACHE_TTL")),
        records_url=read_records_url(env),
        memory_log=read_memory_log(env, log_url=read_log_url(env)),
        memory_snapshot_interval_s=read_snapshot_interval(env.get("MEMORY_SNAPSHOT_INTERVAL")),
        cache_url=read_cache_url(env),
        log_url=read_log_url(env),
        neo4j=read_neo4j(env),
        analytics_url=read_analytics_url(env),
        learning=read_learning(env),
        workers=read_workers(env.get("HELIX_WORKERS")),
        lake=read_lake(env),
        spark_url=read_spark_url(env.get("HELIX_SPARK_URL")),
        archives_daily=read_archiving(env.get("HELIX_LAKE_ARCHIVE")),
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
