"""Dashboards: from a server that answers to a page, and from page to page."""

from __future__ import annotations

import time
from importlib.util import find_spec
from statistics import median
from typing import TYPE_CHECKING

from bench.harness import CannotRunError
from bench.server import serve

if TYPE_CHECKING:
    import httpx

    from bench.harness import Options, Report

_PAGES = ("overview", "providers")


def run(report: Report, options: Options) -> None:
    """The first page once `/health` answers, then the others; below each, what a page asks for."""
    if find_spec("panel") is None or find_spec("jupyter_server_proxy") is None:
        message = "dashboards are not installed: pip install 'helix-lab[dashboards]'"
        raise CannotRunError(message)
    firsts: list[float] = []
    for _ in range(options.runs):
        with serve() as client:
            firsts.append(_open_s(client, "overview"))
    report.add("first page, after the first answer of /health", "time", median(firsts), "s")
    with serve() as client:
        _open_s(client, "overview")
        for name in _PAGES:
            report.compare(
                f"next page, {name}",
                lambda name=name: _open_s(client, name),  # type: ignore[misc]
                baseline="GET /v1/info",
                measure_baseline=lambda: _ask_s(client, "/v1/info"),
                metric="time",
                unit="s",
            )


def _open_s(client: httpx.Client, name: str) -> float:
    return _ask_s(client, f"/helix-dash/{name}")


def _ask_s(client: httpx.Client, path: str) -> float:
    began_s = time.perf_counter()
    client.get(path).raise_for_status()
    return time.perf_counter() - began_s
