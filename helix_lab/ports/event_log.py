"""The event log: the one durable truth, from which every store can be rebuilt."""

from __future__ import annotations

import abc
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Literal, Self

from helix_lab.domain.model.clock import HybridTime
from helix_lab.domain.model.event import Entry, Event


@dataclass(frozen=True, slots=True)
class TopicState:
    """A topic after `apply_topics`.

    Attributes:
        change: it was made, its settings or partitions were changed, or it was right.
    """

    topic: str
    partitions: int
    change: Literal["made", "changed", "none"]


class EventLog(abc.ABC):
    """Append-only streams of events, one or more partitions a topic. Safe in threads.

    Offsets grow within (topic, partition) in the order of appending; they may have gaps.
    An event id is in the log at most once.
    """

    @abc.abstractmethod
    def append(self, events: Sequence[tuple[str, Event]]) -> list[Entry]:
        """Make (topic, event) pairs durable, all or none; returns their entries in this order.

        Returns only when the events would survive the death of the process and of the machine.
        An event whose id is already in the log, with the same type, key, subject and data, is
        not written again: its first entry is returned. The same holds inside one batch.

        Raises:
            InvalidEvent: an event would not come back as it is (see `domain.model.event_json`).
            DuplicateId: an id is in the log with another type, key, subject or data.
            TooLarge: an event is larger than the log takes.
            LogWriteFailed: the events could not be made durable (a full disk, a lost broker),
                and the log stays readable. Nothing was written; where the answer of a broker was
                lost, the message says that the events may be there all the same.
        """

    @abc.abstractmethod
    def read(self, topic: str, partition: int, *, start_offset: int, limit: int) -> Sequence[Entry]:
        """At most `limit` entries from `start_offset` on, by offset; empty at the end."""

    @abc.abstractmethod
    def read_key(
        self, topic: str, key: str, *, start_offset: int = 0, limit: int | None = None
    ) -> list[Entry]:
        """All entries of one key in (clock, event id) order, without scanning the topic.

        Sees every append that returned before the call. Unknown key: empty. With
        `start_offset`, those of them that have at least this offset in their partition. With
        `limit`, the `limit` of them with the least offsets, so that pages can be read.
        """

    @abc.abstractmethod
    def end_offsets(self, topics: Sequence[str]) -> dict[tuple[str, int], int]:
        """For each partition of the topics, an offset greater than any in it now (0 when empty)."""

    @abc.abstractmethod
    def wait_for_append(self, seen: Mapping[tuple[str, int], int], *, timeout_s: float) -> bool:
        """Wait until a partition in `seen` ends beyond the given offset; False on time-out.

        Wakes at once for appends of this process, within a quarter of a second for others'.
        """

    @abc.abstractmethod
    def wake(self) -> None:
        """End the waits of this process for an append at once, as if their time were over."""

    @abc.abstractmethod
    def greatest_clock(self) -> HybridTime:
        """The greatest hybrid time of any event in the log, 0 when empty."""

    @abc.abstractmethod
    def apply_topics(
        self, partitions: Mapping[str, int | None], *, is_growing: bool = False
    ) -> list[TopicState]:
        """Make topics ready for events: those that are missing are made, their settings put right.

        Args:
            partitions: by topic how many it is to have; None leaves the number to the log.
            is_growing: add partitions where there are fewer. Keys stay where they are.

        Raises:
            Conflict: a topic cannot be put right without losing what is in it, or has fewer
                partitions.
            Unavailable: the log cannot be reached, or does not allow it.
        """

    @abc.abstractmethod
    def erase(self, changes: Mapping[str, Event | None]) -> None:
        """Replace events by others that tell less, or remove them, for the erasure of a person.

        Nothing of what they said is left in the files of the log when it returns. Offsets of
        others stay; that of a removed one becomes a gap. Unknown ids change nothing.

        Args:
            changes: by event id the event in its place, of the same id, type, key and subject;
                None removes it.

        Raises:
            Conflict: this log cannot forget single events; nothing was changed.
            Unavailable: the log cannot be used; the call may be repeated.
        """

    @abc.abstractmethod
    def probe(self) -> None:
        """Do one cheap real read; raise `Unavailable` if the log cannot be used."""

    @abc.abstractmethod
    def close(self) -> None:
        """Release everything; a wait under way and further calls raise `Unavailable`.

        Closing twice is harmless.
        """

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        error_type: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()
