"""Sending messages: singly, or many as one transaction."""

from __future__ import annotations

import contextlib
import os
import sys
import time
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from confluent_kafka import KafkaError, KafkaException

from helix_lab.adapters.log_kafka.client_settings import REQUEST_TIMEOUT_S
from helix_lab.adapters.log_kafka.cluster import Cluster
from helix_lab.adapters.log_kafka.wire import to_headers
from helix_lab.domain.model.event import Event

if sys.platform != "win32":
    import fcntl

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from confluent_kafka import Message, Producer

_UNCERTAIN = frozenset(
    {
        KafkaError._MSG_TIMED_OUT,  # noqa: SLF001 - librdkafka's own errors begin so
        KafkaError._TIMED_OUT,  # noqa: SLF001
        KafkaError.REQUEST_TIMED_OUT,
        # We gave up what the broker has been sent.
        KafkaError._PURGE_INFLIGHT,  # noqa: SLF001
    }
)


@dataclass(slots=True)
class Sending:
    """A message on its way, and what became of it.

    Attributes:
        topic: as the lab calls it.
        partition: the one that its key is in; -1 lets the key decide.
        value: the event's, as `to_value` gives it.
        offset: where it is, once it is written.
        error: why it is not.
    """

    topic: str
    partition: int
    event: Event
    value: bytes
    offset: int = -1
    error: KafkaError | None = None

    def settle(self, error: KafkaError | None, message: Message) -> None:
        """What the broker answered."""
        self.error = error
        if error is None:
            self.partition, self.offset = message.partition() or 0, message.offset() or 0


class SendFailed(Exception):
    """What was sent together is not in the topics; or, if not certain, may be."""

    def __init__(self, error: object, *, is_certain: bool) -> None:
        super().__init__(str(error))
        self.error = error
        self.is_certain = is_certain


class Producers:
    """The producers of one process; one that failed is replaced. For one thread at a time."""

    def __init__(self, cluster: Cluster, identity: Path) -> None:
        self._cluster = cluster
        self._single: Producer | None = None
        self._together: Producer | None = None
        self._id, self._id_fd = _claim_id(identity)

    def send(self, sendings: Sequence[Sending], deadline: float) -> None:
        """Send messages that do not depend on each other; each has its own outcome."""
        if not sendings:
            return
        if self._single is None:
            self._single = self._cluster.make_producer()
        self._produce(self._single, sendings, deadline)
        self._single.flush(_remaining(deadline))
        if not all(_is_written(sending) for sending in sendings):
            _discard(self._single)
            self._single = None

    def send_together(
        self, sendings: Sequence[Sending], deadline: float, meanwhile: Callable[[], None]
    ) -> None:
        """Send messages as one transaction: all of them, or none.

        `meanwhile` is done before the commit, while they are on their way; if it raises, none is
        sent.

        Raises:
            SendFailed: they are not written; or the answer to the commit did not come.
        """
        if not sendings:
            return
        try:
            producer = self._together or self._begin_anew(deadline)
            producer.begin_transaction()
            self._produce(producer, sendings, deadline)
            meanwhile()
            producer.flush(_remaining(deadline))
            failed = next((sending for sending in sendings if not _is_written(sending)), None)
            if failed is not None:
                raise SendFailed(failed.error or "no answer in time", is_certain=True)
            _commit(producer, deadline)
        except (KafkaException, SendFailed) as error:
            self._give_up()
            if isinstance(error, SendFailed):
                raise
            raise SendFailed(error, is_certain=True) from error
        except BaseException:
            self._give_up()
            raise

    def close(self) -> None:
        """Let go; nothing is under way."""
        for producer in (self._single, self._together):
            if producer is not None:
                _discard(producer)
        self._single = self._together = None
        if self._id_fd is not None:
            os.close(self._id_fd)
            self._id_fd = None

    def _begin_anew(self, deadline: float) -> Producer:
        """A producer of transactions; what an earlier one of this folder left open is undone."""
        producer = self._cluster.make_producer(self._id)
        try:
            producer.init_transactions(_remaining(deadline))
        except KafkaException:
            _discard(producer)
            raise
        self._together = producer
        return producer

    def _produce(self, producer: Producer, sendings: Sequence[Sending], deadline: float) -> None:
        for sending in sendings:
            key, headers = sending.event.key.encode(), to_headers(sending.event)
            while True:
                try:
                    producer.produce(
                        self._cluster.name_topic(sending.topic),
                        sending.value,
                        key,
                        sending.partition,
                        on_delivery=sending.settle,
                        headers=headers,  # type: ignore[arg-type] # a list of pairs is one
                    )
                except BufferError:
                    producer.poll(0.05)  # the queue is full
                    if time.monotonic() > deadline:
                        return
                except KafkaException as error:
                    sending.error = error.args[0]
                    break
                else:
                    break

    def _give_up(self) -> None:
        producer, self._together = self._together, None
        if producer is not None:
            with contextlib.suppress(KafkaException):
                producer.abort_transaction(REQUEST_TIMEOUT_S)
            _discard(producer)


def _commit(producer: Producer, deadline: float) -> None:
    """Commit; repeated where that may help.

    Raises:
        SendFailed: it is not committed, or its fate is not known.
    """
    while True:
        try:
            producer.commit_transaction(_remaining(deadline))
        except KafkaException as error:
            reason: KafkaError = error.args[0]
            if reason.retriable() and time.monotonic() < deadline:
                continue
            raise SendFailed(error, is_certain=reason.txn_requires_abort()) from error
        return


def is_uncertain(sending: Sending) -> bool:
    """Whether a message that has no answer may be in the topic."""
    return not _is_written(sending) and (
        sending.error is None or sending.error.code() in _UNCERTAIN
    )


def _is_written(sending: Sending) -> bool:
    return sending.offset >= 0


def _remaining(deadline: float) -> float:
    return max(0.1, deadline - time.monotonic())


def _discard(producer: Producer) -> None:
    """Let a producer go, with what it may still hold: nobody waits for that any more."""
    with contextlib.suppress(KafkaException):
        producer.purge()
        producer.flush(0.1)


def _claim_id(path: Path) -> tuple[str, int | None]:
    """The transactional id of this data folder, and what keeps it ours.

    The same at the next start, so that a transaction that a killed process left open is undone
    at once. A second log on the same folder gets an id of its own.
    """
    fresh = f"helix-lab-{uuid.uuid4().hex}"
    if sys.platform == "win32":
        return fresh, None
    path.parent.mkdir(parents=True, exist_ok=True)
    fd = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(fd)
        return fresh, None
    known = os.read(fd, 100).decode("ascii", "replace").strip()
    if not known:
        os.write(fd, fresh.encode())
    return known or fresh, fd
