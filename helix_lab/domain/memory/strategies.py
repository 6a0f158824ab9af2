"""Strategies: which of the values that were written side by side are shown, and how.

A strategy is a function of one field and its values in their order, so every replica that uses
the same one shows the same, and nothing is lost by any: all values stay in the record.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from helix_lab.domain.memory.record import CONTENT, METADATA_PREFIX, Entry, Record
from helix_lab.domain.memory.text import merge_texts
from helix_lab.domain.model.errors import InvalidRequest

Strategy = Callable[[str, Sequence[Any]], Any]
"""From the name of a field and its values, latest last and at least two, to what is shown."""


@dataclass(frozen=True, slots=True)
class Memory:
    """A memory as it is shown.

    Attributes:
        fields: the values by field, each as the strategy shows it.
        concurrent: for each field written side by side, all its values in their order.
        version: the number of edits one upon the other; several shown as one count one more.
    """

    memory_id: str
    fields: Mapping[str, Any]
    tags: tuple[str, ...]
    version: int
    concurrent: Mapping[str, tuple[Entry, ...]]

    @property
    def metadata(self) -> dict[str, Any]:
        """The facts of the user's own; a key that was set to null is gone."""
        return {
            name.removeprefix(METADATA_PREFIX): value
            for name, value in self.fields.items()
            if name.startswith(METADATA_PREFIX) and value is not None
        }

    @property
    def has_conflict(self) -> bool:
        """Whether some value was written without knowledge of another that is still here."""
        return bool(self.concurrent)


def show(memory_id: str, record: Record, strategy: Strategy) -> Memory:
    """A record by a strategy."""
    concurrent = {
        name: tuple(entries) for name, entries in record.entries.items() if len(entries) > 1
    }
    fields = {
        name: strategy(name, [entry.value for entry in entries])
        if len(entries) > 1
        else entries[0].value
        for name, entries in record.entries.items()
    }
    return Memory(memory_id, fields, tuple(sorted(record.tags)), record.version, concurrent)


def last_write_wins(name: str, values: Sequence[Any]) -> Any:
    """The value with the greatest clock."""
    del name
    return values[-1]


def merge_all(name: str, values: Sequence[Any]) -> Any:
    """Texts joined, the greatest importance, the latest expiry; of the rest the last one."""
    if name == CONTENT and all(isinstance(value, str) for value in values):
        return merge_texts(values)
    if name == "importance":
        return max((value for value in values if value is not None), default=None)
    if name == "expires_at":
        return None if None in values else max(values)
    return last_write_wins(name, values)


STRATEGIES: Mapping[str, Strategy] = MappingProxyType(
    {"last_write_wins": last_write_wins, "merge_all": merge_all}
)
"""The built-in ones by name; the third, `custom`, is a function of the user's."""

_SAMPLES: tuple[tuple[str, tuple[Any, ...]], ...] = (
    (CONTENT, ("Prefer OAuth2", "Prefer JWT")),
    (CONTENT, ("one", "two", "three")),
    ("importance", (0.2, 0.9)),
    ("type", ("semantic", "episodic")),
    ("expires_at", (None, "2030-01-01T00:00:00Z")),
    ("m.source", ("chat", "form")),
)


def check_custom(strategy: Strategy) -> None:
    """Try a user's function on samples, in every order of their values.

    Raises:
        InvalidRequest: it raises, changes its input, or its answer depends on the order.
    """
    for name, values in _SAMPLES:
        expected = _try(strategy, name, values)
        for arranged in itertools.permutations(values):
            answer = _try(strategy, name, arranged)
            if answer != expected:
                message = (
                    f"the custom strategy gave {expected!r} for {values!r} of {name!r} and "
                    f"{answer!r} for {arranged!r}; it must not depend on the order, nor on "
                    "anything but the values"
                )
                raise InvalidRequest(message, field="strategy")


def _try(strategy: Strategy, name: str, values: tuple[Any, ...]) -> Any:
    given = list(values)
    try:
        answer = strategy(name, given)
    except Exception as error:
        message = f"the custom strategy failed on field {name!r} with {values!r}: {error!r}"
        raise InvalidRequest(message, field="strategy") from error
    if given != list(values):
        message = f"the custom strategy changed its input on field {name!r}"
        raise InvalidRequest(message, field="strategy")
    return answer
