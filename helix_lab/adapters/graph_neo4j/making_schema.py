"""Keys and indexes of the graph on Neo4j, made once, also where another process makes them now."""

from __future__ import annotations

import re
import time
from typing import Any, Final

from neo4j.exceptions import ClientError

_HALF_MADE = (
    "Neo.ClientError.Schema.IndexAlreadyExists",
    "Neo.ClientError.Schema.IndexWithNameAlreadyExists",
    "Neo.ClientError.Schema.ConstraintAlreadyExists",
)
_PATIENCE_S = 5.0
_KEY: Final = re.compile(r"CREATE CONSTRAINT (\w+)")


def make_schema_part(session: Any, statement: str) -> None:
    """Make one key or index, unless it is there.

    A key is an index first and a constraint when that is filled. Between the two, `IF NOT EXISTS`
    finds no constraint, and an index in its way. That of another process becomes a key soon; that
    of a connection that was closed in the middle may stay for good, and is dropped.

    Raises:
        ClientError: an index that is not ours is in the way.
    """
    until = time.monotonic() + _PATIENCE_S
    while True:
        try:
            session.run(statement).consume()
        except ClientError as error:
            if error.code not in _HALF_MADE:
                raise
            if time.monotonic() > until:
                if not _drop_left_over(session, statement):
                    raise
                until = time.monotonic() + _PATIENCE_S
            time.sleep(0.1)
        else:
            return


def _drop_left_over(session: Any, statement: str) -> bool:
    """Drop the index of a key that never became one; false where there is none."""
    key = _KEY.match(statement)
    if key is None:
        return False
    left_over = session.run(
        "SHOW INDEXES YIELD name, state, owningConstraint "
        "WHERE name = $name AND state = 'ONLINE' AND owningConstraint IS NULL RETURN name",
        name=key[1],
    ).data()
    for _ in left_over:
        session.run(f"DROP INDEX {key[1]} IF EXISTS").consume()
    return bool(left_over)
