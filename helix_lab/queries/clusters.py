"""Topic clusters: conversations grouped by the things that they mention.

Conversations and the things that at least two of them mention are one graph of two kinds of
nodes; Louvain's method (Blondel et al. 2008, by networkx, seeded) groups it. A mention weighs
(1 + ln count) · ln((conversations + 1) / conversations that mention it): what all talk of hardly
groups any.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from helix_lab.ports.graph import GraphStore, Row

_NAMED_BY = 3


@dataclass(frozen=True, slots=True)
class Cluster:
    """Conversations that talk of the same.

    Attributes:
        name: its entities with the most weight.
        entities: with `conversations` (how many mention it) and `weight`, the most weight first.
        conversations: `id`, `title` and `last_at`, the latest first.
    """

    name: str
    entities: list[Row]
    conversations: list[Row]


def group_conversations(
    store: GraphStore, *, max_conversations: int, seed: int, resolution: float
) -> list[Cluster]:
    """The clusters of the latest conversations, the largest first; alone ones are in none."""
    latest = store.ask("recent_conversations", max_rows=max_conversations)
    if not latest:
        return []
    mentions = store.ask("mentions_in", ids=[row["id"] for row in latest])
    graph, known = _build(mentions, len(latest))
    groups = _group(graph, seed=seed, resolution=resolution)
    clusters = [_show(graph, known, group, latest) for group in groups]
    found = [cluster for cluster in clusters if len(cluster.conversations) > 1]
    return sorted(found, key=lambda cluster: (-len(cluster.conversations), cluster.name))


def _build(mentions: Sequence[Row], conversations: int) -> tuple[Any, dict[str, Row]]:
    """The graph, with ("c", id) for conversations and ("e", id) for entities."""
    import networkx

    places: dict[str, list[Row]] = defaultdict(list)
    for row in mentions:
        places[row["id"]].append(row)
    graph, known = networkx.Graph(), {}
    for entity_id in sorted(places):
        rows = places[entity_id]
        rarity = math.log((conversations + 1) / len(rows))
        if len(rows) > 1:
            known[entity_id] = rows[0]
            for row in rows:
                weight = (1 + math.log(row["count"])) * rarity
                graph.add_edge(("c", row["conversation_id"]), ("e", entity_id), weight=weight)
    return graph, known


def _group(graph: Any, *, seed: int, resolution: float) -> list[set[tuple[str, str]]]:
    import networkx

    if not graph:
        return []
    found: list[set[tuple[str, str]]] = networkx.community.louvain_communities(
        graph, weight="weight", seed=seed, resolution=resolution
    )
    return found


def _show(
    graph: Any, known: Mapping[str, Row], group: set[tuple[str, str]], latest: Sequence[Row]
) -> Cluster:
    inside = graph.subgraph(group)
    entities = [
        {
            "id": node[1],
            "name": known[node[1]]["name"],
            "type": known[node[1]]["type"],
            "conversations": inside.degree(node),
            "weight": round(float(inside.degree(node, weight="weight")), 6),
        }
        for node in group
        if node[0] == "e"
    ]
    entities.sort(key=lambda row: (-row["weight"], row["name"], row["id"]))
    name = ", ".join(row["name"] for row in entities[:_NAMED_BY])
    return Cluster(name, entities, [row for row in latest if ("c", row["id"]) in group])
