"""Operations on conversations: start, list, read, complete."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from helix_lab.domain.model.errors import (
    Conflict,
    DuplicateId,
    UnknownConversation,
)
from helix_lab.operations.operation import (
    Id,
    Operation,
    Request,
    Response,
    Text,
)
from helix_lab.operations.paging import Cursor, Limit, make_cursor, read_cursor
from helix_lab.operations.services import Services
from helix_lab.queries import conversations as questions
from helix_lab.queries.history import has_conversation
from helix_lab.record import drafts


class StartConversation(Request):
    """A conversation to begin."""

    conversation_id: Id | None = Field(None, description="made up if absent")
    user_id: Id | None = Field(None, description="whose conversation it is")
    title: Annotated[Text, Field(max_length=1000)] | None = Field(None, description="for lists")


class Conversation(Response):
    """A conversation as lists show it."""

    conversation_id: str
    user_id: str | None
    title: str | None
    source: str | None
    started_at: datetime
    updated_at: datetime
    completed_at: datetime | None
    outcome: str | None
    message_count: int
    total_tokens: int
    debate_count: int


class ListConversations(Request):
    """Which conversations to list."""

    user_id: Id | None = Field(None, description="only those of this user")
    limit: Limit = 50
    cursor: Cursor = None


class Conversations(Response):
    """One page of conversations, the one that changed last first."""

    conversations: list[Conversation]
    next_cursor: str | None


class GetConversation(Request):
    """Which conversation."""

    conversation_id: Id = Field(description="its id")


class CompleteConversation(Request):
    """How a conversation ended."""

    conversation_id: Id = Field(description="a conversation that exists")
    outcome: Literal["successful", "abandoned", "error"] = "successful"
    reason: Annotated[Text, Field(max_length=2000)] | None = None


def start(services: Services, request: StartConversation) -> Conversation:
    """Record the start of a conversation; the same start twice is one."""
    conversation_id = request.conversation_id or f"conv-{uuid.uuid4().hex}"
    facts = [
        drafts.start_conversation(conversation_id, user_id=request.user_id, source="api"),
    ]
    if request.title is not None:
        _check_title(services, conversation_id, request.title)
        facts.append(drafts.describe_conversation(conversation_id, title=request.title))
    try:
        services.writer.record(facts)
    except DuplicateId:
        message = (
            f"there is a conversation {conversation_id!r} that began otherwise (another user or "
            "source); choose another id, or add messages to it"
        )
        raise Conflict(message, conversation_id=conversation_id) from None
    return _read(services, conversation_id)


def _check_title(services: Services, conversation_id: str, title: str) -> None:
    row = services.ask(
        "conversations", lambda: questions.find_conversation(services.records, conversation_id)
    )
    if row is not None and row["title"] not in {None, title}:
        message = f"there is a conversation {conversation_id!r} with the title {row['title']!r}"
        raise Conflict(message, conversation_id=conversation_id, field="title")


def list_page(services: Services, request: ListConversations) -> Conversations:
    """One page of conversations."""
    after = read_cursor(request.cursor)
    rows = services.ask(
        "conversations",
        lambda: questions.list_conversations(
            services.records, limit=request.limit + 1, after=after, user_id=request.user_id
        ),
    )
    page, more = rows[: request.limit], rows[request.limit :]
    last = page[-1] if more else None
    cursor = make_cursor(last["updated_at"], last["conversation_id"]) if last else None
    return Conversations(conversations=[_show(row) for row in page], next_cursor=cursor)


def get(services: Services, request: GetConversation) -> Conversation:
    """What is known about one conversation."""
    return _read(services, request.conversation_id)


def complete(services: Services, request: CompleteConversation) -> Conversation:
    """Record that a conversation ended; the same end twice is one."""
    if not has_conversation(services.log, request.conversation_id):
        raise UnknownConversation(request.conversation_id)
    services.writer.record(
        [
            drafts.complete_conversation(
                request.conversation_id, outcome=request.outcome, reason=request.reason
            )
        ]
    )
    return _read(services, request.conversation_id)


def _read(services: Services, conversation_id: str) -> Conversation:
    row = services.find(
        "conversations",
        lambda: questions.find_conversation(services.records, conversation_id),
        otherwise=UnknownConversation(conversation_id),
    )
    return _show(row)


def _show(row: Mapping[str, Any]) -> Conversation:
    kept = {name: row[name] for name in Conversation.model_fields if name != "total_tokens"}
    return Conversation(**kept, total_tokens=row["token_count"])


OPERATIONS = (
    Operation(
        name="start_conversation",
        summary="Begin a conversation",
        method="POST",
        path="/v1/conversations",
        scope="write",
        request=StartConversation,
        response=Conversation,
        run=start,
        errors=(Conflict,),
        status=201,
        location="/v1/conversations/{conversation_id}",
    ),
    Operation(
        name="list_conversations",
        summary="List conversations, the one that changed last first",
        method="GET",
        path="/v1/conversations",
        scope="read",
        request=ListConversations,
        response=Conversations,
        run=list_page,
    ),
    Operation(
        name="get_conversation",
        summary="Show one conversation",
        method="GET",
        path="/v1/conversations/{conversation_id}",
        scope="read",
        request=GetConversation,
        response=Conversation,
        run=get,
        errors=(UnknownConversation,),
    ),
    Operation(
        name="complete_conversation",
        summary="Note that a conversation ended",
        method="POST",
        path="/v1/conversations/{conversation_id}/complete",
        scope="write",
        request=CompleteConversation,
        response=Conversation,
        run=complete,
        errors=(UnknownConversation,),
    ),
)
