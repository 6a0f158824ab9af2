"""Taking in spans: what OTLP exporters send, as OTLP answers it.

No operation of the table: its bodies and answers have the form of another standard, so the only
door to it is HTTP. What it recorded is shown by the operations of `operations.traces`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from helix_lab.domain.model.errors import DuplicateId, HelixError, InvalidRequest, TooLarge
from helix_lab.domain.model.event import CONVERSATIONS, MESSAGE_ADDED, Draft
from helix_lab.operations.services import Services
from helix_lab.record.importers.otlp.drafting import (
    Reading,
    check_span,
    draft_messages,
    draft_span,
    read_span,
)
from helix_lab.record.importers.otlp.span import Span
from helix_lab.record.importers.otlp.wire import read_json, read_protobuf

Form = Literal["protobuf", "json"]

_READERS: Mapping[Form, Callable[[bytes], Iterator[Span]]] = {
    "protobuf": read_protobuf,
    "json": read_json,
}
_REFUSALS = (InvalidRequest, DuplicateId, TooLarge)
_REASONS_TOLD = 5


@dataclass(slots=True)
class Intake:
    """What became of the spans of one request.

    Attributes:
        accepted: spans that are recorded, now or before.
        rejected: spans that were refused, and that sending again would not help.
        reasons: of refusals, and of what was left out though its span was accepted.
    """

    accepted: int = 0
    rejected: int = 0
    reasons: list[str] = field(default_factory=list)

    @property
    def message(self) -> str:
        """The reasons in words; empty where all is well."""
        told = list(dict.fromkeys(self.reasons))
        more = len(told) - _REASONS_TOLD
        return "; ".join(told[:_REASONS_TOLD]) + (f"; and {more} more" if more > 0 else "")

    def reject(self, span: Span, error: HelixError) -> None:
        """Note that a span was refused."""
        self.rejected += 1
        self.reasons.append(f"span {span.span_id or '(no id)'} {span.name!r}: {_explain(error)}")


def take_in_spans(services: Services, body: bytes, *, form: Form) -> Intake:
    """Record the spans of an export request, and the conversations in them; twice is once.

    Raises:
        InvalidRequest: the body is no export request.
        LogWriteFailed: the log could not make them durable; they may be sent again.
    """
    with services.meter.measure("take_in_spans"):
        intake = Intake()
        readings = _read(body, form, intake)
        spans = [draft_span(reading) for reading in readings]
        messages = draft_messages(readings, _find_known(services, readings))
        try:
            services.writer.record([*spans, *messages])
        except _REFUSALS:
            # One that is at fault must not hold up the others.
            readings = _record_singly(services, readings, spans, intake)
            _record_messages(services, readings, intake)
        intake.accepted = len(readings)
        return intake


def _read(body: bytes, form: Form, intake: Intake) -> list[Reading]:
    readings = []
    for span in _READERS[form](body):
        try:
            check_span(span)
            readings.append(read_span(span))
        except InvalidRequest as error:
            intake.reject(span, error)
    return readings


def _find_known(services: Services, readings: Sequence[Reading]) -> Mapping[str, Collection[str]]:
    """The ids of the messages of each conversation that began before."""
    known: dict[str, set[str]] = {}
    for conversation_id in {r.conversation_id for r in readings if r.call and r.call.is_saying}:
        entries = services.log.read_key(CONVERSATIONS, conversation_id)
        if entries:
            known[conversation_id] = {
                entry.event.subject for entry in entries if entry.event.type == MESSAGE_ADDED.name
            }
    return known


def _record_singly(
    services: Services, readings: Sequence[Reading], drafts: Sequence[Draft], intake: Intake
) -> list[Reading]:
    """Record span by span; gives those that are recorded."""
    kept = []
    for reading, draft in zip(readings, drafts, strict=True):
        try:
            services.writer.record([draft])
            kept.append(reading)
        except _REFUSALS as error:
            intake.reject(reading.span, error)
    return kept


def _record_messages(services: Services, readings: Sequence[Reading], intake: Intake) -> None:
    for draft in draft_messages(readings, _find_known(services, readings)):
        try:
            services.writer.record([draft])
        except DuplicateId:
            continue  # another request was faster
        except _REFUSALS as error:
            intake.reasons.append(f"a message of {draft.key}: {_explain(error)}")


def _explain(error: HelixError) -> str:
    if isinstance(error, DuplicateId):
        return "it was recorded before with other content, which is kept"
    return error.message
