"""Analytics: the guide's questions on many rows, beside plain scans of the same rows."""

from __future__ import annotations

import tempfile
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import quantiles
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

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
# polars and plain DuckDB answer the first question, which all others resemble.
_PLAIN = """
SELECT provider, model, count(*), avg(response_time_ms), quantile_cont(response_time_ms, 0.95)
FROM read_parquet('{path}') WHERE timestamp >= TIMESTAMP '{since}' GROUP BY ALL
"""


def run(report: Report, options: Options) -> None:
    """The guide's five questions, ingest while they are asked, and what the rows weigh."""
    rows = options.size(_ROWS)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        store = DuckDBAnalytics(folder / "a.duckdb", schema=load_schema("duckdb"))
        parquet = folder / "turns.parquet"
        _fill(store, rows, parquet, seed=options.seed)
        _ask_all(report, store, parquet, rows)
        _ingest(report, store, rows, seed=options.seed)
        store.close()
        ratio = (folder / "a.duckdb").stat().st_size / parquet.stat().st_size
        report.add(
            f"{rows:,} turns and their messages, against the turns as Parquet (zstd)",
            "bytes on disk", ratio, "×", runs=1, targets=(2, 1.2),
        )  # fmt: skip


def _fill(store: DuckDBAnalytics, rows: int, parquet: Path, *, seed: int) -> None:
    import pyarrow.parquet as pq

    random = np.random.default_rng(seed)
    begin_us = int((_NOW - timedelta(days=_DAYS)).timestamp() * 1e6)
    step_us = _DAYS * 86_400_000_000 / rows
    with pq.ParquetWriter(parquet, SCHEMAS["debate_metrics"], compression="zstd") as writer:
        for start in range(0, rows, _A_BATCH):
            numbers = np.arange(start, min(start + _A_BATCH, rows))
            turns = make_turns(numbers, begin_us + (numbers * step_us).astype(np.int64), random)
            writer.write_table(turns)
            batch = {"debate_metrics": turns, "debate_winners": _make_winners(turns)}
            batch["message_metrics"] = _make_messages(turns)
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


def _ask_all(report: Report, store: DuckDBAnalytics, parquet: Path, rows: int) -> None:
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
    _ask_plainly(report, parquet, rows, day)


def _hourly(store: DuckDBAnalytics, since: datetime) -> object:
    return store.ask(_HOURLY, {"from_at": since.replace(tzinfo=None)})


def _ask_plainly(report: Report, parquet: Path, rows: int, day: datetime) -> None:
    import duckdb
    import polars as pl

    since = day.replace(tzinfo=None)
    plain = _PLAIN.format(path=parquet, since=since)

    def scan() -> object:
        turns = pl.scan_parquet(parquet).filter(pl.col("timestamp") >= since)
        time_ms = pl.col("response_time_ms")
        measures = [pl.len(), time_ms.mean(), time_ms.quantile(0.95).alias("p95")]
        return turns.group_by("provider", "model").agg(measures).collect()

    case = f"baseline: providers, 24 h, of one Parquet file of {rows:,} rows"
    report.add(f"{case}, polars", "p99", _p99_ms(scan), "ms", runs=_TIMES)
    with duckdb.connect() as connection:
        p99_ms = _p99_ms(lambda: connection.execute(plain).fetchall())
    report.add(f"{case}, DuckDB", "p99", p99_ms, "ms", runs=_TIMES)


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
