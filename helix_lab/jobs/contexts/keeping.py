"""Keeping contexts: what was made is taken from the nearest cache that has it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from functools import cache
from typing import TYPE_CHECKING

from helix_lab.jobs.contexts.made import Made
from helix_lab.ports.cache import Cache

if TYPE_CHECKING:
    from pydantic import TypeAdapter


class KeptContexts:
    """Contexts by key, in caches from the nearest to the farthest. Safe in threads."""

    def __init__(self, caches: Sequence[Cache[Made]]) -> None:
        self._caches = caches
        self._lock = threading.Lock()
        self._making: dict[str, threading.Lock] = {}

    def find_or_make(self, key: str, make: Callable[[], Made]) -> tuple[Made, bool]:
        """The context of a key and whether it was made anew; one thread makes, others wait."""
        if (found := self._find(key, self._caches[:1])) is not None:
            return found, False
        with self._lock:
            lock = self._making.setdefault(key, threading.Lock())
        try:
            with lock:
                if (found := self._find(key, self._caches)) is not None:
                    return found, False
                made = make()
                for one in self._caches:
                    one.put(key, made)
                return made, True
        finally:
            with self._lock:
                self._making.pop(key, None)

    def clear(self) -> None:
        """Let go of all contexts, in every cache."""
        for one in self._caches:
            one.clear()

    def _find(self, key: str, caches: Sequence[Cache[Made]]) -> Made | None:
        for distance, one in enumerate(caches):
            found = one.get(key)
            if found is not None:
                for nearer in caches[:distance]:
                    nearer.put(key, found)
                return found
        return None


@cache
def _adapter() -> TypeAdapter[Made]:
    from pydantic import TypeAdapter

    return TypeAdapter(Made)


def encode(made: Made) -> bytes:
    """A context as JSON, for a cache outside of this process."""
    return _adapter().dump_json(made)


def decode(raw: bytes) -> Made:
    """The context that was encoded.

    Raises:
        ValueError: it is something else.
    """
    return _adapter().validate_json(raw)
