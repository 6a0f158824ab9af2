"""Operations of a chat: say something and get a provider's reply; see the prompt it was sent."""

from __future__ import annotations

import queue
import threading
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import Field

from helix_lab.domain.context.history import Message
from helix_lab.domain.model.errors import (
    BudgetTooSmall,
    DuplicateId,
    HelixError,
    NotFound,
    ProviderError,
    RunCancelled,
    UnknownConversation,
    UnknownProvider,
)
from helix_lab.domain.model.event import CONVERSATIONS, REPLY_FAILED
from helix_lab.jobs.contexts import Prompt, PromptPlan, build_prompt, plan_prompt, read_plan
from helix_lab.operations.cancellation import CancelScope, cancel_scope, current_scope
from helix_lab.operations.messages import MAX_CONTENT_CHARACTERS
from helix_lab.operations.operation import (
    Id,
    Name,
    Operation,
    Request,
    Response,
    StreamItem,
    Text,
)
from helix_lab.operations.services import Services
from helix_lab.ports.chat import MAX_WINDOW_TOKENS, ChatMessage, ChatProvider, ChatRequest, Reply
from helix_lab.queries.readings import Reading
from helix_lab.record import drafts

_RECORDED_AS = "prompt"
"""Key in the metadata of a reply under which its prompt is described."""

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
    temperature: float | None = Field(None, ge=0, le=2)
    max_output_tokens: int | None = Field(None, ge=1, le=MAX_WINDOW_TOKENS)
    timeout_s: float = Field(120, gt=0, le=600, description="for the whole reply")
    include_prompt: bool = Field(default=False, description="answer with the prompt as it was sent")


class PromptMessage(Response):
    """One message of a prompt."""

    role: str
    content: str


class PromptFigures(Response):
    """What a prompt had of the conversation."""

    digest: str = Field(description="SHA-256 of its messages as compact JSON [[role, content], …]")
    tokens: int
    window_tokens: int = Field(description="of the provider")
    reply_tokens: int = Field(description="left for the reply")
    history: Literal["none", "whole", "compressed"]
    strategy: str
    ratio: float | None = None
    quality_score: float | None = None
    compression_id: str | None = None
    through_offset: int = Field(description="of the newest event in it; usable as as_of")


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


class GetPrompt(Request):
    """Of which message."""

    conversation_id: Id = Field(description="a conversation that exists")
    message_id: Id = Field(
        description="a message that a provider was asked to answer, or its reply"
    )


class SentPrompt(Response):
    """A prompt, made again from the log by what was recorded of it."""

    conversation_id: str
    message_id: str
    provider: str
    model: str
    error_code: str | None = Field(description="why there is no reply, where there is none")
    prompt: PromptFigures
    is_as_sent: bool = Field(description="its digest is the one that was recorded when it was sent")
    messages: list[PromptMessage]


@dataclass(frozen=True, slots=True)
class _Turn:
    """A turn of a chat that is about to be asked for."""

    request: Chat
    message_id: str
    provider: ChatProvider
    model: str
    plan: PromptPlan
    prompt: Prompt

    @property
    def reply_id(self) -> str:
        return _reply_id(self.message_id)


def chat(services: Services, request: Chat) -> ChatReply:
    """Record a message, ask a provider, record its reply."""
    return _carry_out(services, request, on_text=None)


def stream(services: Services, request: Chat) -> Iterator[list[StreamItem]]:
    """The text as it arrives, then the whole reply as it was recorded."""
    pieces: queue.SimpleQueue[StreamItem | BaseException | None] = queue.SimpleQueue()
    scope = CancelScope()

    def work() -> None:
        try:
            with cancel_scope(scope):
                reply = _carry_out(
                    services, request, on_text=lambda text: pieces.put({"text": text})
                )
            pieces.put({"reply": reply.model_dump(mode="json")})
            pieces.put(None)
        except BaseException as error:
            pieces.put(error)

    with current_scope().on_cancel(scope.cancel):
        threading.Thread(target=work, name="helix-chat", daemon=True).start()
        try:
            while (piece := pieces.get()) is not None:
                if isinstance(piece, BaseException):
                    raise piece
                yield [piece]
        finally:
            scope.cancel()


