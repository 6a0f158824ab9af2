"""A user's statement that is stopped in time, and what is said of one that did not end well."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from helix_lab.adapters.analytics_clickhouse.binding import quote
from helix_lab.adapters.analytics_clickhouse.wire import (
    ACCESS_DENIED,
    READONLY,
    EngineError,
    Wire,
)
from helix_lab.domain.model.errors import (
    QueryCancelled,
    QueryFailed,
    QueryRefused,
    QueryTimedOut,
    Unavailable,
)

_MEASURE = (
    "SELECT read_rows AS done, total_rows_approx AS total FROM system.processes "
    "WHERE startsWith(query, {mark:String}) AND total > 0 LIMIT 1"
)


class Stopper:
    """Stops a statement, after a time or when told to."""

    def __init__(self, wire: Wire, timeout_s: float) -> None:
        self.timeout_s = timeout_s
        self.reason: type[QueryTimedOut | QueryCancelled] | None = None
        self._wire = wire
        self._mark = f"/* helix {uuid.uuid4().hex} */ "
        self._ended = threading.Event()
        self._timer = threading.Timer(timeout_s, self._stop, [QueryTimedOut])
        self._timer.daemon = True

    def mark(self, sql: str) -> str:
        """The statement so that the engine's list of statements shows whose it is."""
        return self._mark + sql

    def stop(self) -> None:
        """Stop because the caller does not want the answer any more; returns at once."""
        if not self._ended.is_set():
            self.reason = self.reason or QueryCancelled
            threading.Thread(target=self._stop, args=[QueryCancelled], daemon=True).start()

    def measure(self) -> float | None:
        """How much of the statement is done, from 0 to 1; None where the engine cannot tell."""
        if self._ended.is_set():
            return None
        try:
            rows = self._wire.read(_MEASURE, {"mark": self._mark}).to_pylist()
        except EngineError:
            return None
        if not rows or self._ended.is_set():
            return None
        return float(min(rows[0]["done"] / rows[0]["total"], 1.0))

    def _stop(self, reason: type[QueryTimedOut | QueryCancelled]) -> None:
        self.reason = self.reason or reason
        kill = f"KILL QUERY WHERE startsWith(query, {quote(self._mark)}) ASYNC"
        # One that has not begun yet is not in the list.
        while not self._ended.is_set():
            with suppress(EngineError):
                self._wire.run(kill)
            self._ended.wait(0.1)

    @contextmanager
    def explained(self) -> Iterator[None]:
        """Say why the statement in the block failed or was stopped.

        Raises:
            QueryRefused, QueryFailed: the engine did not run it.
            QueryTimedOut, QueryCancelled: it was stopped.
            Unavailable: the engine does not answer.
        """
        try:
            yield
        except EngineError as error:
            if self.reason is None:
                raise explain(error) from None
            raise self.give_reason() from None

    def give_reason(self) -> QueryTimedOut | QueryCancelled:
        """The error of a statement that was stopped."""
        if self.reason is QueryTimedOut:
            message = (
                f"the query ran longer than {self.timeout_s:g} s and was stopped; ask for less, "
                "or give it more time by timeout_s"
            )
            return QueryTimedOut(message, timeout_s=self.timeout_s)
        message = "the query was stopped because its caller asked for it or went away"
        return QueryCancelled(message)

    def __enter__(self) -> Stopper:
        self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()
        self._ended.set()


def explain(error: EngineError) -> QueryRefused | QueryFailed | Unavailable:
    """What the engine said of a user's statement."""
    text = str(error)
    if error.is_unreachable:
        return Unavailable(f"ClickHouse does not answer: {text}", service="clickhouse")
    if error.code in {READONLY, ACCESS_DENIED}:
        message = f"the query may only read the tables of this store: {text}"
        return QueryRefused(message, field="query")
    return QueryFailed(text, field="query")
