"""Spans of each convention, as their instrumentations make them, read as the same call."""

from __future__ import annotations

import itertools
import json
from dataclasses import replace
from typing import Any

import pytest

from helix_lab.record.importers.otlp.conventions import ModelCall
from helix_lab.record.importers.otlp.drafting import draft_messages, draft_span, read_span
from helix_lab.record.importers.otlp.messages import read_messages
from helix_lab.record.importers.otlp.span import Source, Span, SpanEvent
from helix_lab.record.schemas import check_draft

BEGIN_NS = 1_769_000_000_000_000_000
CURRENT = {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "openai",
    "gen_ai.request.model": "gpt-4o-mini",
    "gen_ai.response.model": "gpt-4o-mini-2024-07-18",
    "gen_ai.usage.input_tokens": 9,
    "gen_ai.usage.output_tokens": 4,
    "gen_ai.conversation.id": "talk",
    "gen_ai.response.finish_reasons": ["stop"],
    "gen_ai.system_instructions": json.dumps([{"type": "text", "content": "Be brief."}]),
    "gen_ai.input.messages": json.dumps(
        [{"role": "user", "parts": [{"type": "text", "content": "Why?"}]}]
    ),
    "gen_ai.output.messages": json.dumps(
        [
            {
                "role": "assistant",
                "parts": [{"type": "text", "content": "Because."}],
                "finish_reason": "stop",
            }
        ]
    ),
}
OLDER = {
    "gen_ai.operation.name": "chat",
    "gen_ai.system": "openai",
    "gen_ai.request.model": "gpt-4o-mini",
    "gen_ai.usage.prompt_tokens": 9,
    "gen_ai.usage.completion_tokens": 4,
    "gen_ai.response.finish_reasons": ["stop"],
    "session.id": "talk",
}
OLDER_EVENTS = [
    ("gen_ai.system.message", {"content": "Be brief."}),
    ("gen_ai.user.message", {"content": "Why?", "gen_ai.system": "openai"}),
    (
        "gen_ai.choice",
        {
            "index": 0,
            "finish_reason": "stop",
            "message": json.dumps({"role": "assistant", "content": "Because."}),
        },
    ),
]
OPENINFERENCE = {
    "openinference.span.kind": "LLM",
    "llm.provider": "openai",
    "llm.model_name": "gpt-4o-mini",
    "llm.token_count.prompt": 9,
    "llm.token_count.completion": 4,
    "llm.finish_reason": "stop",
    "session.id": "talk",
    "llm.input_messages.0.message.role": "system",
    "llm.input_messages.0.message.content": "Be brief.",
    "llm.input_messages.1.message.role": "user",
    "llm.input_messages.1.message.contents.0.message_content.type": "text",
    "llm.input_messages.1.message.contents.0.message_content.text": "Why?",
    "llm.output_messages.0.message.role": "assistant",
    "llm.output_messages.0.message.content": "Because.",
    "input.value": "{}",
    "output.value": "{}",
}
TRACELOOP = {
    "llm.request.type": "chat",
    "gen_ai.system": "OpenAI",
    "gen_ai.request.model": "gpt-4o-mini",
    "llm.usage.total_tokens": 13,
    "gen_ai.usage.prompt_tokens": 9,
    "gen_ai.usage.completion_tokens": 4,
    "traceloop.association.properties.session_id": "talk",
    "gen_ai.prompt.0.role": "system",
    "gen_ai.prompt.0.content": "Be brief.",
    "gen_ai.prompt.1.role": "user",
    "gen_ai.prompt.1.content": "Why?",
    "gen_ai.completion.0.role": "assistant",
    "gen_ai.completion.0.content": "Because.",
    "gen_ai.completion.0.finish_reason": "stop",
}
AS_EVENTS_IN_JSON = {
    **OLDER,
    "events": json.dumps(
        [
            {"event.name": "gen_ai.system.message", "content": "Be brief.", "role": "system"},
            {"event.name": "gen_ai.user.message", "content": "Why?", "role": "user"},
            {
                "event.name": "gen_ai.choice",
                "index": 0,
                "message": {"role": "assistant", "content": "Because."},
            },
        ]
    ),
}


def make_span(attributes: dict[str, Any], events: list[Any] = [], **fields: Any) -> Span:  # noqa: B006
    known = {
        "trace_id": "5b8efff798038103d269b633813fc60c",
        "span_id": "eee19b7ec3c1b174",
        "parent_span_id": "",
        "name": "chat gpt-4o-mini",
        "kind": "client",
        "started_ns": BEGIN_NS,
        "ended_ns": BEGIN_NS + 850_000_000,
        "status": "unset",
        "status_message": "",
        "trace_state": "",
    }
    return Span(
        **{**known, **fields},
        attributes=attributes,
        events=[SpanEvent(name, BEGIN_NS, of_event) for name, of_event in events],
        links=[],
        source=Source({"service.name": "shop"}, {"name": "an instrumentation"}),
    )