def _carry_out(
    services: Services, request: Chat, *, on_text: Callable[[str], None] | None
) -> ChatReply:
    reading = services.contexts.readings.read(request.conversation_id)
    provider = _choose_provider(services, request.provider)
    message_id = request.message_id or f"msg-{uuid.uuid4().hex}"
    said = _find(reading, message_id) if request.message_id else None
    if said is not None:
        _record_question(services, request, message_id)
        if known := _find(reading, _reply_id(message_id)):
            return _show_recorded(services, request, known)
        reading = _before(services, reading.conversation_id, message_id)
    turn = _prepare(services, request, reading, provider, message_id)
    if said is None:
        _record_question(services, request, message_id)
    return _ask(services, turn, on_text)


def _prepare(
    services: Services, request: Chat, reading: Reading, provider: ChatProvider, message_id: str
) -> _Turn:
    plan = plan_prompt(
        reading,
        message_id,
        window_tokens=provider.context_window_tokens,
        strategy=request.compression_strategy or services.contexts.policy.strategy,
        system=request.system,
        reply_tokens=request.max_output_tokens,
    )
    scope = current_scope()
    prompt = build_prompt(
        services.contexts,
        reading,
        plan,
        question=request.content,
        should_stop=lambda: scope.is_cancelled,
    )
    model = request.model or provider.default_model
    return _Turn(request, message_id, provider, model, plan, prompt)


def _ask(services: Services, turn: _Turn, on_text: Callable[[str], None] | None) -> ChatReply:
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


def _record_question(services: Services, request: Chat, message_id: str) -> None:
    services.writer.record(
        [
            drafts.add_message(
                request.conversation_id, message_id, role="user", content=request.content
            )
        ]
    )


def _record_reply(services: Services, turn: _Turn, reply: Reply) -> ChatReply:
    figures: dict[str, Any] = {
        "finish_reason": reply.finish_reason,
        "response_time_ms": reply.response_time_ms,
        "ttft_ms": reply.ttft_ms,
        "input_tokens": reply.input_tokens,
        "output_tokens": reply.output_tokens,
        "cost_usd": reply.cost_usd,
    }
    known = {name: value for name, value in figures.items() if value is not None}
    metadata = {**known, _RECORDED_AS: turn.prompt.describe(turn.plan)}
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
        known_reply = _find(reading, turn.reply_id)
        if known_reply is None:
            raise
        return _show_recorded(services, turn.request, known_reply)
    return ChatReply(
        conversation_id=turn.request.conversation_id,
        message_id=turn.message_id,
        reply_id=turn.reply_id,
        content=str(draft.data["content"]),
        provider=turn.provider.name,
        model=reply.model or turn.model,
        **figures,
        is_repeated=False,
        prompt=_show_figures(metadata[_RECORDED_AS]),
        prompt_messages=_show_turns(turn.prompt) if turn.request.include_prompt else None,
    )


def _record_failure(services: Services, turn: _Turn, error: HelixError) -> None:
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


def _show_recorded(services: Services, request: Chat, reply: Message) -> ChatReply:
    metadata = reply.data.get("metadata") or {}
    message_id = _question_id(reply.message_id)
    described = metadata.get(_RECORDED_AS)
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
    names = set(ChatReply.model_fields) & set(metadata) - {_RECORDED_AS}
    return ChatReply(
        conversation_id=request.conversation_id,
        message_id=message_id,
        reply_id=reply.message_id,
        content=reply.content,
        provider=str(reply.data.get("provider")),
        model=str(reply.data.get("model")),
        **{name: metadata[name] for name in names},
        is_repeated=True,
        prompt=_show_figures(described),
        prompt_messages=sent,
    )


