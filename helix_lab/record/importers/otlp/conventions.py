"""The names that instrumentations give to facts about model calls: the one place that knows them.

Three families are read: the GenAI conventions of OpenTelemetry in their current and older forms,
OpenInference (`llm.*`), and Traceloop's OpenLLMetry. Where a span has several names of one fact,
the first of the list counts. What is not listed here is kept in the span under its own name.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from helix_lab.record.importers.otlp.pricing import find_cost_usd
from helix_lab.record.importers.otlp.span import Attributes, Span

_OPERATION = ("gen_ai.operation.name",)
_PROVIDER = ("gen_ai.provider.name", "gen_ai.system", "llm.provider", "llm.system", "llm.vendor")
_MODEL = (
    "gen_ai.request.model",
    "llm.request.model",
    "llm.model_name",
    "embedding.model_name",
    "reranker.model_name",
    "gen_ai.response.model",
    "llm.response.model",
)
_INPUT_TOKENS = (
    "gen_ai.usage.input_tokens",
    "gen_ai.usage.prompt_tokens",
    "llm.usage.prompt_tokens",
    "llm.token_count.prompt",
)
_OUTPUT_TOKENS = (
    "gen_ai.usage.output_tokens",
    "gen_ai.usage.completion_tokens",
    "llm.usage.completion_tokens",
    "llm.token_count.completion",
)
_CACHED_TOKENS = (
    "gen_ai.usage.cache_read.input_tokens",
    "gen_ai.usage.cache_read_input_tokens",
    "gen_ai.usage.input_tokens.cached",
    "gen_ai.usage.details.cache_read_tokens",
    "llm.token_count.prompt_details.cache_read",
)
_COST_USD = ("gen_ai.usage.cost", "operation.cost", "llm.cost.total", "gen_ai.usage.total_cost")
_FIRST_TOKEN_S = (
    "gen_ai.response.time_to_first_chunk",
    "gen_ai.response.time_to_first_token",
    "gen_ai.server.time_to_first_token",
)
_FIRST_TOKEN_EVENT = "First Token Stream Event"  # noqa: S105 - a name of OpenInference
_CONVERSATION = (
    "gen_ai.conversation.id",
    "session.id",
    "traceloop.association.properties.conversation_id",
    "traceloop.association.properties.session_id",
    "traceloop.association.properties.thread_id",
)
_USER = ("user.id", "enduser.id", "traceloop.association.properties.user_id")
_FINISH = (
    "gen_ai.response.finish_reasons",
    "llm.response.finish_reason",
    "llm.finish_reason",
    "gen_ai.completion.0.finish_reason",
)
_EXCEPTION = "exception.type"

_KINDS = {
    "openinference.span.kind": {
        "LLM": "chat",
        "EMBEDDING": "embeddings",
        "RERANKER": "rerank",
        "AGENT": "invoke_agent",
        "TOOL": "execute_tool",
        "RETRIEVER": "retrieval",
        "CHAIN": "invoke_workflow",
    },
    "llm.request.type": {
        "chat": "chat",
        "completion": "text_completion",
        "embedding": "embeddings",
        "rerank": "rerank",
    },
    "traceloop.span.kind": {
        "workflow": "invoke_workflow",
        "task": "invoke_workflow",
        "agent": "invoke_agent",
        "tool": "execute_tool",
    },
}
"""Attribute → its value → the operation of today's conventions."""
_REQUESTS = frozenset(
    {"chat", "text_completion", "completion", "generate_content", "embeddings", "rerank"}
)
_SAYING = frozenset({"chat", "text_completion", "completion", "generate_content"})

OWN_SCOPE = "helix_lab"
"""Instrumentation of this lab's own calls: they are events already, and not counted twice."""

SYSTEM_TEXT = ("gen_ai.system_instructions", "gen_ai.system.instructions")
INPUT_LISTS = ("gen_ai.input.messages", "gen_ai.prompt", "input.value")
OUTPUT_LISTS = ("gen_ai.output.messages", "gen_ai.completion", "output.value")
"""Attributes of a span or of its events that hold all messages as one value, often as JSON."""
NUMBERED_INPUT = ("gen_ai.prompt", "llm.prompts", "llm.input_messages")
NUMBERED_OUTPUT = ("gen_ai.completion", "llm.completions", "llm.output_messages")
"""Prefixes of attributes that hold one fact of one message each: `gen_ai.prompt.0.role`."""
EVENT_LISTS = ("events",)
"""Attributes that hold the events of the span as JSON, where a program has none of its own."""
EVENT_ROLES = {
    "gen_ai.system.message": "system",
    "gen_ai.user.message": "user",
    "gen_ai.assistant.message": "assistant",
    "gen_ai.tool.message": "tool",
}
CHOICE_EVENT = "gen_ai.choice"

