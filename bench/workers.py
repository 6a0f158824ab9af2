"""Two workers against one, on a projection that costs much work for each message.

The projection reads what a message names and how things relate, as the graph does, and writes one
row a conversation to PostgreSQL. Each worker needs a core of its own, beside broker and database:
on a machine of two busy cores the ratio says nothing.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, ClassVar

import sqlalchemy as sa

from bench.harness import CannotRunError
from bench.log import EventMaker
from helix_lab.adapters.log_kafka import KafkaEventLog
from helix_lab.domain.knowledge.extraction import open_extractor
from helix_lab.domain.model.errors import HelixError
from helix_lab.domain.model.event import TOPICS, Entry
from helix_lab.doors.cli.stacking import find_cache
from helix_lab.lab import workers
from helix_lab.projections.conversations import ConversationsProjection, Row
from helix_lab.records.database import Records
from helix_lab.records.tables import APPLIED_EVENT, CHECKPOINT, CLAIM, CONVERSATION
from helix_lab.settings import read_settings
from helix_lab.stack.stack import Stack

if TYPE_CHECKING:
    from bench.harness import Options, Report

MESSAGES = 8_000
READINGS = 2
PARTITIONS = 8
PATIENCE_S = 600.0
WORDS = ("Docker", "Redis", "Kafka", "Python", "GraphQL", "uses", "replaces", "the", "a", "team",
         "of", "with", "Postgres", "and", "OpenAI", "in", "Berlin", "works", "for")  # fmt: skip


class Reading(ConversationsProjection):
    """Reads each message several times over, so that nothing else counts."""

    batch_size: ClassVar[int] = 200

    def __init__(self, *arguments: object) -> None:
        super().__init__(*arguments)  # type: ignore[arg-type]
        self._extractor = open_extractor()

    def project(self, entry: Entry) -> Row | None:
        """See `Projection.project`."""
        text = entry.event.data.get("content", "")
        for _ in range(READINGS):
            self._extractor.extract(text)
        return super().project(entry)


def run(report: Report, options: Options) -> None:
    """Fill a store by one worker and by two, in turns."""
    with ExitStack() as on_end:
        folder = Path(on_end.enter_context(tempfile.TemporaryDirectory(prefix="helix-bench-")))
        folder.chmod(0o711)
        stack = Stack(folder / "stack", find_cache())
        try:
            on_end.enter_context(stack.hold({"kafka": 1, "postgres": 1}))
        except HelixError as error:
            raise CannotRunError(f"it needs Kafka and PostgreSQL: {error}") from error
        found = stack.read_variables()
        number = options.size(MESSAGES)
        records = Records(found["HELIX_RECORDS_URL"])
        on_end.callback(records.close)
        rates: dict[int, list[float]] = {1: [], 2: []}
        for turn in range(options.runs):
            for count, measured in rates.items():
                url = f"kafka://{found['KAFKA_BOOTSTRAP_SERVERS']}/bench-{turn}-{count}"
                environment = {**os.environ, **found, "HELIX_LOG_URL": url}
                with KafkaEventLog(url, folder / f"{turn}-{count}") as log:
                    log.apply_topics(dict.fromkeys(TOPICS, PARTITIONS))
                    with started(environment, count, records):
                        fill(log, number, options.seed)
                        measured.append(measure(records, number))
    one, two = median(rates[1]), median(rates[2])
    report.add("a projection that costs much work, two workers", "throughput", two, "events/s",
               baseline="one worker", baseline_value=one)  # fmt: skip


def fill(log: KafkaEventLog, number: int, seed: int) -> None:
    """Messages of many conversations, of words that name things."""
    rng, maker = random.Random(seed), EventMaker(seed)
    for _ in range(0, number, 1000):
        pairs = maker.make(min(1000, number))
        for _, event in pairs:
            event.data["content"] = " ".join(rng.choices(WORDS, k=30))  # type: ignore[index]
        log.append(pairs)


def measure(records: Records, number: int) -> float:
    """Events per second, from the first that are applied to the last."""
    wait_until(lambda: count_messages(records) > 0)
    begun_s, before = time.monotonic(), count_messages(records)
    wait_until(lambda: count_messages(records) >= number)
    return (number - before) / (time.monotonic() - begun_s)


@contextmanager
def started(environment: dict[str, str], count: int, records: Records) -> Iterator[None]:
    """Worker processes, each with its share of the partitions, and an empty store."""
    with records.write() as connection:
        for table in (CLAIM, CHECKPOINT, APPLIED_EVENT, CONVERSATION):
            connection.execute(table.delete())
    command = [sys.executable, "-m", "bench.workers"]
    processes = [subprocess.Popen(command, env=environment) for _ in range(count)]
    try:
        wait_until(lambda: count_holders(records) == count)
        yield
    finally:
        for process in processes:
            process.kill()
            process.wait()


def wait_until(condition: Callable[[], bool]) -> None:
    """Return when the condition holds."""
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError("the workers do not come to the end")
        time.sleep(0.05)


def count_messages(records: Records) -> int:
    """All messages that the store counts."""
    with records.read() as connection:
        query = sa.select(sa.func.coalesce(sa.func.sum(CONVERSATION.c.message_count), 0))
        return int(connection.execute(query).scalar_one())


def main() -> None:
    """Be a worker until killed."""
    vars(workers)["ConversationsProjection"] = Reading
    with ExitStack() as stack:
        (worker,) = workers.open_workers(read_settings(), (), stack)
        worker.run()


def count_holders(records: Records) -> int:
    """How many workers have a share."""
    with records.read() as connection:
        return int(
            connection.execute(sa.select(sa.func.count(sa.distinct(CLAIM.c.holder)))).scalar_one()
        )


if __name__ == "__main__":
    main()
