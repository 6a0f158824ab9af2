"""What all handlers share: the lab, the threads that run operations, and the limits."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

from helix_lab.domain.model.errors import Unavailable
from helix_lab.operations.cancellation import CancelScope
from helix_lab.operations.operation import Operation
from helix_lab_server.answering import Answer, carry_out
from helix_lab_server.asking import Asked
from helix_lab_server.holder import LabHolder
from helix_lab_server.streaming import Form, Pieces

T = TypeVar("T")

_LONG = frozenset({"wait_s", "timeout_s"})
"""Fields by which a request says that it may take long."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Sizes beyond which a request is refused.

    Attributes:
        max_body_bytes: of a JSON body, held in memory.
        max_upload_bytes: of an uploaded file, streamed to the disk.
        workers: operations that run at the same time; more wait for a thread.
    """

    max_body_bytes: int
    max_upload_bytes: int
    workers: int


class Engine:
    """Runs operations in threads, so that the event loop stays free.

    Args:
        holder: the lab.
        limits: sizes and numbers in force.
    """

    def __init__(self, holder: LabHolder, limits: Limits) -> None:
        self.holder = holder
        self.limits = limits
        self._scopes: set[CancelScope] = set()
        self._is_stopping = False
        self._working = ThreadPoolExecutor(limits.workers, thread_name_prefix="helix-operation")
        # Waiting for a job and SQL of one's own may take minutes. They have threads of their
        # own, so that others still get answers, and who asks for the health gets the truth.
        self._slow = ThreadPoolExecutor(limits.workers * 4, thread_name_prefix="helix-slow")

    @property
    def executor(self) -> Executor:
        """Threads for short work."""
        return self._working

    async def run(self, work: Callable[[], T]) -> T:
        """Do short work in a thread.

        Raises:
            Unavailable: the server is stopping.
        """
        self._refuse_if_stopping()
        return await asyncio.get_running_loop().run_in_executor(self._working, work)

    async def carry_out(self, operation: Operation, asked: Asked, *, scope: CancelScope) -> Answer:
        """Run an operation in a thread.

        Raises:
            HelixError: what the client or a service is to blame for.
        """
        self._refuse_if_stopping()
        is_slow = not _LONG.isdisjoint(operation.request.model_fields)
        pool = self._slow if is_slow else self._working
        self._scopes.add(scope)
        try:
            return await asyncio.get_running_loop().run_in_executor(
                pool, lambda: carry_out(self.holder, operation, asked, scope=scope)
            )
        finally:
            self._scopes.discard(scope)

    async def stream(
        self, operation: Operation, asked: Asked, *, form: Form, scope: CancelScope
    ) -> AsyncGenerator[str, None]:
        """The answer of an operation piece by piece; the next is made when it is asked for.

        Raises:
            HelixError: before the first piece; later ones become pieces themselves.
        """
        self._refuse_if_stopping()
        loop = asyncio.get_running_loop()
        pieces = Pieces(self.holder, operation, asked, form=form, scope=scope)
        self._scopes.add(scope)
        try:
            text: str | None = await loop.run_in_executor(self._slow, pieces.open)
            while text is not None:
                yield text
                text = await loop.run_in_executor(self._slow, pieces.next)
        finally:
            scope.cancel()
            self._scopes.discard(scope)
            await loop.run_in_executor(self._slow, pieces.close)

    def stop(self) -> None:
        """Take no more requests, and ask what runs to stop; call it on the event loop."""
        self._is_stopping = True
        for scope in tuple(self._scopes):
            scope.cancel()

    def close(self) -> None:
        """After `stop`, wait for the threads, then close the lab; blocks."""
        self._working.shutdown(wait=True, cancel_futures=True)
        self._slow.shutdown(wait=True, cancel_futures=True)
        self.holder.close()

    def _refuse_if_stopping(self) -> None:
        if self._is_stopping:
            message = "Helix Lab is stopping"
            raise Unavailable(message, service="helix_lab")
