"""A member of a consumer group: reads the partitions that the group gives it, without a copy."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Self

from confluent_kafka import OFFSET_BEGINNING, KafkaError, KafkaException, TopicPartition

from helix_lab.adapters.log_kafka.address import read_address
from helix_lab.adapters.log_kafka.cluster import Cluster
from helix_lab.adapters.log_kafka.topics import check_topics
from helix_lab.adapters.log_kafka.wire import to_entry, to_row

if TYPE_CHECKING:
    from confluent_kafka import Consumer, Message

    from helix_lab.adapters.log_kafka.tail import Place
    from helix_lab.domain.model.event import Entry

_POLL_S = 0.2


class KafkaGroupMember:
    """Joins the group of one projection on the cluster at `url`. For one thread.

    The group says who reads which partition; where to go on the caller says, and nothing is
    committed to Kafka.

    Args:
        url: see `address.read_address`.
        group: those that share the partitions.
        topics: of the projection.
        take: called for partitions that are given to this member; gives the next offset of each.
        on_change: called with how many partitions this member has.

    Raises:
        InvalidRequest: the URL has another form.
        Unavailable: the cluster does not answer, or its topics are not right.
    """

    def __init__(
        self,
        url: str,
        *,
        group: str,
        topics: Sequence[str],
        take: Callable[[Iterable[Place]], Mapping[Place, int]],
        on_change: Callable[[int], None],
    ) -> None:
        self._cluster = Cluster(read_address(url), topics)
        self._cluster.look()
        check_topics(self._cluster)
        self._take = take
        self._on_change = on_change
        self._ends: dict[Place, int] = {}
        self._failure: Exception | None = None
        self._consumer = self._cluster.make_consumer(group)
        self._consumer.subscribe(
            [self._cluster.name_topic(topic) for topic in topics],
            on_assign=self._assign,
            on_revoke=self._revoke,
            on_lost=self._revoke,
        )

    @property
    def places(self) -> Collection[Place]:
        """The partitions that this member has."""
        return self._ends.keys()

    def read(self, *, limit: int, gather_s: float) -> tuple[list[Entry], dict[Place, int]]:
        """Entries in the order of each partition, and where these end; empty where none come.

        Raises:
            Exception: what `take` raised.
            KafkaException: the group or a partition cannot be read.
        """
        first = self._consumer.poll(_POLL_S)
        found = [] if first is None else [first, *self._consumer.consume(limit - 1, gather_s)]
        if self._failure is not None:
            raise self._failure
        entries: list[Entry] = []
        ends: dict[Place, int] = {}
        for message in found:
            self._read(message, entries, ends)
        fresh = {place: end for place, end in ends.items() if end > self._ends.get(place, 0)}
        self._ends.update(fresh)
        return entries, fresh

    def close(self) -> None:
        """Leave the group: the others get the partitions at once."""
        self._consumer.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        error_type: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _read(self, message: Message, entries: list[Entry], ends: dict[Place, int]) -> None:
        error, topic, offset = message.error(), message.topic(), message.offset()
        if error is not None and error.code() != KafkaError._PARTITION_EOF:  # noqa: SLF001
            raise KafkaException(error)
        if topic is None or offset is None:
            return
        place = (self._cluster.find_topic(topic), message.partition() or 0)
        if place not in self._ends or offset < ends.get(place, self._ends[place]):
            return  # revoked since it was fetched; or fetched again, for it came back
        if error is None:
            row = to_row(message, place[0])
            entries.append(to_entry(*place, row.key or "", (row.offset, *row[2:])))
        ends[place] = offset if error else offset + 1

    def _assign(self, consumer: Consumer, given: list[TopicPartition]) -> None:
        try:
            starts = self._take([self._locate(place) for place in given]) if given else {}
        except Exception as error:  # an exception of a callback says nothing of where it came from
            self._failure = error
            return
        consumer.assign(
            [
                TopicPartition(place.topic, place.partition, start or OFFSET_BEGINNING)
                for place in given
                for start in [starts[self._locate(place)]]
            ]
        )
        self._ends = dict(starts)
        self._on_change(len(self._ends))

    def _revoke(self, consumer: Consumer, _taken: list[TopicPartition]) -> None:
        # All of them, whenever a member comes or goes.
        self._ends = {}
        consumer.unassign()

    def _locate(self, place: TopicPartition) -> Place:
        return self._cluster.find_topic(place.topic), place.partition
