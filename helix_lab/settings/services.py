"""Where the servers are that a lab uses, by the variables that name them.

Addresses hold passwords, so no message shows more of one than its scheme.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

from helix_lab.domain.model.errors import InvalidRequest
from helix_lab.settings.form import (
    DEFAULT_SNAPSHOT_INTERVAL_S,
    DEFAULT_SPARK_URL,
    GREATEST_PORT,
    Neo4jSettings,
)

NEO4J = "neo4j"
HELIXAGENT = "helixagent"
_NEO4J_SCHEMES = ("bolt", "bolt+s", "bolt+ssc", "neo4j", "neo4j+s", "neo4j+ssc")
_RECORDS_SCHEMES = ("postgresql+psycopg", "postgresql", "postgres")
_HOST = r"[\w.\-\[\]:]+:\d{1,5}"
_SPARK = re.compile(rf"local\[(?:\*|[1-9]\d{{0,3}})\]|spark://{_HOST}(?:,{_HOST})*")
MAX_SNAPSHOT_INTERVAL_S = 7 * 86_400.0
ANALYTICS_SCHEMES = ("clickhouse", "clickhouse+https", "chdb")
CLICKHOUSE_PORT, _NATIVE_PORT = "8123", "9000"
LOG_SCHEMES = ("kafka://", "kafka+ssl://")


def read_records_url(env: Mapping[str, str]) -> str | None:
    """The address with the driver that Helix Lab uses: as a whole, or by its parts."""
    text = env.get("HELIX_RECORDS_URL")
    if not text:
        return _join_records_url(env)
    scheme, separator, rest = text.partition("://")
    if not separator or not rest or scheme not in _RECORDS_SCHEMES:
        message = (
            f"HELIX_RECORDS_URL begins with {scheme[:20]!r}; it must be "
            "postgresql+psycopg://user:password@host:port/database, or unset for SQLite"
        )
        raise InvalidRequest(message, field="HELIX_RECORDS_URL")
    return f"{_RECORDS_SCHEMES[0]}://{rest}"


def _join_records_url(env: Mapping[str, str]) -> str | None:
    host = env.get("DB_HOST")
    if not host:
        return None
    password = env.get("DB_PASSWORD")
    if not password:
        message = "DB_HOST is set, so DB_PASSWORD must be set, too; unset DB_HOST for SQLite"
        raise InvalidRequest(message, field="DB_PASSWORD")
    port = _read_server_port("DB_PORT", env.get("DB_PORT") or "5432")
    account = f"{quote(env.get('DB_USER') or HELIXAGENT, safe='')}:{quote(password, safe='')}"
    database = quote(env.get("DB_NAME") or HELIXAGENT, safe="")
    # Of an IPv6 address the colons are no end of the host; with brackets it is taken, too.
    if ":" in host and not host.startswith("["):
        host = f"[{host}]"
    return f"{_RECORDS_SCHEMES[0]}://{account}@{host}:{port}/{database}"


def _read_server_port(name: str, port: str) -> str:
    if not port.isascii() or not port.isdecimal() or not 0 < int(port[:6]) <= GREATEST_PORT:
        message = f"{name} is {port!r}; it must be a port from 1 to 65535"
        raise InvalidRequest(message, field=name)
    return port


def read_memory_log(env: Mapping[str, str], *, log_url: str | None) -> str | None:
    """Where the nodes meet, by MEMORY_EVENT_SOURCING_ENABLED and HELIX_MEMORY_LOG.

    Args:
        env: the environment.
        log_url: where they meet if nothing else is named: the log on Kafka.
    """
    switch = (env.get("MEMORY_EVENT_SOURCING_ENABLED") or "").lower()
    if switch not in {"", "true", "false"}:
        message = f"MEMORY_EVENT_SOURCING_ENABLED is {switch!r}; it must be true or false"
        raise InvalidRequest(message, field="MEMORY_EVENT_SOURCING_ENABLED")
    place = env.get("HELIX_MEMORY_LOG") or (log_url if switch == "true" else None)
    if switch == "true" and not place:
        message = (
            "MEMORY_EVENT_SOURCING_ENABLED is true, and there is no log to meet at: set "
            "HELIX_MEMORY_LOG to the path of a file that the nodes share, or "
            "KAFKA_BOOTSTRAP_SERVERS to Kafka"
        )
        raise InvalidRequest(message, field="HELIX_MEMORY_LOG")
    if not place or switch == "false":
        return None
    if place.startswith(LOG_SCHEMES):
        return place
    if "://" in place:
        scheme = place.partition("://")[0][:20]
        message = (
            f"HELIX_MEMORY_LOG begins with {scheme!r}; it must be the path of a file, or "
            "kafka://host:port[,host:port…]"
        )
        raise InvalidRequest(message, field="HELIX_MEMORY_LOG")
    return str(Path(place).expanduser().absolute())


def read_snapshot_interval(text: str | None) -> float:
    """Seconds between two snapshots of what the nodes share; 0: none are written."""
    if not text:
        return DEFAULT_SNAPSHOT_INTERVAL_S
    try:
        interval_s = float(text)
    except ValueError:
        interval_s = -1.0
    if not 0 <= interval_s <= MAX_SNAPSHOT_INTERVAL_S:
        message = (
            f"MEMORY_SNAPSHOT_INTERVAL is {text!r}; it must be a number of seconds from 0 (none) "
            f"to {MAX_SNAPSHOT_INTERVAL_S:.0f}"
        )
        raise InvalidRequest(message, field="MEMORY_SNAPSHOT_INTERVAL")
    return interval_s


def read_cache_url(env: Mapping[str, str]) -> str | None:
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
    port = _read_server_port("REDIS_PORT", env.get("REDIS_PORT") or "6379")
    password = env.get("REDIS_PASSWORD")
    account = f":{quote(password, safe='')}@" if password else ""
    return f"redis://{account}{host}:{port}/0"


def read_log_url(env: Mapping[str, str]) -> str | None:
    """The address of Kafka, by our own variable or by the guide's; the message never shows it."""
    url = env.get("HELIX_LOG_URL")
    if url:
        if not url.startswith(LOG_SCHEMES):
            scheme = url.partition("://")[0][:20]
            message = (
                f"HELIX_LOG_URL begins with {scheme!r}; it must be kafka://host:port[,host:port…], "
                "or unset for SQLite"
            )
            raise InvalidRequest(message, field="HELIX_LOG_URL")
        return url
    servers = env.get("KAFKA_BOOTSTRAP_SERVERS")
    return f"{LOG_SCHEMES[0]}{servers}" if servers else None


