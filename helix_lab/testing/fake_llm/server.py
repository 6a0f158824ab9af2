"""The server: real HTTP on a real socket, in a thread of this process or as a program."""

from __future__ import annotations

import asyncio
import json
import threading
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Self

from tornado.httpserver import HTTPServer
from tornado.iostream import StreamClosedError
from tornado.netutil import bind_sockets
from tornado.web import Application, RequestHandler

from helix_lab.testing.fake_llm.completion import Completion, send, send_fault
from helix_lab.testing.fake_llm.faults import Fault, FaultScript, parse_faults
from helix_lab.testing.fake_llm.replies import digest_of, reply_to

if TYPE_CHECKING:
    from types import TracebackType

MODELS: tuple[str, ...] = ("sage", "skeptic", "builder")
"""Models that `/v1/models` lists; any other name is served too."""

_START_LIMIT_S = 10.0


@dataclass(frozen=True, slots=True)
class Received:
    """A completion request as it came.

    Attributes:
        digest: names the prompt: model and messages.
        fault: what it met; `none` for a request that was answered as asked.
        is_repeated: the same prompt was answered before.
        body: the JSON that was sent.
    """

    digest: str
    model: str
    fault: str
    is_repeated: bool
    body: dict[str, Any]


class FakeLLM:
    """An OpenAI-compatible server that needs no model, counts calls, and fails on demand.

    Use it in a test (`with FakeLLM() as fake: …`) or as `python -m helix_lab.testing.fake_llm`.

    Attributes:
        url: of the server; `base_url` is what a provider is configured with.
        faults: script of what to do wrong.
    """

    def __init__(self, *, port: int = 0, host: str = "127.0.0.1", delay_ms: float = 0.0) -> None:
        self.faults = FaultScript()
        self.delay_ms = delay_ms
        self._sockets = bind_sockets(port, host)
        self.url = f"http://{host}:{self._sockets[0].getsockname()[1]}"
        self.base_url = f"{self.url}/v1"
        self._received: list[Received] = []
        self._answered: set[str] = set()
        self._open_calls = 0
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="fake-llm", daemon=True)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping: asyncio.Event | None = None
        self._is_ready = threading.Event()

    @property
    def requests(self) -> list[Received]:
        """Completion requests so far, oldest first."""
        with self._changed:
            return list(self._received)

    def stats(self) -> dict[str, int]:
        """How many calls, how many were answered, how many repeated an answered prompt."""
        received = self.requests
        repeated = sum(request.is_repeated for request in received)
        return {
            "calls": len(received),
            "answered_prompts": len(self._answered),
            "repeated_calls": repeated,
        }

    def fail(self, *faults: Fault) -> None:
        """Let the next requests meet these faults, one each."""
        self.faults.extend(list(faults))

    def wait_for_calls(self, count: int, *, timeout_s: float = 10.0) -> None:
        """Return when so many requests have come.

        Raises:
            TimeoutError: they did not come in time.
        """
        with self._changed:
            if not self._changed.wait_for(lambda: len(self._received) >= count, timeout_s):
                message = f"{len(self._received)} of {count} calls came within {timeout_s} s"
                raise TimeoutError(message)

    def wait_until_idle(self, *, timeout_s: float = 10.0) -> None:
        """Return when no call is being answered: each ended, or its client went away.

        Raises:
            TimeoutError: one is still open.
        """
        with self._changed:
            if not self._changed.wait_for(lambda: self._open_calls == 0, timeout_s):
                message = f"{self._open_calls} calls are still open after {timeout_s} s"
                raise TimeoutError(message)

    def receive(self, body: dict[str, Any], header: str | None) -> tuple[Received, Fault]:
        """Note a request and say what it meets. A server's matter, not a test's."""
        model = str(body.get("model", ""))
        digest = digest_of(body.get("messages", []), model)
        fault = self.faults.take(model, header)
        with self._changed:
            is_repeated = digest in self._answered
            received = Received(digest, model, fault.kind, is_repeated, body)
            self._received.append(received)
            self._open_calls += 1
            self._changed.notify_all()
        return received, fault

    def note_end(self, digest: str, *, is_answered: bool) -> None:
        """Note that a call ended, and whether its prompt was answered in full."""
        with self._changed:
            self._open_calls -= 1
            if is_answered:
                self._answered.add(digest)
            self._changed.notify_all()

    def __enter__(self) -> Self:
        self._thread.start()
        if not self._is_ready.wait(_START_LIMIT_S):
            message = f"the fake LLM did not start within {_START_LIMIT_S} s"
            raise TimeoutError(message)
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._loop is not None and self._stopping is not None:
            self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join()

    async def serve(self, stopping: asyncio.Event) -> None:
        """Serve until `stopping` is set."""
        application = Application(
            [
                ("/v1/chat/completions", _Completions, {"fake": self, "stopping": stopping}),
                ("/v1/models", _Models),
                ("/_faults", _Faults, {"fake": self}),
                ("/_requests", _Requests, {"fake": self}),
                ("/_stats", _Stats, {"fake": self}),
            ],
            log_function=lambda _: None,
        )
        server = HTTPServer(application)
        server.add_sockets(self._sockets)
        self._is_ready.set()
        await stopping.wait()
        server.stop()
        await server.close_all_connections()

    def _run(self) -> None:
        async def main() -> None:
            self._loop, self._stopping = asyncio.get_running_loop(), asyncio.Event()
            await self.serve(self._stopping)

        asyncio.run(main())


