"""One completion of the fake server: as it should be, or with a fault. JSON and SSE."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from helix_lab.domain.context.tokens import count_tokens

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tornado.web import RequestHandler

    from helix_lab.testing.fake_llm.faults import Fault

HUGE_BYTES = 9 * 1024 * 1024
DRIP_INTERVAL_S = 0.02
_PIECE_CHARS = 16


@dataclass(frozen=True, slots=True)
class Completion:
    """What is asked, and what the fake says to it."""

    digest: str
    model: str
    prompt: str
    text: str
    is_stream: bool
    has_usage: bool

    def usage(self) -> dict[str, int]:
        """Tokens as the lab counts them."""
        sent, said = count_tokens(self.prompt), count_tokens(self.text)
        return {"prompt_tokens": sent, "completion_tokens": said, "total_tokens": sent + said}

    def body(self, text: str | None = None, finish_reason: str = "stop") -> dict[str, Any]:
        """The JSON answer."""
        message = {"role": "assistant", "content": self.text if text is None else text}
        choice = {"index": 0, "message": message, "finish_reason": finish_reason}
        return self._head("chat.completion") | {"choices": [choice], "usage": self.usage()}

    def chunks(self, text: str | None = None, finish_reason: str = "stop") -> Iterator[str]:
        """The SSE events: role, content, finish, usage if asked for, `[DONE]`."""
        words = self.text if text is None else text
        yield self.event({"role": "assistant", "content": ""})
        for start in range(0, len(words), _PIECE_CHARS):
            yield self.event({"content": words[start : start + _PIECE_CHARS]})
        yield self.event({}, finish_reason)
        if self.has_usage:
            head = self._head("chat.completion.chunk")
            yield _sse(head | {"choices": [], "usage": self.usage()})
        yield "data: [DONE]\n\n"

    def event(self, delta: dict[str, str], finish_reason: str | None = None) -> str:
        """One SSE event with a delta."""
        choice = {"index": 0, "delta": delta, "finish_reason": finish_reason}
        return _sse(self._head("chat.completion.chunk") | {"choices": [choice]})

    def _head(self, kind: str) -> dict[str, Any]:
        return {"id": f"chatcmpl-{self.digest}", "object": kind, "created": 0, "model": self.model}


async def send(handler: RequestHandler, completion: Completion) -> None:
    """Answer as asked."""
    if not completion.is_stream:
        handler.write(completion.body())
        return
    _begin_stream(handler)
    for chunk in completion.chunks():
        handler.write(chunk)
        await handler.flush()


async def send_fault(
    handler: RequestHandler, completion: Completion, fault: Fault, gone: asyncio.Event
) -> None:
    """Answer wrongly; `gone` is set when the client went away or the server stops."""
    if fault.kind in {"status", "rate_limit"}:
        _send_error(handler, 429 if fault.kind == "rate_limit" else fault.status, fault.retry_after)
    elif fault.kind == "hang":
        await gone.wait()
    elif fault.kind == "slow_drip":
        await _drip(handler, completion, gone)
    elif fault.kind == "disconnect":
        handler.detach().close()
    elif fault.kind == "half_closed":
        _begin_stream(handler)
        handler.write(completion.event({"content": completion.text[:_PIECE_CHARS]}))
        await handler.flush()
        handler.detach().close()
    else:
        _send_content_fault(handler, completion, fault.kind)


def _send_content_fault(handler: RequestHandler, completion: Completion, kind: str) -> None:
    """Faults that are in what is said, not in how it is sent."""
    if kind == "wrong_content_type":
        handler.set_header("Content-Type", "text/html")
        handler.write("<html><body>Welcome to nginx</body></html>")
    elif kind == "no_stream":
        handler.write(completion.body())
    elif kind == "nonsense_json":
        handler.set_header("Content-Type", "application/json")
        handler.write('{"choices": "none", "hello": [1')
    elif not completion.is_stream:
        handler.write(_wrong_body(completion, kind))
    else:
        _begin_stream(handler)
        for chunk in _wrong_chunks(completion, kind):
            handler.write(chunk)


def _wrong_body(completion: Completion, kind: str) -> dict[str, Any]:
    if kind == "empty_choices":
        return completion.body() | {"choices": []}
    if kind == "content_filter":
        return completion.body("I", "content_filter")
    if kind == "huge":
        return completion.body("x" * HUGE_BYTES)
    return {"error": {"message": f"the fault {kind} needs a stream", "type": "fake"}}


def _wrong_chunks(completion: Completion, kind: str) -> Iterator[str]:
    if kind == "content_filter":
        yield from completion.chunks("I", "content_filter")
        return
    if kind != "empty_choices":
        yield completion.event({"content": completion.text[:_PIECE_CHARS]})
    if kind == "huge":
        for _ in range(HUGE_BYTES // 65_536):
            yield completion.event({"content": "x" * 65_536})
    elif kind == "malformed_sse":
        yield "data: {not json\n\n"
    elif kind == "error_in_stream":
        yield _sse({"error": {"message": "the engine is overloaded", "type": "server_error"}})
    if kind != "truncated":
        yield "data: [DONE]\n\n"


async def _drip(handler: RequestHandler, completion: Completion, gone: asyncio.Event) -> None:
    if completion.is_stream:
        _begin_stream(handler)
    while not gone.is_set():
        handler.write(completion.event({"content": "."}) if completion.is_stream else " ")
        await handler.flush()
        await asyncio.sleep(DRIP_INTERVAL_S)


def _send_error(handler: RequestHandler, status: int, retry_after: str | None) -> None:
    """An error that says more than it should: the key it was called with, as some servers do."""
    handler.set_status(status)
    if retry_after is not None:
        handler.set_header("Retry-After", retry_after)
    key = handler.request.headers.get("Authorization", "no key")
    handler.write({"error": {"message": f"status {status} for {key}", "type": "fake"}})


def _begin_stream(handler: RequestHandler) -> None:
    handler.set_header("Content-Type", "text/event-stream; charset=utf-8")
    handler.set_header("Cache-Control", "no-cache")


def _sse(data: dict[str, Any]) -> str:
    return f"data: {json.dumps(data)}\n\n"
