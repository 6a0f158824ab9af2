"""Spans of real programs: the official exporter, and pydantic-ai, send to a real server."""

from __future__ import annotations

import asyncio
import gzip
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
from google.protobuf.json_format import MessageToDict
from openai import AsyncOpenAI
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from opentelemetry.trace import Tracer

from helix_lab.testing.fake_llm import FakeLLM
from tests.server.live import TOKEN, LiveServer, wait_for

PROTOBUF = {"Content-Type": "application/x-protobuf"}
NS = 1_000_000_000


class Recorder(SpanExporter):
    """Sends through the official exporter, and notes what came of it."""

    def __init__(self, server: LiveServer, compression: Compression) -> None:
        headers = {"Authorization": f"Bearer {TOKEN}"}
        endpoint = f"{server.url}v1/traces"
        self.sender = OTLPSpanExporter(endpoint, headers=headers, compression=compression)
        self.spans: list[ReadableSpan] = []
        self.results: list[SpanExportResult] = []

    def export(self, spans: Any) -> SpanExportResult:
        """Send them."""
        self.spans += spans
        result: SpanExportResult = self.sender.export(spans)
        self.results.append(result)
        return result

    def shutdown(self) -> None:
        """End the connection."""
        self.sender.shutdown()  # type: ignore[no-untyped-call] # of the exporter


@contextmanager
def instrumented(
    server: LiveServer, compression: Compression = Compression.Gzip
) -> Iterator[tuple[TracerProvider, Recorder]]:
    """A program that tells what it does."""
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    provider = TracerProvider(resource=Resource.create({"service.name": "shop"}))
    recorder = Recorder(server, compression)
    provider.add_span_processor(BatchSpanProcessor(recorder))
    try:
        yield provider, recorder
    finally:
        provider.shutdown()


def chat(tracer: Tracer, conversation_id: str, history: list[str], answer: str) -> None:
    """One call of a model, told as today's conventions say."""
    messages = [
        {"role": ("user", "assistant")[i % 2], "parts": [{"type": "text", "content": text}]}
        for i, text in enumerate(history)
    ]
    output = [
        {
            "role": "assistant",
            "parts": [{"type": "text", "content": answer}],
            "finish_reason": "stop",
        }
    ]
    with tracer.start_as_current_span("chat gpt-4o-mini") as span:
        span.set_attributes(
            {
                "gen_ai.operation.name": "chat",
                "gen_ai.provider.name": "openai",
                "gen_ai.request.model": "gpt-4o-mini",
                "gen_ai.conversation.id": conversation_id,
                "gen_ai.usage.input_tokens": 1000,
                "gen_ai.usage.output_tokens": 500,
                "gen_ai.response.finish_reasons": ["stop"],
                "gen_ai.input.messages": json.dumps(messages),
                "gen_ai.output.messages": json.dumps(output),
                "shop.basket": "three pears",
            }
        )


def read_conversation(client: httpx.Client, conversation_id: str) -> list[dict[str, Any]]:
    asked = {"conversation_id": conversation_id}
    answer = client.post("/v1/context/replay", json=asked)
    messages: list[dict[str, Any]] = answer.json()["messages"]
    return messages


def count_rows(client: httpx.Client, conversation_id: str) -> list[dict[str, Any]]:
    statement = (
        "SELECT provider, model, input_tokens, output_tokens, cost_usd, error_code "
        f"FROM chat_metrics WHERE conversation_id = '{conversation_id}' ORDER BY timestamp"
    )
    answer = client.post("/v1/analytics/query", json={"query": statement}).json()
    columns = [column["name"] for column in answer["columns"]]
    return [dict(zip(columns, row, strict=True)) for row in answer["rows"]]


