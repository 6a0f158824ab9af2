"""Keys and indexes of the graph on Neo4j, made once, also where another process makes them now."""

from __future__ import annotations

import time
from typing import Any

from neo4j.exceptions import ClientError

_HALF_MADE = (
    "Neo.ClientError.Schema.IndexAlreadyExists",
    "Neo.ClientError.Schema.ConstraintAlreadyExists",
)
_PATIENCE_S = 10.0


def make_schema_part(session: Any, statement: str) -> None:
    """Make one key or index, unless it is there.

    A key is an index first and a constraint when that is filled. Between the two, `IF NOT EXISTS`
    finds no constraint, and an index in its way: of another process, or of a connection that was
    closed in the middle, which the server then removes.

    Raises:
        ClientError: an index that is not ours is in the way for good.
    """
    until = time.monotonic() + _PATIENCE_S
    while True:
        try:
            session.run(statement).consume()
        except ClientError as error:
            if error.code not in _HALF_MADE or time.monotonic() > until:
                raise
            time.sleep(0.1)
        else:
            return
