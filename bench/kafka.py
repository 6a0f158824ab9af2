"""The event log on Kafka against the bare client, on one broker of this machine."""

from __future__ import annotations

import tempfile
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from bench.harness import CannotRunError
from bench.log import BATCH, EventMaker, Pairs, elapsed_s, interleave, throughput
from helix_lab.adapters.log_kafka import KafkaEventLog
from helix_lab.adapters.log_kafka.wire import to_headers, to_value
from helix_lab.domain.collecting import collecting_seldom
from helix_lab.domain.model.errors import HelixError
from helix_lab.domain.model.event import CONVERSATIONS
from helix_lab.doors.cli.stacking import find_cache
from helix_lab.stack.stack import Stack

if TYPE_CHECKING:
    from collections.abc import Callable

    from confluent_kafka import Producer

    from bench.harness import Options, Report

PARTITIONS = 4
TOPICS = (CONVERSATIONS,)
PATIENCE_S = 600.0


def run(report: Report, options: Options) -> None:
    """Appends one by one, in batches and by threads; reads of one conversation."""
    with tempfile.TemporaryDirectory(prefix="helix-bench-") as name:
        folder = Path(name)
        folder.chmod(0o711)
        stack = Stack(folder / "stack", find_cache())
        try:
            holding = stack.hold({"kafka": 1})
            holding.__enter__()
        except HelixError as error:
            raise CannotRunError(f"it needs Kafka: {error}") from error
        try:
            servers = stack.read_variables()["KAFKA_BOOTSTRAP_SERVERS"]
            compare_appends(report, servers, folder, options)
            measure_replay(report, servers, folder, options)
        finally:
            holding.__exit__(None, None, None)


def open_log(servers: str, folder: Path) -> KafkaEventLog:
    """A log on topics of its own."""
    log = KafkaEventLog(f"kafka://{servers}/b{uuid.uuid4().hex[:8]}", folder, topics=TOPICS)
    log.apply_topics({CONVERSATIONS: PARTITIONS})
    return log


def compare_appends(report: Report, servers: str, folder: Path, options: Options) -> None:
    """What an append costs beside a bare producer that waits for all acknowledgements."""
    from confluent_kafka import Producer

    maker, times = EventMaker(options.seed), options.size(100)
    topic = f"bare-{uuid.uuid4().hex[:8]}"
    with KafkaEventLog(f"kafka://{servers}/{topic}", folder / "bare", topics=TOPICS) as making:
        making.apply_topics({CONVERSATIONS: PARTITIONS})
    settings = {"bootstrap.servers": servers, "acks": "all", "enable.idempotence": True}
    bare = Producer({**settings, "log_level": 0})

    def send_bare(pairs: Pairs) -> None:
        send(bare, f"{topic}.{CONVERSATIONS}", pairs)

    with open_log(servers, folder / "appends") as log:
        log.append(maker.make(2))
        report.compare(
            "append one event",
            lambda: median(elapsed_ms(lambda: log.append(maker.make(1))) for _ in range(times)),
            baseline="the same message by the bare client, flushed",
            measure_baseline=lambda: median(
                elapsed_ms(lambda: send_bare(maker.make(1))) for _ in range(times)
            ),
            metric="p50",
            unit="ms",
        )
        with ThreadPoolExecutor(8) as pool:
            report.compare(
                "append one event at a time, 8 threads",
                lambda: (
                    times
                    / elapsed_s(
                        lambda: list(pool.map(log.append, [maker.make(1) for _ in range(times)]))
                    )
                ),
                baseline="the bare client, flushed after each",
                measure_baseline=lambda: (
                    times
                    / elapsed_s(lambda: list(map(send_bare, [maker.make(1) for _ in range(times)])))
                ),
                metric="throughput",
                unit="events/s",
            )
        for size in (BATCH, 10 * BATCH):
            report.compare(
                f"append batches of {size:,} events",
                partial(in_batches, log.append, maker, size),
                baseline="the same messages by the bare client, flushed after each batch",
                measure_baseline=partial(in_batches, send_bare, maker, size),
                metric="throughput",
                unit="events/s",
            )


def measure_replay(report: Report, servers: str, folder: Path, options: Options) -> None:
    """One conversation scattered in a long topic: read first, again, and from an empty copy."""
    mine, others = options.size(10_000), options.size(500_000)
    maker = EventMaker(options.seed)
    log = open_log(servers, folder / "long")
    address = log._cluster._address  # noqa: SLF001 - to open it again
    for pairs in interleave(maker, mine, others // mine):
        log.append(pairs)
    log.close()
    url = f"kafka://{servers}/{address.prefix}"
    case = f"read a conversation of {mine:,} events scattered in {others:,}"
    first, again, empty = [], [], []
    for number in range(options.runs):
        with KafkaEventLog(url, folder / "long", topics=TOPICS) as opened:
            first.append(elapsed_ms(lambda: read(opened, mine)))
            again.append(elapsed_ms(lambda: read(opened, mine)))
        with KafkaEventLog(url, folder / f"empty-{number}", topics=TOPICS) as opened:
            empty.append(elapsed_ms(lambda: read(opened, mine)))
    report.add(f"{case}, in a log just opened", "time", median(first), "ms", targets=(2500, None))
    report.add(f"{case}, again", "time", median(again), "ms", targets=(150, None))
    report.add(f"{case}, with the copy to fill from Kafka first", "time", median(empty), "ms")


def read(log: KafkaEventLog, number: int) -> None:
    """Read the conversation, as soon as the copy is level."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        try:
            found = log.read_key(CONVERSATIONS, "mine")
        except HelixError:
            if time.monotonic() > deadline:
                raise
            continue
        break
    if len(found) != number:
        raise RuntimeError(f"{len(found)} of {number}")


def in_batches(append: Callable[[Pairs], object], maker: EventMaker, size: int) -> float:
    """Events per second, with the garbage collected as an import does it."""
    with collecting_seldom():
        return throughput(append, lambda: maker.make(size), 5) * size / BATCH


def send(producer: Producer, topic: str, pairs: Pairs) -> None:
    """The same messages without anything around them."""
    for _, event in pairs:
        value, headers = to_value(event), to_headers(event)
        producer.produce(topic, value, event.key, headers=headers)  # type: ignore[arg-type]
    if producer.flush(60):
        raise RuntimeError("not acknowledged")


def elapsed_ms(call: Callable[[], object]) -> float:
    """How long a call takes."""
    return elapsed_s(call) * 1000
