"""Every cache keeps the contract of its port."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from helix_lab.adapters.cache_memory import MemoryCache
from helix_lab.adapters.cache_redis import RedisCache
from helix_lab.ports.cache import Cache
from helix_lab.settings import read_settings
from helix_lab.testing.cache import CacheTests
from tests.tiers import Running


class TestMemoryCache(CacheTests):
    @pytest.fixture
    def make_cache(self) -> Callable[[float], Cache[str]]:
        return lambda ttl_s: MemoryCache(size=100, ttl_s=ttl_s)

    def test_the_value_that_was_used_longest_ago_gives_way(self) -> None:
        cache = MemoryCache[str](size=2, ttl_s=60)
        for key in "ab":
            cache.put(key, key)
        cache.get("a")

        cache.put("c", "c")

        assert ["a", None, "c"] == [cache.get(key) for key in "abc"]


@pytest.mark.services("redis")
class TestRedisCache(CacheTests):
    @pytest.fixture
    def make_cache(self, running_services: Running) -> Iterator[Callable[[float], Cache[str]]]:
        url = read_settings(environment=running_services("redis")).cache_url
        assert url is not None
        made: list[RedisCache[str]] = []

        def make(ttl_s: float) -> RedisCache[str]:
            cache = RedisCache[str](
                url, namespace="test", ttl_s=ttl_s, encode=str.encode, decode=bytes.decode
            )
            made.append(cache)
            return cache

        yield make
        for cache in made:
            cache.close()
