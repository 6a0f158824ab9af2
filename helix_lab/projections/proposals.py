"""Proposals of facts: those that messages of users hold, and what was decided on each.

They are rows of the conversations' projection, which writes them in its transactions.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
import sqlalchemy as sa

from helix_lab.domain.memory.proposals import Proposal, identify, propose
from helix_lab.domain.model.event import Event
from helix_lab.projections.facts import MessageAdded, ProposalDecided, read_fact
from helix_lab.records.database import Records
from helix_lab.records.tables import CONVERSATION, PROPOSAL, PROPOSAL_DECISION

TABLES = (PROPOSAL, PROPOSAL_DECISION)
_SPEAKER = "user"
_MOST_IDS = 500
"""Of one statement; databases bound the number of parameters."""


class Found(msgspec.Struct):
    """The facts that one message proposes."""

    conversation_id: str
    message_id: str
    user_id: str | None
    said_at: datetime
    proposals: Sequence[Proposal]


def find_proposals(event: Event, said: MessageAdded) -> Found | None:
    """The facts that a message tells of its user; None if it tells none."""
    proposals = propose(said.content) if said.role == _SPEAKER else []
    if not proposals:
        return None
    return Found(event.key, said.message_id, said.user_id, event.time, proposals)


def read_decision(event: Event) -> dict[str, Any]:
    """The row of a decision."""
    decided = read_fact(event.data, ProposalDecided)
    return {
        "proposal_id": decided.proposal_id,
        "decision": decided.decision,
        "memory_id": decided.memory_id,
        "decided_at": event.time,
    }


def write_proposals(
    records: Records,
    connection: sa.Connection,
    found: Iterable[Found],
    decisions: Sequence[Mapping[str, Any]],
) -> None:
    """Write what is new; the same words of the same user are proposed once."""
    messages = list(found)
    ids = {one.conversation_id for one in messages if one.user_id is None}
    users = _find_users(connection, sorted(ids))
    rows = [
        row for one in messages for row in _to_rows(one, one.user_id or users[one.conversation_id])
    ]
    records.upsert(connection, PROPOSAL, rows)
    records.upsert(connection, PROPOSAL_DECISION, decisions)


def _to_rows(found: Found, user_id: str | None) -> list[dict[str, Any]]:
    return [
        {
            "proposal_id": identify(user_id, proposal.content),
            "conversation_id": found.conversation_id,
            "message_id": found.message_id,
            "user_id": user_id,
            "content": proposal.content,
            "category": proposal.category,
            "said_at": found.said_at,
        }
        for proposal in found.proposals
    ]


def _find_users(connection: sa.Connection, ids: Sequence[str]) -> dict[str, str | None]:
    """The users of conversations, by what the records say by now."""
    users: dict[str, str | None] = {}
    for start in range(0, len(ids), _MOST_IDS):
        part = ids[start : start + _MOST_IDS]
        query = sa.select(CONVERSATION.c.conversation_id, CONVERSATION.c.user_id)
        rows = connection.execute(query.where(CONVERSATION.c.conversation_id.in_(part)))
        users.update({row[0]: row[1] for row in rows})
    return users
