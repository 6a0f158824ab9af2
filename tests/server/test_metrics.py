"""What Prometheus is told of the lab on Jupyter's page of metrics."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path

import httpx
import yaml
from prometheus_client.parser import text_string_to_metric_families

from tests.server.live import wait_for

CONFIGS = Path(__file__).parents[2] / "configs"
METRIC = re.compile(r"\b(?:helix|process|http|kernel)_\w+|\bup\b")
Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


def read_metrics(client: httpx.Client) -> Samples:
    text = client.get("/metrics").text
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def name(metric: str, **labels: str) -> tuple[str, frozenset[tuple[str, str]]]:
    return metric, frozenset(labels.items())


def test_calls_are_counted_by_operation_and_outcome(client: httpx.Client) -> None:
    good = name("helix_operation_duration_seconds_count", operation="get_info", outcome="ok")
    bad = name("helix_operation_duration_seconds_count", operation="get_run", outcome="refused")
    before = read_metrics(client)

    for _ in range(3):
        client.get("/v1/info")
    client.get("/v1/runs/there-is-none")

    after = read_metrics(client)
    assert 3 == after[good] - before.get(good, 0)
    assert 1 == after[bad] - before.get(bad, 0)


def test_the_durations_of_calls_are_a_histogram(client: httpx.Client) -> None:
    client.get("/v1/info")

    metrics = read_metrics(client)

    of_info = {"operation": "get_info", "outcome": "ok"}
    count = metrics[name("helix_operation_duration_seconds_count", **of_info)]
    assert count == metrics[name("helix_operation_duration_seconds_bucket", **of_info, le="+Inf")]
    assert metrics[name("helix_operation_duration_seconds_sum", **of_info)] > 0


def send_span(client: httpx.Client) -> None:
    """One request to a provider, as another program tells it."""
    said = {"gen_ai.operation.name": "chat", "gen_ai.system": "acme", "gen_ai.request.model": "a-1"}
    now_ns = time.time_ns()
    span = {
        "traceId": f"{now_ns:032x}",
        "spanId": f"{now_ns:016x}",
        "name": "chat a-1",
        "startTimeUnixNano": str(now_ns - 10**9),
        "endTimeUnixNano": str(now_ns),
        "attributes": [{"key": k, "value": {"stringValue": v}} for k, v in said.items()],
    }
    body = {"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]}
    assert {} == client.post("/v1/traces", json=body).json()


def test_events_lag_graph_and_providers_are_told(client: httpx.Client) -> None:
    events = name("helix_events_appended_total", topic="helixagent.traces")
    acme = {"provider": "acme", "model": "a-1"}
    requests = name("helix_provider_requests_total", **acme)
    wait_for(lambda: events in read_metrics(client), "the first counts")
    before = read_metrics(client)

    send_span(client)

    def is_told() -> bool:
        now = read_metrics(client)
        return now.get(requests, 0) > before.get(requests, 0) and now[events] > before[events]

    wait_for(is_told, "the request and its event", limit_s=60)
    after = read_metrics(client)
    p95 = name("helix_provider_response_time_ms", **acme, quantile="0.95")
    assert 1000 == after[p95]
    assert 0 == after[name("helix_projection_fault", store="analytics")]
    assert after[name("helix_graph_size", kind="entities")] >= 0
    assert after[name("helix_projection_lag_events", store="traces")] >= 0


def list_expressions() -> list[str]:
    """What the alerts and the dashboards ask Prometheus for."""
    groups = yaml.safe_load((CONFIGS / "prometheus" / "alerts.yml").read_text())["groups"]
    asked = [rule["expr"] for group in groups for rule in group["rules"]]
    for path in (CONFIGS / "grafana" / "dashboards").glob("*.json"):
        panels = json.loads(path.read_text())["panels"]
        asked += [target["expr"] for panel in panels for target in panel["targets"]]
    return asked


def test_dashboards_and_alerts_ask_for_metrics_that_the_lab_has(client: httpx.Client) -> None:
    send_span(client)
    wait_for(
        lambda: any(n == "helix_provider_errors_total" for n, _ in read_metrics(client)),
        "the metrics of providers",
        limit_s=60,
    )

    known = {metric for metric, _ in read_metrics(client)}

    missing = {m for expr in list_expressions() for m in METRIC.findall(expr)} - known
    # Prometheus makes the first; Jupyter counts kernels from the first one on.
    assert missing <= {"up", "kernel_currently_running_total"}
