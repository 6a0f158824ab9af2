"""A worker: does a projection for the partitions that its group gives it."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

from helix_lab.domain.model.event import Entry
from helix_lab.projections.projection import Projection
from helix_lab.projections.taking import DeadLetters, take_in

LOGGER = logging.getLogger(__name__)

Place = tuple[str, int]
Take = Callable[[Iterable[Place]], Mapping[Place, int]]

_CONFIRM_EVERY_S = 1.0
_LONGEST_GATHER_S = 0.2
_FIRST_PAUSE_S = 0.2
_LONGEST_PAUSE_S = 10.0


class Claims(Protocol):
    """The partitions that a worker holds in its store."""

    def take(self, places: Iterable[Place]) -> Mapping[Place, int]:
        """Take partitions over, and give where to go on in each."""

    def confirm(self, places: Collection[Place]) -> None:
        """Raise if another worker has one of them."""


class Share(Protocol):
    """This member's partitions of a group."""

    @property
    def places(self) -> Collection[Place]:
        """Which they are."""

    def read(self, *, limit: int, gather_s: float) -> tuple[Sequence[Entry], Mapping[Place, int]]:
        """What comes next, and where each partition of it ends then; empty where nothing comes."""


class Worker:
    """One member of the group that does a projection. What it applied lies in the store alone.

    Args:
        projection: writes rows and checkpoint in one transaction, while it holds the partitions.
        claims: the partitions in the store.
        join: joins the group, for as long as the block lasts; it is given what takes partitions
            over, and calls it for those that the group assigns.
        dead_letters: takes what is refused.
    """

    def __init__(
        self,
        projection: Projection[Any],
        *,
        claims: Claims,
        join: Callable[[Take], AbstractContextManager[Share]],
        dead_letters: DeadLetters,
    ) -> None:
        self._projection = projection
        self._claims = claims
        self._confirm_at_s = 0.0
        self._join = join
        self._dead_letters = dead_letters
        self._stopping = threading.Event()

    def run(self) -> None:
        """Work until `stop`. What fails is begun anew from the checkpoint, after a pause."""
        pause_s = _FIRST_PAUSE_S
        while not self._stopping.is_set():
            try:
                with self._join(self._claims.take) as share:
                    while not self._stopping.is_set():
                        if self._apply_next(share):
                            pause_s = _FIRST_PAUSE_S
            except Exception as error:
                # The store or the log is away, or another worker took over: nothing was written.
                LOGGER.warning("worker of %s begins anew: %s", self._projection.name, error)
                self._stopping.wait(pause_s)
                pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)
        self._projection.close()

    def stop(self) -> None:
        """Let `run` end after the batch under way."""
        self._stopping.set()

    def _apply_next(self, share: Share) -> bool:
        """Apply what comes next, if something does; whether the store took anything."""
        entries, ends = share.read(
            limit=self._projection.batch_size,
            gather_s=min(self._projection.gather_s, _LONGEST_GATHER_S),
        )
        if ends:
            rows = take_in(self._projection, entries, self._dead_letters)
            self._projection.write(rows, ends)
            return True
        if time.monotonic() >= self._confirm_at_s and share.places:
            # A rebuild begins with shutting us out, and waits for us to begin anew.
            self._claims.confirm(share.places)
            self._confirm_at_s = time.monotonic() + _CONFIRM_EVERY_S
            return True
        return False
