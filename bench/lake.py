"""The lake: archiving, and a question on one day of a year, against plain polars."""

from __future__ import annotations

import json
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
import pyarrow as pa

from bench.harness import CannotRunError
from helix_lab.adapters.analytics_duckdb import DuckDBLakeReader
from helix_lab.adapters.lake_folder import FolderLake
from helix_lab.jobs.lake.files import encode_table
from helix_lab.lab import open_lab
from helix_lab.ports.lake import make_schema
from helix_lab.settings import LakeSettings, Settings

if TYPE_CHECKING:
    from bench.harness import Options, Report

CONVERSATIONS = 400
MESSAGES = 50
DAYS = 365
A_DAY = 2740
PATIENCE_S = 600.0
FIRST = datetime(2025, 1, 1, tzinfo=UTC)
_TEXT = "The service writes to PostgreSQL through Kafka; who is called first, and why? "


def run(report: Report, options: Options) -> None:
    """Messages a second into files of one conversation each; one day of a year's messages."""
    with tempfile.TemporaryDirectory(prefix="helix-bench-") as name:
        compare_archives(report, Path(name), options)
        compare_questions(report, Path(name), options)


def compare_archives(report: Report, folder: Path, options: Options) -> None:
    """All of a lab into an empty lake; polars writes the same texts, and knows no events."""
    conversations = options.size(CONVERSATIONS)
    told = [
        {
            "conversation_id": f"c{number}",
            "role": "user",
            "content": _TEXT * 3 + f"{number}/{part}",
            "created_at": (FIRST + timedelta(minutes=number)).isoformat(),
        }
        for number in range(conversations)
        for part in range(MESSAGES)
    ]
    (folder / "told.jsonl").write_text("\n".join(map(json.dumps, told)))
    with open_lab(settings=Settings(folder / "lab", "bench", port=0)) as lab:
        lab.start_import(str(folder / "told.jsonl"), wait_s=300)
        lab.services.projections.catch_up(timeout_s=PATIENCE_S)
    turns = iter(range(1000))

    def archive() -> float:
        lake = LakeSettings(folder=folder / f"lake-{next(turns)}")
        settings = Settings(folder / "lab", "bench", port=0, lake=lake)
        with open_lab(settings=settings) as lab:
            began = time.perf_counter()
            job = lab.archive_conversations(all=True)
            done = lab.services.jobs.wait(job.job_id, timeout_s=PATIENCE_S)
            took_s = time.perf_counter() - began
        if done.state != "succeeded":
            raise CannotRunError(f"the archive {done.state}: {done.error}")
        return len(told) / took_s

    frame = pl.DataFrame(told)

    def write() -> float:
        root = folder / f"polars-{next(turns)}"
        root.mkdir()
        began = time.perf_counter()
        for (name,), part in frame.group_by("conversation_id"):
            part.write_parquet(root / f"{name}.parquet", compression="zstd")
        return len(told) / (time.perf_counter() - began)

    report.compare(
        f"archive {conversations} conversations of {MESSAGES} messages, on the disk when done",
        archive,
        baseline="polars, a file a conversation, without events and not synced",
        measure_baseline=write,
        metric="throughput",
        unit="messages/s",
        targets=(20_000, 50_000),
    )


def compare_questions(report: Report, folder: Path, options: Options) -> None:
    """Tokens by provider on one day, in a lake of one file a day."""
    root, count = folder / "year", options.size(A_DAY)
    lake = FolderLake(root)
    lake.write((_name_day(number), _make_day(number, count)) for number in range(DAYS))
    reader = DuckDBLakeReader(lake)
    sql = (
        "SELECT provider, count(*) AS messages, sum(tokens) AS tokens FROM conversations "
        "WHERE year = 2025 AND month = 7 AND day = 4 GROUP BY provider ORDER BY provider"
    )

    def ask() -> float:
        began = time.perf_counter()
        answer = reader.query(sql, {}, max_rows=100, timeout_s=60)
        took_ms = (time.perf_counter() - began) * 1000
        if answer.table.column("messages").to_pylist() != [count]:
            raise CannotRunError("the answer is wrong")
        return took_ms

    def scan() -> float:
        began = time.perf_counter()
        frame = pl.scan_parquet(f"{root}/conversations/**/*.parquet", hive_partitioning=True)
        of_day = (pl.col("year") == 2025) & (pl.col("month") == 7) & (pl.col("day") == 4)
        figures = frame.filter(of_day).group_by("provider")
        found = figures.agg(pl.len(), pl.col("tokens").sum()).collect()
        took_ms = (time.perf_counter() - began) * 1000
        if found["len"].to_list() != [count]:
            raise CannotRunError("the answer of polars is wrong")
        return took_ms

    report.compare(
        f"one day of {DAYS * count:,} messages in {DAYS} files of a folder",
        ask,
        baseline="polars, scan_parquet with its hive partitions",
        measure_baseline=scan,
        metric="p50",
        unit="ms",
        targets=(300, 100),
    )
    reader.close()
    lake.close()


def _name_day(number: int) -> str:
    day = FIRST + timedelta(days=number)
    return f"conversations/year={day:%Y}/month={day:%m}/day={day:%d}/messages.parquet"


def _make_day(number: int, count: int) -> bytes:
    schema = make_schema("conversations")
    day = FIRST + timedelta(days=number)
    values: dict[str, Any] = {
        "conversation_id": [f"c{number}-{one // 20}" for one in range(count)],
        "message_id": [f"m{one}" for one in range(count)],
        "position": [one % 20 for one in range(count)],
        "role": ["assistant"] * count,
        "content": [f"{_TEXT}{number}/{one}" for one in range(count)],
        "created_at": [day + timedelta(seconds=one) for one in range(count)],
        "provider": ["claude"] * count,
        "tokens": [20] * count,
        "event": ["{}"] * count,
    }
    arrays = [pa.array(values.get(field.name, [None] * count), field.type) for field in schema]
    return encode_table(pa.Table.from_arrays(arrays, schema=schema))
