"""The cluster: its clients, its partitions, where they end, and what is wrong with it."""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from helix_lab.adapters.log_kafka.address import KafkaAddress
from helix_lab.adapters.log_kafka.client_settings import (
    COMMON,
    CONSUMER,
    MEMBER,
    NOT_TO_A_PRODUCER,
    PRODUCER,
    REQUEST_TIMEOUT_S,
    WRITE_TIMEOUT_S,
)
from helix_lab.domain.model.errors import LogWriteFailed, MissingDriver, Unavailable

try:
    from confluent_kafka import (
        Consumer,
        IsolationLevel,
        KafkaError,
        KafkaException,
        Producer,
        TopicPartition,
    )
    from confluent_kafka.admin import AdminClient, OffsetSpec  # type: ignore[attr-defined]
except ModuleNotFoundError as error:  # lab.py imports this package where Kafka is configured
    message = (
        f"the event log on Kafka needs the package {error.name}: pip install 'helix-lab[kafka]'"
    )
    raise MissingDriver(message) from None

if TYPE_CHECKING:
    from helix_lab.adapters.log_kafka.tail import Place

LOGGER = logging.getLogger(__name__)

RENEW_AFTER_S = 10.0
"""Without an answer, before another client is tried: one that was told of no broker at work, as by
a broker that was silent for a while, never connects again (librdkafka issue 5301)."""

_RETRY_S = 0.05
_PASSING = frozenset(
    {
        KafkaError.NOT_LEADER_FOR_PARTITION,
        KafkaError.LEADER_NOT_AVAILABLE,
        KafkaError.UNKNOWN_TOPIC_OR_PART,
        KafkaError.FENCED_LEADER_EPOCH,
        KafkaError.UNKNOWN_LEADER_EPOCH,
        KafkaError.OFFSET_NOT_AVAILABLE,
    }
)


