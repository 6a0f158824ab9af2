"""What the server answers, as plain values: nodes, edges and paths in the form of the port."""

from __future__ import annotations

from typing import Any

from neo4j.graph import Node, Path, Relationship


def simplify(value: Any) -> Any:
    """A value in the form of the port."""
    match value:
        case Node():
            label = next(iter(sorted(value.labels)), "")
            return {"id": value.get("id"), "label": label, "properties": _properties(value)}
        case Relationship():
            return {
                "label": value.type,
                "source": _find_id(value.start_node),
                "target": _find_id(value.end_node),
                "properties": _properties(value),
            }
        case Path():
            return {
                "nodes": [simplify(node) for node in value.nodes],
                "edges": [simplify(edge) for edge in value.relationships],
            }
        case list() | tuple():
            return [simplify(item) for item in value]
        case dict():
            return {name: simplify(item) for name, item in value.items()}
        case _:
            return value


def _find_id(node: Node | None) -> str:
    """The node's own id; the server's where the answer does not have the node itself."""
    if node is None:
        return ""
    return str(node.get("id") or node.element_id)


def _properties(value: Node | Relationship) -> dict[str, Any]:
    return {name: simplify(value[name]) for name in sorted(value)}
