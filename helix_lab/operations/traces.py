"""Operations on traces: list them, and show the spans of one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from pydantic import Field

from helix_lab.domain.model.errors import UnknownTrace
from helix_lab.domain.spans import order_spans
from helix_lab.operations.operation import Id, Operation, Request, Response
from helix_lab.operations.paging import Cursor, Limit, make_cursor, read_cursor
from helix_lab.operations.services import Services
from helix_lab.queries import traces as questions

_OF_SPANS = ("span_id", "parent_span_id", "name", "kind", "duration_ms", "status")
_OF_CALLS = (
    "operation",
    "provider",
    "model",
    "input_tokens",
    "output_tokens",
    "ttft_ms",
    "cost_usd",
    "error_code",
)
_DETAILS = ("attributes", "events", "links", "resource", "scope", "dropped", "trace_state")


class TraceRow(Response):
    """One trace: the spans of one piece of work, in one or more programs."""

    trace_id: str
    name: str | None = Field(description="of its first span; null as long as that is not here")
    service: str | None
    conversation_id: str | None
    started_at: datetime
    ended_at: datetime
    duration_ms: float
    span_count: int
    request_count: int = Field(description="requests to providers")
    error_count: int
    input_tokens: int
    output_tokens: int
    cost_usd: float = Field(description="of the requests whose cost is known")


class Traces(Response):
    """One page of traces, the newest first."""

    traces: list[TraceRow]
    next_cursor: str | None


class SpanRow(Response):
    """One span."""

    span_id: str
    parent_span_id: str | None
    depth: int = Field(description="0 is at the top")
    name: str
    kind: str
    started_at: datetime
    offset_ms: float = Field(description="since the trace began")
    duration_ms: float
    status: str
    status_message: str | None
    operation: str | None = Field(description="chat, invoke_agent, execute_tool, …")
    provider: str | None
    model: str | None
    input_tokens: int | None
    output_tokens: int | None
    ttft_ms: float | None
    cost_usd: float | None
    error_code: str | None
    details: Mapping[str, Any] | None = Field(
        description="attributes, events, links, resource and scope as they came, if asked for"
    )


class Trace(TraceRow):
    """A trace with its spans, each followed by those inside of it."""

    spans: list[SpanRow]


class ListTraces(Request):
    """Which page."""

    conversation_id: Id | None = Field(None, description="only those of this conversation")
    limit: Limit = 100
    cursor: Cursor = None


class GetTrace(Request):
    """Which trace."""

    trace_id: Id = Field(description="its id, 32 hexadecimal digits")
    details: bool = Field(default=False, description="also the attributes, events and links")


def list_page(services: Services, request: ListTraces) -> Traces:
    """One page of traces."""
    after = read_cursor(request.cursor)
    rows = services.ask(
        "traces",
        lambda: questions.list_traces(
            services.records,
            limit=request.limit + 1,
            after=after,
            conversation_id=request.conversation_id,
        ),
    )
    page, more = rows[: request.limit], rows[request.limit :]
    last = page[-1] if more else None
    cursor = make_cursor(last["started_at"], last["trace_id"]) if last else None
    return Traces(traces=[_show_row(row) for row in page], next_cursor=cursor)


def get(services: Services, request: GetTrace) -> Trace:
    """The spans of a trace, and what they add up to."""
    spans = questions.read_spans(services.log, request.trace_id)
    if not spans:
        raise UnknownTrace(request.trace_id)
    ordered = order_spans(spans)
    began_at = min(_moment(span["started_at"]) for span in spans)
    rows = [
        _show_span(span, depth, began_at, has_details=request.details) for depth, span in ordered
    ]
    return Trace(**_sum_up(request.trace_id, [span for _, span in ordered], rows), spans=rows)


def _show_row(row: Mapping[str, Any]) -> TraceRow:
    return TraceRow(**row, duration_ms=_between_ms(row["started_at"], row["ended_at"]))


def _show_span(
    span: Mapping[str, Any], depth: int, began_at: datetime, *, has_details: bool
) -> SpanRow:
    call = span.get("model_call") or {}
    started_at = _moment(span["started_at"])
    details = {name: span[name] for name in _DETAILS if name in span} if has_details else None
    return SpanRow(
        **{name: span.get(name) for name in _OF_SPANS},
        **{name: call.get(name) for name in _OF_CALLS},
        depth=depth,
        started_at=started_at,
        offset_ms=_between_ms(began_at, started_at),
        status_message=span.get("status_message"),
        details=details,
    )


def _sum_up(
    trace_id: str, spans: Sequence[Mapping[str, Any]], rows: Sequence[SpanRow]
) -> dict[str, Any]:
    calls = [span["model_call"] for span in spans if "model_call" in span]
    requests = [call for call in calls if call["is_request"]]
    started_at = min(row.started_at for row in rows)
    ended_at = max(_moment(span["ended_at"]) for span in spans)
    resource = spans[0].get("resource", {})
    service = resource.get("service.name")
    return {
        "trace_id": trace_id,
        "name": next((row.name for row in rows if row.parent_span_id is None), None),
        "service": service if isinstance(service, str) else None,
        "conversation_id": next(
            (call["conversation_id"] for call in calls if call.get("conversation_id")), None
        ),
        "started_at": started_at,
        "ended_at": ended_at,
        "duration_ms": _between_ms(started_at, ended_at),
        "span_count": len(rows),
        "request_count": len(requests),
        "error_count": sum(row.status == "error" for row in rows),
        "input_tokens": sum(call.get("input_tokens", 0) for call in requests),
        "output_tokens": sum(call.get("output_tokens", 0) for call in requests),
        "cost_usd": sum(call.get("cost_usd", 0.0) for call in requests),
    }


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _between_ms(begin: datetime, end: datetime) -> float:
    return (end - begin).total_seconds() * 1000


OPERATIONS = (
    Operation(
        name="list_traces",
        summary="List traces, the newest first",
        method="GET",
        path="/v1/traces",
        scope="read",
        request=ListTraces,
        response=Traces,
        run=list_page,
    ),
    Operation(
        name="get_trace",
        summary="Show the spans of one trace: timing, tokens, errors",
        method="GET",
        path="/v1/traces/{trace_id}",
        scope="read",
        request=GetTrace,
        response=Trace,
        run=get,
        errors=(UnknownTrace,),
    ),
)
