"""Analytics: the guide's questions on many rows, beside plain scans of the same rows."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import threading
import time
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import quantiles
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from bench.analytics_baselines import ask_duckdb, ask_polars
from helix_lab.adapters.analytics_duckdb import DuckDBAnalytics
from helix_lab.projections.analytics.tables import SCHEMAS
from helix_lab.queries import analytics as questions
from helix_lab.queries.statements import load_schema

if TYPE_CHECKING:
    from collections.abc import Callable

    from bench.harness import Options, Report

_ROWS = 10_000_000
_A_BATCH = 500_000
_DAYS = 30
_TIMES = 40
_NOW = datetime(2026, 11, 23, tzinfo=UTC)
_PROVIDERS = np.array(["claude", "deepseek", "qwen", "gemini", "mistral", "llama"])
_PLACE = ("helixagent.debates", 0)
_HOURLY = """
SELECT
    date_trunc('hour', timestamp) AS hour,
    provider,
    count(*) AS requests,
    avg(response_time_ms) AS avg_response_time,
    quantile_cont(response_time_ms, 0.95) AS p95_response_time
FROM debate_metrics
WHERE timestamp >= CAST($from_at AS TIMESTAMP)
GROUP BY hour, provider
ORDER BY hour DESC, avg_response_time ASC
"""
_RESIDENT = """
import sys
from pathlib import Path
import psutil
from helix_lab.adapters.analytics_duckdb import DuckDBAnalytics
from helix_lab.queries.statements import load_schema
store = DuckDBAnalytics(Path(sys.argv[1]), schema=load_schema("duckdb"))
store.ask(sys.argv[2], {"from_at": sys.argv[3]})
print(psutil.Process().memory_info().rss / 1e6)
store.close()
"""


def run(report: Report, options: Options) -> None:
    """The guide's five questions, ingest while they are asked, and what the rows weigh."""
    rows = options.size(_ROWS)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        store = DuckDBAnalytics(folder / "a.duckdb", schema=load_schema("duckdb"))
        files = folder / "parquet"
        files.mkdir()
        _fill(store, rows, files, seed=options.seed)
        _ask_all(report, store, files, rows)
        _compare_quantiles(report, store, files, rows)
        store.close()
        path = folder / "a.duckdb"
        size = sum(file.stat().st_size for file in files.iterdir())
        report.add(
            f"{rows:,} turns, their messages and winners, against the same as Parquet (zstd)",
            "bytes on disk", path.stat().st_size / size, "×", runs=1, targets=(2, 1.2),
        )  # fmt: skip
        _weigh(report, path, rows)
        store = DuckDBAnalytics(path, schema=load_schema("duckdb"))
        _ingest(report, store, rows, seed=options.seed)
        store.close()


def _fill(store: DuckDBAnalytics, rows: int, files: Path, *, seed: int) -> None:
    import pyarrow.parquet as pq

    random = np.random.default_rng(seed)
    begin_us = int((_NOW - timedelta(days=_DAYS)).timestamp() * 1e6)
    step_us = _DAYS * 86_400_000_000 / rows
    with ExitStack() as stack:
        writers = {
            name: stack.enter_context(
                pq.ParquetWriter(files / f"{name}.parquet", SCHEMAS[name], compression="zstd")
            )
            for name in ("debate_metrics", "debate_winners", "message_metrics")
        }
        for start in range(0, rows, _A_BATCH):
            numbers = np.arange(start, min(start + _A_BATCH, rows))
            turns = make_turns(numbers, begin_us + (numbers * step_us).astype(np.int64), random)
            batch = {"debate_metrics": turns, "debate_winners": _make_winners(turns)}
            batch["message_metrics"] = _make_messages(turns)
            for name, table in batch.items():
                writers[name].write_table(table)
            store.write("p", batch, checkpoint={_PLACE: int(numbers[-1]) + 1})


