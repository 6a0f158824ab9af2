"""The operation that finds what conversations say on a query, current facts first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from pydantic import Field

from helix_lab.domain.context.recall import recall as select
from helix_lab.domain.model.errors import (
    BudgetTooSmall,
    InvalidRequest,
    NotFound,
    UnknownConversation,
)
from helix_lab.operations.cancellation import current_scope
from helix_lab.operations.operation import Id, Operation, Request, Response, Text
from helix_lab.operations.services import Services
from helix_lab.queries import conversations as questions
from helix_lab.queries.paging import Position
from helix_lab.queries.readings import Reading

MAX_MESSAGES = 200_000
"""Of all conversations of a user that are searched together; the newest go first."""

_PAGE = 500
_MAX_QUERY_CHARACTERS = 10_000


class Recall(Request):
    """What to look for, and where: in one conversation, or in all of a user."""

    query: Annotated[Text, Field(min_length=1, max_length=_MAX_QUERY_CHARACTERS)] = Field(
        description="what is asked, in words of the conversation where possible"
    )
    conversation_id: Id | None = Field(None, description="only this one")
    user_id: Id | None = Field(None, description="all conversations of this user")
    max_tokens: int = Field(2_000, ge=1, le=2**53, description="hard limit of what is given")


@dataclass(frozen=True, slots=True)
class FoundMessage:
    """A message that is given word for word."""

    conversation_id: str
    message_id: str
    role: str
    content: str
    timestamp: datetime
    relevance: float
    superseded_by: str | None


@dataclass(frozen=True, slots=True)
class FoundLine:
    """A piece of further messages, compressed."""

    conversation_id: str
    text: str
    message_ids: tuple[str, ...]
    speaker: str
    timestamp: datetime


class SupersededPair(Response):
    """Two messages that say different things of one matter, each with its date."""

    kind: str = Field(
        description="update: the newer replaces the older; contradiction: they oppose"
    )
    conversation_id: str
    current_id: str
    current_at: datetime
    stale_id: str
    stale_at: datetime


class Recalled(Response):
    """What is known on the query: a current value stands before the stale one."""

    query: str
    context: str = Field(description="all of it as one text, as it is shown to a model")
    tokens: int = Field(description="of the context")
    max_tokens: int
    tokenizer: str
    coverage: float = Field(description="share of the weight of the query's words that is in it")
    messages: list[FoundMessage]
    lines: list[FoundLine]
    superseded: list[SupersededPair]
    conversations_searched: int
    conversations_left_out: int = Field(description="the oldest, where a user said very much")


def recall(services: Services, request: Recall) -> Recalled:
    """Search and select, within the budget."""
    readings, left_out = _read(services, request)
    found = select(
        [reading.analyse() for reading in readings], request.query, max_tokens=request.max_tokens
    )
    ids = [reading.conversation_id for reading in readings]
    return Recalled(
        query=request.query,
        context=found.render(),
        tokens=found.tokens,
        max_tokens=request.max_tokens,
        tokenizer=found.tokenizer,
        coverage=found.coverage,
        messages=[
            FoundMessage(
                ids[one.conversation],
                one.message_id,
                one.role,
                one.text,
                one.time,
                one.relevance,
                one.superseded_by,
            )
            for one in found.messages
        ],
        lines=[
            FoundLine(ids[source], line.text, line.message_ids, line.speaker, line.time)
            for line, source in zip(found.lines, found.line_sources, strict=True)
        ],
        superseded=[
            SupersededPair(
                kind=pair.kind,
                conversation_id=ids[pair.conversation],
                current_id=pair.current_id,
                current_at=pair.current_time,
                stale_id=pair.stale_id,
                stale_at=pair.stale_time,
            )
            for pair in found.superseded
        ],
        conversations_searched=len(readings),
        conversations_left_out=left_out,
    )


def _read(services: Services, request: Recall) -> tuple[Sequence[Reading], int]:
    """The conversations to search, and how many are left out."""
    if (request.conversation_id is None) == (request.user_id is None):
        message = "give either conversation_id or user_id"
        raise InvalidRequest(message, field="conversation_id")
    if request.conversation_id is not None:
        return [services.contexts.readings.read(request.conversation_id)], 0
    ids = _list_conversations(services, str(request.user_id))
    scope = current_scope()
    readings: list[Reading] = []
    messages = 0
    for conversation_id in ids:
        scope.check()
        reading = services.contexts.readings.read(conversation_id)
        messages += reading.message_count
        if readings and messages > MAX_MESSAGES:
            break
        readings.append(reading)
    return readings, len(ids) - len(readings)


def _list_conversations(services: Services, user_id: str) -> list[str]:
    """The conversations of a user, the one that changed last first."""
    ids: list[str] = []
    after: Position | None = None
    while True:
        place = after
        rows = services.ask(
            "conversations",
            lambda place=place: questions.list_conversations(  # type: ignore[misc]
                services.records, limit=_PAGE, after=place, user_id=user_id
            ),
        )
        ids += [row["conversation_id"] for row in rows]
        if len(rows) < _PAGE:
            break
        after = (rows[-1]["updated_at"], rows[-1]["conversation_id"])
    if not ids:
        message = f"the user {user_id!r} has no conversation; list them with GET /v1/conversations"
        raise NotFound(message, user_id=user_id)
    return ids


OPERATIONS = (
    Operation(
        name="recall",
        summary="Find what conversations say on a query, within a budget",
        method="POST",
        path="/v1/context/recall",
        scope="read",
        request=Recall,
        response=Recalled,
        run=recall,
        errors=(UnknownConversation, NotFound, BudgetTooSmall),
    ),
)
