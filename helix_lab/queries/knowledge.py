"""Questions to the graph about entities: who is meant, what is related, what is said of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from difflib import SequenceMatcher
from typing import Any

from helix_lab.domain.knowledge.identity import identify
from helix_lab.domain.knowledge.mention import GRAPH_TYPES
from helix_lab.ports.graph import GraphStore, Row

ALWAYS = "9999"
"""As of now: later than every time."""

_RELATIONS_A_NEIGHBOUR = 16
_CANDIDATES = 60
_PIECE = 2
_COMPARED = 40
_LEAST_LIKENESS = 0.5


def find_entity(store: GraphStore, name: str, kind: str | None = None) -> Row | None:
    """The entity of this id, name or alias; of several the most mentioned one."""
    found = _find_by_ids(store, name) or _find_by_keys(store, name)
    wanted = [row for row in found if kind in {None, row["type"]}]
    return max(wanted, key=lambda row: (row["mention_count"], row["id"]), default=None)


def find_nearest(
    store: GraphStore, name: str, *, kind: str | None = None, limit: int = 3
) -> list[Row]:
    """The entities with the names most like this one, with `score` from 0 to 1; best first."""
    key = name.casefold()[:_COMPARED]
    pieces = sorted({key[at : at + _PIECE] for at in range(max(1, len(key) - _PIECE + 1))})
    rows = store.ask(
        "entities_by_pieces",
        pieces=pieces,
        type=kind or "",
        any_type=kind is None,
        max_rows=_CANDIDATES,
    )
    for row in rows:
        row["score"] = round(SequenceMatcher(None, key, row["name"].casefold()).ratio(), 3)
    rows = [row for row in rows if row["score"] >= _LEAST_LIKENESS]
    rows.sort(key=lambda row: (-row["score"], -row["mention_count"], row["id"]))
    return rows[:limit]


def list_by_prefix(store: GraphStore, prefix: str, *, kind: str | None, limit: int) -> list[Row]:
    """The entities whose names begin so, the most mentioned first."""
    return store.ask(
        "entities_by_prefix",
        prefix=prefix.casefold(),
        type=kind or "",
        any_type=kind is None,
        max_rows=limit,
    )


def list_related(
    store: GraphStore, entity_id: str, *, min_strength: float, as_of: str, limit: int
) -> list[Row]:
    """One row a neighbour, by its strongest relation, with `is_source` and `frequency`."""
    asked = {
        "id": entity_id,
        "min_strength": min_strength,
        "as_of": as_of,
        "max_rows": limit * _RELATIONS_A_NEIGHBOUR,
    }
    rows = [
        {**row, "is_source": is_source}
        for is_source, statement in ((True, "related_out"), (False, "related_in"))
        for row in store.ask(statement, **asked)
    ]
    rows.sort(key=_rank)
    best: dict[str, Row] = {}
    for row in rows:
        best.setdefault(row["id"], row)
    kept = list(best.values())[:limit]
    counts = store.ask("co_occurrences", id=entity_id, ids=[row["id"] for row in kept])
    frequencies = {row["id"]: row["frequency"] for row in counts}
    return [{**row, "frequency": frequencies.get(row["id"], 0)} for row in kept]


def _rank(row: Mapping[str, Any]) -> tuple[Any, ...]:
    # Of relations as strong as each other a stated one tells more than a shared sentence.
    is_plain = row["relation"] == "related_to"
    return (-row["strength"], -row["support"], is_plain, row["name"], row["id"], row["relation"])


def list_messages(
    store: GraphStore, entity_id: str, *, other: str | None = None, limit: int
) -> list[Row]:
    """The messages that name an entity, or both of two; the newest first."""
    if other is None:
        return store.ask("messages_of", id=entity_id, max_rows=limit)
    return store.ask("messages_of_both", id=entity_id, other=other, max_rows=limit)


def list_conversations(store: GraphStore, entity_id: str, *, limit: int) -> list[Row]:
    """The conversations that mention an entity, the most mentions first."""
    return store.ask("conversations_of", id=entity_id, max_rows=limit)


def list_mentioned(store: GraphStore, *, since: str, until: str, limit: int) -> list[Row]:
    """The entities that the messages of a time mention, the most mentioned first."""
    return store.ask("mentioned_between", since=since, until=until, max_rows=limit)


def count_new_entities(store: GraphStore, *, since: str, until: str) -> list[Row]:
    """How many entities were named for the first time, by `day`."""
    return store.ask("entities_by_day", since=since, until=until)


def count_extractions(store: GraphStore, *, since: str, until: str) -> list[Row]:
    """Mentions, entities and messages with one, by `day`."""
    return store.ask("extractions_between", since=since, until=until)


def count_mentioned(store: GraphStore, *, since: str, until: str) -> int:
    """How many different entities the messages of a time mention."""
    return int(store.ask("unique_between", since=since, until=until)[0]["number"])


def read_entities(store: GraphStore, ids: Sequence[str]) -> list[Row]:
    """All that is known of these entities."""
    return store.ask("find_entities", ids=list(ids))


def count_graph(store: GraphStore) -> dict[str, int]:
    """How many nodes and edges of each kind there are."""
    kinds = {
        **{name: f"count_{name}" for name in ("entities", "conversations", "users", "messages")},
        **{name: f"count_{name}" for name in ("related_to", "co_occurs_with", "mentioned_in")},
    }
    return {name: int(store.ask(kind)[0]["number"]) for name, kind in kinds.items()}


def _find_by_ids(store: GraphStore, name: str) -> list[Row]:
    ids = {name, *(identify(name, kind).entity_id for kind in GRAPH_TYPES)}
    merged = store.ask("merged_entities", ids=sorted(ids))
    ids |= {row["entity_id"] for row in merged}
    return store.ask("find_entities", ids=sorted(ids))


def _find_by_keys(store: GraphStore, name: str) -> list[Row]:
    key = " ".join(name.split()).casefold()
    found = store.ask("entities_by_key", key=key)
    return found or store.ask("entities_by_alias", key=key)
