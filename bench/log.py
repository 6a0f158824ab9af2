"""The embedded event log against what its disk and SQLite can do without it."""

from __future__ import annotations

import gc
import os
import random
import sqlite3
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime
from functools import partial
from itertools import count
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, TypeVar

from bench.harness import CannotRunError
from helix_lab import open_lab
from helix_lab.adapters.log_sqlite import SqliteEventLog
from helix_lab.adapters.log_sqlite.rows import to_row
from helix_lab.domain.model.clock import make_hybrid_time
from helix_lab.domain.model.event import CONVERSATIONS, Event, make_event_id

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from io import FileIO

    from bench.harness import Options, Report

T = TypeVar("T")
Pairs = list[tuple[str, Event]]

LOG = "log.sqlite"
DATA_BYTES = 200
BATCH = 1000
ACTIVE = 300
"""Conversations that are written to at the same time."""


def run(report: Report, options: Options) -> None:
    """Appends one by one and in batches, reads of a topic and of one conversation."""
    maker = EventMaker(options.seed)
    with tempfile.TemporaryDirectory(prefix="helix-bench-") as name:
        folder = Path(name)
        with SqliteEventLog(folder / "log.sqlite") as log:
            compare_single(report, log, maker, folder, times=options.size(200))
            compare_threads(report, log, maker, times=options.size(200))
        compare_batches(report, maker, folder, batches=options.size(30))
        compare_lengths(report, maker, folder, options)


