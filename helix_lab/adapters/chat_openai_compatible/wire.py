"""One exchange: send a prompt, read the answer, streamed or whole, within bounds."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping

    import httpx

    from helix_lab.adapters.chat_openai_compatible.refusals import Refusals

MAX_ANSWER_BYTES = 8 * 1024 * 1024
_MAX_ERROR_BYTES = 64 * 1024
_NO_CHOICE = "answered without any choice"


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens as the provider counted them; None where it did not say."""

    input_tokens: int | None = None
    output_tokens: int | None = None
    cached_tokens: int | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back, and how long it took from sending to the last byte."""

    text: str
    finish_reason: str | None
    usage: Usage
    response_time_ms: float
    ttft_ms: float | None


@dataclass(slots=True)
class Stream:
    """An answer as it grows out of stream events."""

    refusals: Refusals
    pieces: list[str] = field(default_factory=list)
    size_bytes: int = 0
    refusal: str = ""
    finish_reason: str | None = None
    usage: Usage = field(default_factory=Usage)
    has_choice: bool = False
    is_done: bool = False

    def take(self, data: str) -> str:
        """Add one event; the new text in it, maybe empty.

        Raises:
            ProviderUnreachable: no JSON object, or the server reports its own failure.
            ProviderRefused: the answer is over the limit.
        """
        if data == "[DONE]":
            self.is_done = True
            return ""
        event = parse_object(data)
        if event is None:
            what = "sent a stream event that is not a JSON object"
            raise self.refusals.unreachable(what)
        if event.get("error"):
            what = f"broke off the answer{self.refusals.quote(error_text(event))}"
            raise self.refusals.unreachable(what)
        self.usage = parse_usage(event.get("usage")) or self.usage
        choice = first_choice(event)
        if choice is None:
            return ""
        self.has_choice = True
        self.finish_reason = _text(choice.get("finish_reason")) or self.finish_reason
        delta = choice.get("delta")
        delta = delta if isinstance(delta, dict) else {}
        self.refusal += _text(delta.get("refusal"))
        return self._add(_text(delta.get("content")))

    def _add(self, piece: str) -> str:
        self.size_bytes += len(piece.encode())
        if self.size_bytes > MAX_ANSWER_BYTES:
            raise too_large(self.refusals)
        self.pieces.append(piece)
        return piece


async def exchange(
    client: httpx.AsyncClient,
    url: str,
    body: Mapping[str, Any],
    refusals: Refusals,
    on_piece: Callable[[str], None],
) -> Answer:
    """Ask once.

    Raises:
        ProviderError: for an answer that is none; transport errors pass through.
    """
    sent_s = time.perf_counter()
    async with client.stream("POST", url, json=body) as response:
        kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
        if not response.is_success:
            said = await _read(response, _MAX_ERROR_BYTES)
            text = error_text(parse_object((said or b"").decode(errors="replace")) or {})
            model = str(body["model"])
            raise refusals.of_status(response.status_code, response.headers, text, model)
        if kind == "text/event-stream":
            return await _read_stream(response, refusals, on_piece, sent_s)
        if kind != "application/json":
            what = f"answered with {kind or 'no content type'} instead of JSON; check the base URL"
            raise refusals.refused(what, content_type=kind)
        raw = await _read(response, MAX_ANSWER_BYTES)
        if raw is None:
            raise too_large(refusals)
        answer = _parse_whole(raw, refusals, sent_s)
        on_piece(answer.text)
        return answer


async def _read_stream(
    response: httpx.Response, refusals: Refusals, on_piece: Callable[[str], None], sent_s: float
) -> Answer:
    stream, ttft_ms = Stream(refusals), None
    async for data in _events(response, refusals):
        if piece := stream.take(data):
            ttft_ms = ttft_ms or _since_ms(sent_s)
            on_piece(piece)
        if stream.is_done:
            break
    if not stream.is_done and stream.finish_reason is None:
        what = "broke off the stream before the answer was complete"
        raise refusals.unreachable(what)
    if not stream.has_choice:
        raise refusals.refused(_NO_CHOICE)
    text = "".join(stream.pieces)
    _check_usable(text, stream.finish_reason, stream.refusal, refusals)
    return Answer(text, stream.finish_reason, stream.usage, _since_ms(sent_s), ttft_ms)


async def _events(response: httpx.Response, refusals: Refusals) -> AsyncIterator[str]:
    """Data of each server-sent event (WHATWG HTML §9.2.6), one line of it bounded."""
    buffer, data = b"", []
    async for chunk in response.aiter_bytes():
        buffer += chunk
        # A CR at the very end may be the first half of a CRLF: it waits for the next chunk.
        lines = buffer.removesuffix(b"\r").splitlines(keepends=True)
        rest = b"\r" if buffer.endswith(b"\r") else b""
        if lines and not lines[-1].endswith((b"\n", b"\r")):
            rest = lines.pop() + rest
        buffer = rest
        if len(buffer) > MAX_ANSWER_BYTES:
            raise too_large(refusals)
        for line in lines:
            text = line.decode(errors="replace").strip("\r\n\ufeff")
            if text.startswith("data:"):
                data.append(text.removeprefix("data:").removeprefix(" "))
            elif not text and data:
                yield "\n".join(data)
                data = []


async def _read(response: httpx.Response, limit_bytes: int) -> bytes | None:
    """The body; None where it is longer than the limit."""
    body = bytearray()
    async for chunk in response.aiter_bytes():
        body += chunk
        if len(body) > limit_bytes:
            return None
    return bytes(body)


def _parse_whole(raw: bytes, refusals: Refusals, sent_s: float) -> Answer:
    body = parse_object(raw.decode(errors="replace"))
    if body is None:
        what = "answered with something that is not a JSON object"
        raise refusals.refused(what)
    if body.get("error"):
        what = f"answered with an error{refusals.quote(error_text(body))}"
        raise refusals.refused(what)
    choice = first_choice(body)
    message = choice.get("message") if choice else None
    if choice is None or not isinstance(message, dict):
        raise refusals.refused(_NO_CHOICE)
    text, finish_reason = _text(message.get("content")), _text(choice.get("finish_reason")) or None
    _check_usable(text, finish_reason, _text(message.get("refusal")), refusals)
    usage = parse_usage(body.get("usage")) or Usage()
    return Answer(text, finish_reason, usage, _since_ms(sent_s), None)


def _check_usable(text: str, finish_reason: str | None, refusal: str, refusals: Refusals) -> None:
    if finish_reason == "content_filter":
        what = "stopped the answer by its content filter; rephrase the prompt"
        raise refusals.refused(what)
    if not text.strip():
        why = refusals.quote(refusal) or f" (finish_reason {finish_reason})"
        what = f"gave an empty answer{why}"
        raise refusals.refused(what)


def too_large(refusals: Refusals) -> Exception:
    """The error of an answer over the limit."""
    return refusals.refused(f"sent more than {MAX_ANSWER_BYTES} bytes; the answer was dropped")


def parse_object(text: str) -> dict[str, Any] | None:
    """A JSON object, or None."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def first_choice(body: Mapping[str, Any]) -> dict[str, Any] | None:
    """The first of `choices`, or None."""
    choices = body.get("choices")
    choice = choices[0] if isinstance(choices, list) and choices else None
    return choice if isinstance(choice, dict) else None


