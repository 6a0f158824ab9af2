"""Questions to the records about proposed facts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from helix_lab.queries.paging import Position, page_after
from helix_lab.records.database import Records
from helix_lab.records.tables import PROPOSAL, PROPOSAL_DECISION

OPEN = "proposed"
"""State of a proposal on which nothing is decided."""


def list_proposals(
    records: Records,
    *,
    state: str | None,
    user_id: str | None,
    conversation_id: str | None,
    limit: int,
    after: Position | None,
) -> list[Mapping[str, Any]]:
    """Proposals with their `state`, the one that was said last first."""
    rows = _select()
    if state is not None:
        rows = rows.where(sa.literal(state) == _STATE)
    if user_id is not None:
        rows = rows.where(PROPOSAL.c.user_id == user_id)
    if conversation_id is not None:
        rows = rows.where(PROPOSAL.c.conversation_id == conversation_id)
    place = (PROPOSAL.c.said_at, PROPOSAL.c.proposal_id)
    query = page_after(rows, place, limit=limit, after=after)
    with records.read() as connection:
        return [dict(row) for row in connection.execute(query).mappings()]


def find_proposal(records: Records, proposal_id: str) -> Mapping[str, Any] | None:
    """One proposal with its `state`."""
    query = _select().where(PROPOSAL.c.proposal_id == proposal_id)
    with records.read() as connection:
        row = connection.execute(query).mappings().one_or_none()
    return None if row is None else dict(row)


_STATE = sa.func.coalesce(PROPOSAL_DECISION.c.decision, OPEN)


def _select() -> sa.Select[Any]:
    decided = PROPOSAL.c.proposal_id == PROPOSAL_DECISION.c.proposal_id
    columns = (
        PROPOSAL,
        _STATE.label("state"),
        PROPOSAL_DECISION.c.memory_id,
        PROPOSAL_DECISION.c.decided_at,
    )
    return sa.select(*columns).select_from(PROPOSAL.outerjoin(PROPOSAL_DECISION, decided))
