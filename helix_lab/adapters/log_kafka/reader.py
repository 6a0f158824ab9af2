"""The thread that follows the topics, and keeps the local copy level with them."""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from confluent_kafka import OFFSET_BEGINNING, KafkaException, TopicPartition

from helix_lab.adapters.log_kafka.arriving import sort_out
from helix_lab.adapters.log_kafka.client_settings import REQUEST_TIMEOUT_S, WRITE_TIMEOUT_S
from helix_lab.adapters.log_kafka.cluster import Cluster
from helix_lab.adapters.log_kafka.copy import LocalCopy
from helix_lab.adapters.log_kafka.tail import Place
from helix_lab.adapters.log_kafka.wire import Row
from helix_lab.domain.model.errors import HelixError, Unavailable

if TYPE_CHECKING:
    from confluent_kafka import Consumer, Message

LOGGER = logging.getLogger(__name__)

_BATCH = 5000
_POLL_S = 0.1
_LOOK_EVERY_S = 5.0
_LOOK_TIMEOUT_S = 2.0
_PAUSE_S = 0.5
_FLUSH_EVERY_S = 2.0
_QUIET_S = 0.2
_STUCK_S = 20.0
"""After which a consumer that brought nothing, though there is something, is replaced."""
_WORTH_SEEKING = 100
"""Messages that were taken over, in one partition; fewer are read and dropped."""


