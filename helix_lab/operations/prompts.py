"""The operation that shows the prompt a provider was sent: made again from the log."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from helix_lab.domain.context.history import Message
from helix_lab.domain.model.errors import NotFound, UnknownConversation
from helix_lab.domain.model.event import CONVERSATIONS, REPLY_FAILED
from helix_lab.jobs.contexts import Prompt, build_prompt, read_plan
from helix_lab.operations.additions import AddedLine
from helix_lab.operations.operation import Id, Operation, Request, Response
from helix_lab.operations.services import Services
from helix_lab.queries.readings import Reading

RECORDED_AS = "prompt"
"""Key in the metadata of a reply under which its prompt is described."""


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
    additions: list[AddedLine] = Field([], description="what it was given beside the conversation")
    addition_notes: list[str] = Field([], description="what could not be had, and why")


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


def get_prompt(services: Services, request: GetPrompt) -> SentPrompt:
    """The prompt that a provider was sent, made again from the log."""
    reading = services.contexts.readings.read(request.conversation_id)
    message_id = question_id_of(request.message_id)
    asked = _find_asked(services, reading, message_id)
    question = find_message(reading, message_id)
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
        prompt=show_figures(prompt.describe(plan)),
        is_as_sent=prompt.digest == asked["prompt"]["digest"],
        messages=show_turns(prompt),
    )


def _find_asked(services: Services, reading: Reading, message_id: str) -> dict[str, Any] | None:
    """What is recorded of the last time a provider was asked to answer a message."""
    reply = find_message(reading, reply_id_of(message_id))
    if reply is not None:
        described = (reply.data.get("metadata") or {}).get(RECORDED_AS)
        return None if described is None else {**reply.data, "prompt": described}
    failures = [
        dict(entry.event.data)
        for entry in services.log.read_key(CONVERSATIONS, reading.conversation_id)
        if entry.event.type == REPLY_FAILED.name and entry.event.subject == message_id
    ]
    return next((failure for failure in reversed(failures) if "prompt" in failure), None)


def find_message(reading: Reading, message_id: str) -> Message | None:
    """A message of a conversation, whichever branch it is on."""
    history = reading.history
    for message in (*reversed(history.messages), *history.alternatives):
        if message.message_id == message_id:
            return message
    return None


_REPLY_SUFFIX = "/reply"


def reply_id_of(message_id: str) -> str:
    """The id of the reply to a message."""
    return f"{message_id}{_REPLY_SUFFIX}"


def question_id_of(message_id: str) -> str:
    """The id of the message that a reply answers; of another message, its own."""
    return message_id.removesuffix(_REPLY_SUFFIX)


def show_figures(described: dict[str, Any]) -> PromptFigures:
    """The figures out of what was recorded of a prompt."""
    names = PromptFigures.model_fields
    return PromptFigures(**{name: value for name, value in described.items() if name in names})


def show_turns(prompt: Prompt) -> list[PromptMessage]:
    """The messages of a prompt."""
    return [PromptMessage(role=role, content=content) for role, content in prompt.turns]


OPERATIONS = (
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
