"""The runner: brings each projection to the end of the log, and is woken by the append."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from helix_lab.domain.model.errors import HelixError, InvalidRequest
from helix_lab.ports.event_log import EventLog
from helix_lab.projections.follower import Follower
from helix_lab.projections.projection import Projection
from helix_lab.projections.taking import DeadLetters
from helix_lab.projections.watcher import Watcher


class ProjectionRunner:
    """One thread a projection; a projection that fails does not hold up the others.

    Args:
        log: read from the checkpoint of each projection on.
        projections: by name.
        dead_letters: takes what is refused, before the checkpoint moves over it.
        by_workers: names of projections that workers do; here they are only watched.
    """

    def __init__(
        self,
        log: EventLog,
        projections: Sequence[Projection[Any]],
        *,
        dead_letters: DeadLetters,
        by_workers: Collection[str] = (),
    ) -> None:
        self._log = log
        self._followers: dict[str, Follower | Watcher] = {
            projection.name: (Watcher if projection.name in by_workers else Follower)(
                log, projection, dead_letters
            )
            for projection in projections
        }

    @property
    def names(self) -> tuple[str, ...]:
        """The projections, in order."""
        return tuple(self._followers)

    def start(self) -> None:
        """Begin to follow the log."""
        for follower in self._followers.values():
            follower.start()

    def catch_up(self, *names: str, timeout_s: float = 2.0) -> bool:
        """Wait until projections have applied all that is in the log now.

        Args:
            names: which; none means all.
            timeout_s: give up then.

        Returns:
            Whether they have; an answer from their stores lags behind the log otherwise.

        Raises:
            Unavailable: a projection that is behind is being rebuilt, or stands still; its
                store would answer wrongly, not only late.
        """
        deadline = time.monotonic() + timeout_s
        followers = [self._find(name) for name in names] or list(self._followers.values())
        return all(follower.wait_until_applied(deadline) for follower in followers)

    @contextmanager
    def reading(self, name: str, *, timeout_s: float = 2.0) -> Iterator[bool]:
        """Read a store in the block; it is given whether the store has caught up.

        Raises:
            Unavailable: as `catch_up`; or a rebuild began meanwhile, so that what was read is of
                a store half filled.
        """
        follower = self._find(name)
        rebuilds = follower.rebuilds
        try:
            yield follower.wait_until_applied(time.monotonic() + timeout_s)
        except HelixError as error:
            # Dropping a store stops who reads it.
            if follower.rebuilds != rebuilds:
                raise follower.explain_rebuild() from error
            raise
        if follower.rebuilds != rebuilds:
            raise follower.explain_rebuild()

    def measure_lag(self) -> dict[str, int]:
        """Offsets between the end of the log and each checkpoint; 0 is up to date."""
        return {name: follower.measure_lag() for name, follower in self._followers.items()}

    def list_faults(self) -> dict[str, str]:
        """Why a projection stands still, for those that do."""
        return {
            name: follower.fault for name, follower in self._followers.items() if follower.fault
        }

    def rebuild(self, name: str, *, on_progress: Callable[[float], None] | None = None) -> None:
        """Drop a store and fill it again from the log; returns when it is level with the log.

        Raises:
            InvalidRequest: no projection has this name.
        """
        self._find(name).rebuild(on_progress)

    def close(self) -> None:
        """Stop following; what is applied stays applied."""
        for follower in self._followers.values():
            follower.stop()
        self._log.wake()
        for follower in self._followers.values():
            follower.join()

    def _find(self, name: str) -> Follower | Watcher:
        if name not in self._followers:
            message = f"no store {name!r}; there are: {', '.join(self._followers)}"
            raise InvalidRequest(message, field="store")
        return self._followers[name]
