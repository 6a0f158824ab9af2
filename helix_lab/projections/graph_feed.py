"""What is new in the graph, kept for a while, so that others can follow it at their own pace.

A follower holds a position and asks for what comes after it. Nothing is queued for anybody: who
is slow reads later, and is told how much it missed once that is not kept any more.
"""

from __future__ import annotations

import threading
import uuid
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from helix_lab.domain.knowledge.edges import Parts
from helix_lab.domain.model.errors import InvalidRequest

MOST_KEPT: Final = 10_000
"""Frames; an older one is forgotten."""

Frame = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Page:
    """What comes after a position.

    Attributes:
        missed: frames in between that are forgotten.
        position: to ask with the next time.
    """

    missed: int
    frames: list[Frame]
    position: int


class GraphFeed:
    """The latest frames, numbered from 0 in each process. Safe in threads."""

    def __init__(self, *, most_kept: int = MOST_KEPT) -> None:
        self._life = uuid.uuid4().hex[:12]
        self._lock = threading.Lock()
        self._frames: deque[Frame] = deque(maxlen=most_kept)
        self._end = 0
        self._listeners: list[Callable[[], None]] = []

    @property
    def end(self) -> int:
        """The position after all frames."""
        return self._end

    @property
    def is_heard(self) -> bool:
        """Somebody listens."""
        return bool(self._listeners)

    def publish(self, frames: Sequence[Frame]) -> None:
        """Add frames, and wake who listens."""
        if not frames:
            return
        with self._lock:
            for frame in frames:
                self._frames.append({**frame, "offset": self.to_offset(self._end + 1)})
                self._end += 1
            listeners = list(self._listeners)
        for wake in listeners:
            wake()

    def read(self, position: int, *, limit: int) -> Page:
        """At most so many frames after a position."""
        with self._lock:
            first = self._end - len(self._frames)
            start = max(position, first)
            places = range(start - first, min(start - first + limit, len(self._frames)))
            frames = [self._frames[place] for place in places]
        return Page(start - position, frames, start + len(frames))

    @contextmanager
    def listening(self, wake: Callable[[], None]) -> Iterator[None]:
        """Have `wake` called, in any thread, after each addition."""
        with self._lock:
            self._listeners.append(wake)
        try:
            yield
        finally:
            with self._lock:
                self._listeners.remove(wake)

    def to_offset(self, position: int) -> str:
        """The position as text, which tells this process from another."""
        return f"{self._life}-{position}"

    def to_position(self, offset: str) -> int | None:
        """The position of an offset; None: it is of another process, whose frames are gone.

        Raises:
            InvalidRequest: it is no offset.
        """
        life, _, number = offset.partition("-")
        if not (life.isalnum() and number.isdecimal() and len(number) < 16):  # noqa: PLR2004
            message = (
                f"since is {offset[:40]!r}; it must be the offset of a frame that was received"
            )
            raise InvalidRequest(message, field="since")
        return min(int(number), self._end) if life == self._life else None


def describe_news(parts: Parts, created: Sequence[str]) -> list[Frame]:
    """A frame for each entity that is new or named again, and each relation with new support."""
    new = set(created)
    frames: list[Frame] = [
        {
            "type": "entity_created" if entity_id in new else "entity_updated",
            "entity": {"id": entity_id, "name": part.name, "type": part.type},
            "timestamp": part.last_at,
        }
        for entity_id, part in parts.entities.items()
    ]
    frames += [
        _tell_relation(source, target, kind, count=edge.count, time=edge.last_at)
        for (source, target, kind), edge in parts.related.items()
    ]
    frames += [
        _tell_relation(source, claim.target, kind, count=1, time=claim.time)
        for (source, kind), claims in parts.claims.items()
        for claim in claims
    ]
    return frames


def _tell_relation(source: str, target: str, kind: str, *, count: int, time: str) -> Frame:
    relationship = {
        "source": source,
        "target": target,
        "type": kind.upper(),
        "added_support": count,
    }
    return {"type": "relationship_updated", "relationship": relationship, "timestamp": time}
