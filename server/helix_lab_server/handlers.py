"""Tornado handlers, made from the operations: one class a path, one verb an operation."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing
from functools import cache
from http import HTTPStatus
from typing import Any, ClassVar

from jupyter_server.auth.decorator import allow_unauthenticated, authorized
from tornado import web
from tornado.iostream import StreamClosedError

from helix_lab.domain.model.errors import HelixError
from helix_lab.operations.cancellation import CancelScope
from helix_lab.operations.openapi import make_openapi
from helix_lab.operations.openapi_files import ARTIFACT_PATH
from helix_lab.operations.operation import Operation, Scope
from helix_lab_server.answering import Answer
from helix_lab_server.artifacts import ArtifactHandler
from helix_lab_server.asking import Asked, takes_body
from helix_lab_server.engine import Engine
from helix_lab_server.knowledge_updates import UPDATES_PATH, KnowledgeUpdatesHandler
from helix_lab_server.rest_handler import RestHandler
from helix_lab_server.streaming import Form, choose_form
from helix_lab_server.uploads import MemoryBody, Upload, declared_bytes, refuse_too_large

Route = tuple[str, type[web.RequestHandler], dict[str, Any]]
Verb = Callable[..., Awaitable[None] | None]

_ACTIONS: dict[Scope, str] = {"read": "read", "write": "write", "admin": "execute"}
_METHODS = ("get", "head", "post", "put", "patch", "delete")
_POLLED = frozenset({"health", "runs"})
"""Asked again and again by programs: that must not keep an idle server alive."""


@web.stream_request_body
class OperationHandler(RestHandler):
    """Base of the handlers of operations.

    Bodies are streamed, so a token is checked before anything is read, a large body never fills
    the memory, and Tornado does not take the JSON that curl sends for a form.
    """

    operations: ClassVar[dict[str, Operation]] = {}

    def initialize(self, engine: Engine) -> None:
        """Take what all handlers share; Tornado calls it before each request."""
        self._engine = engine
        self._scope = CancelScope()
        self._body: MemoryBody | Upload | None = None

    async def prepare(self) -> None:  # type: ignore[override] # as in APIHandler
        """Let in who may come in, and make ready for the body.

        Tornado hangs up, and does not say so, on whoever is answered before the body has arrived.
        So a refusal waits for the body, which is dropped; only a very large one is not waited for.
        """
        try:
            await super().prepare()
            await self._open_body()
        except (HelixError, web.HTTPError) as error:
            is_short = declared_bytes(self.request.headers) <= self._engine.limits.max_body_bytes
            if self.request.method == "OPTIONS" or not is_short:
                self.is_hanging_up = True
                raise
            self.fault = error

    async def _open_body(self) -> None:
        operation = self.operations.get(self.request.method or "")
        limits, declared = self._engine.limits, declared_bytes(self.request.headers)
        if operation is None:
            return
        if operation.body == "upload":
            refuse_too_large(declared, limits.max_upload_bytes)
            # Tornado's own limit is lower, and it answers by hanging up.
            self.request.connection.set_max_body_size(limits.max_upload_bytes * 2)  # type: ignore[union-attr]
            self._body = await self._engine.run(self._open_upload)
        elif takes_body(operation):
            refuse_too_large(declared, limits.max_body_bytes)
            self._body = MemoryBody(max_bytes=limits.max_body_bytes)

    def _open_upload(self) -> Upload:
        return Upload(
            self._engine.holder.get().data_folder.path / "uploads",
            content_type=self.request.headers.get("Content-Type", ""),
            max_bytes=self._engine.limits.max_upload_bytes,
            executor=self._engine.executor,
        )

    async def data_received(self, chunk: bytes) -> None:
        """Take the next bytes of the body; once one is at fault, the others are dropped."""
        if self._body is None or self.fault is not None:
            return
        try:
            waiting = self._body.receive(chunk)
            if waiting is not None:
                await waiting
        except Exception as error:  # the verb tells it; here Tornado would hang up
            self.fault = error

    def on_connection_close(self) -> None:
        """Stop the operation: nobody waits for its answer."""
        super().on_connection_close()
        self._scope.cancel()
        self._discard_upload()

    def on_finish(self) -> None:
        """Remove an upload that did not arrive whole."""
        super().on_finish()
        self._discard_upload()

    def _discard_upload(self) -> None:
        if isinstance(self._body, Upload):
            self._body.discard()

    async def refuse_method(self) -> None:
        """Answer a method that the path does not have."""
        raise self.fault or web.HTTPError(HTTPStatus.METHOD_NOT_ALLOWED)

    async def ask(self, operation: Operation, path: Sequence[str]) -> None:
        """Run an operation and send its answer."""
        if self.fault is not None:
            raise self.fault
        asked = Asked(
            path=path,
            query=self.request.query_arguments,
            body=self._body.read() if isinstance(self._body, MemoryBody) else b"",
            upload=await self._body.complete() if isinstance(self._body, Upload) else None,
            prefer=self.request.headers.get("Prefer", ""),
            if_match=self.request.headers.get("If-Match", ""),
        )
        form = choose_form(self.request.headers.get("Accept", "")) if operation.stream else None
        if form is not None:
            await self._stream(operation, asked, form)
            return
        # A client that leaves now must not take the file away from the job that reads it.
        body, self._body = self._body, None
        try:
            self.send(await self._engine.carry_out(operation, asked, scope=self._scope))
        except BaseException:
            if isinstance(body, Upload):
                body.discard()
            raise

    async def _stream(self, operation: Operation, asked: Asked, form: Form) -> None:
        """Send the answer as it is made, never faster than the client takes it."""
        self.set_status(operation.status)
        pieces = self._engine.stream(operation, asked, form=form, scope=self._scope)
        async with aclosing(pieces):
            try:
                async for text in pieces:
                    self.set_header("X-Accel-Buffering", "no")  # a proxy would wait for the end
                    self.set_header("Content-Type", form.content_type)
                    self.write(text)
                    await self.flush()
            except StreamClosedError:
                return
        self.finish(set_content_type=form.content_type)


class OpenApiHandler(RestHandler):
    """The description of all routes."""

    allowed_methods = ("GET", "HEAD", "OPTIONS")

    def initialize(self, operations: Sequence[Operation], version: str) -> None:
        """Take what is to be described."""
        self._operations = tuple(operations)
        self._version = version

    @web.authenticated
    @authorized("read", resource="helix_lab:openapi.json")
    async def get(self) -> None:
        """Give the OpenAPI document."""
        self.send(self._describe())

    @web.authenticated
    @authorized("read", resource="helix_lab:openapi.json")
    async def head(self) -> None:
        """Give its headers."""
        self.send(self._describe())

    def _describe(self) -> Answer:
        url = self.base_url.rstrip("/") or "/"
        return Answer(HTTPStatus.OK, _dump(self._operations, self._version, url))


class UnknownRouteHandler(RestHandler):
    """Answers below /v1 where nothing is."""

    @web.authenticated
    @authorized("read", resource="helix_lab:unknown")
    async def get(self, _path: str) -> None:
        """Refuse."""
        self._refuse()

    @web.authenticated
    @authorized("read", resource="helix_lab:unknown")
    async def head(self, _path: str) -> None:
        """Refuse."""
        self._refuse()

    @web.authenticated
    @authorized("read", resource="helix_lab:unknown")
    async def post(self, _path: str) -> None:
        """Refuse."""
        self._refuse()

    @web.authenticated
    @authorized("read", resource="helix_lab:unknown")
    async def put(self, _path: str) -> None:
        """Refuse."""
        self._refuse()

    @web.authenticated
    @authorized("read", resource="helix_lab:unknown")
    async def patch(self, _path: str) -> None:
        """Refuse."""
        self._refuse()

    @web.authenticated
    @authorized("read", resource="helix_lab:unknown")
    async def delete(self, _path: str) -> None:
        """Refuse."""
        self._refuse()

    def _refuse(self) -> None:
        message = f"no route {self.request.path}; GET {self.base_url}v1/openapi.json lists them"
        raise web.HTTPError(HTTPStatus.NOT_FOUND, message)


def make_routes(
    operations: Sequence[Operation],
    engine: Engine,
    *,
    version: str,
    bases: Mapping[str, type[OperationHandler]] | None = None,
) -> list[Route]:
    """The routes of all operations, fixed paths before those with a placeholder.

    Args:
        operations: what is offered.
        engine: runs them.
        version: of the program, for the description of the routes.
        bases: by path, a handler that offers methods which are no operations.
    """
    bases = bases or {}
    by_path: dict[str, list[Operation]] = defaultdict(list)
    for operation in operations:
        by_path[operation.path].append(operation)
    described = {"operations": operations, "version": version}
    return [
        *((_to_pattern(path), _make_handler(by_path[path], bases.get(path, OperationHandler)),
           {"engine": engine}) for path in sorted(by_path, key=_rank)),
        (_to_pattern(UPDATES_PATH), KnowledgeUpdatesHandler, {"engine": engine}),
        (_to_pattern(ARTIFACT_PATH), ArtifactHandler, {"engine": engine}),
        (r"/v1/openapi\.json", OpenApiHandler, described),
        (r"/v1(/.*)?", UnknownRouteHandler, {}),
    ]  # fmt: skip


def _rank(path: str) -> list[bool]:
    return [part.startswith("{") for part in path.split("/")]


def _to_pattern(path: str) -> str:
    return "/".join(
        "([^/]+)" if part.startswith("{") else part.replace(".", r"\.") for part in path.split("/")
    )


def _make_handler(
    operations: Sequence[Operation], base: type[OperationHandler]
) -> type[OperationHandler]:
    own = [method for method in _METHODS if method in vars(base)]
    verbs = {m: _make_refusal(operations[0].noun) for m in _METHODS if m not in own}
    for operation in operations:
        verbs[operation.method.lower()] = _make_verb(operation)
        if operation.method == "GET":
            verbs["head"] = _make_verb(operation)
    methods = (*(operation.method for operation in operations), *(name.upper() for name in own))
    attributes = {
        "__doc__": "; ".join(operation.summary for operation in operations),
        "operations": {operation.method: operation for operation in operations},
        "allowed_methods": (*methods, *(["HEAD"] if "GET" in methods else []), "OPTIONS"),
        "_track_activity": operations[0].noun not in _POLLED,
    }
    name = "".join(part.title() for part in operations[0].name.split("_")) + "Handler"
    return type(name, (base,), attributes | verbs)


def _make_verb(operation: Operation) -> Verb:
    """A verb of its own for each class: `authorized` must not be shared between resources."""

    async def verb(self: OperationHandler, *path: str) -> None:
        await self.ask(operation, path)

    if operation.scope == "public":
        return allow_unauthenticated(verb)
    action = _ACTIONS[operation.scope]
    guarded: Verb = authorized(action, resource=f"helix_lab:{operation.noun}")(verb)
    return web.authenticated(guarded)


def _make_refusal(noun: str) -> Verb:
    """The verb of a method that a path lacks; only who may come in learns that it does."""

    async def verb(self: OperationHandler, *_path: str) -> None:
        await self.refuse_method()

    guarded: Verb = authorized("read", resource=f"helix_lab:{noun}")(verb)
    return web.authenticated(guarded)


@cache
def _dump(operations: tuple[Operation, ...], version: str, url: str) -> str:
    return json.dumps(make_openapi(operations, version=version, server_url=url))
