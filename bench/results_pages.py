"""Pages of a large answer that the server keeps: in its own order, and sorted, through REST."""

from __future__ import annotations

import time
from functools import partial
from statistics import median
from typing import TYPE_CHECKING

from bench.server import serve

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

    from bench.harness import Options, Report

_COLUMNS = {"a whole number": 1, "a text": 2}


def run(report: Report, options: Options) -> None:
    """Keep an answer, sort it for the first time, then read pages from all over it."""
    rows = options.size(1_000_000)
    sql = (
        "SELECT range AS n, (hash(range) % 1000)::INTEGER AS number, "
        "'text ' || hash(range) AS text, range / 7 AS ratio, range % 3 = 0 AS flag "
        f"FROM range({rows})"
    )
    with serve() as client:
        report.compare(
            f"ask for {rows:,} rows of five columns and keep all of them",
            lambda: _elapsed_ms(lambda: _ask(client, sql, keep=True)),
            baseline="count them and keep none",
            measure_baseline=lambda: _elapsed_ms(lambda: _ask(client, sql, keep=False)),
            metric="time",
            unit="ms",
        )
        result_id = _ask(client, sql, keep=True)
        for name, column in _COLUMNS.items():
            first = _elapsed_ms(partial(_read, client, result_id, 0, column))
            report.add(f"sort {rows:,} rows by {name}, the first page", "time", first, "ms", runs=1)
        for name, sort in {"not sorted": None, **_COLUMNS}.items():
            report.compare(
                f"a page of 100 rows of {rows:,}, {name if sort is None else f'sorted by {name}'}",
                partial(_measure_pages, client, result_id, rows, sort),
                baseline="GET /v1/info",
                measure_baseline=lambda: median(
                    _elapsed_ms(lambda: client.get("/v1/info").raise_for_status())
                    for _ in range(20)
                ),
                metric="p50",
                unit="ms",
            )


def _measure_pages(client: httpx.Client, result_id: str, rows: int, sort: int | None) -> float:
    offsets = range(0, rows, max(1, rows // 20))
    return median(_elapsed_ms(partial(_read, client, result_id, at, sort)) for at in offsets)


def _ask(client: httpx.Client, sql: str, *, keep: bool) -> str:
    body = {"query": sql, "max_rows": 100, "timeout_s": 600, "keep": keep}
    answer = client.post("/v1/analytics/query", json=body, timeout=660).raise_for_status().json()
    return str(answer["result_id"])


def _read(client: httpx.Client, result_id: str, offset: int, sort: int | None) -> None:
    query = {"offset": offset} | ({} if sort is None else {"sort": sort})
    client.get(f"/v1/results/{result_id}", params=query).raise_for_status()


def _elapsed_ms(call: Callable[[], object]) -> float:
    start = time.perf_counter()
    call()
    return (time.perf_counter() - start) * 1000
