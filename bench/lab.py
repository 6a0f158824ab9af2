"""A lab in this process: imports, single appends, replays; against bare SQLite and the disk."""

from __future__ import annotations

import json
import os
import random
import sqlite3
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from dataclasses import replace
from itertools import count
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from helix_lab import open_lab

if TYPE_CHECKING:
    from collections.abc import Callable

    from bench.harness import Options, Report
    from helix_lab import Lab

_WORDS = """
service mesh token budget replay event ledger window branch merge kernel notebook query
provider debate evidence summary latency partition snapshot cluster the and of with for
""".split()  # noqa: SIM905 - reads better than a list
_NUMBERS = count()


def run(report: Report, options: Options) -> None:
    """Imports, appends and replays, each beside what it cannot be faster than."""
    with tempfile.TemporaryDirectory(prefix="helix-bench-") as name:
        folder = Path(name)
        compare_import_time(report)
        compare_imports(report, folder, options)
        with open_lab(folder / "lab") as lab:
            compare_appends(report, lab, folder, times=options.size(200))
            compare_replay(report, lab, "kept in memory", messages=options.size(10_000))
        settings = replace(lab.settings, data_dir=folder / "cold", context_cache_size=0)
        with open_lab(settings=settings) as lab:
            compare_replay(report, lab, "read from the log", messages=options.size(10_000))


def compare_import_time(report: Report) -> None:
    """`import helix_lab` in a fresh interpreter."""
    report.compare(
        "import helix_lab in a fresh interpreter",
        lambda: _interpreter_s("import helix_lab"),
        baseline="an interpreter that imports nothing",
        measure_baseline=lambda: _interpreter_s("pass"),
        metric="time",
        unit="s",
    )


def compare_imports(report: Report, folder: Path, options: Options) -> None:
    """A file of messages, durable, projected, and visible to queries."""
    messages = options.size(40_000)
    rng = random.Random(options.seed)
    lags_s: list[float] = []

    def measure() -> float:
        number = next(_NUMBERS)
        path = folder / f"messages-{number}.jsonl"
        path.write_text("\n".join(make_lines(rng, messages, prefix=str(number))), encoding="utf-8")
        with open_lab(folder / f"import-{number}") as lab:
            start = time.perf_counter()
            run = lab.start_import(str(path), wait_s=300)
            took_s = time.perf_counter() - start
            if run.state != "succeeded" or run.result["new_events"] < messages:
                raise RuntimeError(str(run))
            lab.get_conversation_trends()
            lab.list_conversations(limit=1)
            lags_s.append(time.perf_counter() - start - took_s)
        return messages / took_s

    def measure_bare() -> float:
        lines = [(line,) for line in make_lines(rng, messages, prefix="bare")]
        with closing(sqlite3.connect(folder / f"bare-{next(_NUMBERS)}.sqlite")) as bare:
            bare.executescript(
                "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; CREATE TABLE t (x)"
            )
            start = time.perf_counter()
            for first in range(0, messages, 2000):
                bare.executemany("INSERT INTO t VALUES (?)", lines[first : first + 2000])
                bare.commit()
            return messages / (time.perf_counter() - start)

    report.compare(
        f"import {messages:,} messages of JSON Lines, durable",
        measure,
        baseline="the same bytes inserted into a bare SQLite table",
        measure_baseline=measure_bare,
        metric="throughput",
        unit="messages/s",
    )
    report.add(
        "from the end of the import to answers from both stores that hold all of it",
        "time",
        median(lags_s),
        "s",
    )


def compare_appends(report: Report, lab: Lab, folder: Path, *, times: int) -> None:
    """One message at a time, durable when the call returns."""
    lab.start_conversation(conversation_id="appends")
    with (folder / "bare").open("ab", buffering=0) as file:

        def append() -> float:
            message = {"role": "user", "content": "x" * 200}
            return _elapsed_ms(lambda: lab.append_messages("appends", messages=[message]))

        def write_bare() -> float:
            def write() -> None:
                file.write(b"x" * 400)
                os.fsync(file.fileno())

            return _elapsed_ms(write)

        report.compare(
            "append one message through Lab",
            lambda: median(append() for _ in range(times)),
            baseline="write and fsync of 400 bytes",
            measure_baseline=lambda: median(write_bare() for _ in range(times)),
            metric="p50",
            unit="ms",
        )


def compare_replay(report: Report, lab: Lab, how: str, *, messages: int) -> None:
    """A whole conversation; its JSON read back is the least work there is."""
    lab.start_conversation(conversation_id="replay")
    new = [{"role": "user", "content": " ".join(_WORDS)} for _ in range(messages)]
    lab.append_messages("replay", messages=new)
    lab.get_conversation("replay")
    raw = lab.replay("replay").model_dump_json()
    report.compare(
        f"replay a conversation of {messages:,} messages, {how}",
        lambda: _elapsed_ms(lambda: lab.replay("replay")),
        baseline="json.loads of the answer",
        measure_baseline=lambda: _elapsed_ms(lambda: json.loads(raw)),
        metric="time",
        unit="ms",
    )


def make_lines(rng: random.Random, number: int, *, prefix: str) -> list[str]:
    """Messages of conversations of forty, one a line."""
    return [
        json.dumps(
            {
                "conversation_id": f"{prefix}-{position // 40}",
                "role": ("user", "assistant")[position % 2],
                "content": " ".join(rng.choices(_WORDS, k=30)),
                "created_at": f"2026-0{1 + position % 9}-1{position % 10}T10:00:00Z",
            }
        )
        for position in range(number)
    ]


def _interpreter_s(code: str) -> float:
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], check=True)
    return time.perf_counter() - start


def _elapsed_ms(call: Callable[[], object]) -> float:
    start = time.perf_counter()
    call()
    return (time.perf_counter() - start) * 1000