def make_turns(numbers: Any, moments_us: Any, random: Any) -> pa.Table:
    """Turns at these moments: log-normal response times, one in fifty failed."""
    count = len(numbers)
    picked = random.integers(0, len(_PROVIDERS), count)
    ids = pa.array(numbers // 12).cast(pa.string())
    columns = {
        "timestamp": pa.array(moments_us, pa.timestamp("us")),
        "debate_id": ids,
        "conversation_id": ids,
        "round": pa.array(numbers % 3 + 1, pa.int32()),
        "role": pa.array(np.full(count, "answer")),
        "seat": pa.array(numbers % 4).cast(pa.string()),
        "position": pa.array(np.full(count, "for")),
        "provider": pa.array(_PROVIDERS[picked]),
        "model": pa.array(np.char.add(_PROVIDERS[picked], "-1")),
        "response_time_ms": pa.array(random.lognormal(6.5, 0.6, count)),
        "tokens_used": pa.array(random.integers(50, 2000, count)),
        "confidence_score": pa.array(random.random(count)),
        "cost_usd": pa.array(random.random(count) / 100),
        "error_count": pa.array((random.random(count) < 0.02).astype(np.int32)),
    }
    return pa.table(columns, schema=SCHEMAS["debate_metrics"])


def _make_winners(turns: pa.Table) -> pa.Table:
    won = turns.take(pa.array(range(0, turns.num_rows, 12)))
    count = won.num_rows
    return pa.table(
        {
            **{name: won[name] for name in ("timestamp", "debate_id", "conversation_id")},
            "outcome": pa.array(["decided"] * count),
            "winner_provider": won["provider"],
            "winner_model": won["model"],
            "winner_position": won["position"],
            "total_rounds": won["round"],
            "final_confidence": won["confidence_score"],
            "debate_duration_ms": won["response_time_ms"],
        },
        schema=SCHEMAS["debate_winners"],
    )


def _make_messages(turns: pa.Table) -> pa.Table:
    count = turns.num_rows
    return pa.table(
        {
            **{name: turns[name] for name in ("timestamp", "conversation_id")},
            "message_id": turns["debate_id"],
            "user_id": pa.nulls(count, pa.string()),
            "role": pa.array(["assistant"] * count),
            **{name: turns[name] for name in ("provider", "model")},
            "tokens": turns["tokens_used"],
            "characters": turns["tokens_used"],
        },
        schema=SCHEMAS["message_metrics"],
    )


def _ask_all(report: Report, store: DuckDBAnalytics, files: Path, rows: int) -> None:
    day, week, month = (_NOW - timedelta(days=days) for days in (1, 7, _DAYS))
    asked: dict[str, Callable[[], object]] = {
        "providers, 24 h": lambda: questions.measure_providers(
            store, from_at=day, until_at=_NOW, provider=None
        ),
        "conversations, 7 days": lambda: questions.measure_trends(
            store, from_at=week, until_at=_NOW, granularity="day", timezone="UTC"
        ),
        "winners, all time": lambda: questions.rank_winners(store, limit=10, position=None),
        "hourly by provider, 24 h": lambda: _hourly(store, day),
        "hourly by provider, 30 days": lambda: _hourly(store, month),
    }
    for case, ask in asked.items():
        report.add(
            f"{case}, {rows:,} rows", "p99", _p99_ms(ask), "ms", runs=_TIMES, targets=(25, 10)
        )
    _ask_plainly(report, files, rows)


def _hourly(store: DuckDBAnalytics, since: datetime) -> object:
    return store.ask(_HOURLY, {"from_at": since.replace(tzinfo=None)})


def _ask_plainly(report: Report, files: Path, rows: int) -> None:
    import duckdb

    asked = (
        ("providers", 1, "24 h"), ("conversations", 7, "7 days"), ("winners", _DAYS, "all time"),
        ("hourly", 1, "24 h"), ("hourly", _DAYS, "30 days"),
    )  # fmt: skip
    with duckdb.connect() as connection:
        for question, days, window in asked:
            since = (_NOW - timedelta(days=days)).replace(tzinfo=None)
            engines: dict[str, Callable[[], object]] = {
                "polars": ask_polars(question, files, since),
                "DuckDB": ask_duckdb(connection, question, files, since),
            }
            for engine, ask in engines.items():
                case = f"baseline: {question}, {window}, of Parquet files of {rows:,} rows"
                report.add(f"{case}, {engine}", "p99", _p99_ms(ask), "ms", runs=_TIMES)


def _compare_quantiles(report: Report, store: DuckDBAnalytics, files: Path, rows: int) -> None:
    """How far p95 of the hourly question is from numpy's, computed of the Parquet file."""
    import polars as pl

    since = _NOW - timedelta(days=1)
    turns = pl.read_parquet(files / "debate_metrics.parquet").filter(
        pl.col("timestamp") >= since.replace(tzinfo=None)
    )
    hours = turns.with_columns(pl.col("timestamp").dt.truncate("1h").alias("hour"))
    exact = {
        key: float(np.quantile(group["response_time_ms"].to_numpy(), 0.95))
        for key, group in hours.group_by("hour", "provider")
    }
    answer = store.ask(_HOURLY, {"from_at": since.replace(tzinfo=None)}).to_pylist()
    found = {(row["hour"], row["provider"]): row["p95_response_time"] for row in answer}
    if found.keys() != exact.keys():
        message = "the store and the Parquet file know other hours or providers"
        raise AssertionError(message)
    worst = max(abs(found[key] - exact[key]) / exact[key] for key in exact) * 100
    report.add(
        f"p95 by hour and provider, 24 h, {rows:,} rows, against numpy", "largest error",
        worst, "%", runs=1, targets=(1, 0.5),
    )  # fmt: skip


def _weigh(report: Report, path: Path, rows: int) -> None:
    """Memory of a process that opened the store and asked it once; a server has more in it."""
    since = (_NOW - timedelta(days=_DAYS)).replace(tzinfo=None).isoformat()
    command = [sys.executable, "-c", _RESIDENT, str(path), _HOURLY, since]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=600)
    report.add(
        f"a process that asked {rows:,} rows for 30 days, then idles (without a server)",
        "resident memory", float(done.stdout), "MB", runs=1,
    )  # fmt: skip