def read(span: Span) -> ModelCall:
    call = read_span(span).call
    assert call is not None
    return call


CONVENTIONS = pytest.mark.parametrize(
    "span",
    [
        pytest.param(make_span(CURRENT), id="current"),
        pytest.param(make_span(OLDER, OLDER_EVENTS), id="older"),
        pytest.param(make_span(AS_EVENTS_IN_JSON), id="events-in-json"),
        pytest.param(make_span(OPENINFERENCE), id="openinference"),
        pytest.param(make_span(TRACELOOP), id="traceloop"),
    ],
)


@CONVENTIONS
def test_every_convention_tells_of_the_same_call(span: Span) -> None:
    call = read(span)

    assert (True, "chat", "openai", "gpt-4o-mini", 9, 4, "talk", "stop", None) == (
        call.is_request,
        call.operation,
        call.provider,
        call.model,
        call.input_tokens,
        call.output_tokens,
        call.conversation_id,
        call.finish_reason,
        call.error_code,
    )
    assert call.cost_usd == pytest.approx(9 * 0.15e-6 + 4 * 0.6e-6)


@CONVENTIONS
def test_every_convention_tells_what_was_said(span: Span) -> None:
    shown, said = read_messages(span)

    assert [("system", "Be brief."), ("user", "Why?")] == [(m.role, m.content) for m in shown]
    assert [("assistant", "Because.")] == [(m.role, m.content) for m in said]


@CONVENTIONS
def test_a_span_is_kept_with_all_of_its_attributes(span: Span) -> None:
    draft = draft_span(read_span(span))

    check_draft(draft)
    assert span.attributes == draft.data["attributes"]
    assert 850.0 == draft.data["duration_ms"]


def test_work_around_requests_is_no_request() -> None:
    for attributes in (
        {"gen_ai.operation.name": "invoke_agent", "gen_ai.usage.input_tokens": 9},
        {"openinference.span.kind": "CHAIN", "input.value": "Why?"},
        {"traceloop.span.kind": "workflow"},
    ):
        assert not read(make_span(attributes)).is_request
    assert read_span(make_span({"http.request.method": "GET"})).call is None


def test_a_call_of_a_tool_and_its_answer_are_messages() -> None:
    call = {"type": "tool_call", "id": "c1", "name": "weather", "arguments": {"city": "Ghent"}}
    answer = {"type": "tool_call_response", "id": "c1", "response": {"sky": "grey"}}
    messages = [{"role": "assistant", "parts": [call]}, {"role": "user", "parts": [answer]}]

    shown, _ = read_messages(make_span({"gen_ai.input.messages": messages}))

    assert [("assistant", ""), ("tool", '{"sky": "grey"}')] == [(m.role, m.content) for m in shown]
    assert [call] == shown[0].metadata["parts"]


def make_turns() -> list[Span]:
    """Three calls of one conversation, each shown all that was said before."""
    said: list[dict[str, str]] = []
    spans = []
    for turn, (question, answer) in enumerate([("Yes?", "No."), ("Yes?", "No."), ("Why?", "So.")]):
        said.append({"role": "user", "content": question})
        attributes = {**CURRENT, "gen_ai.input.messages": json.dumps(said)}
        said.append({"role": "assistant", "content": answer})
        attributes["gen_ai.output.messages"] = json.dumps(said[-1:])
        begin_ns = BEGIN_NS + turn * 10**9
        span = make_span(attributes, span_id=f"{turn + 1:016x}", started_ns=begin_ns)
        spans.append(replace(span, ended_ns=begin_ns + 10**8))
    return spans


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_a_history_that_comes_again_adds_only_what_is_new_in_any_order(
    order: tuple[int, ...],
) -> None:
    spans = make_turns()
    whole = draft_messages([read_span(span) for span in spans], {})

    known: dict[str, set[str]] = {}
    for number in order:
        for draft in draft_messages([read_span(spans[number])], known):
            check_draft(draft)
            known.setdefault("talk", set()).add(draft.subject)

    said = [d.data["content"] for d in whole if "content" in d.data]
    assert ["Be brief.", "Yes?", "No.", "Yes?", "No.", "Why?", "So."] == said
    assert {draft.subject for draft in whole} | {"talk"} == known["talk"] | {"talk"}


def test_numbers_that_cannot_be_are_not_believed() -> None:
    values: list[Any] = [-1, "many", float("nan"), 10**400, [], {}]
    for value in values:
        attributes = {**CURRENT, "gen_ai.usage.input_tokens": value}
        call = read(make_span({**attributes, "gen_ai.usage.cost": value}))
        assert call.input_tokens is None


def test_a_cost_that_the_span_names_counts_before_the_list_of_prices() -> None:
    assert 0.25 == read(make_span({**CURRENT, "operation.cost": 0.25})).cost_usd