class Reader:
    """Reads every partition of the topics from where the copy ends. Safe in threads."""

    def __init__(self, cluster: Cluster, copy: LocalCopy) -> None:
        self._cluster = cluster
        self._copy = copy
        self._moved = threading.Condition()
        self._wake_count = 0
        self._stopping = threading.Event()
        self._look_at_s = 0.0
        self._has_looked = False
        self._markers: dict[Place, int] = {}
        self._is_resting = False
        self._rested_at_s = 0.0
        self._passed: dict[Place, int] = {}
        self._is_stuck = False
        self._brought_at_s = time.monotonic()
        self._thread = threading.Thread(target=self._run, name="helix-log-kafka", daemon=True)
        self._thread.start()

    def refresh(self, topics: Iterable[str]) -> None:
        """Make the copy level with the cluster; where that is away, leave it as it is.

        Raises:
            Unavailable: the copy has nothing, or is still being filled.
        """
        self.check_open()
        if self._cluster.is_away and self._copy.positions:
            return
        try:
            self.catch_up(topics)
        except Unavailable:
            if self._stopping.is_set() or not (self._cluster.is_away and self._copy.positions):
                raise

    def demand(self, topics: Iterable[str]) -> None:
        """Make the copy level with the cluster.

        Raises:
            Unavailable: the cluster is away, which is said at once where it is known, or the copy
                is still being filled.
        """
        self.check_open()
        if self._cluster.is_away:
            raise self._cluster.unavailable()
        self.catch_up(topics)

    def catch_up(self, topics: Iterable[str], *, timeout_s: float = REQUEST_TIMEOUT_S) -> None:
        """Wait until the copy has all that is committed now.

        Raises:
            Unavailable: the cluster does not answer, or the copy is far behind.
        """
        deadline = time.monotonic() + timeout_s
        self._await_first_look(deadline)
        ends = self._cluster.list_ends(topics, timeout_s=max(0.1, deadline - time.monotonic()))
        if not self.wait_for(ends, deadline):
            # Its consumer may have lost its brokers for good: see `cluster.RENEW_AFTER_S`.
            self._is_stuck = time.monotonic() - self._brought_at_s > _STUCK_S
            behind = sum(max(0, end - self._position(place)) for place, end in ends.items())
            message = (
                "the local copy of the event log is being filled from Kafka: "
                f"{behind} offsets to go; try again in a while"
            )
            raise Unavailable(message, service="kafka")

    def await_cluster(self, timeout_s: float) -> None:
        """Give a cluster that is away a little time to come back.

        Raises:
            Unavailable: it did not.
        """
        with self._moved:
            is_there = self._moved.wait_for(
                lambda: self._stopping.is_set() or not self._cluster.is_away, timeout=timeout_s
            )
        self.check_open()
        if not is_there:
            raise self._cluster.unavailable()

    def wait_for(self, ends: Mapping[Place, int], deadline: float) -> bool:
        """Whether the copy has come to these ends before the deadline."""
        with self._moved:
            return self._moved.wait_for(
                lambda: self._has_reached(ends),
                timeout=max(0.0, deadline - time.monotonic()),
            )

    def wait_beyond(self, seen: Mapping[Place, int], timeout_s: float) -> bool:
        """Whether a partition goes beyond what was seen, at once or before the time is over."""
        with self._moved:
            wake_count = self._wake_count
            self._moved.wait_for(
                lambda: (
                    self._stopping.is_set()
                    or self._wake_count != wake_count
                    or self._is_beyond(seen)
                ),
                timeout=timeout_s,
            )
            is_beyond = self._is_beyond(seen)
        self.check_open()
        return is_beyond

    def wake(self) -> None:
        """End the waits at once."""
        with self._moved:
            self._wake_count += 1
            self._moved.notify_all()

    @contextlib.contextmanager
    def resting(self) -> Iterator[None]:
        """Read nothing in the block: what is written in it is better taken over than read back."""
        self._is_resting = True
        try:
            yield
        finally:
            with self._moved:
                self._is_resting = False
                self._rested_at_s = time.monotonic()
                self._moved.notify_all()

    def take_over(
        self, fresh: Mapping[Place, Sequence[Row]], transactions: Mapping[Place, int]
    ) -> set[Place]:
        """Keep rows that this process wrote, so that they need not be read back.

        Args:
            fresh: they, by partition.
            transactions: the partitions in which a transaction of ours ended, and behind which
                of its events.

        Returns:
            The partitions where that could be; the others are read as usual.
        """
        # Between two transactions of ours lies what ended the first.
        self._copy.pass_over(
            {
                place: rows[0].offset
                for place, rows in fresh.items()
                if rows[0].offset == self._position(place) + 1 == self._marker(place) + 1
            }
        )
        taken = self._copy.continue_with(fresh)
        self._markers.update(transactions)
        for place in taken:
            if len(fresh[place]) >= _WORTH_SEEKING:
                self._passed[place] = fresh[place][-1].offset + 1
        with self._moved:
            self._moved.notify_all()
        return taken

    def look_soon(self) -> None:
        """Ask for new partitions at once."""
        self._look_at_s = 0.0

    def check_open(self) -> None:
        """Raise `Unavailable` after `close`."""
        if self._stopping.is_set():
            message = "the event log is closed; open the lab again"
            raise Unavailable(message, service="event log")

    def close(self) -> None:
        """End the thread; a wait under way raises `Unavailable`."""
        self._stopping.set()
        with self._moved:
            self._moved.notify_all()
        if self._thread is not threading.current_thread():
            self._thread.join()

    def _await_first_look(self, deadline: float) -> None:
        with self._moved:
            self._moved.wait_for(
                lambda: self._has_looked or self._cluster.is_away or self._stopping.is_set(),
                timeout=max(0.0, deadline - time.monotonic()),
            )
        self.check_open()
        if not self._has_looked:
            raise self._cluster.unavailable()

    def _is_beyond(self, seen: Mapping[Place, int]) -> bool:
        # What ended our transaction comes later than its answer, and is nothing new.
        known = {place: end + (end == self._marker(place)) for place, end in seen.items()}
        return any(self._position(place) > end for place, end in known.items())

    def _marker(self, place: Place) -> int:
        """Where the end of our last transaction lies, or another node's message."""
        return self._markers.get(place, -1)

    def _position(self, place: Place) -> int:
        return self._copy.positions.get(place, 0)

    def _has_reached(self, ends: Mapping[Place, int]) -> bool:
        if self._stopping.is_set():
            return False
        # What lies between our last event and the end is what ended our transaction.
        markers = {place: self._marker(place) + 1 for place in ends}
        passed = {p: e for p, e in ends.items() if e == markers[p] == self._position(p) + 1}
        if passed:
            self._copy.pass_over(passed)
        return all(self._position(place) >= end for place, end in ends.items())

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self._forget_places()
                consumer = self._cluster.make_consumer()
                self._is_stuck, self._brought_at_s = False, time.monotonic()
                self.look_soon()  # it follows nothing yet
                try:
                    self._follow(consumer)
                finally:
                    consumer.close()
            except (HelixError, KafkaException) as error:
                LOGGER.info("the copy of the event log waits: %s", error)
                with self._moved:
                    self._moved.notify_all()
                self._stopping.wait(_PAUSE_S)
            except Exception:
                LOGGER.exception("the copy of the event log failed; it begins again")
                self._stopping.wait(_PAUSE_S)

    def _follow(self, consumer: Consumer) -> None:
        assigned: set[Place] = set()
        flushed_at_s = time.monotonic()
        while not (self._stopping.is_set() or self._is_stuck):
            if time.monotonic() >= self._look_at_s or self._cluster.is_away:
                self._look(consumer, assigned)
            self._rest(consumer)
            now_s = time.monotonic()
            # While appends follow each other, both would slow each other down.
            if now_s - self._rested_at_s > _QUIET_S or now_s - flushed_at_s > _FLUSH_EVERY_S:
                self._copy.flush()
                flushed_at_s = now_s
            first = consumer.poll(_POLL_S)
            if first is not None:
                self._take([first, *consumer.consume(_BATCH, 0)])

    def _rest(self, consumer: Consumer) -> None:
        """Wait while this process writes, and go on behind what it took over."""
        with self._moved:
            self._moved.wait_for(
                lambda: self._stopping.is_set() or not self._is_resting, timeout=WRITE_TIMEOUT_S
            )
        while self._passed:
            (topic, partition), offset = self._passed.popitem()
            # Where it cannot be, what was written is read and dropped.
            with contextlib.suppress(KafkaException):
                consumer.seek(TopicPartition(self._cluster.name_topic(topic), partition, offset))

    def _look(self, consumer: Consumer, assigned: set[Place]) -> None:
        identity = self._cluster.look(timeout_s=_LOOK_TIMEOUT_S)
        self._look_at_s = time.monotonic() + _LOOK_EVERY_S
        if not self._copy.belongs_to(identity):
            LOGGER.warning(
                "the copy of the event log is of another cluster, or of topics with another "
                "prefix: it is filled anew. Rebuild the stores: helix-lab rebuild"
            )
            self._copy.forget()
            self._forget_places()
            consumer.unassign()  # else it goes on where it was
            assigned.clear()
            self._copy.belongs_to(identity)
        fresh = [
            (topic, partition)
            for topic in self._cluster.followed
            for partition in range(self._cluster.partitions.get(topic, 0))
            if (topic, partition) not in assigned
        ]
        if fresh:
            consumer.incremental_assign([self._locate(place) for place in fresh])
            assigned.update(fresh)
        with self._moved:
            self._has_looked = True
            self._moved.notify_all()

    def _forget_places(self) -> None:
        """Forget what was taken over where: in topics that were made anew it lies elsewhere."""
        self._markers.clear()
        self._passed.clear()

    def _locate(self, place: Place) -> TopicPartition:
        start = self._position(place) or OFFSET_BEGINNING
        return TopicPartition(self._cluster.name_topic(place[0]), place[1], start)

    def _take(self, messages: list[Message]) -> None:
        fresh, ends = sort_out(messages, self._cluster, self._copy)
        if ends:
            self._brought_at_s = time.monotonic()
            self._copy.apply(fresh, ends)
            with self._moved:
                self._moved.notify_all()