def get_prompt(services: Services, request: GetPrompt) -> SentPrompt:
    """The prompt that a provider was sent, made again from the log."""
    reading = services.contexts.readings.read(request.conversation_id)
    message_id = _question_id(request.message_id)
    asked = _find_asked(services, reading, message_id)
    question = _find(reading, message_id)
    if asked is None or question is None:
        message = (
            f"no provider was asked to answer the message {message_id!r} of the conversation "
            f"{request.conversation_id!r}; POST …/chat asks one"
        )
        raise NotFound(message, message_id=message_id)
    plan = read_plan(asked["prompt"])
    then = services.contexts.readings.read(request.conversation_id, as_of=plan.through_offset)
    prompt = build_prompt(services.contexts, then, plan, question=question.content)
    return SentPrompt(
        conversation_id=request.conversation_id,
        message_id=message_id,
        provider=asked["provider"],
        model=asked["model"],
        error_code=asked.get("error_code"),
        prompt=_show_figures(prompt.describe(plan)),
        is_as_sent=prompt.digest == asked["prompt"]["digest"],
        messages=_show_turns(prompt),
    )


def _find_asked(services: Services, reading: Reading, message_id: str) -> dict[str, Any] | None:
    """What is recorded of the last time a provider was asked to answer a message."""
    reply = _find(reading, _reply_id(message_id))
    if reply is not None:
        described = (reply.data.get("metadata") or {}).get(_RECORDED_AS)
        return None if described is None else {**reply.data, "prompt": described}
    failures = [
        dict(entry.event.data)
        for entry in services.log.read_key(CONVERSATIONS, reading.conversation_id)
        if entry.event.type == REPLY_FAILED.name and entry.event.subject == message_id
    ]
    return next((failure for failure in reversed(failures) if "prompt" in failure), None)


def _before(services: Services, conversation_id: str, message_id: str) -> Reading:
    """The conversation as it was when a message was recorded."""
    offset = next(
        entry.offset
        for entry in services.log.read_key(CONVERSATIONS, conversation_id)
        if entry.event.data.get("message_id") == message_id
    )
    return services.contexts.readings.read(conversation_id, as_of=max(0, offset - 1))


def _choose_provider(services: Services, name: str | None) -> ChatProvider:
    if name is None:
        # `offline` is the first of all, and replies where nobody else is configured.
        return list(services.providers.values())[1 if len(services.providers) > 1 else 0]
    if name not in services.providers:
        message = f"no provider {name!r}; configured: {', '.join(services.providers)}"
        raise UnknownProvider(message, field="provider")
    return services.providers[name]


def _find(reading: Reading, message_id: str) -> Message | None:
    history = reading.history
    for message in (*reversed(history.messages), *history.alternatives):
        if message.message_id == message_id:
            return message
    return None


_REPLY_SUFFIX = "/reply"


def _reply_id(message_id: str) -> str:
    return f"{message_id}{_REPLY_SUFFIX}"


def _question_id(message_id: str) -> str:
    return message_id.removesuffix(_REPLY_SUFFIX)


def _to_storable(text: str) -> str:
    """A text without what a log refuses; a provider's server may say anything."""
    return text.encode("utf-8", "replace").decode().replace("\0", " ")[:MAX_CONTENT_CHARACTERS]


def _show_figures(described: dict[str, Any]) -> PromptFigures:
    names = PromptFigures.model_fields
    return PromptFigures(**{name: value for name, value in described.items() if name in names})


def _show_turns(prompt: Prompt) -> list[PromptMessage]:
    return [PromptMessage(role=role, content=content) for role, content in prompt.turns]


OPERATIONS = (
    Operation(
        name="chat",
        summary="Say something in a conversation and get a provider's reply",
        method="POST",
        path="/v1/conversations/{conversation_id}/chat",
        scope="write",
        request=Chat,
        response=ChatReply,
        run=chat,
        errors=(
            UnknownConversation,
            UnknownProvider,
            DuplicateId,
            BudgetTooSmall,
            ProviderError,
            RunCancelled,
        ),
        status=201,
        stream=stream,
    ),
    Operation(
        name="get_prompt",
        summary="Show the prompt that a provider was sent for a message",
        method="GET",
        path="/v1/conversations/{conversation_id}/prompts/{message_id}",
        scope="read",
        request=GetPrompt,
        response=SentPrompt,
        run=get_prompt,
        errors=(UnknownConversation, NotFound),
    ),
)
