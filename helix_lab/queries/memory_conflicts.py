"""Which conflicts were told to the topic of conflicts, and which not yet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from helix_lab.records.database import Records, take_new
from helix_lab.records.tables import MEMORY_CONFLICT, MEMORY_CONFLICT_TOLD


def list_untold(records: Records, *, limit: int) -> list[Mapping[str, Any]]:
    """Conflicts whose state was not told, the first found first; `told` is the state that was."""
    told = MEMORY_CONFLICT_TOLD.c.state
    query = (
        sa.select(MEMORY_CONFLICT, told.label("told"))
        .outerjoin(
            MEMORY_CONFLICT_TOLD,
            MEMORY_CONFLICT_TOLD.c.conflict_id == MEMORY_CONFLICT.c.conflict_id,
        )
        .where(sa.or_(told.is_(None), told != MEMORY_CONFLICT.c.state))
        .order_by(MEMORY_CONFLICT.c.found_at, MEMORY_CONFLICT.c.conflict_id)
        .limit(limit)
    )
    with records.read() as connection:
        return [dict(row) for row in connection.execute(query).mappings()]


def note_told(records: Records, rows: Sequence[Mapping[str, Any]]) -> None:
    """Keep that these were told in the state that they have."""
    told = [{"conflict_id": row["conflict_id"], "state": row["state"]} for row in rows]
    with records.write() as connection:
        records.upsert(connection, MEMORY_CONFLICT_TOLD, told, merge={"state": take_new})
