"""Spans as drafts of events: one of each span, and the messages of conversations in them.

A call shows its model the whole history again, so the same message comes in many spans. It is one
message: its id is made of its conversation, what it says, and how often that was said before it in
the same history. The answer of a call bears the provider and the model of the call.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from helix_lab.domain.model.errors import InvalidRequest
from helix_lab.domain.model.event import SPAN_ENDED, Draft, make_event_id
from helix_lab.record.drafts import add_message, start_conversation, to_rfc3339
from helix_lab.record.importers.fields import read_id
from helix_lab.record.importers.otlp.conventions import ModelCall, read_model_call
from helix_lab.record.importers.otlp.messages import read_messages
from helix_lab.record.importers.otlp.parts import Said
from helix_lab.record.importers.otlp.span import Span

SOURCE = "otlp"

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ID_DIGITS = {"trace_id": 32, "span_id": 16}
_NOT_KEPT = ("is_saying",)


@dataclass(frozen=True, slots=True)
class Reading:
    """A span, and what it says of a call of a model."""

    span: Span
    call: ModelCall | None

    @property
    def conversation_id(self) -> str:
        """Of the call; without one of its own, the trace is the conversation."""
        named = self.call.conversation_id if self.call else None
        return read_id(named, "conversation_id") or f"trace-{self.span.trace_id}"


def check_span(span: Span) -> None:
    """Refuse a span that cannot be kept.

    Raises:
        InvalidRequest: an id is missing or all zeros, or it ends before it begins.
    """
    for name, digits in _ID_DIGITS.items():
        value: str = getattr(span, name)
        if len(value) != digits or not value.strip("0"):
            message = f"{name} {value!r} is not {digits} hexadecimal digits, not all of them 0"
            raise InvalidRequest(message, field=name)
    if span.parent_span_id and len(span.parent_span_id) != _ID_DIGITS["span_id"]:
        message = f"parent_span_id {span.parent_span_id!r} is not 16 hexadecimal digits"
        raise InvalidRequest(message, field="parent_span_id")
    if not span.started_ns:
        message = "start_time_unix_nano is missing"
        raise InvalidRequest(message, field="start_time_unix_nano")
    if span.ended_ns < span.started_ns:
        message = f"it ends at {span.ended_ns} ns, before it begins at {span.started_ns} ns"
        raise InvalidRequest(message, field="end_time_unix_nano")


def read_span(span: Span) -> Reading:
    """A span, and what it says of a call of a model."""
    return Reading(span, read_model_call(span))


def draft_span(reading: Reading) -> Draft:
    """The event that a span ended; the same span is the same event."""
    span = reading.span
    optional: dict[str, Any] = {
        "parent_span_id": span.parent_span_id.strip("0") and span.parent_span_id,
        "status_message": span.status_message,
        "trace_state": span.trace_state,
        "attributes": span.attributes,
        "events": [
            {"name": e.name, "at": _to_text(e.at_ns), "attributes": e.attributes}
            for e in span.events
        ],
        "links": [asdict(link) for link in span.links],
        "resource": span.source.resource,
        "scope": span.source.scope,
        "dropped": span.dropped,
        "model_call": _show_call(reading),
    }
    data = {
        "trace_id": span.trace_id,
        "span_id": span.span_id,
        "name": span.name,
        "kind": span.kind,
        "started_at": _to_text(span.started_ns),
        "ended_at": _to_text(span.ended_ns),
        "duration_ms": (span.ended_ns - span.started_ns) / 1e6,
        "status": span.status,
        **{name: value for name, value in optional.items() if value},
    }
    event_id = make_event_id("span.ended", span.trace_id, span.span_id)
    time = to_moment(span.started_ns)
    return Draft(event_id, SPAN_ENDED, span.trace_id, span.span_id, data, time)


def draft_messages(
    readings: Sequence[Reading], known: Mapping[str, Collection[str]]
) -> list[Draft]:
    """The messages of the conversations in these spans that are not recorded yet.

    Args:
        readings: in any order.
        known: by conversation, the ids of its messages; a conversation is in it if it began.
    """
    saying = [r for r in readings if r.call is not None and r.call.is_saying]
    saying.sort(key=lambda reading: (reading.span.ended_ns, reading.span.span_id))
    told = [(reading, *read_messages(reading.span)) for reading in saying]
    answers: dict[tuple[str, str], Draft] = {}
    for reading, shown, said in told:
        for message_id, draft in _draft_answers(reading, shown, said):
            answers.setdefault((reading.conversation_id, message_id), draft)
    drafts: dict[tuple[str, str], Draft] = {}
    for reading, shown, said in told:
        conversation_id = reading.conversation_id
        if conversation_id not in known:
            drafts.setdefault((conversation_id, ""), _draft_start(reading))
        for message_id, message in _number(conversation_id, [*shown, *said]):
            place = (conversation_id, message_id)
            if place not in drafts and message_id not in known.get(conversation_id, ()):
                drafts[place] = answers.get(place) or _draft_shown(reading, message_id, message)
    return list(drafts.values())


def _draft_start(reading: Reading) -> Draft:
    call = reading.call
    user_id = read_id(call.user_id, "user_id") if call else None
    draft = start_conversation(reading.conversation_id, user_id=user_id, source=SOURCE)
    return replace(draft, time=to_moment(reading.span.started_ns))


def _draft_shown(reading: Reading, message_id: str, message: Said) -> Draft:
    """A message of a history: nothing in it depends on which span it came with."""
    draft = add_message(
        reading.conversation_id,
        message_id,
        role=message.role,
        content=message.content,
        name=message.name,
        metadata=message.metadata,
    )
    return replace(draft, time=to_moment(reading.span.started_ns))


def _draft_answers(
    reading: Reading, shown: Sequence[Said], said: Sequence[Said]
) -> Iterator[tuple[str, Draft]]:
    call, span = reading.call, reading.span
    numbered = list(_number(reading.conversation_id, [*shown, *said]))
    for message_id, message in numbered[len(shown) :]:
        origin = {"trace_id": span.trace_id, "span_id": span.span_id}
        draft = add_message(
            reading.conversation_id,
            message_id,
            role=message.role,
            content=message.content,
            name=message.name,
            provider=call.provider if call else None,
            model=call.model if call else None,
            metadata={**message.metadata, **origin},
        )
        yield message_id, replace(draft, time=to_moment(span.ended_ns))


def _number(conversation_id: str, messages: Iterable[Said]) -> Iterator[tuple[str, Said]]:
    """The messages with their ids: what they say, and how often it was said before."""
    before: Counter[tuple[str, str, str]] = Counter()
    for message in messages:
        rest = json.dumps(message.metadata, sort_keys=True, default=str)
        words = (message.role, message.content, rest)
        yield make_event_id("otlp", conversation_id, *words, str(before[words])), message
        before[words] += 1


def _show_call(reading: Reading) -> dict[str, Any] | None:
    if reading.call is None:
        return None
    values = {name: v for name, v in asdict(reading.call).items() if name not in _NOT_KEPT}
    values["conversation_id"] = reading.conversation_id
    return {name: value for name, value in values.items() if value is not None}


def to_moment(nanoseconds: int) -> datetime:
    """A UTC datetime, to the microsecond."""
    return _EPOCH + timedelta(microseconds=nanoseconds // 1000)


def _to_text(nanoseconds: int) -> str:
    return to_rfc3339(to_moment(nanoseconds))
