"""What every `GraphStore` must do. A child gives `open_store`."""

from __future__ import annotations

from helix_lab.testing.graph.fixtures import (
    PATIENCE_S,
    GraphFixtures,
    add_chain,
    ask_user,
    draw_graph,
    make_entity,
)
from helix_lab.testing.graph.querying import QueryingTests
from helix_lab.testing.graph.refusals import RefusalTests
from helix_lab.testing.graph.writing import WritingTests

__all__ = [
    "PATIENCE_S",
    "GraphFixtures",
    "GraphTests",
    "add_chain",
    "ask_user",
    "draw_graph",
    "make_entity",
]


class GraphTests(WritingTests, QueryingTests, RefusalTests):
    """The contract of `GraphStore`, sentence by sentence."""