@pytest.mark.parametrize("compression", [Compression.Gzip, Compression.NoCompression])
def test_spans_of_the_official_exporter_become_a_conversation_and_its_metrics(
    server: LiveServer, client: httpx.Client, compression: Compression
) -> None:
    conversation_id = f"basket-{compression.value}"

    with instrumented(server, compression) as (provider, recorder):
        tracer = provider.get_tracer("shop")
        with tracer.start_as_current_span("order"):
            chat(tracer, conversation_id, ["Are there pears?"], "Yes, three.")
            chat(tracer, conversation_id, ["Are there pears?", "Yes, three.", "All."], "Done.")
        provider.force_flush()
        recorder.sender.export(recorder.spans)

    assert {SpanExportResult.SUCCESS} == set(recorder.results)
    said = [(m["role"], m["content"]) for m in read_conversation(client, conversation_id)]
    assert [
        ("user", "Are there pears?"),
        ("assistant", "Yes, three."),
        ("user", "All."),
        ("assistant", "Done."),
    ] == said
    rows = count_rows(client, conversation_id)
    assert [("openai", 1000, 500)] * 2 == [
        (row["provider"], row["input_tokens"], row["output_tokens"]) for row in rows
    ]
    assert all(row["cost_usd"] > 0 and row["error_code"] is None for row in rows)
    trace_id = f"{recorder.spans[0].context.trace_id:032x}"
    trace = client.get(f"/v1/traces/{trace_id}", params={"details": True}).json()
    assert ("order", "shop", conversation_id) == (
        trace["name"],
        trace["service"],
        trace["conversation_id"],
    )
    assert (3, 2, 2000, 1000) == (
        trace["span_count"],
        trace["request_count"],
        trace["input_tokens"],
        trace["output_tokens"],
    )
    assert [0, 1, 1] == [span["depth"] for span in trace["spans"]]
    assert "three pears" == trace["spans"][1]["details"]["attributes"]["shop.basket"]
    listed = client.get("/v1/traces", params={"conversation_id": conversation_id}).json()["traces"]
    assert [trace_id] == [row["trace_id"] for row in listed]
    assert {name: trace[name] for name in listed[0]} == listed[0]


async def converse(llm: FakeLLM, provider: TracerProvider) -> str:
    """Two questions of an agent in one conversation; gives its first answer."""
    from pydantic_ai import Agent, InstrumentationSettings
    from pydantic_ai.capabilities import Instrumentation
    from pydantic_ai.models.openai import OpenAIChatModel
    from pydantic_ai.providers.openai import OpenAIProvider

    told = Instrumentation(InstrumentationSettings(tracer_provider=provider))
    async with AsyncOpenAI(base_url=llm.base_url, api_key="none") as openai:
        model = OpenAIChatModel("fake", provider=OpenAIProvider(openai_client=openai))
        agent = Agent(model, instructions="Be brief.", capabilities=[told])
        first = await agent.run("What is a helix?")
        await agent.run("And a double one?", message_history=first.all_messages())
    return first.output


def test_the_instrumentation_of_pydantic_ai_is_understood(
    server: LiveServer, client: httpx.Client
) -> None:
    with FakeLLM() as llm, instrumented(server) as (provider, recorder):
        answer = asyncio.run(converse(llm, provider))
        provider.force_flush()

    spans = {f"{span.context.trace_id:032x}" for span in recorder.spans}
    traces = [client.get(f"/v1/traces/{trace_id}").json() for trace_id in spans]
    assert {SpanExportResult.SUCCESS} == set(recorder.results)
    assert [1, 1] == [trace["request_count"] for trace in traces]
    assert all(trace["input_tokens"] > 0 < trace["output_tokens"] for trace in traces)
    said = [
        message["content"]
        for trace in traces
        for message in read_conversation(client, trace["conversation_id"])
    ]
    assert "What is a helix?" in said
    assert "And a double one?" in said
    assert answer in said


def make_span(**fields: Any) -> dict[str, Any]:
    return {
        "traceId": "5b8efff798038103d269b633813fc60c",
        "spanId": "eee19b7ec3c1b174",
        "name": "work",
        "kind": 1,
        "startTimeUnixNano": str(1_769_000_000 * NS),
        "endTimeUnixNano": str(1_769_000_001 * NS),
        **fields,
    }


def wrap(*spans: dict[str, Any]) -> dict[str, Any]:
    return {"resourceSpans": [{"scopeSpans": [{"spans": list(spans)}]}]}


def post(client: httpx.Client, body: Any, **headers: str) -> httpx.Response:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return client.post(
        "/v1/traces", content=raw, headers={"Content-Type": "application/json", **headers}
    )


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"traceId": "0" * 32}, "trace_id"),
        ({"traceId": "abcd"}, "trace_id"),
        ({"spanId": ""}, "span_id"),
        ({"parentSpanId": "ab"}, "parent_span_id"),
        ({"startTimeUnixNano": "0"}, "start_time_unix_nano"),
        ({"endTimeUnixNano": str(1_768_999_999 * NS)}, "before it begins"),
    ],
)
def test_a_span_that_cannot_be_is_refused_and_the_others_are_kept(
    client: httpx.Client, fields: dict[str, Any], reason: str
) -> None:
    good = make_span(traceId="6b8efff798038103d269b633813fc60c")

    answer = post(client, wrap(make_span(**fields), good))

    assert 200 == answer.status_code
    told = answer.json()["partialSuccess"]
    assert "1" == told["rejectedSpans"]
    assert reason in told["errorMessage"]
    assert 1 == client.get(f"/v1/traces/{good['traceId']}").json()["span_count"]


