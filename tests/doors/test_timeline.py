"""A trace as people see it: in a notebook, and on its dashboard."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from helix_lab import Lab, open_lab
from helix_lab.domain.model.errors import UnknownTrace
from helix_lab.doors.kernel.questions import answer
from helix_lab.doors.timeline import draw_bar
from helix_lab.operations.span_intake import take_in_spans
from helix_lab.settings import Settings

TRACE = "5b8efff798038103d269b633813fc60c"
MS = 1_000_000
BEGIN_NS = 1_769_000_000 * 1000 * MS


def make_span(number: int, parent: int, begin_ms: int, end_ms: int, **more: Any) -> dict[str, Any]:
    return {
        "traceId": TRACE,
        "spanId": f"{number:016x}",
        "parentSpanId": f"{parent:016x}" if parent else "",
        "name": f"step {number}",
        "startTimeUnixNano": str(BEGIN_NS + begin_ms * MS),
        "endTimeUnixNano": str(BEGIN_NS + end_ms * MS),
        **more,
    }


def take_in(lab: Lab, *spans: dict[str, Any]) -> None:
    body = {"resourceSpans": [{"scopeSpans": [{"spans": list(spans)}]}]}
    intake = take_in_spans(lab.services, json.dumps(body).encode(), form="json")
    assert (len(spans), 0) == (intake.accepted, intake.rejected), intake.message


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    said = {"gen_ai.operation.name": "chat", "gen_ai.provider.name": "acme"}
    attributes = [{"key": k, "value": {"stringValue": v}} for k, v in said.items()]
    attributes.append({"key": "gen_ai.usage.input_tokens", "value": {"intValue": "7"}})
    with open_lab(settings=Settings(tmp_path, node_id="node-1")) as lab:
        # As they end: what is inside comes before what it is inside of.
        take_in(lab, make_span(3, 2, 50, 100, attributes=attributes, status={"code": 2}))
        take_in(lab, make_span(4, 1, 100, 101), make_span(2, 1, 0, 100), make_span(1, 0, 0, 200))
        yield lab


def test_spans_stand_below_what_they_are_inside_of(lab: Lab) -> None:
    spans = lab.get_trace(TRACE).spans

    assert [("step 1", 0), ("step 2", 1), ("step 3", 2), ("step 4", 1)] == [
        (span.name, span.depth) for span in spans
    ]


def test_the_notebook_shows_each_span_with_its_place_in_time(lab: Lab) -> None:
    rows = list(answer(lab, f"trace {TRACE}"))

    third = rows[2]
    assert "    step 3" == third["span"]
    assert (50.0, 50.0, 7, "error") == (
        third["offset ms"],
        third["duration ms"],
        third["tokens in"],
        third["state"],
    )
    assert 30 == len(third["timeline"])
    assert "█" * 8 == third["timeline"].strip("·")


def test_the_list_of_traces_adds_them_up(lab: Lab) -> None:
    (row,) = list(answer(lab, "traces"))

    assert ("step 1", 4, 1, 7, 1) == tuple(
        row[name] for name in ("name", "span_count", "request_count", "input_tokens", "error_count")
    )


def test_spans_whose_parents_are_missing_or_form_a_circle_are_shown(lab: Lab) -> None:
    other = "6b8efff798038103d269b633813fc60c"
    circle = [make_span(1, 2, 0, 5), make_span(2, 1, 0, 5), make_span(3, 9, 1, 2)]

    take_in(lab, *({**span, "traceId": other} for span in circle))

    assert {"step 1", "step 2", "step 3"} == {span.name for span in lab.get_trace(other).spans}


def test_a_trace_that_is_not_there_is_named(lab: Lab) -> None:
    with pytest.raises(UnknownTrace, match="no trace 'gone'"):
        lab.get_trace("gone")


def test_a_rebuilt_list_is_the_same(lab: Lab) -> None:
    before = lab.list_traces().traces

    run = lab.rebuild_store("traces")
    lab.services.jobs.wait(run.run_id, timeout_s=60)

    assert before == lab.list_traces().traces


def test_a_bar_is_never_unseen_and_never_too_long() -> None:
    for offset_ms, duration_ms, whole_ms in ((0, 0, 0), (10, 0, 10), (9, 50, 10), (0, 1e-9, 1e9)):
        bar = draw_bar(offset_ms, duration_ms, whole_ms, width=10)
        assert 10 == len(bar)
        assert "█" in bar


def test_the_dashboard_shows_the_newest_trace_and_the_one_that_is_chosen(lab: Lab) -> None:
    pn = pytest.importorskip("panel", reason="needs the extra dashboards")
    from helix_lab.doors.dashboards.pages import MAKERS

    page = MAKERS["traces"](lab)

    text = "\n".join(pane.object for pane in page.select(pn.pane.HTML))
    assert "Spans of step 1" in text
    assert "step 3" in text
    assert "Newest traces" in text
