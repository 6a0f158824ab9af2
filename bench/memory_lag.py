"""How long an update takes from one node to the store of another: three processes, one log.

`python -m bench.memory_lag FOLDER NAME LOG` is one of the nodes that listen: it prints the number
of the writer's last update in its store, and the moment, whenever that grows.
"""

from __future__ import annotations

import random
import sqlite3
import subprocess
import sys
import time
from contextlib import ExitStack, closing
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from helix_lab import open_lab
from helix_lab.domain.memory.record import Kind, Update
from helix_lab.record.memories import update_memory
from helix_lab.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from helix_lab.domain.model.event import Draft
    from helix_lab.lab import Lab

WRITER = "a"
KEYS = 1000
_LOOK_S = 0.002
_SEQ = "SELECT seq FROM memory_node WHERE node_id = ?"


def measure_lags(folder: Path, log: str, *, rate: int, updates: int, group: int) -> list[float]:
    """Milliseconds from the call that writes a group until another process shows it."""
    with ExitStack() as stack:
        writer = stack.enter_context(open_node(folder, WRITER, log))
        listeners = [_start(stack, folder, name, log) for name in ("b", "c")]
        written = _write(writer, rate=rate, updates=updates, group=group)
        lags: list[float] = []
        for listener in listeners:
            lags += _match(written, _read(listener, updates))
        return lags


def open_node(folder: Path, name: str, log: str) -> Lab:
    """The lab of a node."""
    return open_lab(settings=Settings(folder / name, name, port=0, memory_log=log))


def make_drafts(lab: Lab, numbers: range, texts: Sequence[str]) -> list[Draft]:
    """Updates of a node at once, as its editor would make them one by one."""
    node_id = lab.services.node_id
    return [
        update_memory(
            Update(
                f"m{number % KEYS}",
                Kind.EDIT if number > KEYS else Kind.CREATE,
                1 + number // KEYS,
                lab.services.writer.tick(),
                {"content": texts[number % len(texts)]},
            ),
            node_id=node_id,
            seq=number,
            seen={node_id: number - 1},
        )
        for number in numbers
    ]


def _start(stack: ExitStack, folder: Path, name: str, log: str) -> subprocess.Popen[str]:
    process = stack.enter_context(
        subprocess.Popen(
            [sys.executable, "-m", "bench.memory_lag", str(folder), name, log],
            stdout=subprocess.PIPE,
            stdin=subprocess.PIPE,
            text=True,
        )
    )
    stack.callback(process.kill)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def _write(lab: Lab, *, rate: int, updates: int, group: int) -> list[tuple[int, float]]:
    rng = random.Random(1)
    texts = [" ".join(f"word{rng.randrange(5000)}" for _ in range(12)) for _ in range(100)]
    written = []
    begin = time.monotonic()
    for at, (first, last) in enumerate(pairwise(range(1, updates + group + 1, group))):
        wait_s = begin + at * group / rate - time.monotonic()
        if wait_s > 0:
            time.sleep(wait_s)
        written.append((last - 1, time.monotonic()))
        lab.services.writer.record(make_drafts(lab, range(first, last), texts))
    return written


def _read(listener: subprocess.Popen[str], last: int) -> list[tuple[int, float]]:
    assert listener.stdout is not None
    seen: list[tuple[int, float]] = []
    while not seen or seen[-1][0] < last:
        number, moment = listener.stdout.readline().split()
        seen.append((int(number), float(moment)))
    return seen


def _match(written: list[tuple[int, float]], seen: list[tuple[int, float]]) -> list[float]:
    lags, rest = [], iter(seen)
    number, moment = next(rest)
    for wanted, at in written:
        while number < wanted:
            number, moment = next(rest)
        lags.append((moment - at) * 1000)
    return lags


def listen(folder: str, name: str, log: str) -> None:
    """Print what comes, until killed."""
    with open_node(Path(folder), name, log) as lab:
        lab.force_sync()
        # Read beside the lab: what is measured is not slowed down by measuring.
        path = Path(folder) / name / "records.sqlite"
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            print("ready", flush=True)
            known = 0
            while True:
                row = connection.execute(_SEQ, (WRITER,)).fetchone()
                if row and row[0] > known:
                    known = row[0]
                    print(known, time.monotonic(), flush=True)
                time.sleep(_LOOK_S)


if __name__ == "__main__":
    listen(*sys.argv[1:])