_LONGEST_NAME = 200
_LARGEST_COUNT = 2**53


@dataclass(frozen=True, slots=True)
class ModelCall:
    """What a span says of its call of a model; None where it does not say.

    Attributes:
        operation: by the name of today's conventions.
        is_request: it is one request to a provider, not work around such requests.
        is_saying: the request has messages and an answer in words.
    """

    operation: str
    is_request: bool
    is_saying: bool
    conversation_id: str | None
    user_id: str | None
    provider: str | None
    model: str | None
    input_tokens: int | None
    output_tokens: int | None
    ttft_ms: float | None
    cost_usd: float | None
    finish_reason: str | None
    error_code: str | None


def read_model_call(span: Span) -> ModelCall | None:
    """What a span says of a call of a model; None if it is about something else."""
    attributes = span.attributes
    operation = find_operation(attributes)
    if operation is None:
        return None
    provider = _read_name(attributes, _PROVIDER)
    provider = provider.lower() if provider else None
    model = _read_name(attributes, _MODEL)
    is_own = span.source.scope.get("name") == OWN_SCOPE
    tokens = _read_count(attributes, _INPUT_TOKENS), _read_count(attributes, _OUTPUT_TOKENS)
    cost_usd = _read_number(attributes, _COST_USD)
    if cost_usd is None:
        cached = _read_count(attributes, _CACHED_TOKENS)
        cost_usd = find_cost_usd(provider, model, *tokens, cached_tokens=cached)
    return ModelCall(
        operation=operation,
        is_request=operation in _REQUESTS and not is_own,
        is_saying=operation in _SAYING and not is_own,
        conversation_id=_read_name(attributes, _CONVERSATION),
        user_id=_read_name(attributes, _USER),
        provider=provider,
        model=model,
        input_tokens=tokens[0],
        output_tokens=tokens[1],
        ttft_ms=_read_first_token_ms(span),
        cost_usd=cost_usd,
        finish_reason=_read_finish(attributes),
        error_code=_read_error(span),
    )


def find_operation(attributes: Attributes) -> str | None:
    """The operation by the name of today's conventions; None if it is about no model."""
    named = _read_name(attributes, _OPERATION)
    if named is not None:
        return named
    for name, meanings in _KINDS.items():
        meaning = meanings.get(str(attributes.get(name)))
        if meaning is not None:
            return meaning
    # Before there was a name for the operation: a model, and tokens that it read.
    has_usage = _find(attributes, _INPUT_TOKENS) is not None
    return "chat" if has_usage and _find(attributes, _MODEL) is not None else None


def _find(attributes: Attributes, names: Sequence[str]) -> Any:
    for name in names:
        value = attributes.get(name)
        if value is not None and value != "":
            return value
    return None


def _read_name(attributes: Attributes, names: Sequence[str]) -> str | None:
    value = _find(attributes, names)
    if value is None or isinstance(value, Mapping | list):
        return None
    text = "".join(character for character in str(value) if character.isprintable()).strip()
    return text[:_LONGEST_NAME] or None


def _read_number(attributes: Attributes, names: Sequence[str]) -> float | None:
    value = _find(attributes, names)
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return number if 0 <= number < float("inf") else None


def _read_count(attributes: Attributes, names: Sequence[str]) -> int | None:
    number = _read_number(attributes, names)
    return None if number is None or number > _LARGEST_COUNT else int(number)


def _read_first_token_ms(span: Span) -> float | None:
    seconds = _read_number(span.attributes, _FIRST_TOKEN_S)
    if seconds is not None:
        return seconds * 1000
    for event in span.events:
        if event.name == _FIRST_TOKEN_EVENT and event.at_ns >= span.started_ns:
            return (event.at_ns - span.started_ns) / 1e6
    return None


def _read_finish(attributes: Attributes) -> str | None:
    value = _find(attributes, _FINISH)
    if isinstance(value, list):
        value = value[0] if value else None
    return str(value)[:100] if isinstance(value, str) and value else None


def _read_error(span: Span) -> str | None:
    """The kind of the error; None where there was none."""
    named = _read_name(span.attributes, ("error.type",))
    if named is not None:
        return named
    if span.status != "error":
        return None
    for event in span.events:
        kind = _read_name(event.attributes, (_EXCEPTION,))
        if kind is not None:
            return kind
    return "error"