def read_analytics_url(env: Mapping[str, str]) -> str | None:
    """The address of ClickHouse, as a whole or by the guide's parts; None for DuckDB."""
    url = env.get("HELIX_ANALYTICS_URL")
    if url:
        scheme, separator, rest = url.partition("://")
        is_known = separator and scheme in ANALYTICS_SCHEMES
        if not is_known or not (rest or scheme == "chdb"):
            message = (
                f"HELIX_ANALYTICS_URL begins with {scheme[:20]!r}; it must be "
                "clickhouse://user:password@host:8123/database, clickhouse+https://… or chdb:// "
                "(ClickHouse's engine in this process), or unset for DuckDB"
            )
            raise InvalidRequest(message, field="HELIX_ANALYTICS_URL")
        return url
    host = env.get("CLICKHOUSE_HOST")
    if not host:
        return None
    port = _read_server_port("CLICKHOUSE_PORT", env.get("CLICKHOUSE_PORT") or CLICKHOUSE_PORT)
    if port == _NATIVE_PORT:
        port = CLICKHOUSE_PORT  # the guide's port speaks another protocol than HTTP
    name = quote(env.get("CLICKHOUSE_USERNAME") or "default", safe="")
    password = quote(env.get("CLICKHOUSE_PASSWORD") or "", safe="")
    database = quote(env.get("CLICKHOUSE_DATABASE") or HELIXAGENT, safe="")
    return f"clickhouse://{name}:{password}@{host}:{port}/{database}"


def read_neo4j(env: Mapping[str, str]) -> Neo4jSettings | None:
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


def read_spark_url(text: str | None) -> str:
    """The master of Spark: this machine, or a cluster."""
    if not text:
        return DEFAULT_SPARK_URL
    if not _SPARK.fullmatch(text):
        message = (
            f"HELIX_SPARK_URL is {text[:60]!r}; it must be spark://host:port[,host:port…], "
            "local[*] or local[N], or unset for local[*]"
        )
        raise InvalidRequest(message, field="HELIX_SPARK_URL")
    return text


def read_workers(text: str | None) -> tuple[str, ...]:
    """The stores that workers fill; which of them can be is said where they are wired."""
    return tuple(dict.fromkeys(name for name in (text or "").replace(",", " ").split()))
