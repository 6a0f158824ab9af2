"""Traces: what instrumented programs told of their work, span by span."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import panel as pn

from helix_lab.domain.model.errors import UnknownTrace
from helix_lab.doors.dashboards.parts import (
    make_html,
    show_moment,
    write_cards,
    write_notice,
    write_table,
)
from helix_lab.doors.dashboards.windowed import follow_choice, read_address, round_figure
from helix_lab.doors.timeline import COLUMNS, list_spans
from helix_lab.operations.methods import Methods

if TYPE_CHECKING:
    from helix_lab.operations.traces import Trace, TraceRow

_EMPTY = "No program has told of its work yet. Point its OpenTelemetry exporter at this server:"
_COMMANDS = (
    "export OTEL_EXPORTER_OTLP_ENDPOINT=http://localhost:7061",
    'export OTEL_EXPORTER_OTLP_HEADERS="Authorization=Bearer TOKEN"',
)
_LISTED = 50
_SHOWN_SPANS = 1000
_NEWEST = "the newest"
_TRACES = (
    "started (UTC)", "trace", "service", "spans", "duration ms", "requests", "tokens in",
    "tokens out", "cost USD", "errors",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Facts:
    """The newest traces, and the one that was chosen, if there is one."""

    traces: Sequence[TraceRow]
    chosen: Trace | None


def make_traces(lab: Methods) -> pn.Column:
    """The page, which follows the lab as long as it is open; `?trace=ID` chooses a trace."""
    page = _Traces(lab)
    return follow_choice(
        "traces", page, page.choice, page.notice, page.cards, page.spans, page.listed
    )


class _Traces:
    def __init__(self, lab: Methods) -> None:
        self._lab = lab
        asked = read_address("trace")
        chosen = asked or _NEWEST
        self.choice: Any = pn.widgets.Select(
            label="Trace", options=list(dict.fromkeys([_NEWEST, chosen])), value=chosen, width=360
        )
        self.notice = make_html()
        self.cards = make_html()
        self.spans = make_html()
        self.listed = make_html()

    def read(self) -> Facts:
        traces = self._lab.list_traces(limit=_LISTED).traces
        chosen = self.choice.value
        if chosen == _NEWEST:
            chosen = traces[0].trace_id if traces else None
        return Facts(traces, self._find(chosen))

    def _find(self, trace_id: str | None) -> Trace | None:
        if trace_id is None:
            return None
        try:
            found: Trace = self._lab.get_trace(trace_id)
        except UnknownTrace:
            return None
        return found

    def show(self, facts: Facts) -> None:
        self.notice.object = "" if facts.traces else write_notice(_EMPTY, *_COMMANDS)
        known = [_NEWEST, self.choice.value, *(trace.trace_id for trace in facts.traces)]
        self.choice.options = list(dict.fromkeys(known))
        self._show_chosen(facts.chosen)
        self.listed.object = write_table(
            "Newest traces", _TRACES, [_list_trace(row) for row in facts.traces], empty="None yet."
        )

    def _show_chosen(self, trace: Trace | None) -> None:
        if trace is None:
            self.cards.object = ""
            is_named = self.choice.value != _NEWEST
            self.spans.object = write_notice("There is no trace of this id.") if is_named else ""
            return
        self.cards.object = write_cards(_list_cards(trace))
        rows = list_spans(trace)
        title = f"Spans of {trace.name or trace.trace_id}"
        if len(rows) > _SHOWN_SPANS:
            title = f"{title}, the first {_SHOWN_SPANS:,}"
        self.spans.object = write_table(title, COLUMNS, rows[:_SHOWN_SPANS], empty="None.")


def _list_cards(trace: Trace) -> list[tuple[str, str]]:
    return [
        ("spans", f"{trace.span_count:,}"),
        ("duration", f"{trace.duration_ms:,.1f} ms"),
        ("requests to providers", f"{trace.request_count:,}"),
        ("tokens in", f"{trace.input_tokens:,}"),
        ("tokens out", f"{trace.output_tokens:,}"),
        ("known costs", f"${trace.cost_usd:,.4f}"),
        ("errors", f"{trace.error_count:,}"),
    ]


def _list_trace(row: TraceRow) -> tuple[Any, ...]:
    return (
        show_moment(row.started_at),
        row.name or row.trace_id,
        row.service,
        row.span_count,
        round_figure(row.duration_ms, 1),
        row.request_count,
        row.input_tokens,
        row.output_tokens,
        round_figure(row.cost_usd, 6),
        row.error_count,
    )
