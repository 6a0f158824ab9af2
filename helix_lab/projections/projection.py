"""What a projection is: it applies a batch of entries to its store, with its checkpoint."""

from __future__ import annotations

import abc
from collections.abc import Mapping, Sequence
from typing import ClassVar, Generic, TypeVar

from helix_lab.domain.model.event import EVENT_TYPES, Entry

Row = TypeVar("Row")

Checkpoint = Mapping[tuple[str, int], int]
"""(topic, partition) → next offset that is not applied yet."""


class Refused(Exception):
    """A projection cannot take an event; the runner keeps it as a dead letter and goes on."""


class Projection(abc.ABC, Generic[Row]):
    """Derives the content of one store from events.

    Attributes:
        batch_size: entries that are read at once and written together, at most.
        gather_s: how long single appends are gathered into a batch, unless somebody waits.
    """

    name: str
    topics: tuple[str, ...]
    batch_size: ClassVar[int] = 5000
    gather_s: ClassVar[float] = 0.02

    def prepare(self, entries: Sequence[Entry]) -> None:
        """Look at a batch before its entries are projected one by one; it refuses none."""

    def choose_gather_s(self) -> float:
        """How long single appends are gathered now."""
        return self.gather_s

    def begin_refill(self) -> None:
        """The store is empty and will be filled from the log; what is written may be held back."""

    def end_refill(self) -> None:
        """Write what was held back."""

    def close(self) -> None:
        """Give back what it holds besides its store; closing twice is harmless."""

    @abc.abstractmethod
    def project(self, entry: Entry) -> Row | None:
        """What one entry means to the store, without touching it; None if nothing.

        Raises:
            Exception: any; the entry becomes a dead letter with this reason.
        """

    @abc.abstractmethod
    def write(self, rows: Sequence[Row], checkpoint: Checkpoint) -> None:
        """Write rows and the checkpoint together, or (where the store cannot) harmlessly twice.

        Args:
            rows: in the order of the log; may be empty.
            checkpoint: moves over refused entries, too.
        """

    @abc.abstractmethod
    def read_checkpoint(self) -> dict[tuple[str, int], int]:
        """Where to go on."""

    @abc.abstractmethod
    def clear(self) -> None:
        """Drop the store's content and the checkpoint, to be rebuilt from the log."""


def check_is_known(entry: Entry) -> None:
    """Refuse an event of a type or version that this program does not know.

    Raises:
        Refused: with the type, the version, and what is known.
    """
    known = EVENT_TYPES.get(entry.event.type)
    if known is None:
        message = f"unknown event type {entry.event.type!r}"
        raise Refused(message)
    if entry.event.version > known.version:
        message = (
            f"{entry.event.type} has schema version {entry.event.version}; this program knows "
            f"versions up to {known.version}"
        )
        raise Refused(message)
