"""ClickHouse's HTTP interface on chDB: `python -m helix_lab.stack.chdb_server PORT FOLDER`.

For tests and small installations where there is no ClickHouse server. It speaks as much of
https://clickhouse.com/docs/interfaces/http as clickhouse-connect and curl use: statements in the
body or in `query`, settings and `param_…` in the address, rows to insert in the body. An answer
is sent when all of it is computed. There is one account, by CLICKHOUSE_USERNAME and
CLICKHOUSE_PASSWORD; there are no roles, quotas, sessions, replicas, and no native protocol.
"""

from __future__ import annotations

import asyncio
import base64
import gzip
import hmac
import os
import re
import sys
import tempfile
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

import chdb
from tornado.httpserver import HTTPServer
from tornado.web import Application, RequestHandler

if TYPE_CHECKING:
    from tornado.httputil import HTTPServerRequest

_LOOPBACK = "127.0.0.1"
_THREADS = 16
_MAX_ADDRESS_BYTES = 4 * 1024 * 1024
_MAX_BODY_BYTES = 2 * 1024**3
_OF_HTTP = frozenset(
    {
        *("query", "database", "default_format", "user", "password", "session_id", "query_id"),
        *("session_timeout", "session_check", "compress", "decompress", "enable_http_compression"),
        *("wait_end_of_query", "buffer_size", "client_protocol_version", "role", "quota_key"),
        *("send_progress_in_http_headers", "http_headers_progress_interval_ms"),
    }
)
"""What the address says to HTTP itself; all else is a setting of the engine."""
_CODE = re.compile(r"Code: (\d+)\. ")
_INSERT = re.compile(r"(?P<head>\s*INSERT\s.*?)\s+FORMAT\s+(?P<format>\w+)\s*\Z", re.I | re.S)
_NAME = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class Request:
    """What a client asks for."""

    sql: str
    data: bytes
    database: str
    format: str
    values: Mapping[str, str]
    settings: Mapping[str, str]


def _carry_out(folder: str, request: Request) -> bytes:
    """The answer of the engine; each request has a handle, and so settings, of its own."""
    with closing(chdb.connect(folder)) as handle:
        if request.database:
            handle.query(f"USE `{request.database.replace('`', '')}`")
        # In this order: once it is read-only, nothing can be set.
        settings = sorted(request.settings.items(), key=lambda item: item[0] == "readonly")
        for name, value in settings:
            quoted = value.replace("\\", "\\\\").replace("'", "\\'")
            handle.query(f"SET {name} = '{quoted}'")
        insert = _INSERT.match(request.sql) if request.data else None
        if insert:
            return _insert(handle, insert, request.data)
        sql = request.sql + request.data.decode()
        answer: bytes = handle.query(sql, request.format, params=dict(request.values)).bytes()
        return answer


def _insert(handle: Any, insert: re.Match[str], data: bytes) -> bytes:
    """Rows of the body, by a file: the engine reads no other."""
    with tempfile.NamedTemporaryFile() as file:
        file.write(data)
        file.flush()
        handle.query(f"{insert['head']} FROM INFILE '{file.name}' FORMAT {insert['format']}")
    return b""


class _Handler(RequestHandler):
    """One statement a request."""

    def initialize(self, folder: str, pool: ThreadPoolExecutor) -> None:
        """See tornado."""
        self._folder = folder
        self._pool = pool

    async def get(self) -> None:
        """A statement that reads."""
        await self._answer()

    async def post(self) -> None:
        """Any statement."""
        await self._answer()

    async def _answer(self) -> None:
        if not _is_known(self.request):
            self.set_status(403)
            self.set_header("X-ClickHouse-Exception-Code", "516")
            self.finish("Code: 516. DB::Exception: Authentication failed. (AUTHENTICATION_FAILED)")
            return
        loop = asyncio.get_running_loop()
        try:
            request = _read(self.request)
            answer = await loop.run_in_executor(self._pool, _carry_out, self._folder, request)
        except (chdb.ChdbError, RuntimeError, ValueError) as error:
            text = str(error).partition("\n\nThe above exception")[0]
            found = _CODE.search(text)
            self.set_status(500)
            self.set_header("X-ClickHouse-Exception-Code", found[1] if found else "1001")
            self.finish(text)
            return
        self.set_header("Content-Type", "application/octet-stream")
        self.set_header("X-ClickHouse-Timezone", "UTC")
        self.set_header("X-ClickHouse-Summary", "{}")
        self.finish(answer)


