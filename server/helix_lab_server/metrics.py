"""Metrics of the lab on Jupyter's own `/metrics`, as Prometheus reads them.

Calls of operations are counted as they end. What has to be asked of a store is asked in a thread
when the page is read, and shown from the next reading on: the page is written on the event loop,
which must not wait for a store.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from prometheus_client import REGISTRY, Histogram
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.registry import Collector

from helix_lab.operations.metering import Call
from helix_lab.operations.monitoring import Counts, ProviderCount, ProviderTimes, count_all

if TYPE_CHECKING:
    from helix_lab.lab import Lab

REST_S = 0.5
"""Between two times that the stores are asked, however often the page is read."""

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 120)


class LabMetrics(Collector):
    """The metrics of one lab.

    Args:
        lab: which.
    """

    def __init__(self, lab: Lab) -> None:
        self._services = lab.services
        self._counts: Counts | None = None
        self._is_wanted = threading.Event()
        self._is_closed = threading.Event()
        self._thread = threading.Thread(target=self._run, name="helix-metrics", daemon=True)
        # In no registry of its own: it is given with the rest, and goes with the lab.
        self._calls = Histogram(
            "helix_operation_duration_seconds",
            "How long operations took, by name and outcome (ok, refused, failed)",
            ["operation", "outcome"],
            buckets=_SECONDS,
            registry=None,
        )

    def start(self) -> None:
        """Begin to count, and to be shown."""
        self._services.meter.listen(self._note)
        REGISTRY.register(self)
        self._thread.start()

    def close(self) -> None:
        """Be shown no more; returns when no store is being asked. A second time does nothing."""
        if self._is_closed.is_set():
            return
        self._services.meter.ignore(self._note)
        REGISTRY.unregister(self)
        self._is_closed.set()
        self._is_wanted.set()
        self._thread.join()

    def describe(self) -> Iterable[Metric]:
        """Nothing: names are not checked against stores that nobody asked yet."""
        return ()

    def collect(self) -> Iterator[Metric]:
        """What Prometheus is told; waits for nothing."""
        yield InfoMetricFamily(
            "helix_lab",
            "This lab",
            {"version": self._services.version, "node_id": self._services.node_id},
        )
        yield from self._calls.collect()
        counts = self._counts
        self._is_wanted.set()
        if counts is not None:
            yield from show_counts(counts)

    def _note(self, call: Call) -> None:
        outcome = "failed" if call.is_failed else "refused" if call.is_refused else "ok"
        self._calls.labels(call.operation, outcome).observe(call.duration_ms / 1000)

    def _run(self) -> None:
        while not self._is_closed.is_set():
            self._counts = count_all(self._services)
            self._is_closed.wait(REST_S)
            self._is_wanted.wait()
            self._is_wanted.clear()


def show_counts(counts: Counts) -> Iterator[Metric]:
    """Counts as families of metrics; what is not known is left out."""
    if counts.events is not None:
        events = CounterMetricFamily(
            "helix_events_appended", "Events in the log, by topic", labels=["topic"]
        )
        _add_all(events, counts.events)
        yield events
    if counts.lag is not None:
        lag = GaugeMetricFamily(
            "helix_projection_lag_events", "Events a store is behind the log", labels=["store"]
        )
        _add_all(lag, counts.lag)
        yield lag
        still = GaugeMetricFamily(
            "helix_projection_fault", "1 for a store that stands still", labels=["store"]
        )
        _add_all(still, {store: int(store in counts.faults) for store in counts.lag})
        yield still
    if counts.graph is not None:
        graph = GaugeMetricFamily(
            "helix_graph_size", "Nodes and edges of the graph, by kind", labels=["kind"]
        )
        _add_all(graph, counts.graph)
        yield graph
    if counts.providers is not None:
        yield from _show_providers(counts.providers)
    if counts.times is not None:
        yield _show_times(counts.times)


_OF_PROVIDERS: Mapping[str, tuple[str, Callable[[ProviderCount], float]]] = {
    "helix_provider_requests": ("Requests to providers", lambda row: row.requests),
    "helix_provider_errors": ("Requests without a usable answer", lambda row: row.errors),
    "helix_provider_tokens": ("Tokens that were read and written", lambda row: row.tokens),
    "helix_provider_cost_usd": ("Known costs, US dollars", lambda row: row.cost_usd),
}


def _show_providers(rows: Iterable[ProviderCount]) -> Iterator[Metric]:
    rows = list(rows)
    for name, (summary, read) in _OF_PROVIDERS.items():
        family = CounterMetricFamily(
            name, f"{summary}, by provider and model", labels=["provider", "model"]
        )
        for row in rows:
            family.add_metric([row.provider, row.model], read(row))
        yield family


def _show_times(rows: Iterable[ProviderTimes]) -> Metric:
    family = GaugeMetricFamily(
        "helix_provider_response_time_ms",
        "How long providers took to answer in the last hour, by quantile",
        labels=["provider", "model", "quantile"],
    )
    for row in rows:
        for quantile, value in (("0.5", row.p50_ms), ("0.95", row.p95_ms), ("0.99", row.p99_ms)):
            if value is not None:
                family.add_metric([row.provider, row.model, quantile], value)
    return family


def _add_all(family: CounterMetricFamily | GaugeMetricFamily, values: Mapping[str, float]) -> None:
    for label, value in values.items():
        family.add_metric([label], value)
