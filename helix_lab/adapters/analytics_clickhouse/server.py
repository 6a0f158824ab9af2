"""A ClickHouse server, by HTTP."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import clickhouse_connect
import pyarrow as pa
from clickhouse_connect import common
from clickhouse_connect.driver.exceptions import ClickHouseError

from helix_lab.adapters.analytics_clickhouse.wire import Answer, EngineError, Limits, Values, Wire

_STREAM = "ArrowStream"
_ESCAPED = re.compile(r"\\([\\'])")
_CONNECT_TIMEOUT_S = 5
_ANSWER_TIMEOUT_S = 900


class ServerWire(Wire):
    """One database of a server.

    Args:
        database: made if absent, where the account may.
    """

    def __init__(
        self, host: str, port: int, *, username: str, password: str, database: str, is_secure: bool
    ) -> None:
        self.name = f"clickhouse://{host}:{port}/{database}"
        common.set_setting("autogenerate_session_id", False)  # noqa: FBT003 - the library's form; threads share a client
        address: dict[str, Any] = {
            "host": host,
            "port": port,
            "username": username,
            "password": password,
            "secure": is_secure,
            "connect_timeout": _CONNECT_TIMEOUT_S,
            "send_receive_timeout": _ANSWER_TIMEOUT_S,
            "query_retries": 0,
        }
        with _explained():
            with clickhouse_connect.get_client(**address, database="default") as maker:
                maker.command(f"CREATE DATABASE IF NOT EXISTS `{database}`")
            self._client: Any = clickhouse_connect.get_client(**address, database=database)

    def run(self, sql: str, values: Values | None = None) -> None:
        """See `Wire.run`."""
        with _explained():
            self._client.command(sql, parameters=dict(values or {}) or None)

    def read(
        self, sql: str, values: Values | None = None, limits: Limits | None = None
    ) -> pa.Table:
        """See `Wire.read`; the server keeps the answer until it is whole, so errors are errors."""
        settings = {"wait_end_of_query": "1", **(limits or {})}
        with _explained():
            raw = self._client.raw_query(
                sql, parameters=dict(values or {}) or None, settings=settings, fmt=_STREAM
            )
            return pa.ipc.open_stream(raw).read_all() if raw else pa.table({})

    def explain(self, sql: str, values: Values, limits: Limits) -> list[str]:
        """See `Wire.explain`; a format would be taken for that of what is explained."""
        settings = {"wait_end_of_query": "1", **limits}
        with _explained():
            raw = self._client.raw_query(sql, parameters=dict(values) or None, settings=settings)
        return [
            _ESCAPED.sub(r"\1", line) for line in raw.decode("utf-8", "replace").split("\n") if line
        ]

    @contextmanager
    def stream(self, sql: str, values: Values, limits: Limits) -> Iterator[Answer]:
        """See `Wire.stream`."""
        with _explained():
            body = self._client.raw_stream(
                sql, parameters=dict(values) or None, settings=dict(limits), fmt=_STREAM
            )
            try:
                reader = pa.ipc.open_stream(body)
                yield Answer(reader.schema, _explain_each(reader))
            finally:
                with suppress(Exception):  # the rest of an answer that nobody wants
                    body.close()

    def insert(self, table: str, rows: pa.Table) -> None:
        """See `Wire.insert`."""
        with _explained():
            self._client.insert_arrow(
                f"`{table}`", rows, settings={"max_partitions_per_insert_block": "0"}
            )

    def close(self) -> None:
        """See `Wire.close`."""
        self._client.close()


def _explain_each(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    with _explained():
        yield from batches


@contextmanager
def _explained() -> Iterator[None]:
    try:
        yield
    except ClickHouseError as error:
        code = getattr(error, "code", None) or 0
        # What has no code was never answered by ClickHouse.
        raise EngineError(str(error), code=code, is_unreachable=not code) from None
    except (OSError, UnicodeError, pa.ArrowException) as error:
        # Also what a server says in the middle of an answer, which then is no Arrow.
        raise EngineError(str(error)) from None
