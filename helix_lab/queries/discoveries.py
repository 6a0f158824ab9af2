"""Hidden relations: pairs that share many neighbours and were never mentioned together.

**Score.** Adamic and Adar (Friends and neighbors on the Web, 2003): the sum over shared
neighbours of 1 / ln(degree). A neighbour of few says more than one that is related to everything.
The degree is the number of things that a neighbour is related to, of those that were read.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final

from helix_lab.ports.graph import GraphStore, Row

MOST_EXAMINED: Final = 50
"""The most mentioned entities that are looked at where none is asked for."""

_MOST_NEIGHBOURS = 300
_MOST_RELATIONS = 20_000

Graph = dict[str, set[str]]


@dataclass(frozen=True, slots=True)
class Discovery:
    """Two entities, and the neighbours that they share: (entity, what it adds), the most first."""

    first: Row
    second: Row
    score: float
    shared: list[tuple[Row, float]]


def discover(
    store: GraphStore, asked: Sequence[str], *, min_shared: int, limit: int
) -> list[Discovery]:
    """The best pairs of which one is an asked entity; of none asked, one of the most mentioned."""
    seeds = list(asked) or _list_top(store)
    graph = _read(store, seeds)
    between = sorted({near for seed in seeds for near in graph[seed]})[:_MOST_NEIGHBOURS]
    around = _read(store, between)
    pairs = _score_pairs(seeds, graph, around, min_shared)
    ranked = sorted(pairs, key=lambda pair: (-pairs[pair][0], pair))
    kept = _drop_mentioned(store, ranked, set(seeds), limit)
    names = {entity_id for pair in kept for entity_id in (*pair, *pairs[pair][1])}
    known = {row["id"]: row for row in store.ask("find_entities", ids=sorted(names))}
    return [
        Discovery(
            known[first],
            known[second],
            round(pairs[first, second][0], 6),
            [(known[near], round(part, 6)) for near, part in pairs[first, second][1].items()],
        )
        for first, second in kept
    ]


def _list_top(store: GraphStore) -> list[str]:
    rows = store.ask("top_entities", type="", any_type=True, max_rows=MOST_EXAMINED)
    return [row["id"] for row in rows]


def _read(store: GraphStore, ids: Sequence[str]) -> Graph:
    graph: Graph = defaultdict(set)
    if ids:
        for row in store.ask("neighbours", ids=list(ids), max_rows=_MOST_RELATIONS):
            graph[row["source"]].add(row["target"])
    return graph


def _score_pairs(
    seeds: Sequence[str], graph: Graph, around: Graph, min_shared: int
) -> dict[tuple[str, str], tuple[float, dict[str, float]]]:
    """(lesser id, greater id) → score, and what each shared neighbour adds to it."""
    found = {}
    for seed in seeds:
        shared: dict[str, set[str]] = defaultdict(set)
        for near in graph[seed]:
            for other in around[near] - graph[seed] - {seed}:
                shared[other].add(near)
        for other, nears in shared.items():
            if len(nears) >= min_shared:
                parts = {near: 1.0 / math.log(max(2, len(around[near]))) for near in nears}
                ranked = dict(sorted(parts.items(), key=lambda item: (-item[1], item[0])))
                pair = (min(seed, other), max(seed, other))
                found[pair] = (math.fsum(ranked.values()), ranked)
    return found


def _drop_mentioned(
    store: GraphStore, pairs: Sequence[tuple[str, str]], seeds: Collection[str], limit: int
) -> list[tuple[str, str]]:
    """The first pairs that no message names together; one question for each seed at most."""
    by_seed: dict[str, list[str]] = defaultdict(list)
    for pair in pairs:
        seed, other = _begin_with(seeds, pair)
        by_seed[seed].append(other)
    mentioned: dict[str, set[str]] = {}
    kept: list[tuple[str, str]] = []
    for pair in pairs:
        if len(kept) == limit:
            break
        seed, other = _begin_with(seeds, pair)
        if seed not in mentioned:
            rows = store.ask("co_occurrences", id=seed, ids=by_seed[seed])
            mentioned[seed] = {row["id"] for row in rows}
        if other not in mentioned[seed]:
            kept.append(pair)
    return kept


def _begin_with(seeds: Collection[str], pair: tuple[str, str]) -> tuple[str, str]:
    """The pair, its seed first."""
    return pair if pair[0] in seeds else pair[::-1]
