"""A thread with an event loop: a call in it can be given up at any point, also while it waits."""

from __future__ import annotations

import asyncio
import threading
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import httpx

from helix_lab.domain.model.errors import RunCancelled

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Mapping
    from concurrent.futures import Future

_T = TypeVar("_T")
_CONNECT_LIMIT_S = 10.0
_LOADINGS = 3


@dataclass(frozen=True, slots=True)
class _Running:
    loop: asyncio.AbstractEventLoop
    client: httpx.AsyncClient
    stopping: asyncio.Event
    thread: threading.Thread


class Worker:
    """Runs coroutines with one HTTP client, in one thread that starts with the first of them.

    A blocking client cannot be interrupted from outside while it waits for the first byte;
    a coroutine can, and its connection is closed at once. Safe in threads.
    """

    def __init__(self, name: str, headers: Mapping[str, str]) -> None:
        self._name = name
        self._headers = headers
        self._lock = threading.Lock()
        self._running: _Running | None = None
        self._is_closed = False

    def submit(self, call: Callable[[httpx.AsyncClient], Coroutine[Any, Any, _T]]) -> Future[_T]:
        """Begin a call; cancelling the future gives it up and closes its connection.

        Raises:
            RunCancelled: the worker is closed.
            ValueError, OSError, ImportError: the environment names a proxy or certificates
                that cannot be used.
        """
        with self._lock:
            if self._is_closed:
                message = f"{self._name} is closed"
                raise RunCancelled(message)
            if self._running is None:
                self._running = self._start()
            return asyncio.run_coroutine_threadsafe(call(self._running.client), self._running.loop)

    def close(self) -> None:
        """Give up running calls and close the connections; closing twice is harmless."""
        with self._lock:
            self._is_closed = True
            running, self._running = self._running, None
        if running is not None:
            running.loop.call_soon_threadsafe(running.stopping.set)
            running.thread.join()

    def _start(self) -> _Running:
        # The whole call has a deadline of its own; only connecting has a shorter one.
        timeout = httpx.Timeout(None, connect=_CONNECT_LIMIT_S)
        client = _make_client(timeout, self._headers)
        loop, stopping = asyncio.new_event_loop(), asyncio.Event()
        thread = threading.Thread(
            target=_serve, args=(loop, client, stopping), name=self._name, daemon=True
        )
        thread.start()
        return _Running(loop, client, stopping, thread)


def _make_client(timeout: httpx.Timeout, headers: Mapping[str, str]) -> httpx.AsyncClient:
    """A client; the first one of a process loads its transport.

    In that, anyio parses source, which CPython before 3.13 refuses where another thread parses
    at the same moment (python/cpython#106905). What is half loaded is then loaded anew.
    """
    for _ in range(_LOADINGS - 1):
        with suppress(SystemError):
            return httpx.AsyncClient(timeout=timeout, headers=headers)
    return httpx.AsyncClient(timeout=timeout, headers=headers)


def _serve(
    loop: asyncio.AbstractEventLoop, client: httpx.AsyncClient, stopping: asyncio.Event
) -> None:
    async def main() -> None:
        async with client:
            await stopping.wait()
            # Calls are cancelled before their connections go, or they would see them break.
            calls = asyncio.all_tasks() - {asyncio.current_task()}
            for call in calls:
                call.cancel()
            await asyncio.gather(*calls, return_exceptions=True)

    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        runner.run(main())
