"""Programs that the tests of the event log run in a process of their own.

    python -m tests.flow.log_child append PATH SEED THREADS BATCHES
    python -m tests.flow.log_child fill FOLDER LIMIT

`append` writes one line of JSON per batch after its append returned. `fill` appends until the
disk (or, with a LIMIT, the greatest file size in bytes) refuses, makes room, appends again, and
writes what it saw.
"""

from __future__ import annotations

import json
import os
import random
import resource
import sys
import threading
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any

from helix_lab.adapters.log_sqlite import SqliteEventLog
from helix_lab.domain.model.clock import make_hybrid_time
from helix_lab.domain.model.errors import LogWriteFailed
from helix_lab.domain.model.event import CONVERSATIONS, DEBATES, Event
from helix_lab.ports.event_log import EventLog

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
PAGE_BYTES = 4096


def make_batch(name: str, rng: random.Random) -> list[tuple[str, Event]]:
    """Some events over two topics, each of which knows how many its batch has."""
    size = rng.randint(1, 6)
    return [
        (
            rng.choice([CONVERSATIONS, DEBATES]),
            Event(
                event_id=f"{name}-{part}",
                type="helixagent.message.added",
                node_id="node",
                key=f"c{rng.randint(0, 9)}",
                subject=name,
                time=NOON,
                clock=make_hybrid_time(1_772_366_400_000),
                data={"batch": name, "size": size, "content": "x" * rng.randint(0, 4 * PAGE_BYTES)},
            ),
        )
        for part in range(size)
    ]


def append(path: Path, seed: str, threads: int, batches: int) -> None:
    """Append from several threads, and tell each batch that is acknowledged."""
    with SqliteEventLog(path) as log:
        workers = [
            threading.Thread(target=append_batches, args=(log, f"{seed}-{number}", batches))
            for number in range(threads)
        ]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()


def append_batches(log: EventLog, name: str, batches: int) -> None:
    """What one thread of `append` does; without end when `batches` is 0."""
    rng = random.Random(name)
    for number in range(batches) if batches else count():
        entries = log.append(make_batch(f"{name}-{number}", rng))
        acknowledged = {entry.event.event_id: entry.offset for entry in entries}
        os.write(1, json.dumps(acknowledged).encode() + b"\n")  # one write: lines stay whole


def fill(folder: Path, limit: int) -> dict[str, Any]:
    """Append until it fails, look, make room, and append the same again."""
    ballast = folder / "ballast"
    if limit:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
    else:
        ballast.write_bytes(bytes(1024 * 1024))
    with SqliteEventLog(folder / "log.sqlite") as log:
        acknowledged, refused, error = append_until_refused(log)
        while_full = read_ids(log)
        log.probe()
        ballast.unlink(missing_ok=True)
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)
        retried = [entry.event.event_id for entry in log.append(refused)]
        return {
            "acknowledged": acknowledged,
            "failure": {"message": str(error), "details": error.details},
            "while_full": while_full,
            "retried": retried,
            "finally": read_ids(log),
        }


def append_until_refused(
    log: EventLog,
) -> tuple[list[str], list[tuple[str, Event]], LogWriteFailed]:
    """The ids that are in the log, and the batch that is not, and why."""
    rng = random.Random(7)
    acknowledged: list[str] = []
    while True:
        batch = make_batch(f"b{len(acknowledged)}", rng)
        try:
            acknowledged += [entry.event.event_id for entry in log.append(batch)]
        except LogWriteFailed as error:
            return acknowledged, batch, error


def read_ids(log: EventLog) -> list[str]:
    """The ids of all events in the log."""
    return [
        entry.event.event_id
        for topic in (CONVERSATIONS, DEBATES)
        for entry in log.read(topic, 0, start_offset=0, limit=1_000_000)
    ]


if __name__ == "__main__":
    command, place, *rest = sys.argv[1:]
    if command == "append":
        append(Path(place), rest[0], int(rest[1]), int(rest[2]))
    else:
        json.dump(fill(Path(place), int(rest[0])), sys.stdout)
