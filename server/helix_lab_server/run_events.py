"""Changes of runs as Jupyter events, so that a front end need not poll."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from jupyter_events import EventLogger
    from tornado.ioloop import IOLoop

LOGGER = logging.getLogger(__name__)
SCHEMA_FILE = Path(__file__).parent / "event_schemas" / "run" / "v1.yaml"
SCHEMA_ID = "https://schema.helix-lab.org/events/run/v1"


class ChangedRun(Protocol):
    """What is told of a run."""

    @property
    def run_id(self) -> str:
        """Which run."""

    @property
    def kind(self) -> str:
        """Which job."""

    @property
    def state(self) -> str:
        """How it stands."""

    @property
    def progress(self) -> float:
        """How far it is, 0 to 1."""


class RunEvents:
    """Emits an event for each change of a run.

    Args:
        events: Jupyter's event logger; its websocket lives on the event loop.
        loop: that event loop.
    """

    def __init__(self, events: EventLogger, loop: IOLoop) -> None:
        self._events = events
        self._loop = loop
        self._is_closed = False
        events.register_event_schema(SCHEMA_FILE)

    def tell(self, run: ChangedRun) -> None:
        """Emit the state of a run; called in the thread of its job, which it must not disturb."""
        if self._is_closed:
            return
        data = {
            "run_id": run.run_id,
            "kind": run.kind,
            "state": run.state,
            "progress": run.progress,
        }
        try:
            self._loop.add_callback(self._emit, data)
        except RuntimeError:
            # The loop has just ended: nobody listens any more.
            LOGGER.debug("run %s changed after the event loop ended", run.run_id)

    def close(self) -> None:
        """Emit nothing more."""
        self._is_closed = True

    def _emit(self, data: dict[str, object]) -> None:
        self._events.emit(schema_id=SCHEMA_ID, data=data)
