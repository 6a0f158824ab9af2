"""The cache in this process, by cachetools."""

from __future__ import annotations

import threading
from typing import TypeVar

from cachetools import TTLCache

from helix_lab.ports.cache import Cache

T = TypeVar("T")


class MemoryCache(Cache[T]):
    """As many values as fit, the ones used last, for a while.

    Args:
        size: values kept at most; 0 keeps nothing.
        ttl_s: how long each is kept.
    """

    def __init__(self, *, size: int, ttl_s: float) -> None:
        self._size = size
        self._lock = threading.Lock()
        # An empty cache of size 0 would refuse what is put into it.
        self._values: TTLCache[str, T] = TTLCache(max(size, 1), ttl_s)

    def get(self, key: str) -> T | None:
        """See `Cache.get`."""
        with self._lock:
            return self._values.get(key)

    def put(self, key: str, value: T) -> None:
        """See `Cache.put`."""
        with self._lock:
            if self._size:
                self._values[key] = value

    def clear(self) -> None:
        """See `Cache.clear`."""
        with self._lock:
            self._values.clear()

    def probe(self) -> None:
        """See `Cache.probe`; memory is always there."""

    def close(self) -> None:
        """See `Cache.close`."""
        with self._lock:
            self._size = 0
            self._values.clear()