class _Ping(RequestHandler):
    """Says that the engine is there."""

    def get(self) -> None:
        """As ClickHouse says it."""
        self.finish("Ok.\n")


def _is_known(request: HTTPServerRequest) -> bool:
    name, password = _read_account(request)
    is_name = hmac.compare_digest(name, os.environ.get("CLICKHOUSE_USERNAME", "default").encode())
    is_word = hmac.compare_digest(password, os.environ.get("CLICKHOUSE_PASSWORD", "").encode())
    return is_name and is_word


def _read_account(request: HTTPServerRequest) -> tuple[bytes, bytes]:
    """Name and password: by Basic, by ClickHouse's own headers, or in the address."""
    scheme, _, word = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "basic":
        try:
            name, _, password = base64.b64decode(word).partition(b":")
        except ValueError:
            return b"", b""
        return name, password
    if "X-ClickHouse-User" in request.headers:
        key = request.headers.get("X-ClickHouse-Key", "")
        return request.headers["X-ClickHouse-User"].encode(), key.encode()
    arguments = request.query_arguments
    return arguments.get("user", [b"default"])[-1], arguments.get("password", [b""])[-1]


def _read(request: HTTPServerRequest) -> Request:
    # Long values come as fields of a form.
    is_form = request.headers.get("Content-Type", "").startswith("multipart/form-data")
    arguments = {**request.query_arguments, **(request.body_arguments if is_form else {})}
    told = {name: values[-1].decode() for name, values in arguments.items()}
    settings = {
        name: value
        for name, value in told.items()
        if name not in _OF_HTTP and not name.startswith("param_") and _NAME.fullmatch(name)
    }
    if request.method == "GET":
        settings["readonly"] = "1"
    encoding = request.headers.get("Content-Encoding", "")
    body = b"" if is_form else _decompress(request.body, encoding)
    sql = told.get("query", "")
    return Request(
        sql=f"{sql}\n" if sql and body and not _INSERT.match(sql) else sql,
        data=body,
        database=told.get("database", ""),
        format=told.get("default_format") or request.headers.get("X-ClickHouse-Format", "TSV"),
        values={
            name.removeprefix("param_"): value
            for name, value in told.items()
            if name.startswith("param_")
        },
        settings=settings,
    )


def _decompress(body: bytes, encoding: str) -> bytes:
    """The body as it was; the codecs come with clickhouse-connect, who uses them."""
    if encoding == "gzip":
        return gzip.decompress(body)
    if encoding == "lz4":
        import lz4.frame

        plain: bytes = lz4.frame.decompress(body)
        return plain
    if encoding == "zstd":
        name = "compression.zstd" if sys.version_info >= (3, 14) else "backports.zstd"
        return bytes(import_module(name).decompress(body))
    if encoding:
        message = f"Content-Encoding {encoding!r} is not one of gzip, lz4, zstd"
        raise ValueError(message)
    return body


async def _serve(port: int, folder: str) -> None:
    keeper = chdb.connect(folder)
    pool = ThreadPoolExecutor(_THREADS)
    shared = {"folder": folder, "pool": pool}
    application = Application([("/ping", _Ping), ("/", _Handler, shared)])
    server = HTTPServer(
        application, max_header_size=_MAX_ADDRESS_BYTES, max_body_size=_MAX_BODY_BYTES
    )
    server.listen(port, address=_LOOPBACK)
    with closing(keeper):
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1]), sys.argv[2]))
