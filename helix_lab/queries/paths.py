"""The shortest way from one entity to another, looked for from both ends at once.

From each end the entities within so many steps are asked for, by turns, until both sets meet. So
a way of four steps looks at what is two steps from either end, instead of at most of the graph.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any, Final

from helix_lab.ports.graph import GraphStore, Row

GREATEST_DEPTH: Final = 6
"""Steps of a path; `sql/graph/` reaches half of them from one end."""


def find_path(store: GraphStore, source: str, target: str, *, max_depth: int) -> Row | None:
    """`ids`, `relations` and `strengths` of the shortest path, and `entities` by id.

    Of several the same one is always taken: the ends meet in the entity with the least id, and so
    does each step back. A step is told by its strongest relation.

    None: no path has so few steps.
    """
    ids = [source] if source == target else _find_ids(store, source, target, max_depth)
    if not ids:
        return None
    known = {row["id"]: row for row in store.ask("find_entities", ids=ids)}
    steps = _list_steps(store, ids)
    return {
        "ids": ids,
        "relations": [row["relation"] for row in steps],
        "strengths": [row["strength"] for row in steps],
        "entities": known,
    }


def describe_path(path: Row) -> list[dict[str, Any]]:
    """The reference's form of a path: entities, with the relationships between them."""
    shown: list[dict[str, Any]] = [_describe(path, path["ids"][0])]
    steps = zip(pairwise(path["ids"]), path["relations"], path["strengths"], strict=True)
    for (_, entity_id), relation, strength in steps:
        shown.append({"relationship": relation.upper(), "strength": strength})
        shown.append(_describe(path, entity_id))
    return shown


def _describe(path: Row, entity_id: str) -> dict[str, Any]:
    row = path["entities"][entity_id]
    return {"entity": row["name"], "type": row["type"], "entity_id": entity_id}


class _End:
    """One end of a path, and what is at each number of steps from it."""

    def __init__(self, store: GraphStore, entity_id: str) -> None:
        self._store = store
        self._id = entity_id
        self._seen = {entity_id}
        self.levels = [{entity_id}]

    def reach_further(self) -> set[str]:
        """The entities at one step more; none: the graph ends here."""
        found = _ask_ids(self._store, len(self.levels), self._id) - self._seen
        self._seen |= found
        self.levels.append(found)
        return found

    def walk_back(self, entity_id: str) -> list[str]:
        """From an entity of the last level to this end, both included."""
        way = [entity_id]
        for level in reversed(self.levels[:-1]):
            before = level if len(level) == 1 else level & _ask_ids(self._store, 1, way[-1])
            way.append(min(before))
        return way


def _find_ids(store: GraphStore, source: str, target: str, max_depth: int) -> list[str]:
    ends = (_End(store, source), _End(store, target))
    for depth in range(min(max_depth, GREATEST_DEPTH)):
        near, far = ends if depth % 2 == 0 else ends[::-1]
        found = near.reach_further()
        if not found:
            break
        met = found & far.levels[-1]
        if met:
            return _join(ends, min(met))
    return []


def _join(ends: tuple[_End, _End], met: str) -> list[str]:
    first, second = (end.walk_back(met) for end in ends)
    return [*reversed(first), *second[1:]]


def _ask_ids(store: GraphStore, steps: int, entity_id: str) -> set[str]:
    return {row["id"] for row in store.ask(f"reach_{steps}", id=entity_id)}


def _list_steps(store: GraphStore, ids: list[str]) -> list[Row]:
    """The strongest relation that holds between each two in a row."""
    if len(ids) == 1:
        return []
    best: dict[frozenset[str], Row] = {}
    for row in sorted(store.ask("edges_between", ids=ids), key=_rank):
        if row["valid_to"] is None:
            best.setdefault(frozenset((row["source"], row["target"])), row)
    return [best[frozenset(pair)] for pair in pairwise(ids)]


def _rank(row: Row) -> tuple[Any, ...]:
    # Of relations as strong as each other a stated one tells more than a shared sentence.
    is_plain = row["relation"] == "related_to"
    return (-row["strength"], is_plain, row["relation"], row["source"])
