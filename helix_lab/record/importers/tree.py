"""Conversations as trees: who answers whom, in an order that can be recorded.

An export keeps edited questions and repeated answers as branches of one tree. Its nodes
come in any order, and some of them say nothing (a root, a hidden prompt): those are passed
through, and what they hold is carried to the next message below.
"""

from __future__ import annotations

import heapq
from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Generic, TypeVar

from helix_lab.domain.model.errors import InvalidRequest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Content = TypeVar("Content")

_EARLIEST = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Node(Generic[Content]):
    """A node of an export.

    Attributes:
        parent_id: as the export has it; one that is not in the tree counts as none.
        content: what it holds; None where that is nothing.
        is_message: whether it says something; other nodes are passed through.
        time: None where it is not known: then it follows its parent.
    """

    node_id: str
    parent_id: str | None
    content: Content | None
    is_message: bool
    time: datetime | None = None


@dataclass(frozen=True, slots=True)
class Placed(Generic[Content]):
    """A message in its place.

    Attributes:
        parent_id: the nearest message above it.
        carried: what was passed through between the two, from above to below.
    """

    node: Node[Content]
    parent_id: str | None
    carried: tuple[Content, ...]


class Tree(Generic[Content]):
    """The messages of a conversation.

    Args:
        nodes: in any order; the same node may come again.

    Attributes:
        messages: every message once, parents before children, else by time and given order.

    Raises:
        InvalidRequest: a node is its own ancestor, or two nodes have one id.
    """

    def __init__(self, nodes: Sequence[Node[Content]]) -> None:
        self._nodes: dict[str, Node[Content]] = {}
        for node in nodes:
            if self._nodes.setdefault(node.node_id, node) != node:
                message = f"the message id {node.node_id!r} is used twice, with different content"
                raise InvalidRequest(message, value=node.node_id)
        self._above = _find_above(self._nodes)
        self.messages = self._arrange()

    @property
    def has_branches(self) -> bool:
        """Whether there is more than one way through."""
        parents = [message.parent_id for message in self.messages]
        return len(set(parents)) < len(parents)

    def find_leaf(self, node_id: object) -> str | None:
        """The message that a branch ends with, given the node where the export says it ends.

        Without such a node it is the message that was said last; None without messages.
        """
        node = self._nodes.get(node_id) if isinstance(node_id, str) else None
        if node is not None:
            found = node.node_id if node.is_message else self._above[node.node_id][0]
            if found is not None:
                return found
        return self.messages[-1].node.node_id if self.messages else None

    def _arrange(self) -> list[Placed[Content]]:
        positions = {node_id: position for position, node_id in enumerate(self._nodes)}
        children: dict[str | None, list[Node[Content]]] = defaultdict(list)
        for node in self._nodes.values():
            if node.is_message:
                children[self._above[node.node_id][0]].append(node)
        placed = []
        waiting = [(n.time or _EARLIEST, positions[n.node_id], n.node_id) for n in children[None]]
        heapq.heapify(waiting)
        while waiting:
            time, _, node_id = heapq.heappop(waiting)
            parent_id, carried = self._above[node_id]
            placed.append(Placed(self._nodes[node_id], parent_id, carried))
            for child in children[node_id]:
                entry = (child.time or time, positions[child.node_id], child.node_id)
                heapq.heappush(waiting, entry)
        return placed


def _find_above(
    nodes: Mapping[str, Node[Content]],
) -> dict[str, tuple[str | None, tuple[Content, ...]]]:
    """For each node the nearest message above, and what lies between, without recursion."""
    above: dict[str, tuple[str | None, tuple[Content, ...]]] = {}
    for start in nodes:
        path: dict[str, Node[Content]] = {}
        node = nodes.get(start)
        while node is not None and node.node_id not in above:
            if node.node_id in path:
                message = f"the node {node.node_id!r} is its own ancestor"
                raise InvalidRequest(message, value=node.node_id)
            path[node.node_id] = node
            node = nodes.get(node.parent_id or "")
        for below in reversed(path.values()):
            above[below.node_id] = _step_down(nodes.get(below.parent_id or ""), above)
    return above


def _step_down(
    parent: Node[Content] | None,
    above: Mapping[str, tuple[str | None, tuple[Content, ...]]],
) -> tuple[str | None, tuple[Content, ...]]:
    if parent is None:
        return None, ()
    if parent.is_message:
        return parent.node_id, ()
    found, carried = above[parent.node_id]
    return found, carried if parent.content is None else (*carried, parent.content)
