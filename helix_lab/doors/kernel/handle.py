"""`hx`: the lab at hand in every notebook, connected at its first use."""

from __future__ import annotations

import atexit
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import cached_property, wraps
from typing import TYPE_CHECKING, Any, TypeVar

from helix_lab.domain.model.errors import HelixError

if TYPE_CHECKING:
    from pydantic import BaseModel

    from helix_lab.doors.client import Client
    from helix_lab.doors.widgets.context import ContextView
    from helix_lab.doors.widgets.conversation import ConversationView
    from helix_lab.doors.widgets.graph import GraphView
    from helix_lab.doors.widgets.monitor import RunMonitor
    from helix_lab.lab import Lab
    from helix_lab.operations.methods import Methods
    from helix_lab.operations.operation import Operation, StreamItem

    Connected = Client | Lab

T = TypeVar("T")

_OWN = ("close", "connected", "monitor", "view", "view_context", "view_graph")
"""The methods of the handle itself."""


class Handle:
    """The operations as methods; the lab is looked for when the first one is called.

    A kernel must start quickly and whatever the state of the lab, so nothing is imported or
    opened before. Every call can be interrupted.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._lab: Connected | None = None

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name.startswith("_"):
            raise AttributeError(name)
        method = getattr(self._methods, name, None)
        if method is None:
            message = f"a lab has no {name!r}; dir(hx) lists what it has"
            raise AttributeError(message, name=name, obj=self)
        return _shorten_errors(method)

    def __dir__(self) -> list[str]:
        from helix_lab.operations.table import OPERATIONS

        streams = [f"stream_{one.name}" for one in OPERATIONS if one.stream is not None]
        return [*(operation.name for operation in OPERATIONS), *streams, *_OWN]

    def __repr__(self) -> str:
        return repr(self._lab) if self._lab is not None else "<Helix Lab, not connected yet>"

    @property
    def connected(self) -> Connected | None:
        """The lab, if one is connected already."""
        return self._lab

    def view(self, conversation_id: str, *, at: int | str | None = None) -> ConversationView:
        """A viewer of one conversation: search, jump, pages, other versions of a message.

        Args:
            conversation_id: a conversation that exists.
            at: a message to begin at: its number from 1, or its id.
        """
        from helix_lab.doors.widgets.conversation import view_conversation

        return _shorten_errors(view_conversation)(self, conversation_id, at=at)

    def view_context(
        self, conversation_id: str, *, max_tokens: int | None = None, strategy: str = "hybrid"
    ) -> ContextView:
        """What a model is shown of a conversation: drag the budget, open a line's sources."""
        from helix_lab.doors.widgets.context import ContextView

        return _shorten_errors(ContextView)(
            self, conversation_id, max_tokens=max_tokens, strategy=strategy
        )

    def view_graph(self, entity: str | None = None) -> GraphView:
        """The knowledge graph as a picture and a table: around an entity, or the most mentioned."""
        from helix_lab.doors.widgets.graph import view_graph

        return _shorten_errors(view_graph)(self, entity)

    def monitor(self, run_id: str | None = None) -> RunMonitor:
        """How a run stands, live, with a button that cancels it; without an id the newest runs."""
        from helix_lab.doors.widgets.monitor import RunMonitor

        return _shorten_errors(RunMonitor)(self, run_id)

    def close(self) -> None:
        """Let go of the lab, so that another process can own it; the next call connects again."""
        with self._lock:
            if self._lab is not None:
                atexit.unregister(self._lab.close)
                self._lab.close()
                self._lab = None

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:  # noqa: ARG002, FBT001 - IPython's form
        """Show where it is connected: unlike `repr`, which inspectors call, this is a use."""
        try:
            printer.text(repr(self._connect()))
        except HelixError as error:
            printer.text(f"<Helix Lab, not connected: {error}>")

    @cached_property
    def _methods(self) -> Methods:
        return make_interruptible(self._connect)

    def _connect(self) -> Connected:
        from helix_lab.doors.connection import connect

        with self._lock:
            if self._lab is None:
                self._lab = connect()
                atexit.register(self._lab.close)
            return self._lab


def _shorten_errors(method: Callable[..., T]) -> Callable[..., T]:
    """The method, whose errors point at the user's own line, not at their way to here."""

    @wraps(method)
    def call(*args: Any, **kwargs: Any) -> T:
        try:
            return method(*args, **kwargs)
        except (HelixError, KeyboardInterrupt) as error:
            raise error.with_traceback(None) from None

    return call


def make_interruptible(connect: Callable[[], Methods]) -> Methods:
    """The operations of the lab that `connect` gives, each of which an interrupt stops."""
    from helix_lab.doors.interruptible import run_interruptibly
    from helix_lab.operations.methods import Methods

    class Interruptible(Methods):
        def call(self, operation: Operation, values: dict[str, Any]) -> BaseModel:
            return run_interruptibly(lambda: connect().call(operation, values))

        def stream(
            self, operation: Operation, values: dict[str, Any]
        ) -> Iterator[list[StreamItem]]:
            # Each wait for a piece can be interrupted, and then nobody wants more.
            pieces: Any = connect().stream(operation, values)
            try:
                while (batch := run_interruptibly(lambda: next(pieces, None))) is not None:
                    yield batch
            finally:
                # One that an interrupt left at work ends in its thread.
                with suppress(ValueError):
                    pieces.close()

    return Interruptible()
