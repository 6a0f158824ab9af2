"""A turn of a chat: what is asked, of whom, and what becomes of it in the log."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Annotated, Any, Literal

from pydantic import Field

from helix_lab.domain.context.history import Message
from helix_lab.domain.model.errors import (
    DuplicateId,
    HelixError,
    ProviderError,
    RunCancelled,
)
from helix_lab.jobs.contexts import (
    Prompt,
    PromptPlan,
    build_prompt,
    plan_prompt,
    room_for_additions,
)
from helix_lab.operations.additions import DEFAULT_TOKENS, Add, AddTokens, gather
from helix_lab.operations.cancellation import current_scope
from helix_lab.operations.messages import MAX_CONTENT_CHARACTERS
from helix_lab.operations.operation import (
    Id,
    Name,
    Request,
    Response,
    Text,
)
from helix_lab.operations.prompts import (
    RECORDED_AS,
    GetPrompt,
    PromptFigures,
    PromptMessage,
    find_message,
    get_prompt,
    question_id_of,
    reply_id_of,
    show_figures,
    show_turns,
)
from helix_lab.operations.services import Services
from helix_lab.ports.chat import MAX_WINDOW_TOKENS, ChatMessage, ChatProvider, ChatRequest, Reply
from helix_lab.queries.readings import Reading
from helix_lab.record import drafts

_MAX_SYSTEM_CHARACTERS = 20_000
_MAX_REASON_CHARACTERS = 10_000
_MAX_ID_CHARACTERS = 190
"""Of a message id here: the id of the reply is made of it."""


class Chat(Request):
    """Something to say to a provider, in a conversation that it is shown as a whole."""

    conversation_id: Id = Field(description="a conversation that exists")
    content: Annotated[Text, Field(min_length=1, max_length=MAX_CONTENT_CHARACTERS)] = Field(
        description="what you say"
    )
    message_id: Annotated[Id, Field(max_length=_MAX_ID_CHARACTERS)] | None = Field(
        None, description="of your message; with it a repeated request asks nobody twice"
    )
    provider: Name | None = Field(None, description="who replies; the first configured if absent")
    model: Name | None = Field(None, description="the provider's own if absent")
    system: Annotated[Text, Field(max_length=_MAX_SYSTEM_CHARACTERS)] | None = Field(
        None, description="what the provider is told before all else"
    )
    compression_strategy: Literal["window", "entity", "full", "hybrid"] | None = Field(
        None, description="where the history is larger than the provider's window"
    )
    add: Add = None
    add_max_tokens: AddTokens = DEFAULT_TOKENS
    temperature: float | None = Field(None, ge=0, le=2)
    max_output_tokens: int | None = Field(None, ge=1, le=MAX_WINDOW_TOKENS)
    timeout_s: float = Field(120, gt=0, le=600, description="for the whole reply")
    include_prompt: bool = Field(default=False, description="answer with the prompt as it was sent")


class ChatReply(Response):
    """What the provider replied; what it did not tell is null."""

    conversation_id: str
    message_id: str
    reply_id: str
    content: str
    provider: str
    model: str
    finish_reason: str | None = None
    response_time_ms: float | None = None
    ttft_ms: float | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    cost_usd: float | None = None
    is_repeated: bool = Field(description="recorded before; nobody was asked this time")
    prompt: PromptFigures
    prompt_messages: list[PromptMessage] | None


@dataclass(frozen=True, slots=True)
class ChatTurn:
    """A turn of a chat that is about to be asked for."""

    request: Chat
    message_id: str
    provider: ChatProvider
    model: str
    plan: PromptPlan
    prompt: Prompt

    @property
    def reply_id(self) -> str:
        """The id of the reply that is to come."""
        return reply_id_of(self.message_id)


def prepare(
    services: Services, request: Chat, reading: Reading, provider: ChatProvider, message_id: str
) -> ChatTurn:
    """The turn with its prompt, before anybody is asked."""
    plan = plan_prompt(
        reading,
        message_id,
        window_tokens=provider.context_window_tokens,
        strategy=request.compression_strategy or services.contexts.policy.strategy,
        system=request.system,
        reply_tokens=request.max_output_tokens,
    )
    additions = gather(
        services,
        request.content,
        add=request.add,
        max_tokens=min(request.add_max_tokens, room_for_additions(plan, request.content)),
        conversation_id=request.conversation_id,
    )
    plan = replace(plan, additions=additions)
    scope = current_scope()
    prompt = build_prompt(
        services.contexts,
        reading,
        plan,
        question=request.content,
        should_stop=lambda: scope.is_cancelled,
    )
    model = request.model or provider.default_model
    return ChatTurn(request, message_id, provider, model, plan, prompt)


def ask(services: Services, turn: ChatTurn, on_text: Callable[[str], None] | None) -> ChatReply:
    """Ask the provider and record what it says, or why it says nothing."""
    scope = current_scope()
    asked = ChatRequest(
        messages=[ChatMessage(role, content) for role, content in turn.prompt.turns],  # type: ignore[arg-type] # one of the three
        model=turn.model,
        key=f"{turn.request.conversation_id}/{turn.message_id}",
        temperature=turn.request.temperature,
        max_output_tokens=turn.request.max_output_tokens,
        timeout_s=turn.request.timeout_s,
    )
    try:
        reply = turn.provider.complete(
            asked, on_text=on_text, should_stop=lambda: scope.is_cancelled
        )
    except (ProviderError, RunCancelled) as error:
        _record_failure(services, turn, error)
        error.details.update(conversation_id=turn.request.conversation_id)
        error.details.update(message_id=turn.message_id)
        raise
    except Exception as error:
        # An adapter may fail in any way, and the question that was recorded must not hang.
        told = ProviderError(
            f"the provider {turn.provider.name} failed: {type(error).__name__}: {error}",
            service=turn.provider.name,
            message_id=turn.message_id,
        )
        _record_failure(services, turn, told)
        raise told from error
    return _record_reply(services, turn, reply)


def record_question(services: Services, request: Chat, message_id: str) -> None:
    """Record what was said."""
    services.writer.record(
        [
            drafts.add_message(
                request.conversation_id, message_id, role="user", content=request.content
            )
        ]
    )


def _record_reply(services: Services, turn: ChatTurn, reply: Reply) -> ChatReply:
    figures: dict[str, Any] = {
        "finish_reason": reply.finish_reason,
        "response_time_ms": reply.response_time_ms,
        "ttft_ms": reply.ttft_ms,
        "input_tokens": reply.input_tokens,
        "output_tokens": reply.output_tokens,
        "cost_usd": reply.cost_usd,
    }
    known = {name: value for name, value in figures.items() if value is not None}
    metadata = {**known, RECORDED_AS: turn.prompt.describe(turn.plan)}
    draft = drafts.add_message(
        turn.request.conversation_id,
        turn.reply_id,
        role="assistant",
        content=_to_storable(reply.text),
        provider=turn.provider.name,
        model=reply.model or turn.model,
        metadata=metadata,
    )
    try:
        services.writer.record([draft])
    except DuplicateId:
        # Another request with this message id was faster; its reply stands.
        reading = services.contexts.readings.read(turn.request.conversation_id)
        known_reply = find_message(reading, turn.reply_id)
        if known_reply is None:
            raise
        return show_recorded(services, turn.request, known_reply)
    return ChatReply(
        conversation_id=turn.request.conversation_id,
        message_id=turn.message_id,
        reply_id=turn.reply_id,
        content=str(draft.data["content"]),
        provider=turn.provider.name,
        model=reply.model or turn.model,
        **figures,
        is_repeated=False,
        prompt=show_figures(metadata[RECORDED_AS]),
        prompt_messages=show_turns(turn.prompt) if turn.request.include_prompt else None,
    )


def _record_failure(services: Services, turn: ChatTurn, error: HelixError) -> None:
    services.writer.record(
        [
            drafts.fail_reply(
                turn.request.conversation_id,
                turn.message_id,
                provider=turn.provider.name,
                model=turn.model,
                error_code=error.code,
                error_message=_to_storable(error.message)[:_MAX_REASON_CHARACTERS],
                at=uuid.uuid4().hex,
                prompt=turn.prompt.describe(turn.plan),
            )
        ]
    )


def show_recorded(services: Services, request: Chat, reply: Message) -> ChatReply:
    """The reply to a repeated request, as it was recorded the first time."""
    metadata = reply.data.get("metadata") or {}
    message_id = question_id_of(reply.message_id)
    described = metadata.get(RECORDED_AS)
    if described is None:
        message = f"the message {reply.message_id!r} is no reply of a chat; choose another id"
        raise DuplicateId(message, message_id=message_id)
    sent = (
        get_prompt(
            services, GetPrompt(conversation_id=request.conversation_id, message_id=message_id)
        ).messages
        if request.include_prompt
        else None
    )
    names = set(ChatReply.model_fields) & set(metadata) - {RECORDED_AS}
    return ChatReply(
        conversation_id=request.conversation_id,
        message_id=message_id,
        reply_id=reply.message_id,
        content=reply.content,
        provider=str(reply.data.get("provider")),
        model=str(reply.data.get("model")),
        **{name: metadata[name] for name in names},
        is_repeated=True,
        prompt=show_figures(described),
        prompt_messages=sent,
    )


def _to_storable(text: str) -> str:
    """A text without what a log refuses; a provider's server may say anything."""
    return text.encode("utf-8", "replace").decode().replace("\0", " ")[:MAX_CONTENT_CHARACTERS]