def _p99_ms(ask: Callable[[], object]) -> float:
    for _ in range(3):
        ask()
    taken_ms = []
    for _ in range(_TIMES):
        began_s = time.perf_counter()
        ask()
        taken_ms.append((time.perf_counter() - began_s) * 1000)
    return quantiles(taken_ms, n=100, method="inclusive")[98]


def _ingest(report: Report, store: DuckDBAnalytics, rows: int, *, seed: int) -> None:
    """Rows a second into the store, in batches of a thousand, while it is asked without pause."""
    random = np.random.default_rng(seed)
    now_us = int(_NOW.timestamp() * 1e6)
    is_done = threading.Event()
    day = _NOW - timedelta(days=1)

    def ask() -> None:
        while not is_done.is_set():
            questions.measure_providers(store, from_at=day, until_at=_NOW, provider=None)

    asking = threading.Thread(target=ask)
    asking.start()
    began_s, count = time.perf_counter(), 100
    for number in range(count):
        numbers = np.arange(rows + number * 1000, rows + (number + 1) * 1000)
        turns = make_turns(numbers, now_us + numbers, random)
        checkpoint = {_PLACE: int(numbers[-1]) + 1}
        store.write("p", {"debate_metrics": turns}, checkpoint=checkpoint)
    rate = count * 1000 / (time.perf_counter() - began_s)
    is_done.set()
    asking.join()
    report.add(
        "rows into the store while it is asked (without the log)",
        "throughput", rate, "rows/s", runs=1, targets=(10_000, 20_000),
    )  # fmt: skip
