"""How fast spans are taken in, and how fast a trace of 10,000 spans opens.

`python -m bench.traces`: one lab in a new folder, no server; protobuf, batches of 512 as an
exporter sends them. A span of ten is a call of a model with two messages.
"""

from __future__ import annotations

import json
import secrets
import tempfile
import time
from pathlib import Path

import numpy as np
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from helix_lab.lab import Lab, open_lab
from helix_lab.operations.span_intake import take_in_spans

SPANS = 10_000
BATCH = 512
OPENINGS = 20
_BEGIN_NS = 1_769_000_000 * 10**9


def make_batches(trace_id: bytes) -> list[bytes]:
    """The bodies of requests with all spans of one trace."""
    bodies = []
    for start in range(0, SPANS, BATCH):
        request = ExportTraceServiceRequest()
        spans = request.resource_spans.add().scope_spans.add().spans
        for number in range(start, min(start + BATCH, SPANS)):
            span = spans.add()
            span.trace_id, span.name = trace_id, f"step {number % 7}"
            span.span_id = (number + 1).to_bytes(8, "big")
            span.parent_span_id = (number // 10).to_bytes(8, "big") if number else b""
            span.start_time_unix_nano = _BEGIN_NS + number * 10**6
            span.end_time_unix_nano = span.start_time_unix_nano + 5 * 10**6
            facts = _CALL if number % 10 == 0 else {"code.function": "step"}
            for key, value in facts.items():
                text = value.replace("NUMBER", str(number))
                span.attributes.add(key=key).value.string_value = text
        bodies.append(request.SerializeToString())
    return bodies


_CALL = {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "acme",
    "gen_ai.request.model": "a-1",
    "gen_ai.usage.input_tokens": "120",
    "gen_ai.usage.output_tokens": "30",
    "gen_ai.input.messages": json.dumps(
        [{"role": "user", "parts": [{"type": "text", "content": "Question NUMBER of many"}]}]
    ),
    "gen_ai.output.messages": json.dumps(
        [{"role": "assistant", "parts": [{"type": "text", "content": "Answer NUMBER"}]}]
    ),
}


def measure(lab: Lab) -> None:
    """Take in one trace, and open it again and again."""
    trace_id = secrets.token_bytes(16)
    bodies = make_batches(trace_id)
    began_s = time.perf_counter()
    for body in bodies:
        intake = take_in_spans(lab.services, body, form="protobuf")
        assert not intake.rejected, intake.message
    took_s = time.perf_counter() - began_s
    lab.services.projections.catch_up(timeout_s=60)
    times_ms, cpu_s, text = [], time.thread_time(), ""
    for _ in range(OPENINGS):
        began_s = time.perf_counter()
        text = lab.get_trace(trace_id.hex()).model_dump_json()
        times_ms.append((time.perf_counter() - began_s) * 1000)
    cpu_ms = (time.thread_time() - cpu_s) * 1000 / OPENINGS
    p50, p99 = np.quantile(times_ms, [0.5, 0.99])
    print(f"taken in durably: {SPANS / took_s:,.0f} spans/s, one thread, batches of {BATCH}")
    print(
        f"a trace of {SPANS:,} spans opens as {len(text) / 2**20:.1f} MiB of JSON: "
        f"p50 {p50:.0f} ms, p99 {p99:.0f} ms; {cpu_ms:.0f} ms of processor time"
    )


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder, open_lab(Path(folder)) as lab:
        measure(lab)
