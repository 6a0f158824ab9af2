"""A trace as rows: each span with its place in time, drawn as a bar of characters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from helix_lab.operations.traces import SpanRow, Trace

COLUMNS = (
    "span", "timeline", "offset ms", "duration ms", "model", "tokens in", "tokens out", "cost USD",
    "state",
)  # fmt: skip

_WIDTH = 30
_DEEPEST = 12
_BAR, _REST, _INDENT = "█", "·", "  "


def list_spans(trace: Trace) -> list[tuple[Any, ...]]:
    """One row a span, as `COLUMNS` names them; deeper spans are indented."""
    return [_list_span(span, trace.duration_ms) for span in trace.spans]


def sum_up(trace: Trace) -> str:
    """What the spans add up to, in one line."""
    parts: Sequence[str] = (
        f"{trace.span_count:,} spans",
        f"{trace.duration_ms:,.1f} ms",
        f"{trace.request_count:,} requests to providers",
        f"{trace.input_tokens:,} tokens in, {trace.output_tokens:,} out",
        f"${trace.cost_usd:.4f} where the cost is known",
        f"{trace.error_count:,} errors",
    )
    return " · ".join(parts)


def draw_bar(offset_ms: float, duration_ms: float, whole_ms: float, *, width: int = _WIDTH) -> str:
    """When something was, within the whole; at least one character, so that nothing is unseen."""
    if whole_ms <= 0:
        return _BAR * width
    begin = min(int(offset_ms / whole_ms * width), width - 1)
    length = max(1, min(round(duration_ms / whole_ms * width), width - begin))
    return _REST * begin + _BAR * length + _REST * (width - begin - length)


def _list_span(span: SpanRow, whole_ms: float) -> tuple[Any, ...]:
    indent = _INDENT * min(span.depth, _DEEPEST)
    return (
        f"{indent}{span.name}",
        draw_bar(span.offset_ms, span.duration_ms, whole_ms),
        round(span.offset_ms, 1),
        round(span.duration_ms, 1),
        " ".join(filter(None, (span.provider, span.model))),
        span.input_tokens,
        span.output_tokens,
        None if span.cost_usd is None else round(span.cost_usd, 6),
        span.error_code or span.status,
    )
