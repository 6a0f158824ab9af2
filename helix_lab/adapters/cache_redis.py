"""The cache on a Redis server (or Valkey: the same protocol), by redis-py."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, TypeVar

from helix_lab.domain.model.errors import Unavailable
from helix_lab.ports.cache import Cache

if TYPE_CHECKING:
    import redis

T = TypeVar("T")
LOGGER = logging.getLogger(__name__)

TIMEOUT_S: Final = 0.5
"""A cache that answers later than this costs more than it saves."""
_PREFIX: Final = "helix-lab:"

REST_S: Final = 5.0
"""How long a server that failed is left alone, so that requests do not wait for it one by one."""


class RedisCache(Cache[T]):
    """Values on a server that other processes may share, each for a while.

    A server that is away means that nothing is found and nothing kept.

    Args:
        url: `redis://[[user]:password@]host:port/database`, or `rediss://`; never shown.
        namespace: stands before each key: values of other releases are of no use.
        ttl_s: how long each value is kept.
        encode, decode: a value as bytes, and back; `decode` may raise ValueError.

    Raises:
        Unavailable: redis-py is not installed.
    """

    def __init__(
        self,
        url: str,
        *,
        namespace: str,
        ttl_s: float,
        encode: Callable[[T], bytes],
        decode: Callable[[bytes], T],
        rest_s: float = REST_S,
    ) -> None:
        try:
            import redis
        except ImportError:
            message = "a cache on Redis needs redis-py: pip install 'helix-lab[redis]'"
            raise Unavailable(message, service="redis") from None
        self._client: redis.Redis = redis.Redis.from_url(
            url, socket_timeout=TIMEOUT_S, socket_connect_timeout=TIMEOUT_S
        )
        self._failure = redis.RedisError
        self._namespace = namespace
        self._ttl_ms = max(1, int(ttl_s * 1000))
        self._encode = encode
        self._decode = decode
        self._rest_s = rest_s
        self._lock = threading.Lock()
        self._resting_until_s = 0.0
        self._is_closed = False

    def get(self, key: str) -> T | None:
        """See `Cache.get`."""
        found = self._try(lambda: self._client.get(self._name(key)))
        if not isinstance(found, bytes):
            return None
        try:
            return self._decode(found)
        except ValueError:
            LOGGER.warning("a value in Redis is not one of ours and is passed over")
            return None

    def put(self, key: str, value: T) -> None:
        """See `Cache.put`."""
        raw = self._encode(value)
        self._try(lambda: self._client.set(self._name(key), raw, px=self._ttl_ms))

    def clear(self) -> None:
        """See `Cache.clear`; of all releases, since the values of each tell the same."""
        self.probe()
        try:
            for name in self._client.scan_iter(f"{_PREFIX}*", count=1000):
                self._client.delete(name)
        except self._failure as error:
            message = f"Redis stopped answering while it was cleared ({type(error).__name__})"
            raise Unavailable(message, service="redis") from None

    def probe(self) -> None:
        """See `Cache.probe`."""
        if self._is_closed:
            raise Unavailable("the cache is closed", service="redis")  # noqa: EM101
        try:
            self._client.ping()
        except self._failure as error:
            message = f"Redis does not answer ({type(error).__name__})"
            raise Unavailable(message, service="redis") from None

    def close(self) -> None:
        """See `Cache.close`."""
        self._is_closed = True
        self._client.close()

    def _name(self, key: str) -> str:
        return f"{_PREFIX}{self._namespace}:{key}"

    def _try(self, call: Callable[[], object]) -> object:
        """The answer of the server; None where it is away, or was a moment ago."""
        with self._lock:
            if self._is_closed or time.monotonic() < self._resting_until_s:
                return None
        try:
            return call()
        except self._failure as error:
            with self._lock:
                self._resting_until_s = time.monotonic() + self._rest_s
            # Its own message may name the server, never the password.
            LOGGER.warning(
                "Redis does not answer (%s); contexts are kept in this process alone",
                type(error).__name__,
            )
            return None
