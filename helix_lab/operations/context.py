"""Operations on context: what a conversation weighs; replay is a module of its own."""

from __future__ import annotations

from datetime import UTC, datetime

from pydantic import Field

from helix_lab.domain.model.errors import UnknownConversation
from helix_lab.operations.compressions import ShownCompression, count_compressions
from helix_lab.operations.operation import Id, Operation, Request, Response
from helix_lab.operations.replay import OPERATION as REPLAY
from helix_lab.operations.services import Services
from helix_lab.queries import conversations as questions


class GetContextStats(Request):
    """Which conversation."""

    conversation_id: Id = Field(description="a conversation that exists")


class ContextStats(Response):
    """What a conversation weighs, and how it was compressed last."""

    conversation_id: str
    message_count: int
    total_tokens: int
    debate_count: int
    compressed: bool = Field(description="whether it was compressed at least once")
    compression_count: int
    last_compression: ShownCompression | None
    is_cached: bool = Field(description="whether it is in memory now")
    timestamp: datetime


def get_stats(services: Services, request: GetContextStats) -> ContextStats:
    """Counts of one conversation."""
    row = services.find(
        "conversations",
        lambda: questions.find_conversation(services.records, request.conversation_id),
        otherwise=UnknownConversation(request.conversation_id),
    )
    count, last = count_compressions(services.log, request.conversation_id)
    return ContextStats(
        conversation_id=request.conversation_id,
        message_count=row["message_count"],
        total_tokens=row["token_count"],
        debate_count=row["debate_count"],
        compressed=count > 0,
        compression_count=count,
        last_compression=last,
        is_cached=services.contexts.readings.is_kept(request.conversation_id),
        timestamp=datetime.now(UTC),
    )


OPERATIONS = (
    REPLAY,
    Operation(
        name="get_context_stats",
        summary="Count the messages and tokens of a conversation",
        method="GET",
        path="/v1/context/stats/{conversation_id}",
        scope="read",
        request=GetContextStats,
        response=ContextStats,
        run=get_stats,
        errors=(UnknownConversation,),
    ),
)
