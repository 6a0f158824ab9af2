"""Spans as a tree: which of them is inside of which."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

Span = Mapping[str, Any]


def order_spans(spans: Sequence[Span]) -> list[tuple[int, Span]]:
    """Depth and span, each followed by those inside of it, what began first before the others.

    A span whose parent is not here stands at the top, as do those whose parents form a circle.
    """
    ids = {span["span_id"] for span in spans}
    inside: dict[str | None, list[Span]] = defaultdict(list)
    for span in sorted(spans, key=lambda s: (s["started_at"], -s["duration_ms"], s["span_id"])):
        parent = span.get("parent_span_id")
        inside[parent if parent in ids else None].append(span)
    ordered = _walk(inside[None], inside)
    if len(ordered) < len(spans):
        reached = {span["span_id"] for _, span in ordered}
        ordered += [(0, span) for span in spans if span["span_id"] not in reached]
    return ordered


def _walk(roots: Sequence[Span], inside: Mapping[str | None, list[Span]]) -> list[tuple[int, Span]]:
    """Without recursion: a trace may be as deep as its program likes."""
    ordered: list[tuple[int, Span]] = []
    waiting = [(0, span) for span in reversed(roots)]
    while waiting:
        depth, span = waiting.pop()
        ordered.append((depth, span))
        waiting += [(depth + 1, child) for child in reversed(inside.get(span["span_id"], []))]
    return ordered
