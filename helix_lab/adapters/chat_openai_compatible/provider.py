"""The provider: one prompt, one reply, with retries, a deadline and a way to stop."""

from __future__ import annotations

import asyncio
import queue
import secrets
import time
from concurrent.futures import CancelledError
from contextlib import suppress
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import httpx

from helix_lab.adapters.chat_openai_compatible.prices import cost_usd
from helix_lab.adapters.chat_openai_compatible.refusals import Refusals
from helix_lab.adapters.chat_openai_compatible.wire import Answer, clean, exchange
from helix_lab.adapters.chat_openai_compatible.worker import Worker
from helix_lab.domain.model.errors import InvalidRequest, ProviderError, RunCancelled
from helix_lab.ports.chat import ChatProvider, ChatRequest, Reply

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Mapping
    from concurrent.futures import Future

_TICK_S = 0.05
_MAX_BACKOFF_S = 8.0
_ADAPTABLE = {"stream_options": "stream_options", "max_completion_tokens": "max_tokens"}
"""What a server's complaint names → the field that was sent."""

_random = secrets.SystemRandom()


class OpenAICompatibleProvider(ChatProvider):
    """A server with `POST {base_url}/chat/completions`, streamed where it streams.

    Retries (connection errors, 408, 409, 425, 429, 5xx, a broken stream) happen here and
    nowhere else, wait as Retry-After says or else with jittered exponential back-off, and all
    fit in the request's `timeout_s`. A stream that broke off after text went to `on_text` is
    not retried, for that text cannot be taken back. Proxies and certificates come from the
    environment, as httpx reads it.
    """

    def __init__(
        self,
        name: str,
        base_url: str,
        api_key: str | None,
        default_model: str,
        *,
        max_retries: int = 2,
        backoff_s: float = 0.5,
        prices: Mapping[str, tuple[float, float]] | None = None,
    ) -> None:
        """Configure; nothing is connected before the first question.

        Args:
            name: how debates and analytics call the provider.
            base_url: http or https, up to and with `/v1`.
            api_key: sent as a bearer token; None sends none. It is in no message and no repr.
            default_model: for requests that name no model.
            max_retries: attempts after the first.
            backoff_s: first wait; it doubles with each attempt.
            prices: model → US dollars per million tokens of (input, output), where the
                public price list does not know better.

        Raises:
            InvalidRequest: the URL is not http(s), or the key cannot be in a header.
        """
        self.name = name
        self.default_model = default_model
        self.max_retries = max_retries
        self._url = f"{_check_url(base_url).rstrip('/')}/chat/completions"
        self._base_url = base_url
        self._backoff_s = backoff_s
        self._prices = prices or {}
        self._adaptations: set[str] = set()
        key = _check_key(name, api_key)
        self._refusals = Refusals(name, self._url, key)
        authorization = {"Authorization": f"Bearer {key}"} if key else {}
        self._worker = Worker(f"chat-{name}", {"User-Agent": "helix-lab", **authorization})

    def complete(
        self,
        request: ChatRequest,
        *,
        on_text: Callable[[str], None] | None = None,
        should_stop: Callable[[], bool] | None = None,
    ) -> Reply:
        """Ask once; see the port. `ProviderTimedOut` counts retries and their waits too."""
        deadline_s = time.monotonic() + request.timeout_s
        caller = _Caller(on_text, should_stop)
        retries = 0
        while True:
            body = self._body(request)
            try:
                return self._reply(request, self._ask(request, body, deadline_s, caller))
            except ProviderError as error:
                if self._adapt(error, body):
                    continue
                wait_s = self._wait_s(error, retries)
                is_over = retries >= self.max_retries or caller.has_text
                if wait_s is None or is_over or time.monotonic() + wait_s >= deadline_s:
                    raise
            retries += 1
            caller.wait(wait_s)

    def close(self) -> None:
        """Give up running calls, close connections; closing twice is harmless."""
        self._worker.close()

    def _ask(
        self, request: ChatRequest, body: Mapping[str, Any], deadline_s: float, caller: _Caller
    ) -> Answer:
        caller.check()
        pieces: queue.SimpleQueue[str | None] = queue.SimpleQueue()

        async def call(client: httpx.AsyncClient) -> Answer:
            try:
                async with asyncio.timeout(deadline_s - time.monotonic()):
                    return await exchange(client, self._url, body, self._refusals, pieces.put)
            except TimeoutError:
                raise self._refusals.timed_out(request.timeout_s) from None
            except httpx.HTTPError as error:
                what = f"cannot be reached or broke off: {type(error).__name__} {error}"
                raise self._refusals.unreachable(what.strip()) from None

        future = self._submit(call)
        future.add_done_callback(lambda _: pieces.put(None))
        try:
            caller.forward(pieces)
            return future.result()
        except CancelledError:
            message = f"the provider {self.name!r} was closed during a call"
            raise RunCancelled(message) from None
        finally:
            future.cancel()

    def _submit(
        self, call: Callable[[httpx.AsyncClient], Coroutine[Any, Any, Answer]]
    ) -> Future[Answer]:
        try:
            return self._worker.submit(call)
        except (ValueError, OSError, ImportError, httpx.InvalidURL) as error:
            # The text of the error may quote a proxy's URL with its password.
            what = (
                f"cannot be called: the environment's proxy or certificate settings are unusable "
                f"({type(error).__name__}); check HTTPS_PROXY, ALL_PROXY and SSL_CERT_FILE"
            )
            raise self._refusals.refused(what) from None

    def _body(self, request: ChatRequest) -> dict[str, Any]:
        body: dict[str, Any] = {
            "model": request.model or self.default_model,
            "messages": [{"role": m.role, "content": clean(m.content)} for m in request.messages],
            "stream": True,
        }
        if "stream_options" not in self._adaptations:
            body["stream_options"] = {"include_usage": True}
        if request.temperature is not None:
            body["temperature"] = request.temperature
        if request.max_output_tokens is not None:
            is_new = "max_completion_tokens" in self._adaptations
            limit = "max_completion_tokens" if is_new else "max_tokens"
            body[limit] = request.max_output_tokens
        if request.seed is not None:
            body["seed"] = request.seed
        return body

    def _adapt(self, error: ProviderError, body: Mapping[str, Any]) -> bool:
        """Whether the server refused a field that can be left out or renamed without loss.

        Some servers know no `stream_options`; newer OpenAI models want `max_completion_tokens`.
        """
        if error.details.get("status") not in {400, 422}:
            return False
        found = {
            field_name
            for field_name, sent in _ADAPTABLE.items()
            if sent in body and field_name in error.message
        }
        self._adaptations |= found
        return bool(found)

    def _wait_s(self, error: ProviderError, number: int) -> float | None:
        """How long to wait before asking again; None where asking again is of no use."""
        if not error.is_retryable:
            return None
        asked_s = error.details.get("retry_after_s")
        jitter = _random.uniform(0.5, 1.0)
        if isinstance(asked_s, float):
            return asked_s + jitter * self._backoff_s / 10
        backoff_s: float = min(_MAX_BACKOFF_S, self._backoff_s * 2**number) * jitter
        return backoff_s

    def _reply(self, request: ChatRequest, answer: Answer) -> Reply:
        model = request.model or self.default_model
        cost = cost_usd(
            answer.usage,
            provider=self.name,
            model=model,
            base_url=self._base_url,
            stated=self._prices,
        )
        return Reply(
            text=answer.text,
            provider=self.name,
            model=model,
            response_time_ms=answer.response_time_ms,
            finish_reason=answer.finish_reason,
            ttft_ms=answer.ttft_ms,
            input_tokens=answer.usage.input_tokens,
            output_tokens=answer.usage.output_tokens,
            cost_usd=cost,
        )


