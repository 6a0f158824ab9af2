"""The remote lab: the same methods as `Lab`, carried out by a server."""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from typing import Any, Self, TypeVar
from urllib.parse import parse_qs, quote, urlsplit

import httpx
from pydantic import BaseModel, ValidationError

from helix_lab.domain.model.errors import (
    HelixError,
    InvalidRequest,
    NotFound,
    QueryCancelled,
    ServerUnreachable,
    Unauthorized,
)
from helix_lab.doors.wire import Abort, open_upload
from helix_lab.operations.cancellation import current_scope
from helix_lab.operations.methods import Methods
from helix_lab.operations.operation import (
    Operation,
    Request,
    StreamItem,
    parse_request,
    require_stream,
)
from helix_lab.operations.problems import from_problem

T = TypeVar("T")

CONNECT_TIMEOUT_S = 5.0
READ_TIMEOUT_S = 60.0


class Client(Methods):
    """A lab that a server owns. Safe in threads; close it, or use it as a context manager.

    Args:
        url: of the server, with the prefix it is served under; the address that Jupyter prints,
            with `?token=…`, is understood as well.
        token: that the server asks for. It is sent as a header and shown nowhere.
        timeout_s: how long to wait for an answer; a query waits for its own limit besides.

    Raises:
        InvalidRequest: the address is not one of HTTP.
    """

    def __init__(
        self, url: str, token: str | None = None, *, timeout_s: float = READ_TIMEOUT_S
    ) -> None:
        self.url, found_token = _read_address(url)
        self._timeout_s = timeout_s
        token = token or found_token
        headers = {"Authorization": f"token {token}"} if token else {}
        # A proxy that the environment names is not meant for this machine.
        options: dict[str, Any] = {"headers": headers, "trust_env": not _is_loopback(self.url)}
        self._lasting = httpx.Client(**options)
        # What can be stopped has a connection of its own: stopping it means closing that.
        self._single = httpx.Client(**options, limits=httpx.Limits(max_keepalive_connections=0))

    def __repr__(self) -> str:
        return f"<Helix Lab at {self.url}>"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Give the connections back; closing twice is harmless."""
        self._lasting.close()
        self._single.close()

    def call(self, operation: Operation, values: dict[str, Any]) -> BaseModel:
        """Carry out one operation on the server.

        Raises:
            ServerUnreachable: nothing answers there.
            HelixError: what the operation raises, of the same class as in process.
        """
        request = parse_request(operation.request, values)
        response = self._send(operation, request)
        if not response.is_success:
            raise self._explain(response)
        try:
            return operation.response.model_validate_json(response.content)
        except ValidationError as error:
            message = (
                f"the server at {self.url} answered {operation.name} in a form that this client "
                "does not know; install the same version of helix-lab on both sides"
            )
            raise HelixError(message, operation=operation.name) from error

    def stream(self, operation: Operation, values: dict[str, Any]) -> Iterator[list[StreamItem]]:
        """As `call`, with the answer piece by piece; leaving the loop ends the work there.

        Raises:
            ServerUnreachable: nothing answers there, or the connection broke.
            HelixError: what the operation raises, before the first piece or after it.
        """
        require_stream(operation)
        request = parse_request(operation.request, values)
        abort = Abort()
        with ExitStack() as stack:
            response = self._wait(
                operation,
                abort,
                lambda: stack.enter_context(
                    self._single.stream(
                        operation.method,
                        self.url + _path_of(operation, request).lstrip("/"),
                        headers={"Accept": "application/x-ndjson"},
                        timeout=httpx.Timeout(self._patience(request), connect=CONNECT_TIMEOUT_S),
                        extensions={"trace": abort.watch},
                        **_place(operation, request, None),
                    )
                ),
            )
            if not response.is_success:
                self._wait(operation, abort, response.read)
                raise self._explain(response)
            lines = response.iter_lines()
            while (line := self._wait(operation, abort, lambda: next(lines, None))) is not None:
                item = json.loads(line)
                if "error" in item and len(item) == 1:
                    raise from_problem(item, status=response.status_code)
                yield [item]

    def _wait(self, operation: Operation, abort: Abort, receive: Callable[[], T]) -> T:
        """What the server sends next; whoever waits for it can stop the operation."""
        scope = current_scope()
        try:
            with scope.on_cancel(abort.now):
                return receive()
        except httpx.TransportError as error:
            if scope.is_cancelled:
                message = f"{operation.name} was stopped"
                raise QueryCancelled(message) from None
            raise self._explain_silence(error) from None

    def _send(self, operation: Operation, request: Request) -> httpx.Response:
        abort = Abort()
        is_stoppable = operation.body == "upload" or QueryCancelled in operation.errors
        client = self._single if is_stoppable else self._lasting
        with open_upload(operation, request) as body:
            return self._wait(
                operation,
                abort,
                lambda: client.request(
                    operation.method,
                    self.url + _path_of(operation, request).lstrip("/"),
                    timeout=httpx.Timeout(self._patience(request), connect=CONNECT_TIMEOUT_S),
                    extensions={"trace": abort.watch} if is_stoppable else {},
                    **_place(operation, request, body),
                ),
            )

    def _patience(self, request: Request) -> float:
        """How long to wait: for the server, and for what it was itself asked to wait."""
        limits = [getattr(request, name, 0.0) for name in ("timeout_s", "wait_s")]
        return self._timeout_s + float(sum(limits))

    def _explain_silence(self, error: httpx.TransportError) -> ServerUnreachable:
        if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout):
            happened = "no Helix Lab server answers"
        elif isinstance(error, httpx.TimeoutException):
            happened = f"the server did not answer within {self._timeout_s:g} s"
        else:
            happened = "the connection broke"
        message = (
            f"{happened} at {self.url} ({str(error) or type(error).__name__}); start one with "
            "`helix-lab serve`, or see that HELIX_LAB_URL is right"
        )
        return ServerUnreachable(message, service="helix-lab", url=self.url)

    def _explain(self, response: httpx.Response) -> HelixError:
        try:
            body = response.json()
        except ValueError:
            body = None
        if isinstance(body, dict) and isinstance(body.get("error"), dict):
            return from_problem(body, status=response.status_code)
        return self._explain_stranger(response.status_code)

    def _explain_stranger(self, status: int) -> HelixError:
        """An answer that no code of ours wrote: of Jupyter itself, or of a proxy before it."""
        if status in {301, 302, 303, 307, 308, 401, 403}:
            message = (
                f"the server at {self.url} refuses the token, or needs one: set HELIX_LAB_TOKEN, "
                "or restart a kernel that is older than its server"
            )
            return Unauthorized(message, url=self.url, status=status)
        if status in {404, 405}:
            message = f"there is no Helix Lab at {self.url}; check the address and its prefix"
            return NotFound(message, url=self.url, status=status)
        if status in {502, 503, 504}:
            message = f"a proxy at {self.url} does not reach the server behind it ({status})"
            return ServerUnreachable(message, service="helix-lab", url=self.url)
        return HelixError(f"the server at {self.url} answered {status} without an explanation")


def _read_address(url: str) -> tuple[str, str | None]:
    """The address with one slash at its end, and the token if it holds one."""
    parts = urlsplit(url.strip())
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        given = parts._replace(query="").geturl()
        message = f"a server has an address such as http://127.0.0.1:7061, not {given!r}"
        raise InvalidRequest(message, field="url")
    # What stands before an @ would be a password in every message.
    host = parts.netloc.rpartition("@")[2]
    prefix = parts.path.rstrip("/").removesuffix("/lab")
    tokens = parse_qs(parts.query).get("token")
    return f"{parts.scheme}://{host}{prefix}/", tokens[0] if tokens else None


def _is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _path_of(operation: Operation, request: Request) -> str:
    fields = {name: _quote(str(getattr(request, name))) for name in operation.path_fields}
    return operation.path.format_map(fields)


def _quote(text: str) -> str:
    # A part that is dots alone would be taken for a way up, and left out.
    return text.replace(".", "%2E") if not text.strip(".") else quote(text, safe="")


def _place(operation: Operation, request: Request, body: Any) -> dict[str, Any]:
    """Where the fields go: path, query, JSON body, or beside the bytes of a file."""
    values = request.model_dump(mode="json", exclude_unset=True, exclude=set(operation.path_fields))
    if operation.body == "upload":
        values.pop("path", None)
        return {"params": _to_query(values), "content": body}
    if operation.method in {"GET", "DELETE"}:
        return {"params": _to_query(values)}
    if operation.body_field is not None:
        return {"json": values[operation.body_field]}
    return {"json": values}


def _to_query(values: Mapping[str, Any]) -> dict[str, Any]:
    def write(value: Any) -> Any:
        return json.dumps(value) if isinstance(value, dict) else value

    return {name: write(value) for name, value in values.items() if value is not None}
