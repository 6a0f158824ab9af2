"""Merges: which entities count as one, by what people said, and undone without a trace.

A merge never changes an entity. It lies over the ids: entities that active merges connect show
as one. A split makes a merge inactive, so that what is shown is again a function of the merges
that remain, and nothing of the undone one can be left.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec


class Merge(msgspec.Struct, frozen=True):
    """Somebody said that two entities are one.

    Attributes:
        clock: when it was recorded; the latest merge of a group decides which name is shown.
        source: the entity that shows as `target` from now on.
    """

    clock: int
    merge_id: str
    source: str
    target: str


def list_active(rows: Iterable[Mapping[str, Any]]) -> list[Merge]:
    """The merges that count, from the rows of `sql/graph/all_merges.cypher`."""
    return [
        Merge(row["clock"], row["id"], row["source"], row["target"])
        for row in rows
        if not row["is_undone"] and row["source"] is not None
    ]


def resolve(merges: Iterable[Merge]) -> dict[str, str]:
    """Entity id → the id that it shows as, for every entity that an active merge names.

    The order of the merges does not matter, nor whether they contradict: A into B and B into A
    are one group, which shows as the target of the later one.
    """
    parents: dict[str, str] = {}

    def find(entity_id: str) -> str:
        while parents.setdefault(entity_id, entity_id) != entity_id:
            parents[entity_id] = parents[parents[entity_id]]
            entity_id = parents[entity_id]
        return entity_id

    # The root of the source is put below the target's: in order of time, so that the target of
    # the latest merge of a group is on top once its own root is itself.
    ordered = sorted(merges, key=lambda merge: (merge.clock, merge.merge_id))
    for merge in ordered:
        parents[find(merge.source)] = find(merge.target)
    shown = {find(merge.target): merge.target for merge in ordered}
    return {entity_id: shown[find(entity_id)] for entity_id in parents}


def group_of(entity_id: str, merges: Iterable[Merge]) -> set[str]:
    """All entities that show as one with this one, itself among them."""
    shown = resolve(merges)
    own = shown.get(entity_id, entity_id)
    return {entity_id, own} | {other for other, target in shown.items() if target == own}


def find_latest(entity_id: str, merges: Iterable[Merge]) -> Merge | None:
    """The latest merge in the group of an entity; None: it is not merged."""
    kept = list(merges)
    group = group_of(entity_id, kept)
    own = [merge for merge in kept if merge.source in group]
    return max(own, key=lambda merge: (merge.clock, merge.merge_id), default=None)


def changed_by(before: Mapping[str, str], after: Mapping[str, str]) -> set[str]:
    """The entities that show as another one after than before."""
    return {
        entity_id
        for entity_id in {*before, *after}
        if before.get(entity_id, entity_id) != after.get(entity_id, entity_id)
    }
