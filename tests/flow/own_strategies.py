"""Strategies as users write them, good and bad."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any


def shortest(name: str, values: Sequence[Any]) -> Any:
    """The shortest value, whatever the field."""
    del name
    return min(values, key=lambda value: (len(str(value)), str(value)))


def fails_on_jwt(name: str, values: Sequence[Any]) -> Any:
    """Good until a value is one that no sample has."""
    if "Prefer tokens" in values:
        raise KeyError(name)
    return shortest(name, values)


def first(name: str, values: Sequence[Any]) -> Any:
    """Depends on the order."""
    del name
    return values[0]


def endless(name: str, values: Sequence[Any]) -> Any:
    """Never comes back."""
    del name, values
    threading.Event().wait()
