"""The websocket that tells what is new in the knowledge graph."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, Final

from jupyter_server.auth.decorator import authorized
from jupyter_server.base.websocket import WebSocketMixin
from tornado import web
from tornado.websocket import WebSocketClosedError, WebSocketHandler

from helix_lab.domain.model.errors import InvalidRequest
from helix_lab_server.engine import Engine
from helix_lab_server.rest_handler import RestHandler

UPDATES_PATH: Final = "/v1/ws/knowledge/updates"

_PAGE = 100


def make_wake(loop: asyncio.AbstractEventLoop, news: asyncio.Event) -> Callable[[], None]:
    """What tells a follower of news, from any thread."""

    def wake() -> None:
        # A server that ends closes its loop before its followers leave; the graph must not mind.
        with suppress(RuntimeError):
            loop.call_soon_threadsafe(news.set)

    return wake


class KnowledgeUpdatesHandler(WebSocketMixin, WebSocketHandler, RestHandler):
    """One follower of the graph.

    The next frames are read once the client has taken the last ones: who is slow, or away, costs
    no memory, and is told by a frame `missed` how many it cannot have any more.
    """

    allowed_methods = ("GET",)
    _track_activity = False

    def initialize(self, engine: Engine) -> None:
        """Take what all handlers share; Tornado calls it before each request."""
        self._engine = engine
        self._news = asyncio.Event()
        self._sending: asyncio.Task[None] | None = None

    async def prepare(self, *_: Any, **__: Any) -> None:
        """Let in who may come in, as to any route."""
        await RestHandler.prepare(self)

    def set_default_headers(self) -> None:
        """None: an answer that opens a websocket has no body to keep."""

    @web.authenticated
    @authorized("read", resource="helix_lab:knowledge")
    async def get(self, *args: Any, **kwargs: Any) -> None:  # type: ignore[override] # decorated
        """Open the websocket; what is wrong is told before."""
        lab = await self._engine.run(self._engine.holder.get)
        self._feed = lab.services.graph_feed
        self._position, self._is_lost = self._choose_start()
        if self.request.headers.get("Upgrade", "").lower() != "websocket":
            message = f"{UPDATES_PATH} is a websocket; open it with ws:// or wss://"
            raise InvalidRequest(message, field="Upgrade")
        await super().get(*args, **kwargs)

    def _choose_start(self) -> tuple[int, bool]:
        since = self.get_query_argument("since", None)
        if since is None:
            return self._feed.end, False
        position = self._feed.to_position(since)
        return (0, True) if position is None else (position, False)

    def open(self, *args: Any, **kwargs: Any) -> None:
        """Begin to send."""
        super().open(*args, **kwargs)
        self._sending = asyncio.get_running_loop().create_task(self._send())

    def on_message(self, message: str | bytes) -> None:
        """Refuse: a client has nothing to say here."""
        del message
        self.close(1003, "this websocket only sends")

    def on_close(self) -> None:
        """Stop sending."""
        super().on_close()
        if self._sending is not None:
            self._sending.cancel()

    async def _send(self) -> None:
        try:
            with self._feed.listening(make_wake(asyncio.get_running_loop(), self._news)):
                await self._greet()
                while True:
                    self._news.clear()
                    await self._send_news()
                    await self._news.wait()
        except WebSocketClosedError:
            return

    async def _greet(self) -> None:
        if self._is_lost:
            await self._write([self._tell("missed", count=None)])
        await self._write([self._tell("subscribed")])

    async def _send_news(self) -> None:
        while True:
            page = self._feed.read(self._position, limit=_PAGE)
            if page.missed:
                # Whoever leaves now goes on here, so it comes before the frames of this page.
                self._position += page.missed
                await self._write([self._tell("missed", count=page.missed)])
            self._position = page.position
            if not page.frames:
                return
            await self._write(page.frames)

    async def _write(self, frames: Sequence[dict[str, Any]]) -> None:
        """Send frames, no faster than the client takes them."""
        for frame in frames:
            await self.write_message(json.dumps(frame, separators=(",", ":")))

    def _tell(self, kind: str, **fields: Any) -> dict[str, Any]:
        now = datetime.now(UTC).isoformat(timespec="microseconds").removesuffix("+00:00") + "Z"
        return {
            "type": kind,
            **fields,
            "timestamp": now,
            "offset": self._feed.to_offset(self._position),
        }
