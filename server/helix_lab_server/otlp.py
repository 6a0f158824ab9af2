"""Spans that exporters of OpenTelemetry send: `POST /v1/traces`, as OTLP/HTTP 1.x says it.

Requests and answers are protobuf or JSON, also the answers that refuse. The path is the one that
every exporter appends to its endpoint; GET on it lists traces, which is an operation.
"""

from __future__ import annotations

import asyncio
import json
import zlib
from http import HTTPStatus
from typing import Any

from jupyter_server.auth.decorator import authorized
from tornado import web

from helix_lab.domain.model.errors import HelixError, InvalidRequest
from helix_lab.operations.openapi_spans import FORMS, SPANS_PATH
from helix_lab.operations.problems import status_of
from helix_lab.operations.span_intake import Form, Intake, take_in_spans
from helix_lab_server.handlers import OperationHandler
from helix_lab_server.uploads import MemoryBody, declared_bytes, refuse_too_large

__all__ = ["SPANS_PATH", "SpanIntake"]

_WINDOW_BITS = {"gzip": 31, "deflate": 15}
_LENGTH_DELIMITED, _VARINT_MORE = 0x12, 0x80


class SpanIntake(OperationHandler):
    """Takes spans in; beside it, the operations of the path."""

    async def _open_body(self) -> None:
        if self.request.method != "POST":
            await super()._open_body()
            return
        limit = self._engine.limits.max_body_bytes
        refuse_too_large(declared_bytes(self.request.headers), limit)
        self._body = MemoryBody(max_bytes=limit)

    @web.authenticated
    @authorized("write", resource="helix_lab:traces")
    async def post(self) -> None:
        """Record the spans, and say how many were refused."""
        if self.fault is not None:
            raise self.fault
        form = self._read_form()
        sent = self._body.read() if isinstance(self._body, MemoryBody) else b""
        encoding = self.request.headers.get("Content-Encoding", "").strip().lower()
        limit = self._engine.limits.max_body_bytes

        def work() -> Intake:
            body = unpack(sent, encoding, max_bytes=limit)
            return take_in_spans(self._engine.holder.get().services, body, form=form)

        # Once it is being recorded it goes on, though the exporter may hang up.
        intake = await asyncio.shield(self._engine.run(work))
        self._answer(form, make_protobuf(intake) if form == "protobuf" else make_json(intake))

    def _read_form(self) -> Form:
        content_type = self.request.headers.get("Content-Type", "").partition(";")[0].strip()
        form = FORMS.get(content_type.lower())
        if form is None:
            message = f"Content-Type {content_type!r} is not one of {', '.join(FORMS)}"
            raise web.HTTPError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, message)
        return form

    def _answer(self, form: Form, body: bytes) -> None:
        content_type = next(name for name, known in FORMS.items() if known == form)
        self.set_header("Content-Type", content_type)
        self.finish(body, set_content_type=content_type)

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Tell an error as the exporter reads it: in protobuf, a `google.rpc.Status`."""
        content_type = self.request.headers.get("Content-Type", "")
        error = self.fault or kwargs.get("exc_info", (None, None, None))[1]
        is_protobuf = FORMS.get(content_type.partition(";")[0].strip().lower()) == "protobuf"
        if self.request.method != "POST" or not is_protobuf or not isinstance(error, HelixError):
            super().write_error(status_code, **kwargs)
            return
        self.set_status(status_of(error))
        self._answer("protobuf", make_status(error.message))


def unpack(sent: bytes, encoding: str, *, max_bytes: int) -> bytes:
    """A body without its compression, which may hold no more than is accepted without it.

    Raises:
        InvalidRequest: the encoding is not known, or the data are damaged.
        TooLarge: there is more in it than is accepted.
    """
    if encoding in ("", "identity"):
        return sent
    if encoding not in _WINDOW_BITS:
        message = f"Content-Encoding {encoding!r} is not known; send gzip, deflate or none"
        raise InvalidRequest(message, field="Content-Encoding")
    unpacked, rest = bytearray(), sent
    try:
        while rest:
            stream = zlib.decompressobj(_WINDOW_BITS[encoding])
            unpacked += stream.decompress(rest, max_bytes + 1 - len(unpacked))
            refuse_too_large(len(unpacked), max_bytes)
            if not stream.eof:
                raise _damaged(encoding, "it is cut off")
            rest = stream.unused_data
    except zlib.error as error:
        raise _damaged(encoding, str(error)) from None
    return bytes(unpacked)


def _damaged(encoding: str, reason: str) -> InvalidRequest:
    message = f"the body cannot be read as {encoding}: {reason}"
    return InvalidRequest(message, field="body")


def make_protobuf(intake: Intake) -> bytes:
    """An `ExportTraceServiceResponse`; empty where all is well."""
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
        ExportTraceServiceResponse,
    )

    response = ExportTraceServiceResponse()
    if intake.message:
        response.partial_success.rejected_spans = intake.rejected
        response.partial_success.error_message = intake.message
    return bytes(response.SerializeToString())


def make_json(intake: Intake) -> bytes:
    """The same in JSON; 64-bit numbers are texts there."""
    if not intake.message:
        return b"{}"
    told = {"rejectedSpans": str(intake.rejected), "errorMessage": intake.message}
    return json.dumps({"partialSuccess": told}).encode()


def make_status(message: str) -> bytes:
    """A `google.rpc.Status` in protobuf: its one field that exporters read is the message, 2."""
    text = message.encode("utf-8", "replace")
    length, encoded = len(text), bytearray([_LENGTH_DELIMITED])
    while length >= _VARINT_MORE:
        encoded.append(length % _VARINT_MORE | _VARINT_MORE)
        length //= _VARINT_MORE
    return bytes([*encoded, length]) + text
