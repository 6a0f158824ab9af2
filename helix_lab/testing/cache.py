"""What every `Cache` must do. An adapter subclasses the suite and gives `make_cache`."""

from __future__ import annotations

import abc
import time
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from helix_lab.ports.cache import Cache

PATIENCE_S = 30.0


class CacheTests(abc.ABC):
    """The contract of `Cache`, sentence by sentence; the values of the suite are texts."""

    @pytest.fixture
    @abc.abstractmethod
    def make_cache(self) -> Callable[[float], Cache[str]]:
        """Makes a cache whose values live for some seconds; closed at the end of the test."""

    @pytest.fixture
    def cache(self, make_cache: Callable[[float], Cache[str]]) -> Cache[str]:
        """A cache whose values outlive the test."""
        return make_cache(600)

    @pytest.fixture
    def key(self) -> str:
        """A key that nobody else uses."""
        return uuid.uuid4().hex

    def test_what_was_put_is_found(self, cache: Cache[str], key: str) -> None:
        """Equal to what was put, whatever it holds."""
        for value in ("one", "", "two\n\0 🦉"):
            cache.put(key, value)

            assert value == cache.get(key)

    def test_what_was_not_put_is_not_found(self, cache: Cache[str], key: str) -> None:
        """A key is not taken for another one."""
        cache.put(key, "one")

        assert cache.get(key + "x") is None
        assert cache.get(key[:-1]) is None

    def test_a_value_is_let_go_after_its_time(
        self, make_cache: Callable[[float], Cache[str]], key: str
    ) -> None:
        """It is there before, and not for ever."""
        cache = make_cache(0.05)
        cache.put(key, "one")

        deadline = time.monotonic() + PATIENCE_S
        while cache.get(key) is not None and time.monotonic() < deadline:
            time.sleep(0.005)

        assert cache.get(key) is None

    def test_threads_find_their_own_values(self, cache: Cache[str], key: str) -> None:
        """Nothing is mixed up."""

        def put_and_get(number: int) -> str | None:
            cache.put(f"{key}-{number}", str(number))
            return cache.get(f"{key}-{number}")

        with ThreadPoolExecutor(8) as pool:
            assert list(map(str, range(40))) == list(pool.map(put_and_get, range(40)))

    def test_a_cleared_cache_is_empty_and_takes_values_again(
        self, cache: Cache[str], key: str
    ) -> None:
        cache.put(key, "before")

        cache.clear()

        assert cache.get(key) is None
        cache.put(key, "after")
        assert "after" == cache.get(key)

    def test_it_can_be_used_and_says_so(self, cache: Cache[str]) -> None:
        """A probe of a cache that works returns."""
        cache.probe()

    def test_nothing_is_found_once_it_is_closed(self, cache: Cache[str], key: str) -> None:
        """Using it is harmless."""
        cache.put(key, "one")

        cache.close()
        cache.close()
        cache.put(key, "two")

        assert cache.get(key) is None
