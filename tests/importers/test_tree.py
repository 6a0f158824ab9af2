from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helix_lab.domain.model.errors import InvalidRequest
from helix_lab.record.importers.chatgpt import read_conversation
from helix_lab.record.importers.tree import Node, Tree

START = datetime(2024, 1, 1, tzinfo=UTC)


def make_node(
    node_id: str, parent_id: str | None, *, is_message: bool = True, second: int | None = None
) -> Node[str]:
    time = None if second is None else START + timedelta(seconds=second)
    return Node(node_id, parent_id, f"says {node_id}", is_message, time)


@st.composite
def mappings(draw: st.DrawFn) -> tuple[dict[str, Any], str]:
    """A ChatGPT mapping whose nodes come in any order, and its current node."""
    size = draw(st.integers(1, 25))
    nodes: dict[str, Any] = {}
    for number in range(size):
        parent = draw(st.integers(0, number - 1)) if number else None
        is_real = number > 0 and draw(st.booleans())
        message = {
            "author": {"role": draw(st.sampled_from(["user", "assistant", "tool"]))},
            "create_time": draw(st.none() | st.floats(1.6e9, 1.8e9)),
            "content": {"content_type": "text", "parts": [f"text {number}"]},
            "metadata": {"is_visually_hidden_from_conversation": not is_real},
        }
        nodes[f"n{number}"] = {
            "id": f"n{number}",
            "parent": None if parent is None else f"n{parent}",
            "children": [],
            "message": message if is_real or draw(st.booleans()) else None,
        }
        if parent is not None:
            nodes[f"n{parent}"]["children"].append(f"n{number}")
    order = draw(st.permutations(list(nodes)))
    return {node_id: nodes[node_id] for node_id in order}, draw(st.sampled_from(order))


def is_real(node: dict[str, Any]) -> bool:
    message = node["message"]
    return bool(message) and not message["metadata"]["is_visually_hidden_from_conversation"]


def walk_naively(mapping: dict[str, Any], node_id: str | None) -> list[str]:
    """Ids of the messages from the root to a node."""
    path = []
    while node_id is not None:
        if is_real(mapping[node_id]):
            path.append(node_id)
        node_id = mapping[node_id]["parent"]
    return path[::-1]


@given(mappings())
def test_any_tree_keeps_each_message_once_below_its_parent(
    drawn: tuple[dict[str, Any], str],
) -> None:
    mapping, current_node = drawn
    value = {"conversation_id": "c", "mapping": mapping, "current_node": current_node}

    drafts = read_conversation(value, "name").drafts

    messages = [draft.data for draft in drafts if draft.type.name.endswith("message.added")]
    ids = [message["message_id"] for message in messages]
    assert sorted(ids) == sorted(node_id for node_id in mapping if is_real(mapping[node_id]))
    parents = {message["message_id"]: message.get("parent_id") for message in messages}
    for position, node_id in enumerate(ids):
        assert parents[node_id] is None or parents[node_id] in ids[:position]


@given(mappings())
def test_the_selected_branch_is_the_path_to_the_current_node(
    drawn: tuple[dict[str, Any], str],
) -> None:
    mapping, current_node = drawn
    value = {"conversation_id": "c", "mapping": mapping, "current_node": current_node}

    drafts = read_conversation(value, "name").drafts

    parents = {
        draft.subject: draft.data.get("parent_id")
        for draft in drafts
        if draft.type.name.endswith("message.added")
    }
    selected = [draft.subject for draft in drafts if draft.type.name.endswith("branch.selected")]
    expected = walk_naively(mapping, current_node)
    if not selected:
        assert len(set(parents.values())) == len(parents)
        return
    path: list[str] = []
    at: str | None = selected[0]
    while at is not None:
        path.insert(0, at)
        at = parents[at]
    assert path == (expected or path)


@given(mappings(), st.randoms(use_true_random=False))
def test_the_order_of_the_nodes_in_the_file_changes_no_message(
    drawn: tuple[dict[str, Any], str], random: Any
) -> None:
    mapping, current_node = drawn
    ids = list(mapping)
    random.shuffle(ids)
    shuffled = {node_id: mapping[node_id] for node_id in ids}

    one, other = (
        read_conversation(
            {"conversation_id": "c", "mapping": nodes, "current_node": current_node}, "name"
        )
        for nodes in (mapping, shuffled)
    )

    by_id = {draft.event_id: draft for draft in one.drafts if "message" in draft.type.name}
    assert {d.event_id: d for d in other.drafts if "message" in d.type.name} == by_id


def test_messages_come_by_time_as_far_as_parents_come_first() -> None:
    tree = Tree(
        [
            make_node("late", "root", second=9),
            make_node("child", "late", second=1),
            make_node("early", "root", second=5),
            make_node("root", None, second=0),
        ]
    )

    ids = [placed.node.node_id for placed in tree.messages]

    assert ids == ["root", "early", "late", "child"]


def test_a_message_without_a_time_follows_its_parent() -> None:
    tree = Tree(
        [
            make_node("root", None, second=0),
            make_node("b", "root", second=5),
            make_node("a", "root", second=2),
            make_node("below a", "a"),
        ]
    )

    assert [placed.node.node_id for placed in tree.messages] == ["root", "a", "below a", "b"]


def test_what_is_passed_through_is_carried_to_the_message_below() -> None:
    tree = Tree(
        [
            make_node("question", None),
            make_node("thought 1", "question", is_message=False),
            make_node("thought 2", "thought 1", is_message=False),
            make_node("answer", "thought 2"),
        ]
    )

    answer = tree.messages[1]

    assert answer.parent_id == "question"
    assert answer.carried == ("says thought 1", "says thought 2")


def test_a_parent_that_is_not_in_the_tree_counts_as_none() -> None:
    tree = Tree([make_node("a", "gone")])

    assert tree.messages[0].parent_id is None


@pytest.mark.parametrize("is_message", [True, False])
def test_a_circle_is_refused(is_message: bool) -> None:
    nodes = [make_node("a", "b", is_message=is_message), make_node("b", "a"), make_node("c", None)]

    with pytest.raises(InvalidRequest, match="its own ancestor"):
        Tree(nodes)


def test_two_nodes_of_one_id_are_refused_unless_they_are_the_same() -> None:
    Tree([make_node("a", None), make_node("a", None)])

    with pytest.raises(InvalidRequest, match="twice"):
        Tree([make_node("a", None), make_node("a", None, second=1)])


def test_a_chain_of_a_hundred_thousand_nodes_is_no_problem() -> None:
    nodes = [
        make_node(str(number), str(number - 1), is_message=number % 7 == 0, second=number)
        for number in range(100_000)
    ]

    tree = Tree(nodes[::-1])

    assert len(tree.messages) == 14_286
    assert tree.find_leaf("99999") == "99995"
    assert not tree.has_branches


def test_without_a_current_node_the_branch_of_the_last_message_is_taken() -> None:
    tree = Tree(
        [
            make_node("q", None, second=0),
            make_node("a", "q", second=2),
            make_node("b", "q", second=1),
        ]
    )

    assert tree.find_leaf(None) == "a"
    assert tree.find_leaf("gone") == "a"
    assert tree.find_leaf("b") == "b"