class _FakeHandler(RequestHandler):
    def initialize(self, fake: FakeLLM) -> None:
        self.fake = fake

    def read_json(self) -> Any:
        return json.loads(self.request.body or b"{}")


class _Completions(RequestHandler):
    def initialize(self, fake: FakeLLM, stopping: asyncio.Event) -> None:
        self.fake, self.stopping, self.gone = fake, stopping, asyncio.Event()

    def on_connection_close(self) -> None:
        self.gone.set()

    async def post(self) -> None:
        body = json.loads(self.request.body)
        received, fault = self.fake.receive(body, self.request.headers.get("X-Fake-Fault"))
        is_usual, is_answered = fault.kind in {"none", "no_stream"}, False
        try:
            if is_usual:
                await asyncio.sleep(self.fake.delay_ms / 1000)
            await self._send(_complete(received), fault)
            is_answered = is_usual
        except StreamClosedError:
            return
        finally:
            self.fake.note_end(received.digest, is_answered=is_answered)

    async def _send(self, completion: Completion, fault: Fault) -> None:
        if fault.kind == "none":
            await send(self, completion)
            return
        # A fault without an end ends with its client, or with the server.
        stop = asyncio.ensure_future(self.stopping.wait())
        stop.add_done_callback(lambda _: self.gone.set())
        try:
            await send_fault(self, completion, fault, self.gone)
        finally:
            stop.cancel()


class _Models(RequestHandler):
    def get(self) -> None:
        rows = [{"id": name, "object": "model", "owned_by": "fake"} for name in MODELS]
        self.write({"object": "list", "data": rows})


class _Faults(_FakeHandler):
    def post(self) -> None:
        try:
            faults = parse_faults(self.read_json())
        except ValueError as error:
            self.set_status(400)
            self.write({"error": {"message": str(error)}})
            return
        self.fake.fail(*faults)
        self.write({"added": len(faults)})

    def delete(self) -> None:
        self.fake.faults.clear()
        self.set_status(204)


class _Requests(_FakeHandler):
    def get(self) -> None:
        self.write({"requests": [asdict(request) for request in self.fake.requests]})


class _Stats(_FakeHandler):
    def get(self) -> None:
        self.write(self.fake.stats())


def _complete(received: Received) -> Completion:
    messages = received.body.get("messages", [])
    return Completion(
        digest=received.digest,
        model=received.model,
        prompt="\n".join(str(message.get("content", "")) for message in messages),
        text=reply_to(messages, received.model),
        is_stream=bool(received.body.get("stream")),
        has_usage=bool((received.body.get("stream_options") or {}).get("include_usage")),
    )
