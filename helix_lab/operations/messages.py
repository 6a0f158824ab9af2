"""The operation that adds messages to a conversation."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import Field

from helix_lab.domain.model.errors import DuplicateId, TooLarge, UnknownConversation
from helix_lab.domain.model.event import Draft
from helix_lab.operations.metadata import Metadata, check_metadata
from helix_lab.operations.operation import Id, Instant, Name, Operation, Request, Response, Text
from helix_lab.operations.services import Services
from helix_lab.queries.history import has_conversation
from helix_lab.record import drafts

MAX_CONTENT_CHARACTERS = 8 * 1024 * 1024


class NewMessage(Request):
    """A message to add, exactly as it was said."""

    role: Literal["user", "assistant", "system", "tool"]
    content: Annotated[Text, Field(max_length=MAX_CONTENT_CHARACTERS)]
    message_id: Id | None = Field(None, description="unique in the conversation; made up if absent")
    created_at: Instant | None = Field(None, description="when it was said; now if absent")
    parent_id: Id | None = Field(None, description="message it answers, where there are branches")
    name: Name | None = None
    provider: Name | None = None
    model: Name | None = None
    metadata: Metadata | None = None


class AppendMessages(Request):
    """Messages to add to a conversation, all or none."""

    conversation_id: Id = Field(description="a conversation that exists")
    messages: list[NewMessage] = Field(
        min_length=1, max_length=10_000, description="one or more, in order"
    )


class RecordedMessage(Response):
    """Where a message lies in the log now."""

    message_id: str
    event_id: str
    offset: int
    model_tokens: int


class AppendedMessages(Response):
    """The messages as recorded, in the given order. They would survive a power cut."""

    conversation_id: str
    messages: list[RecordedMessage]


def append(services: Services, request: AppendMessages) -> AppendedMessages:
    """Record messages, all or none."""
    if not has_conversation(services.log, request.conversation_id):
        raise UnknownConversation(request.conversation_id)
    entries = services.writer.record(_draft_messages(request))
    return AppendedMessages(
        conversation_id=request.conversation_id,
        messages=[
            RecordedMessage(
                message_id=entry.event.data["message_id"],
                event_id=entry.event.event_id,
                offset=entry.offset,
                model_tokens=entry.event.data["model_tokens"],
            )
            for entry in entries
        ],
    )


def _draft_messages(request: AppendMessages) -> Sequence[Draft]:
    return [
        drafts.add_message(
            request.conversation_id,
            message.message_id or f"msg-{uuid.uuid4().hex}",
            role=message.role,
            content=message.content,
            created_at=message.created_at,
            parent_id=message.parent_id,
            name=message.name,
            provider=message.provider,
            model=message.model,
            metadata=check_metadata(message.metadata),
        )
        for message in request.messages
    ]


OPERATIONS = (
    Operation(
        name="append_messages",
        summary="Add one message or several to a conversation",
        method="POST",
        path="/v1/conversations/{conversation_id}/messages",
        scope="write",
        request=AppendMessages,
        response=AppendedMessages,
        run=append,
        errors=(UnknownConversation, DuplicateId, TooLarge),
        status=201,
        body="one_or_many",
    ),
)