class Cluster:
    """The clients of one cluster. Safe in threads.

    Attributes:
        is_away: the last request failed; nothing waits for the cluster meanwhile.
        partitions: of each of our topics that there is, by our name of it.
        topics: all of ours, whether they are there or not.
        followed: those of them that are read and written.
    """

    def __init__(
        self, address: KafkaAddress, topics: Iterable[str], *, followed: Iterable[str] | None = None
    ) -> None:
        self.is_away = False
        self.partitions: dict[str, int] = {}
        self.topics = tuple(topics)
        self.followed = self.topics if followed is None else tuple(followed)
        self._address = address
        self._names = {address.name_topic(topic): topic for topic in self.topics}
        self._wire_names = {topic: name for name, topic in self._names.items()}
        self._reason = ""
        self._lock = threading.Lock()
        self._answered_at_s = time.monotonic()
        with self._explained():
            self.admin = self._make_admin()

    def name_topic(self, topic: str) -> str:
        """What a topic is called on the cluster."""
        return self._wire_names[topic]

    def find_topic(self, name: str) -> str:
        """Our own name of a topic of the cluster."""
        return self._names[name]

    def look(self, *, timeout_s: float = REQUEST_TIMEOUT_S) -> str:
        """Ask for the partitions of our topics; gives what tells them from those of others.

        Raises:
            Unavailable: the cluster does not answer.
        """
        admin = self.admin  # held, for another thread may take a new one
        with self._asking():
            found = admin.list_topics(timeout=timeout_s)
            if not found.brokers:
                self._renew()
                reason = "none of its brokers is at work"
                raise self.unavailable(reason)
            self.partitions = {
                topic: len(found.topics[name].partitions)
                for name, topic in self._names.items()
                if name in found.topics and found.topics[name].error is None
            }
            return f"{found.cluster_id}/{self._address.prefix}"

    def list_ends(
        self, topics: Iterable[str], *, timeout_s: float = REQUEST_TIMEOUT_S
    ) -> dict[Place, int]:
        """Where the partitions of topics end now, for who reads what is committed.

        Raises:
            Unavailable: the cluster does not answer, or a partition has no leader.
        """
        asked = {
            TopicPartition(self.name_topic(topic), partition): OffsetSpec.latest()  # type: ignore[no-untyped-call]
            for topic in topics
            for partition in range(self.partitions.get(topic, 0))
        }
        if not asked:
            return {}
        deadline = time.monotonic() + timeout_s
        with self._asking():
            while True:
                try:
                    return self._list_ends(asked, max(0.1, deadline - time.monotonic()))
                except KafkaException as error:
                    # A leader that is being chosen, or partitions just made.
                    if error.args[0].code() not in _PASSING or time.monotonic() > deadline:
                        raise
                time.sleep(_RETRY_S)

    def _list_ends(
        self, asked: dict[TopicPartition, OffsetSpec], timeout_s: float
    ) -> dict[Place, int]:
        admin = self.admin  # held, for another thread may take a new one
        answers = admin.list_offsets(
            asked, isolation_level=IsolationLevel.READ_COMMITTED, request_timeout=timeout_s
        )
        return {
            (self.find_topic(place.topic), place.partition): answer.result(timeout_s + 1).offset
            for place, answer in answers.items()
        }

    def make_consumer(self, group: str | None = None) -> Consumer:
        """A consumer that reads what is committed; of a group, or of none."""
        own = {"group.id": group, **MEMBER} if group else {}
        settings = {**self._make_settings(), **CONSUMER, **own, "error_cb": self._note_error}
        with self._explained():
            return Consumer(settings)

    def make_producer(self, transactional_id: str | None = None) -> Producer:
        """A producer that repeats without doubling; with an id, of transactions."""
        own: dict[str, Any] = {}
        if transactional_id:
            own = {
                "transactional.id": transactional_id,
                "transaction.timeout.ms": int(WRITE_TIMEOUT_S * 1000),
            }
        settings = {**self._make_settings(), **PRODUCER, **own, "error_cb": self._note_error}
        for name in NOT_TO_A_PRODUCER:
            settings.pop(name)
        with self._explained():
            return Producer(settings)

    def note(self, error: object) -> None:
        """Keep what is wrong, to be told to whoever meets it."""
        with self._lock:
            self._reason = _describe(error)

    def mark_present(self) -> None:
        """The cluster answered."""
        if self.is_away:
            LOGGER.warning("Kafka at %s answers again", self._address.servers)
        self.is_away = False
        self._reason = ""
        self._answered_at_s = time.monotonic()

    def unavailable(self, reason: str = "") -> Unavailable:
        """The error for who needs the cluster."""
        why = reason or self._reason or "no answer in time"
        return Unavailable(
            f"the event log on Kafka at {self._address.servers} cannot be used: {why}; is it "
            "running, and is HELIX_LOG_URL (or KAFKA_BOOTSTRAP_SERVERS) right?",
            service="kafka",
            servers=self._address.servers,
            reason=why,
        )

    def write_failed(self, reason: object = "", *, is_certain: bool = True) -> LogWriteFailed:
        """What a caller is told whose append is not in the log, or may not be."""
        fate = (
            "and nothing was; try again once it answers"
            if is_certain
            else "in time, and the events may be in it or not; repeat the request with the same ids"
        )
        why = _describe(reason) or self._reason or "no answer in time"
        return LogWriteFailed(
            f"the event log on Kafka at {self._address.servers} could not be written ({why}), "
            f"{fate}",
            service="kafka",
            servers=self._address.servers,
            reason=why,
            is_certain=is_certain,
        )

    def _make_settings(self) -> dict[str, Any]:
        return {
            "bootstrap.servers": self._address.servers,
            **COMMON,
            **self._address.security,
        }

    @contextlib.contextmanager
    def _asking(self) -> Iterator[None]:
        try:
            with self._explained():
                yield
        except Unavailable as error:
            if not self.is_away:
                LOGGER.warning("%s", error)
            self.is_away = True
            self._renew_if_stuck()
            raise
        self.mark_present()

    def _renew_if_stuck(self) -> None:
        with self._lock:
            if time.monotonic() - self._answered_at_s < RENEW_AFTER_S:
                return
        self._renew()

    def _renew(self) -> None:
        self._answered_at_s = time.monotonic()  # the new one gets as long
        self.admin = self._make_admin()

    def _make_admin(self) -> AdminClient:
        settings: dict[str, Any] = {**self._make_settings(), "error_cb": self._note_error}
        return AdminClient(settings)

    @contextlib.contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except KafkaException as error:
            self._poll_errors()
            # That a request timed out says less than why no connection came about.
            raise self.unavailable(self._reason or _describe(error)) from error
        except TimeoutError as error:
            raise self.unavailable() from error

    def _poll_errors(self) -> None:
        with contextlib.suppress(AttributeError, KafkaException):
            self.admin.poll(0)

    def _note_error(self, error: KafkaError) -> None:
        # "All brokers down" follows the reason why, and would hide it.
        if error.name() != "_ALL_BROKERS_DOWN" or not self._reason:
            self.note(error)


def _describe(error: object) -> str:
    if isinstance(error, KafkaException):
        error = error.args[0]
    if isinstance(error, Unavailable):
        error = error.details.get("reason", error)
    text = error.str() if hasattr(error, "str") else str(error)
    return " ".join(str(text).split())[:300]
