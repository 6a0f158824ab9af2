"""The guide's five questions of plain Parquet files, by polars and by DuckDB without a store."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from pathlib import Path

_PROVIDERS = """
SELECT provider, model, count(*), avg(response_time_ms), quantile_cont(response_time_ms, 0.95)
FROM read_parquet('{folder}/debate_metrics.parquet') WHERE timestamp >= $since GROUP BY ALL
"""
_TRENDS = """
SELECT day, count(*), sum(messages), avg(messages) FROM (
    SELECT date_trunc('day', timestamp) AS day, conversation_id, count(*) AS messages
    FROM read_parquet('{folder}/message_metrics.parquet') WHERE timestamp >= $since GROUP BY ALL
) GROUP BY day
"""
_WINNERS = """
SELECT winner_provider, winner_model, count(*), avg(final_confidence)
FROM read_parquet('{folder}/debate_winners.parquet') WHERE timestamp >= $since GROUP BY ALL
"""
_HOURLY = """
SELECT date_trunc('hour', timestamp) AS "hour", provider, count(*), avg(response_time_ms),
    quantile_cont(response_time_ms, 0.95)
FROM read_parquet('{folder}/debate_metrics.parquet') WHERE timestamp >= $since GROUP BY ALL
"""
_PLAIN = {
    "providers": _PROVIDERS, "conversations": _TRENDS, "winners": _WINNERS, "hourly": _HOURLY,
}  # fmt: skip


def ask_duckdb(
    connection: Any, question: str, folder: Path, since: datetime
) -> Callable[[], list[Any]]:
    """The question as one statement on the files, by a connection that has no tables."""
    statement = _PLAIN[question].format(folder=folder)
    return lambda: list(connection.execute(statement, {"since": since}).fetchall())


def ask_polars(question: str, folder: Path, since: datetime) -> Callable[[], Any]:
    """The question as a lazy frame over the files."""
    import polars as pl

    moment, time_ms = pl.col("timestamp"), pl.col("response_time_ms")
    times = [pl.len(), time_ms.mean(), time_ms.quantile(0.95, "linear").alias("p95")]

    def scan(table: str) -> Any:
        return pl.scan_parquet(folder / f"{table}.parquet").filter(moment >= since)

    def trends() -> Any:
        day = moment.dt.truncate("1d").alias("day")
        each = scan("message_metrics").group_by(day, "conversation_id").agg(pl.len().alias("n"))
        n = pl.col("n")
        measures = [pl.len(), n.sum().alias("messages"), n.mean().alias("mean")]
        return each.group_by("day").agg(measures).collect()

    def winners() -> Any:
        groups = scan("debate_winners").group_by("winner_provider", "winner_model")
        return groups.agg(pl.len(), pl.col("final_confidence").mean()).collect()

    def hourly() -> Any:
        hour = moment.dt.truncate("1h").alias("hour")
        return scan("debate_metrics").group_by(hour, "provider").agg(times).collect()

    def providers() -> Any:
        return scan("debate_metrics").group_by("provider", "model").agg(times).collect()

    asked = {
        "providers": providers, "conversations": trends, "winners": winners, "hourly": hourly,
    }  # fmt: skip
    return asked[question]
