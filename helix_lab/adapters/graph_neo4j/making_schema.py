"""Keys and indexes of the graph on Neo4j, made once, also where another process makes them now."""

from __future__ import annotations

import logging
import re
import time
from typing import Any, Final

from neo4j.exceptions import ClientError

LOGGER = logging.getLogger(__name__)
_HALF_MADE = (
    "Neo.ClientError.Schema.IndexAlreadyExists",
    "Neo.ClientError.Schema.IndexWithNameAlreadyExists",
    "Neo.ClientError.Schema.ConstraintAlreadyExists",
)
_PATIENCE_S = 5.0
_KEY: Final = re.compile(r"CREATE CONSTRAINT .* FOR \(n:(\w+)\) REQUIRE n\.(\w+) IS UNIQUE")


def make_schema_part(session: Any, statement: str) -> None:
    """Make one key or index, unless it is there.

    A key is an index first and a constraint when that is filled. Between the two, `IF NOT EXISTS`
    finds no constraint, and an index in its way. That of another process becomes a key soon. One
    that stays, such as the guide tells people to make, is replaced: the key answers the same.

    Raises:
        ClientError: the server refuses it.
    """
    until = time.monotonic() + _PATIENCE_S
    while True:
        try:
            session.run(statement).consume()
        except ClientError as error:
            if error.code not in _HALF_MADE:
                raise
            if time.monotonic() > until:
                if not _drop_index_in_the_way(session, statement):
                    raise
                until = time.monotonic() + _PATIENCE_S
            time.sleep(0.1)
        else:
            return


def _drop_index_in_the_way(session: Any, statement: str) -> bool:
    """Drop an index of the label and property of a key; false where there is none."""
    key = _KEY.match(statement)
    if key is None:
        return False
    names = session.run(
        "SHOW RANGE INDEXES YIELD name, labelsOrTypes, properties, state, owningConstraint "
        "WHERE labelsOrTypes = [$label] AND properties = [$property] AND state = 'ONLINE' "
        "AND owningConstraint IS NULL RETURN name",
        label=key[1],
        property=key[2],
    ).value()
    for name in names:
        quoted = name.replace("`", "``")
        session.run(f"DROP INDEX `{quoted}` IF EXISTS").consume()
        LOGGER.warning("index %s on Neo4j is replaced by a key of the graph", name)
    return bool(names)
