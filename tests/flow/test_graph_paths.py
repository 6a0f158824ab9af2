"""Shortest paths: the ends look for each other."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import networkx
import pytest

from helix_lab.adapters.graph_ladybug import LadybugGraph
from helix_lab.queries.paths import GREATEST_DEPTH, describe_path, find_path
from helix_lab.queries.statements import load_graph_schema, load_graph_statements
from helix_lab.testing.graph.fixtures import add_chain, draw_graph, make_relation


@pytest.fixture
def store(tmp_path: Path) -> Iterator[LadybugGraph]:
    store = LadybugGraph(
        tmp_path / "graph.lbug",
        schema=load_graph_schema("ladybug"),
        statements=load_graph_statements("ladybug"),
    )
    yield store
    store.close()


@pytest.fixture
def chain(store: LadybugGraph) -> LadybugGraph:
    with store.transaction() as transaction:
        add_chain(transaction, 10)
    return store


def test_a_path_is_the_shortest_and_has_its_strongest_relations(chain: LadybugGraph) -> None:
    rows = [make_relation("e0", "e3", type="uses"), make_relation("e0", "e3", strength=0.25)]
    with chain.transaction() as transaction:
        for row in rows:
            transaction.run("add_relations", rows=[row])

    path = find_path(chain, "e0", "e5", max_depth=6)

    assert path is not None
    assert ["e0", "e3", "e4", "e5"] == path["ids"]
    assert ["uses", "related_to", "related_to"] == path["relations"]
    assert [0.5] * 3 == path["strengths"]
    assert ["E0", "E3", "E4", "E5"] == [step["entity"] for step in describe_path(path)[::2]]


def test_a_path_goes_against_edges_too_and_ends_after_six(chain: LadybugGraph) -> None:
    path = find_path(chain, "e6", "e0", max_depth=6)

    assert path is not None
    assert [f"e{number}" for number in range(6, -1, -1)] == path["ids"]
    assert find_path(chain, "e6", "e0", max_depth=5) is None
    assert find_path(chain, "e0", "e7", max_depth=9) is None
    assert find_path(chain, "e0", "nobody", max_depth=6) is None


def test_a_path_avoids_what_does_not_hold_any_more(chain: LadybugGraph) -> None:
    old = make_relation("e0", "e5", type="works_at", valid_to="2026-03-05")
    with chain.transaction() as transaction:
        transaction.run("add_claims", rows=[old])

    path = find_path(chain, "e0", "e5", max_depth=6)

    assert path is not None
    assert 6 == len(path["ids"])


def test_paths_are_as_long_as_those_of_a_library(store: LadybugGraph) -> None:
    with store.transaction() as transaction:
        draw_graph(transaction, seed=5)
    truth = networkx.Graph()
    for row in store.ask("export_relations"):
        if row["valid_to"] is None:
            truth.add_edge(row["source"], row["target"])
    nodes = sorted(truth)
    draw = random.Random(2)
    pairs = [(draw.choice(nodes), draw.choice(nodes)) for _ in range(60)]

    for source, target in pairs:
        path = find_path(store, source, target, max_depth=GREATEST_DEPTH)

        assert path is not None
        assert networkx.shortest_path_length(truth, source, target) == len(path["ids"]) - 1
        assert all(
            truth.has_edge(*step) for step in zip(path["ids"], path["ids"][1:], strict=False)
        )
