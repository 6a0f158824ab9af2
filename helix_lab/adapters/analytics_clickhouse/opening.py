"""The engine that an address names."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from urllib.parse import unquote, urlsplit

from helix_lab.adapters.analytics_clickhouse.store import ClickHouseAnalytics
from helix_lab.adapters.analytics_clickhouse.wire import EngineError, Wire
from helix_lab.domain.model.errors import MissingDriver, Unavailable

CHDB = "chdb"
_DATABASE = "helixagent"


def open_clickhouse(url: str, *, folder: Path, schema: Sequence[str]) -> ClickHouseAnalytics:
    """The store on a server (`clickhouse://user:password@host:8123/database`) or on chDB.

    Args:
        url: `chdb://` alone is chDB in the given folder, `chdb:///path` in another one;
            `clickhouse+https://` encrypts.
        folder: where chDB keeps its data unless the address says it.
        schema: the statements of `sql/clickhouse/`, in order.

    Raises:
        MissingDriver: chDB or clickhouse-connect is not installed.
        Unavailable: the engine does not answer.
    """
    try:
        wire = _open_wire(url, folder)
    except EngineError as error:
        shown = urlsplit(url)
        message = f"ClickHouse at {shown.scheme}://{shown.hostname or ''} cannot be used: {error}"
        raise Unavailable(message, service="clickhouse") from error
    return ClickHouseAnalytics(wire, schema=schema)


def _open_wire(url: str, folder: Path) -> Wire:
    parts = urlsplit(url)
    if parts.scheme == CHDB:
        try:
            from helix_lab.adapters.analytics_clickhouse.in_process import ChdbWire
        except ImportError as error:
            message = 'analytics are on chDB, which is missing: pip install "helix-lab[chdb]"'
            raise MissingDriver(message, package="chdb") from error
        return ChdbWire(Path(unquote(parts.path)) if parts.path else folder, _DATABASE)
    try:
        from helix_lab.adapters.analytics_clickhouse.server import ServerWire
    except ImportError as error:
        message = (
            'ClickHouse is set, but its client is missing: pip install "helix-lab[clickhouse]"'
        )
        raise MissingDriver(message, package="clickhouse-connect") from error
    is_secure = parts.scheme == "clickhouse+https"
    return ServerWire(
        parts.hostname or "127.0.0.1",
        parts.port or (8443 if is_secure else 8123),
        username=unquote(parts.username or "default"),
        password=unquote(parts.password or ""),
        database=unquote(parts.path.strip("/")) or _DATABASE,
        is_secure=is_secure,
    )