def parse_usage(usage: object) -> Usage | None:
    """Token counts of an answer; None where it has none."""
    if not isinstance(usage, dict):
        return None
    details = usage.get("prompt_tokens_details")
    cached = details.get("cached_tokens") if isinstance(details, dict) else None
    sent, said = usage.get("prompt_tokens"), usage.get("completion_tokens")
    return Usage(_count(sent), _count(said), _count(cached))


def error_text(body: Mapping[str, Any]) -> str:
    """What an error body says, in the forms that servers use; empty where it says nothing."""
    error = body.get("error", body.get("detail", body.get("message", "")))
    if isinstance(error, dict):
        code = error.get("code") or error.get("type")
        error = f"{error.get('message', '')}" + (f" ({code})" if code else "")
    return clean(error if isinstance(error, str) else json.dumps(error))


def clean(text: str) -> str:
    """The text without halves of surrogate pairs, which no store could write; pairs are joined."""
    if text.isascii():
        return text
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _text(value: object) -> str:
    return clean(value) if isinstance(value, str) else ""


def _count(value: object) -> int | None:
    is_count = isinstance(value, int) and not isinstance(value, bool) and value >= 0
    return value if is_count and isinstance(value, int) else None


def _since_ms(start_s: float) -> float:
    return (time.perf_counter() - start_s) * 1000
