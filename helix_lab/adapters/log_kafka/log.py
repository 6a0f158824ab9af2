"""The `EventLog` on Kafka."""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from helix_lab.adapters.log_kafka.address import read_address
from helix_lab.adapters.log_kafka.cluster import Cluster
from helix_lab.adapters.log_kafka.copy import LocalCopy
from helix_lab.adapters.log_kafka.reader import Reader
from helix_lab.adapters.log_kafka.topics import apply_topics
from helix_lab.adapters.log_kafka.writer import Batch, Writer
from helix_lab.domain.model.errors import Conflict, Unavailable
from helix_lab.domain.model.event import TOPICS
from helix_lab.ports.event_log import EventLog, TopicState

if TYPE_CHECKING:
    from helix_lab.domain.model.clock import HybridTime
    from helix_lab.domain.model.event import Entry, Event

_PROBE_TIMEOUT_S = 1.5


class KafkaEventLog(EventLog):
    """The event log on the cluster at `url`, with a local copy in `folder`.

    Opens whether the cluster answers or not, and makes no topic. While it is away appends are
    refused, and reads are answered by the copy.

    Args:
        url: see `address.read_address`.
        folder: for the copy, `log-kafka.sqlite`, and `log-kafka.id`, who writes.
        topics: that must be there.
        followed: those of them that it may be asked for; None: all.
        in_order: topics whose events are written to partition 0 alone, however many there are:
            one order for all keys.
        is_strict: while the cluster is away, ends and keys are refused instead of told from the
            copy.

    Raises:
        InvalidRequest: the URL has another form.
        Unavailable: the copy cannot be made.
    """

    def __init__(
        self,
        url: str,
        folder: Path,
        *,
        topics: Sequence[str] = TOPICS,
        followed: Sequence[str] | None = None,
        in_order: Collection[str] = (),
        is_strict: bool = False,
    ) -> None:
        self._cluster = Cluster(read_address(url), topics, followed=followed)
        self._is_strict = is_strict
        self._copy = LocalCopy(folder / "log-kafka.sqlite")
        self._reader = Reader(self._cluster, self._copy)
        self._writer = Writer(
            self._cluster,
            self._copy,
            self._reader,
            identity=folder / "log-kafka.id",
            in_order=in_order,
        )

    def append(self, events: Sequence[tuple[str, Event]]) -> list[Entry]:
        """See `EventLog.append`; an event of more than 16 MiB raises `TooLarge`."""
        self._reader.check_open()
        if not events:
            return []
        return self._writer.append(Batch(events))

    def read(self, topic: str, partition: int, *, start_offset: int, limit: int) -> Sequence[Entry]:
        """See `EventLog.read`; what the copy has."""
        return self._copy.read((topic, partition), start_offset, max(limit, 0))

    def read_key(
        self, topic: str, key: str, *, start_offset: int = 0, limit: int | None = None
    ) -> list[Entry]:
        """See `EventLog.read_key`; costs one question to the cluster, and what the key has."""
        self._refresh([topic])
        most = None if limit is None else max(limit, 0)
        return self._copy.read_key(topic, key, start_offset, most)

    def end_offsets(self, topics: Sequence[str]) -> dict[tuple[str, int], int]:
        """See `EventLog.end_offsets`; never beyond what the copy has."""
        self._refresh(topics)
        found = {
            (topic, partition): 0
            for topic in topics
            for partition in range(self._cluster.partitions.get(topic, 0))
        }
        known = self._copy.positions.items()
        return found | {place: end for place, end in known if place[0] in topics}

    def wait_for_append(self, seen: Mapping[tuple[str, int], int], *, timeout_s: float) -> bool:
        """See `EventLog.wait_for_append`."""
        self._reader.check_open()
        return self._reader.wait_beyond(seen, timeout_s)

    def wake(self) -> None:
        """See `EventLog.wake`."""
        self._reader.wake()

    def greatest_clock(self) -> HybridTime:
        """See `EventLog.greatest_clock`; of what the copy has, where the cluster is away."""
        self._reader.check_open()
        with contextlib.suppress(Unavailable):
            self._reader.refresh(self._cluster.followed)
        return self._copy.greatest_clock()

    def apply_topics(
        self, partitions: Mapping[str, int | None], *, is_growing: bool = False
    ) -> list[TopicState]:
        """See `EventLog.apply_topics`."""
        self._reader.check_open()
        found = apply_topics(self._cluster, partitions, is_growing=is_growing)
        self._reader.look_soon()
        return found

    def erase(self, changes: Mapping[str, Event | None]) -> None:
        """See `EventLog.erase`; Kafka keeps what it has until it is too old for the topic.

        Raises:
            Conflict: always, where there is something to erase.
        """
        self._reader.check_open()
        if changes:
            message = (
                "a log on Kafka cannot forget single events; shorten the retention of its topics, "
                "or restore the others' conversations into a new log: see docs/erasure.md"
            )
            raise Conflict(message, events=len(changes))

    def probe(self) -> None:
        """See `EventLog.probe`; asks the cluster, not the copy."""
        self._copy.probe()
        self._cluster.look(timeout_s=_PROBE_TIMEOUT_S)
        self._cluster.list_ends(self._cluster.followed, timeout_s=_PROBE_TIMEOUT_S)

    def _refresh(self, topics: Iterable[str]) -> None:
        if self._is_strict:
            self._reader.demand(topics)
        else:
            self._reader.refresh(topics)

    def close(self) -> None:
        """See `EventLog.close`; an append under way finishes first."""
        self._writer.close()
        self._reader.close()
        self._copy.close()
