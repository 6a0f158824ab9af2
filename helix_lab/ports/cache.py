"""The cache: made contexts by key, for a while. What it loses costs time, never an answer."""

from __future__ import annotations

import abc
from typing import Generic, TypeVar

T = TypeVar("T")


class Cache(abc.ABC, Generic[T]):
    """Values by key. Safe in threads.

    Values come back equal to what was put; they may be the same object, so nobody changes them.
    A key that names all that its value was made of never holds a stale one.
    """

    @abc.abstractmethod
    def get(self, key: str) -> T | None:
        """The value of a key; None where it is not there, any more, or cannot be had now.

        Never raises because a server is away.
        """

    @abc.abstractmethod
    def put(self, key: str, value: T) -> None:
        """Keep a value for the time that the cache was made with; where it can."""

    @abc.abstractmethod
    def clear(self) -> None:
        """Let go of all values.

        Raises:
            Unavailable: some may still be there.
        """

    @abc.abstractmethod
    def probe(self) -> None:
        """Use it once for real; raise `Unavailable` if it cannot be used."""

    @abc.abstractmethod
    def close(self) -> None:
        """Release everything. Closing twice is harmless; afterwards nothing is found."""
