"""The wire form of OTLP: an export request in protobuf or JSON, read as spans.

Source: opentelemetry-proto 1.x, `ExportTraceServiceRequest`; its JSON differs from that of
protobuf in one point: ids of traces and spans are hexadecimal, not base64.
"""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from helix_lab.domain.model.errors import InvalidRequest
from helix_lab.record.importers.otlp.span import Source, Span, SpanEvent, SpanLink

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
    from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
    from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans
    from opentelemetry.proto.trace.v1.trace_pb2 import Span as WireSpan

KINDS = ("unspecified", "internal", "server", "client", "producer", "consumer")
STATUSES = ("unset", "ok", "error")

_HEX_IDS = frozenset({"traceId", "spanId", "parentSpanId", "trace_id", "span_id", "parent_span_id"})
_MAX_DEPTH = 60
"""Of values inside of values; far below what an event may have."""
_REPLACEMENT = "\N{REPLACEMENT CHARACTER}"


def read_protobuf(body: bytes) -> Iterator[Span]:
    """The spans of a request in protobuf, unchecked.

    Raises:
        InvalidRequest: it is no such request, or cut off.
    """
    from google.protobuf.message import DecodeError
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

    request = ExportTraceServiceRequest()
    try:
        request.ParseFromString(body)
    except DecodeError:
        message = (
            f"the body of {len(body)} bytes is no ExportTraceServiceRequest in protobuf, or is cut "
            "off; for JSON, send Content-Type: application/json"
        )
        raise InvalidRequest(message, field="body") from None
    return _read(request)


def read_json(body: bytes) -> Iterator[Span]:
    """The spans of a request in JSON, unchecked.

    Raises:
        InvalidRequest: it is not JSON, or no such request.
    """
    from google.protobuf.json_format import ParseDict, ParseError
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

    try:
        value = json.loads(body.decode("utf-8-sig"))
        request = ParseDict(
            _with_base64_ids(value), ExportTraceServiceRequest(), ignore_unknown_fields=True
        )
    except RecursionError:
        message = "the body is nested too deeply"
        raise InvalidRequest(message, field="body") from None
    except (ValueError, TypeError, AttributeError, ParseError) as error:
        message = f"the body is no ExportTraceServiceRequest in JSON: {error}"
        raise InvalidRequest(message, field="body") from None
    return _read(request)


def _with_base64_ids(value: Any) -> Any:
    if isinstance(value, list):
        return [_with_base64_ids(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        name: _to_base64(item)
        if name in _HEX_IDS and isinstance(item, str)
        else _with_base64_ids(item)
        for name, item in value.items()
    }


def _to_base64(text: str) -> str:
    try:
        return base64.b64encode(bytes.fromhex(text)).decode()
    except ValueError:
        message = f"{text!r} is no hexadecimal id"
        raise ValueError(message) from None


def _read(request: ExportTraceServiceRequest) -> Iterator[Span]:
    for resource_spans in request.resource_spans:
        for scope_spans in resource_spans.scope_spans:
            source = _read_source(resource_spans, scope_spans)
            for span in scope_spans.spans:
                yield _read_span(span, source)


def _read_source(resource_spans: ResourceSpans, scope_spans: ScopeSpans) -> Source:
    scope = scope_spans.scope
    known = {
        "name": _clean(scope.name),
        "version": _clean(scope.version),
        "schema_url": _clean(scope_spans.schema_url or resource_spans.schema_url),
        "attributes": _read_attributes(scope.attributes),
    }
    return Source(
        _read_attributes(resource_spans.resource.attributes),
        {name: value for name, value in known.items() if value},
    )


def _read_span(span: WireSpan, source: Source) -> Span:
    dropped = {
        "attributes": span.dropped_attributes_count,
        "events": span.dropped_events_count,
        "links": span.dropped_links_count,
    }
    return Span(
        trace_id=span.trace_id.hex(),
        span_id=span.span_id.hex(),
        parent_span_id=span.parent_span_id.hex(),
        name=_clean(span.name),
        kind=_name(KINDS, span.kind),
        started_ns=span.start_time_unix_nano,
        ended_ns=span.end_time_unix_nano,
        status=_name(STATUSES, span.status.code),
        status_message=_clean(span.status.message),
        trace_state=_clean(span.trace_state),
        attributes=_read_attributes(span.attributes),
        events=[
            SpanEvent(_clean(event.name), event.time_unix_nano, _read_attributes(event.attributes))
            for event in span.events
        ],
        links=[
            SpanLink(link.trace_id.hex(), link.span_id.hex(), _read_attributes(link.attributes))
            for link in span.links
        ],
        source=source,
        dropped={name: count for name, count in dropped.items() if count},
    )


def _name(names: tuple[str, ...], number: int) -> str:
    """A newer protocol may have more of them than are known here."""
    return names[number] if 0 <= number < len(names) else names[0]


def _read_attributes(pairs: Iterable[KeyValue]) -> Mapping[str, Any]:
    return {_clean(pair.key): _read_value(pair.value) for pair in pairs}


def _read_value(value: AnyValue, depth: int = 0) -> Any:
    """A value as JSON has it; what JSON lacks becomes a text."""
    kind = value.WhichOneof("value")
    if kind is None:
        return None
    if depth > _MAX_DEPTH:
        return _clean(str(value))
    if kind == "array_value":
        return [_read_value(item, depth + 1) for item in value.array_value.values]
    if kind == "kvlist_value":
        pairs = value.kvlist_value.values
        return {_clean(pair.key): _read_value(pair.value, depth + 1) for pair in pairs}
    return _read_scalar(getattr(value, kind))


def _read_scalar(value: Any) -> Any:
    if isinstance(value, str):
        return _clean(value)
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value


def _clean(text: str) -> str:
    """No store keeps a NUL character."""
    return text.replace("\0", _REPLACEMENT)
