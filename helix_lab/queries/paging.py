"""Pages of a list in the records: the rows after the last one of the page before."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

Position = tuple[datetime, str]
"""(moment, id) of the last row of the page before; rows after it follow."""


def page_after(
    query: sa.Select[Any],
    place: Sequence[sa.ColumnElement[Any]],
    *,
    limit: int,
    after: Position | None,
) -> sa.Select[Any]:
    """The query for one page, the greatest place first.

    Args:
        query: all rows.
        place: the two columns that order them, the last one unique.
        limit: rows at most.
        after: place of the last row of the page before; None is the first page.
    """
    query = query.order_by(*(column.desc() for column in place)).limit(limit)
    if after is None:
        return query
    moment, item_id = after
    bound = sa.tuple_(
        sa.bindparam(None, moment, type_=place[0].type),
        sa.bindparam(None, item_id, type_=place[1].type),
    )
    return query.where(sa.tuple_(*place) < bound)
