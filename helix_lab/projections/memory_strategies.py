"""Which strategy shows a memory: by its type, built in or a function of the user's own."""

from __future__ import annotations

import importlib
import logging
import queue
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from helix_lab.domain.memory.record import Record
from helix_lab.domain.memory.strategies import (
    STRATEGIES,
    Memory,
    Strategy,
    check_custom,
    last_write_wins,
    show,
)
from helix_lab.domain.model.errors import InvalidRequest

LOGGER = logging.getLogger(__name__)

CHECK_LIMIT_S = 5.0
CALL_LIMIT_S = 1.0
_SETTING = "MEMORY_CRDT_STRATEGY"
Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class Shown:
    """How values that stand side by side are shown.

    Attributes:
        name: of the strategy of most types.
        by_type: for the types of memories that have one of their own, its name too.
    """

    strategy: Strategy
    name: str
    by_type: Mapping[str, tuple[str, Strategy]] = field(default_factory=dict)

    def choose(self, record: Record) -> tuple[str, Strategy]:
        """The name and the strategy for a record, by the type that was written to it last."""
        types = record.entries.get("type")
        return self.by_type.get(types[-1].value if types else "", (self.name, self.strategy))

    def show(self, memory_id: str, record: Record) -> Memory:
        """The record by its strategy."""
        return show(memory_id, record, self.choose(record)[1])


def read_shown(text: str) -> Shown:
    """Strategies from a setting: one for all types, then `type=strategy` for others.

    `merge_all,working=last_write_wins,procedural=my_package.my_module:my_function`

    Raises:
        InvalidRequest: a function cannot be loaded, raises, does not come back, or depends on
            the order of the values.
    """
    first, *others = [part.strip() for part in text.split(",")]
    by_type = {}
    for part in others:
        kind, _, name = part.partition("=")
        by_type[kind.strip()] = (name.strip(), _find(name.strip()))
    return Shown(_find(first), first, by_type)


def _find(name: str) -> Strategy:
    return STRATEGIES[name] if name in STRATEGIES else _load(name)


def _load(name: str) -> Strategy:
    module, _, function = name.partition(":")
    try:
        found = getattr(importlib.import_module(module), function)
    except Exception as error:  # whatever a module of the user's does
        message = f"{_SETTING}: {name!r} cannot be loaded: {type(error).__name__}: {error}"
        raise InvalidRequest(message, field=_SETTING) from error
    try:
        _run(lambda: check_custom(found), limit_s=CHECK_LIMIT_S)
    except TimeoutError as error:
        message = f"{_SETTING}: {name!r} did not answer within {CHECK_LIMIT_S:.0f} s when tried"
        raise InvalidRequest(message, field=_SETTING) from error
    return _Guarded(name, found)


class _Guarded:
    """A function of the user's; where it fails, the last value is shown, and the log says so."""

    def __init__(self, name: str, strategy: Strategy) -> None:
        self._name = name
        self._strategy = strategy
        self._is_stuck = False

    def __call__(self, name: str, values: Sequence[Any]) -> Any:
        if self._is_stuck:
            return last_write_wins(name, values)
        try:
            return _run(lambda: self._strategy(name, list(values)), limit_s=CALL_LIMIT_S)
        except TimeoutError:
            self._is_stuck = True
            LOGGER.warning("strategy %s does not come back; it is not asked again", self._name)
        except Exception as error:  # whatever it raises
            LOGGER.warning("strategy %s failed on field %r: %r", self._name, name, error)
        return last_write_wins(name, values)


def _run(function: Callable[[], Answer], *, limit_s: float) -> Answer:
    """What a function gives, in a thread of its own, which is left behind if it never ends."""
    answers: queue.Queue[tuple[Answer | None, BaseException | None]] = queue.Queue()

    def call() -> None:
        try:
            answers.put((function(), None))
        except BaseException as error:  # it is raised again by who waits
            answers.put((None, error))

    threading.Thread(target=call, name="helix-strategy", daemon=True).start()
    try:
        answer, error = answers.get(timeout=limit_s)
    except queue.Empty:
        raise TimeoutError from None
    if error is not None:
        raise error
    return answer  # type: ignore[return-value] # there was no error, so it is the answer
