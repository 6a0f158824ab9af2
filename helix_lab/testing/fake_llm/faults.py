"""Faults on demand: what a provider's server may do wrong."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass
from typing import Any

KINDS: tuple[str, ...] = (
    "none",
    "status",
    "rate_limit",
    "slow_drip",
    "hang",
    "disconnect",
    "half_closed",
    "truncated",
    "malformed_sse",
    "error_in_stream",
    "content_filter",
    "empty_choices",
    "nonsense_json",
    "wrong_content_type",
    "huge",
    "no_stream",
)
"""`none` answers as usual; `no_stream` answers a request for a stream with plain JSON."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing to do wrong.

    Attributes:
        kind: one of `KINDS`.
        status: HTTP status of the kind `status`.
        retry_after: header of the kinds `status` and `rate_limit`: seconds or an HTTP date.
        model: only requests for this model meet the fault; None is any.
    """

    kind: str
    status: int = 500
    retry_after: str | None = None
    model: str | None = None

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            message = f"unknown fault {self.kind!r}; choose one of {', '.join(KINDS)}"
            raise ValueError(message)


class FaultScript:
    """Faults in the order in which requests shall meet them. Safe in threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._faults: deque[Fault] = deque()

    def extend(self, faults: list[Fault]) -> None:
        """Append faults; each is met once."""
        with self._lock:
            self._faults.extend(faults)

    def clear(self) -> None:
        """Forget the faults that were not met."""
        with self._lock:
            self._faults.clear()

    def take(self, model: str, header: str | None) -> Fault:
        """The fault for a request: by its header, by its model's name (`sage!hang`), by script."""
        name = header or model.partition("!")[2]
        if name:
            return Fault("status", int(name)) if name.isdigit() else Fault(name)
        with self._lock:
            for fault in self._faults:
                if fault.model in {None, model}:
                    self._faults.remove(fault)
                    return fault
        return Fault("none")


def parse_faults(body: Any) -> list[Fault]:
    """Faults of a JSON body `{"faults": [{"kind": "rate_limit", "retry_after": "1"}, …]}`.

    Raises:
        ValueError: an unknown kind or field.
    """
    try:
        return [Fault(**item) for item in body["faults"]]
    except (KeyError, TypeError) as error:
        message = f'send {{"faults": [{{"kind": "…"}}]}}: {error}'
        raise ValueError(message) from error
