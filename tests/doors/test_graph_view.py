"""The graph viewer: what it shows, and how it grows."""

from __future__ import annotations

from typing import Any

import pytest

from helix_lab import Lab
from helix_lab.domain.model.errors import UnknownEntity
from helix_lab.doors.kernel.graph_result import Graph
from helix_lab.doors.widgets.graph import MOST_NODES, GraphView, view_graph

TALK = (
    "Docker uses MongoDB. Docker and Kubernetes run on Linux.",
    "Kubernetes and Helm belong together. Helm and Kubernetes!",
    "Kafka uses Redis.",
)
EVIL = "<script>alert(1)</script>"


@pytest.fixture
def known(lab: Lab) -> Lab:
    lab.start_conversation(conversation_id="c")
    lab.append_messages("c", [{"role": "user", "content": text} for text in TALK])
    return lab


def names(view: GraphView) -> set[str]:
    return {node["name"] for node in view.state["nodes"]}


def test_a_view_begins_with_what_is_mentioned_most(known: Lab) -> None:
    view = view_graph(known)

    assert {"Docker", "Kubernetes", "Helm", "Apache Kafka"} <= names(view)
    ids = {node["id"] for node in view.state["nodes"]}
    assert view.state["edges"]
    assert all({edge["source"], edge["target"]} <= ids for edge in view.state["edges"])
    assert all(0 <= edge["strength"] <= 1 for edge in view.state["edges"])


def test_a_view_around_an_entity_grows_where_it_is_opened_and_does_not_jump(known: Lab) -> None:
    view = view_graph(known, "Docker")
    before = {node["id"]: (node["x"], node["y"]) for node in view.state["nodes"]}
    kubernetes = known.get_entity("Kubernetes").entity_id
    assert "Helm" not in names(view)

    state = view.ask({"do": "expand", "value": kubernetes})

    assert "Helm" in names(view)
    after = {node["id"]: (node["x"], node["y"]) for node in state["nodes"]}
    assert before == {node_id: after[node_id] for node_id in before}
    assert kubernetes == state["selected"]
    assert "relations here" in state["notice"]


def test_a_search_chooses_what_is_there_and_fetches_what_is_not(known: Lab) -> None:
    view = view_graph(known, "Docker")

    here = view.ask({"do": "search", "value": "mongo"})
    assert known.get_entity("MongoDB").entity_id == here["selected"]
    fetched = view.ask({"do": "search", "value": "Kafka"})
    assert known.get_entity("Kafka").entity_id == fetched["selected"]
    assert "Redis" in names(view)
    assert "qqqq" in view.ask({"do": "search", "value": "qqqq"})["notice"]


def test_an_unknown_entity_is_told(known: Lab) -> None:
    with pytest.raises(UnknownEntity, match="Docker"):
        view_graph(known, "Dokcer")


@pytest.mark.parametrize("asked", [{}, {"do": "expand", "value": "no such"}, {"do": "search"}])
def test_a_wish_that_is_not_understood_changes_nothing(asked: dict[str, Any]) -> None:
    view = GraphView("g")
    view.add_node("a", "A", "person")

    state = view.ask(asked)

    assert 1 == len(state["nodes"])
    assert "run its cell again" in state["notice"]


def test_a_graph_that_is_too_large_says_what_is_left_out() -> None:
    view = GraphView("g")
    for number in range(MOST_NODES + 5):
        view.add_node(str(number), f"n{number}", "person")
    view.add_edge("1", str(MOST_NODES + 1), "knows", 0.5)
    view.place()

    state = view.state

    assert (MOST_NODES, 0) == (len(state["nodes"]), len(state["edges"]))
    assert "5 more were left out" in state["notice"]


def test_an_answer_of_cypher_is_a_picture_and_a_table(known: Lab) -> None:
    answer = known.query_graph("MATCH (a:Entity)-[r:RELATED_TO]->(b:Entity) RETURN a, r, b")
    graph = Graph(lab=known)
    graph.add(answer.rows)

    bundle = graph._repr_mimebundle_()

    assert "<table" in bundle["text/html"]
    assert "Docker" in bundle["text/html"]
    assert "nodes" in bundle["text/plain"]
    view = graph.view()
    assert {"Docker", "MongoDB"} <= names(view)
    assert "run its cell" not in view.ask({"do": "search", "value": "Docker"})["notice"]


def test_names_are_text_in_the_table() -> None:
    view = GraphView(EVIL)
    view.add_node("a", EVIL, "person")
    view.add_node("b", "B", "person")
    view.add_edge("a", "b", EVIL, 0.5)
    view.place()

    assert EVIL not in view._repr_mimebundle_()["text/html"]
