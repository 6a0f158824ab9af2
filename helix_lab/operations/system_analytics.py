"""The operation that tells how the lab itself does: processor, memory, requests, lag."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Literal

import numpy as np
from pydantic import Field

from helix_lab.domain.model.event import TOPICS
from helix_lab.operations.metering import Call
from helix_lab.operations.operation import Operation, Request, Response
from helix_lab.operations.sampling import Sample
from helix_lab.operations.services import Services

_LENGTHS = {"1h": timedelta(hours=1), "24h": timedelta(hours=24)}
_POINTS = 240
"""Samples in an answer at most: more than a picture can show."""


class MeasureSystem(Request):
    """Which window of time; nothing is kept for longer than a day, or from before the start."""

    window: Literal["1h", "24h"] = Field("1h", description="how far back from now")


class SampleRow(Response):
    """What was in use at one moment."""

    at: datetime
    cpu_percent: float = Field(description="of this process; 100 is one core")
    memory_bytes: int = Field(description="of this process")
    system_cpu_percent: float = Field(description="of the machine; 100 is all cores")
    system_memory_percent: float = Field(description="of the machine")


class OperationRow(Response):
    """How often an operation was asked for, and how long it took."""

    operation: str
    calls: int
    refused: int = Field(description="calls whose caller got an error")
    failed: int = Field(description="calls that ended in an error of the program")
    calls_per_s: float
    p50_ms: float
    p95_ms: float
    p99_ms: float
    max_ms: float


class SystemMetrics(Response):
    """How this lab does, since it was opened."""

    window: str
    node_id: str
    up_s: float
    known_s: float = Field(description="of the window; calls before are forgotten")
    now: SampleRow
    samples: list[SampleRow] = Field(description="the oldest first, evenly thinned out")
    calls: int
    calls_per_s: float
    operations: list[OperationRow] = Field(description="the one asked for most first")
    recorded_events: int
    projection_lag: Mapping[str, int] = Field(description="events, by store")


def measure_system(services: Services, request: MeasureSystem) -> SystemMetrics:
    """What this lab uses, and what it is asked."""
    length = _LENGTHS[request.window]
    latest = services.sampler.take()
    calls, known_s = services.meter.list_calls(within_s=length.total_seconds())
    samples = _thin(services.sampler.list_samples(within=length))
    return SystemMetrics(
        window=request.window,
        node_id=services.node_id,
        up_s=services.meter.up_s,
        known_s=known_s,
        now=_show(latest),
        samples=[_show(sample) for sample in samples],
        calls=len(calls),
        calls_per_s=len(calls) / known_s,
        operations=_sum_up(calls, known_s),
        recorded_events=sum(services.log.end_offsets(TOPICS).values()),
        projection_lag=services.projections.measure_lag(),
    )


def _sum_up(calls: Sequence[Call], known_s: float) -> list[OperationRow]:
    by_operation: dict[str, list[Call]] = defaultdict(list)
    for call in calls:
        by_operation[call.operation].append(call)
    rows = [_measure(name, its_calls, known_s) for name, its_calls in by_operation.items()]
    return sorted(rows, key=lambda row: (-row.calls, row.operation))


def _measure(name: str, calls: Sequence[Call], known_s: float) -> OperationRow:
    p50, p95, p99, longest = np.quantile([call.duration_ms for call in calls], [0.5, 0.95, 0.99, 1])
    return OperationRow(
        operation=name,
        calls=len(calls),
        refused=sum(call.is_refused for call in calls),
        failed=sum(call.is_failed for call in calls),
        calls_per_s=len(calls) / known_s,
        p50_ms=p50,
        p95_ms=p95,
        p99_ms=p99,
        max_ms=longest,
    )


def _thin(samples: Sequence[Sample]) -> Sequence[Sample]:
    step = -(-len(samples) // _POINTS) or 1
    return samples[::-step][::-1]


def _show(sample: Sample) -> SampleRow:
    return SampleRow(**asdict(sample))


OPERATIONS = (
    Operation(
        name="get_system_metrics",
        summary="Tell what this lab uses, and what it is asked",
        method="GET",
        path="/v1/analytics/system",
        scope="read",
        request=MeasureSystem,
        response=SystemMetrics,
        run=measure_system,
    ),
)