def test_a_span_that_comes_again_otherwise_is_refused_and_the_first_is_kept(
    client: httpx.Client,
) -> None:
    span = make_span(traceId="7b8efff798038103d269b633813fc60c")
    assert {} == post(client, wrap(span, span)).json()
    assert {} == post(client, wrap(span)).json()

    told = post(client, wrap({**span, "name": "other"})).json()["partialSuccess"]

    assert "1" == told["rejectedSpans"]
    spans = client.get(f"/v1/traces/{span['traceId']}").json()["spans"]
    assert ["work"] == [kept["name"] for kept in spans]


@pytest.mark.parametrize("answer_in_json", [True, False])
def test_partial_success_is_told_in_the_form_of_the_request(
    client: httpx.Client, answer_in_json: bool
) -> None:
    body = wrap(make_span(traceId="0" * 32))
    if answer_in_json:
        answer = post(client, body)
        told = answer.json()
    else:
        request = ExportTraceServiceRequest()
        span = request.resource_spans.add().scope_spans.add().spans.add()
        span.trace_id, span.span_id = bytes(16), bytes(7)
        answer = post(client, request.SerializeToString(), **PROTOBUF)
        response = ExportTraceServiceResponse()
        response.ParseFromString(answer.content)
        told = MessageToDict(response)

    assert "1" == told["partialSuccess"]["rejectedSpans"]
    sent = "application/json" if answer_in_json else PROTOBUF["Content-Type"]
    assert sent == answer.headers["Content-Type"].partition(";")[0]


def cut_off() -> tuple[bytes, dict[str, str]]:
    request = ExportTraceServiceRequest()
    request.resource_spans.add().scope_spans.add().spans.add().name = "work" * 20
    return bytes(request.SerializeToString())[:-5], PROTOBUF


def bomb() -> tuple[bytes, dict[str, str]]:
    return gzip.compress(bytes(100 << 20)), {"Content-Encoding": "gzip"}


@pytest.mark.parametrize(
    ("make", "status", "reason"),
    [
        (cut_off, 400, "cut off"),
        (bomb, 413, ""),
        (lambda: (b"{", {}), 400, "JSON"),
        (lambda: (b"[1]", {}), 400, "JSON"),
        (lambda: (b"\xff", {}), 400, "JSON"),
        (lambda: (b'{"resourceSpans": 7}', {}), 400, "JSON"),
        (lambda: (b"[" * 100_000, {}), 400, "nested"),
        (lambda: (gzip.compress(b"{}")[:-9], {"Content-Encoding": "gzip"}), 400, "cut off"),
        (lambda: (b"{}", {"Content-Encoding": "gzip"}), 400, "gzip"),
        (lambda: (b"{}", {"Content-Encoding": "br"}), 400, "Content-Encoding"),
        (lambda: (b"{}", {"Content-Type": "text/plain"}), 415, "Content-Type"),
    ],
)
def test_a_body_that_is_no_request_is_refused_with_the_reason(
    client: httpx.Client, make: Callable[[], tuple[bytes, dict[str, str]]], status: int, reason: str
) -> None:
    body, headers = make()

    answer = post(client, body, **headers)

    assert status == answer.status_code
    assert reason in answer.text


def test_spans_are_taken_of_nobody_without_a_token(server: LiveServer) -> None:
    with server.client(Accept="*/*") as stranger:
        answer = post(stranger, wrap(make_span()))

    assert 403 == answer.status_code


def test_an_error_of_a_provider_counts_as_a_failed_request(client: httpx.Client) -> None:
    attributes = {
        "gen_ai.operation.name": "chat",
        "gen_ai.system": "Anthropic",
        "gen_ai.request.model": "claude-sonnet-4-5",
        "session.id": "sad",
        "error.type": "timeout",
    }
    listed = [{"key": k, "value": {"stringValue": v}} for k, v in attributes.items()]
    span = make_span(spanId="aaa19b7ec3c1b174", attributes=listed, status={"code": 2})
    assert {} == post(client, wrap(span)).json()

    rows = wait_for(lambda: count_rows(client, "sad"), "the row of the request")

    assert [("anthropic", "claude-sonnet-4-5", "timeout")] == [
        (row["provider"], row["model"], row["error_code"]) for row in rows
    ]
