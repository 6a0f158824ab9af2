"""A span as it came: times, names, and attributes of any kind."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Attributes = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class SpanEvent:
    """A moment inside of a span."""

    name: str
    at_ns: int
    attributes: Attributes = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SpanLink:
    """Another span that this one names."""

    trace_id: str
    span_id: str
    attributes: Attributes = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Source:
    """Who told of a span: the program and its instrumentation.

    Attributes:
        resource: attributes of the program, such as `service.name`.
        scope: name, version and attributes of the instrumentation, where they are known.
    """

    resource: Attributes
    scope: Attributes


@dataclass(frozen=True, slots=True)
class Span:
    """One span; ids in hexadecimal, times in nanoseconds since 1970.

    Attributes:
        parent_span_id: empty for the root of its trace.
        kind: `client`, `internal`, …
        status: `unset`, `ok` or `error`.
        dropped: how many attributes, events and links the source left out, where it did.
    """

    trace_id: str
    span_id: str
    parent_span_id: str
    name: str
    kind: str
    started_ns: int
    ended_ns: int
    status: str
    status_message: str
    trace_state: str
    attributes: Attributes
    events: Sequence[SpanEvent]
    links: Sequence[SpanLink]
    source: Source
    dropped: Mapping[str, int] = field(default_factory=dict)
