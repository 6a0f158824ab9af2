"""Questions to the records about conversations and debates."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from helix_lab.queries.paging import Position, page_after
from helix_lab.records.database import Records
from helix_lab.records.tables import CONVERSATION, DEBATE, DEBATE_TURN


def find_conversation(records: Records, conversation_id: str) -> Mapping[str, Any] | None:
    """The row of one conversation."""
    query = sa.select(CONVERSATION).where(CONVERSATION.c.conversation_id == conversation_id)
    return _read_one(records, query)


def list_conversations(
    records: Records, *, limit: int, after: Position | None, user_id: str | None
) -> list[Mapping[str, Any]]:
    """Conversations, the one that changed last first; of one user, if asked."""
    place = (CONVERSATION.c.updated_at, CONVERSATION.c.conversation_id)
    query = page_after(sa.select(CONVERSATION), place, limit=limit, after=after)
    if user_id is not None:
        query = query.where(CONVERSATION.c.user_id == user_id)
    return _read_all(records, query)


def find_debate(
    records: Records, debate_id: str
) -> tuple[Mapping[str, Any], list[Mapping[str, Any]]] | None:
    """The row of one debate, and its turns that have ended, in order."""
    row = _read_one(records, sa.select(DEBATE).where(DEBATE.c.debate_id == debate_id))
    return None if row is None else (row, _list_turns(records, debate_id))


def list_debates(
    records: Records, *, limit: int, after: Position | None, conversation_id: str | None
) -> list[Mapping[str, Any]]:
    """Debates, the newest first; of one conversation, if asked."""
    place = (DEBATE.c.started_at, DEBATE.c.debate_id)
    query = page_after(sa.select(DEBATE), place, limit=limit, after=after)
    if conversation_id is not None:
        query = query.where(DEBATE.c.conversation_id == conversation_id)
    return _read_all(records, query)


def _list_turns(records: Records, debate_id: str) -> list[Mapping[str, Any]]:
    query = (
        sa.select(DEBATE_TURN)
        .where(DEBATE_TURN.c.debate_id == debate_id)
        .order_by(DEBATE_TURN.c.clock, DEBATE_TURN.c.round, DEBATE_TURN.c.role, DEBATE_TURN.c.seat)
    )
    return _read_all(records, query)


def _read_one(records: Records, query: sa.Select[Any]) -> Mapping[str, Any] | None:
    with records.read() as connection:
        row = connection.execute(query).mappings().one_or_none()
    return None if row is None else dict(row)


def _read_all(records: Records, query: sa.Select[Any]) -> list[Mapping[str, Any]]:
    with records.read() as connection:
        return [dict(row) for row in connection.execute(query).mappings()]