class _Caller:
    """What the caller wants to hear and to say while it waits."""

    def __init__(
        self, on_text: Callable[[str], None] | None, should_stop: Callable[[], bool] | None
    ) -> None:
        self._on_text = on_text
        self._should_stop = should_stop
        self.has_text = False

    def check(self) -> None:
        """Raise RunCancelled where the caller wants to stop."""
        if self._should_stop is not None and self._should_stop():
            message = "the question to the provider was cancelled"
            raise RunCancelled(message)

    def forward(self, pieces: queue.SimpleQueue[str | None]) -> None:
        """Hand on pieces of text until None comes."""
        while True:
            self.check()
            with suppress(queue.Empty):
                piece = pieces.get(timeout=_TICK_S)
                if piece is None:
                    return
                if self._on_text is not None:
                    self.has_text = True
                    self._on_text(piece)

    def wait(self, seconds: float) -> None:
        """Wait before a retry, ready to stop."""
        end_s = time.monotonic() + seconds
        while (left_s := end_s - time.monotonic()) > 0:
            self.check()
            time.sleep(min(_TICK_S, left_s))


def _check_url(base_url: str) -> str:
    parts = urlsplit(base_url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        message = "the base URL of a provider must begin with http:// or https:// and name a host"
        raise InvalidRequest(message, field="base_url")
    if parts.username or parts.password or parts.query:
        message = "the base URL of a provider must not hold credentials; configure the API key"
        raise InvalidRequest(message, field="base_url")
    return base_url


def _check_key(name: str, api_key: str | None) -> str | None:
    key = (api_key or "").strip()
    if not key.isascii() or not key.isprintable() or " " in key:
        message = f"the API key of {name!r} has characters that no header may carry; copy it again"
        raise InvalidRequest(message, field="api_key")
    return key or None