class EventMaker:
    """Makes messages with about `DATA_BYTES` of data, unlike any before."""

    def __init__(self, seed: int) -> None:
        self._rng = random.Random(seed)
        self._numbers = count()

    def make(self, number: int, key: str | None = None) -> Pairs:
        """So many events, of one conversation or of any of the active ones."""
        return [(CONVERSATIONS, self._event(key)) for _ in range(number)]

    def _event(self, key: str | None) -> Event:
        number = next(self._numbers)
        key = key or f"c{self._rng.randrange(ACTIVE)}"
        data = {"conversation_id": key, "message_id": f"m{number}", "role": "user"}
        text = self._rng.randbytes(DATA_BYTES // 2).hex()[: DATA_BYTES - 100]
        return Event(
            event_id=make_event_id("bench", str(number)),
            type="helixagent.message.added",
            node_id="node-1",
            key=key,
            subject=f"m{number}",
            time=datetime(2026, 3, 1, tzinfo=UTC),
            clock=make_hybrid_time(1_772_366_400_000) + number,
            data={**data, "content": text, "model_tokens": 50},
        )


def compare_single(
    report: Report, log: SqliteEventLog, maker: EventMaker, folder: Path, *, times: int
) -> None:
    """One event at a time, durably."""
    with (folder / "bare").open("ab", buffering=0) as file:

        def write_bare() -> float:
            raw = "|".join(to_lines(maker.make(1))).encode()
            return elapsed_s(lambda: write_durably(file, raw)) * 1000

        def append() -> float:
            pairs = maker.make(1)
            return elapsed_s(lambda: log.append(pairs)) * 1000

        report.compare(
            "append one event",
            lambda: median(append() for _ in range(times)),
            baseline="write and fsync of the same bytes",
            measure_baseline=lambda: median(write_bare() for _ in range(times)),
            metric="p50",
            unit="ms",
        )


def compare_threads(report: Report, log: SqliteEventLog, maker: EventMaker, *, times: int) -> None:
    """Threads that share commits."""

    def measure(threads: int) -> float:
        batches = [maker.make(1) for _ in range(times)]
        with ThreadPoolExecutor(threads) as pool:
            return times / elapsed_s(lambda: list(pool.map(log.append, batches)))

    report.compare(
        "append one event at a time, 8 threads",
        lambda: measure(8),
        baseline="1 thread",
        measure_baseline=lambda: measure(1),
        metric="throughput",
        unit="events/s",
    )


def compare_batches(report: Report, maker: EventMaker, folder: Path, *, batches: int) -> None:
    """Many events at a time, durably."""
    with (
        closing(sqlite3.connect(folder / "bare.sqlite", isolation_level=None)) as bare,
        SqliteEventLog(folder / "batches.sqlite") as log,
    ):
        bare.executescript(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; CREATE TABLE t (x)"
        )
        report.compare(
            f"append batches of {BATCH:,} events of {DATA_BYTES} bytes",
            lambda: throughput(log.append, lambda: maker.make(BATCH), batches),
            baseline="the same bytes inserted into a bare SQLite table",
            measure_baseline=lambda: throughput(
                lambda lines: insert_bare(bare, lines),
                lambda: to_lines(maker.make(BATCH)),
                batches,
            ),
            metric="throughput",
            unit="events/s",
        )


def compare_lengths(report: Report, maker: EventMaker, folder: Path, options: Options) -> None:
    """A short log and a long one, with one conversation spread over each."""
    mine, short, long = (options.size(size) for size in (10_000, 20_000, 2_000_000))
    with (
        SqliteEventLog(folder / "short" / LOG) as short_log,
        SqliteEventLog(folder / "long" / LOG) as long_log,
    ):
        fill(short_log, maker, mine=mine, others=short)
        # Opened anew: the log that wrote them would give the newest events from memory.
        with SqliteEventLog(folder / "short" / LOG) as cold_log:
            compare_scan(report, cold_log, folder / "short" / LOG)
        fill(long_log, maker, mine=mine, others=long)
        report.compare(
            f"append batches of {BATCH:,} after {long:,} events",
            lambda: throughput(long_log.append, lambda: maker.make(BATCH), 5),
            baseline=f"after {short:,}",
            measure_baseline=lambda: throughput(short_log.append, lambda: maker.make(BATCH), 5),
            metric="throughput",
            unit="events/s",
        )
    for memory, forget in (("", False), (", no page of it in memory", True)):
        report.compare(
            f"replay {mine:,} messages among {long:,} others, in a lab just opened{memory}",
            partial(replay_ms, folder / "long", mine, forget=forget),
            baseline=f"among {short:,} others",
            measure_baseline=partial(replay_ms, folder / "short", mine, forget=forget),
            metric="time",
            unit="ms",
        )


def replay_ms(folder: Path, messages: int, *, forget: bool) -> float:
    """The first `Lab.replay` after opening, with what the system may have of the log in memory.

    The projections are stopped: of the log that was written without them they know nothing yet,
    and replay does not ask their stores.
    """
    with open_lab(folder) as lab:
        lab.services.projections.close()
        if forget:
            forget_pages(folder / LOG)
        gc.collect()  # what the lab before left behind is not the replay's to clear
        start = time.perf_counter()
        replayed = lab.replay("mine")
        took_s = time.perf_counter() - start
    if len(replayed.messages) != messages:
        raise RuntimeError(str(replayed.stats))
    return took_s * 1000


def forget_pages(path: Path) -> None:
    """Make the system read a file from the disk again; it keeps pages that are not written yet."""
    if not hasattr(os, "posix_fadvise"):
        raise CannotRunError("it needs posix_fadvise, which this system does not have")
    with path.open("rb+", buffering=0) as file:
        os.fsync(file.fileno())
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def compare_scan(report: Report, log: SqliteEventLog, path: Path) -> None:
    """A whole topic, as a rebuild reads it."""
    total = log.end_offsets([CONVERSATIONS])[CONVERSATIONS, 0]

    def read_pages() -> None:
        start_offset = 0
        while page := log.read(CONVERSATIONS, 0, start_offset=start_offset, limit=BATCH):
            start_offset = page[-1].offset + 1

    with closing(sqlite3.connect(path)) as bare:
        report.compare(
            f"read a topic of {total:,} events",
            lambda: total / elapsed_s(read_pages),
            baseline="the same rows by a bare SQLite select, not decoded",
            measure_baseline=lambda: (
                total / elapsed_s(lambda: bare.execute("SELECT * FROM entry").fetchall())
            ),
            metric="throughput",
            unit="events/s",
        )


def fill(log: SqliteEventLog, maker: EventMaker, *, mine: int, others: int) -> None:
    """Spread `mine` messages of one conversation evenly among others."""
    for pairs in interleave(maker, mine, others // mine):
        log.append(pairs)


def interleave(maker: EventMaker, mine: int, others_each: int) -> Iterator[Pairs]:
    """Batches of about five thousand, each message of "mine" followed by others."""
    step = max(1, 5000 // (others_each + 1))
    for start in range(0, mine, step):
        yield [
            pair
            for _ in range(min(step, mine - start))
            for pair in maker.make(1, "mine") + maker.make(others_each)
        ]


def throughput(append: Callable[[T], object], make: Callable[[], T], batches: int) -> float:
    """Events per second in the median batch; making the batches does not count."""
    times_s = []
    for _ in range(batches):
        batch = make()
        start = time.perf_counter()
        append(batch)
        times_s.append(time.perf_counter() - start)
    return BATCH / median(times_s)


def to_lines(pairs: Pairs) -> list[str]:
    """The bytes of events, as a log without structure would keep them."""
    return ["|".join(map(str, (topic, event.key, *to_row(event)))) for topic, event in pairs]


def insert_bare(connection: sqlite3.Connection, lines: list[str]) -> None:
    """A batch into one column, in one transaction."""
    connection.execute("BEGIN")
    connection.executemany("INSERT INTO t VALUES (?)", [(line,) for line in lines])
    connection.execute("COMMIT")


def write_durably(file: FileIO, raw: bytes) -> None:
    """The least that makes bytes survive."""
    file.write(raw)
    os.fsync(file.fileno())


def elapsed_s(call: Callable[[], object]) -> float:
    """How long a call takes."""
    start = time.perf_counter()
    call()
    return time.perf_counter() - start
