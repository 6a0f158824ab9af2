"""The whole graph, as nodes and edges, and as GraphML."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from typing import Any

from helix_lab.ports.graph import GraphStore, Row

_NAMESPACE = "http://graphml.graphdrawing.org/xmlns"
_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_KINDS = {int: "long", float: "double", str: "string"}


class GraphTooLarge(Exception):
    """There are more entities than are wanted."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


@dataclass(frozen=True, slots=True)
class ExportedGraph:
    """Nodes have id, label, properties; edges have source, target, label, properties."""

    nodes: list[dict[str, Any]]
    edges: list[dict[str, Any]]


def export_graph(store: GraphStore, *, max_entities: int) -> ExportedGraph:
    """Entities, conversations and users with the edges between them, each in a stable order.

    Raises:
        GraphTooLarge: there are more entities.
    """
    number = int(store.ask("count_entities")[0]["number"])
    if number > max_entities:
        raise GraphTooLarge(number)
    nodes = [_node("Entity", row) for row in store.ask("export_entities")]
    nodes += [_node("Conversation", row) for row in store.ask("export_conversations")]
    starts = store.ask("export_users")
    nodes += [_node("User", {"id": name}) for name in sorted({row["id"] for row in starts})]
    edges = [
        _edge(label, source, target, row)
        for label, statement, source, target in (
            ("RELATED_TO", "export_relations", "source", "target"),
            ("CO_OCCURS_WITH", "export_co_occurrences", "source", "target"),
            ("MENTIONED_IN", "export_mentioned_in", "entity_id", "conversation_id"),
        )
        for row in store.ask(statement)
    ]
    edges += [_edge("STARTED", "id", "conversation_id", row) for row in starts]
    return ExportedGraph(nodes, edges)


def _node(label: str, row: Row) -> dict[str, Any]:
    properties = {name: value for name, value in row.items() if name != "id"}
    return {"id": row["id"], "label": label, "properties": properties}


def _edge(label: str, source: str, target: str, row: Row) -> dict[str, Any]:
    properties = {name: value for name, value in row.items() if name not in {source, target}}
    return {
        "source": row[source],
        "target": row[target],
        "label": label,
        "properties": properties,
    }


def to_graphml(graph: ExportedGraph) -> str:
    """GraphML 1.0; a list becomes text, with a line an item. What XML cannot hold becomes �."""
    root = ET.Element("graphml", {"xmlns": _NAMESPACE})
    keys: dict[tuple[str, str], str] = {}
    body = ET.Element("graph", {"id": "knowledge", "edgedefault": "directed"})
    for node in graph.nodes:
        place = ET.SubElement(body, "node", {"id": _ref(node["label"], node["id"])})
        _add_data(root, place, keys, "node", {"label": node["label"], **node["properties"]})
    labels = {
        "MENTIONED_IN": ("Entity", "Conversation"),
        "STARTED": ("User", "Conversation"),
    }
    for edge in graph.edges:
        source, target = labels.get(edge["label"], ("Entity", "Entity"))
        ends = {"source": _ref(source, edge["source"]), "target": _ref(target, edge["target"])}
        place = ET.SubElement(body, "edge", ends)
        _add_data(root, place, keys, "edge", {"label": edge["label"], **edge["properties"]})
    root.append(body)
    return ET.tostring(root, encoding="unicode", xml_declaration=True)


def _ref(label: str, own_id: str) -> str:
    """Ids of nodes of different labels may be equal."""
    return _clean(own_id if label == "Entity" else f"{label.lower()}:{own_id}")


def _add_data(
    root: ET.Element,
    place: ET.Element,
    keys: dict[tuple[str, str], str],
    domain: str,
    properties: dict[str, Any],
) -> None:
    for name, value in properties.items():
        if value is None:
            continue
        key = keys.get((domain, name))
        if key is None:
            key = keys[domain, name] = f"d{len(keys)}"
            kind = _KINDS.get(type(value), "string")
            attributes = {"id": key, "for": domain, "attr.name": name, "attr.type": kind}
            ET.SubElement(root, "key", attributes)
        text = "\n".join(value) if isinstance(value, list) else str(value)
        ET.SubElement(place, "data", {"key": key}).text = _clean(text)


def _clean(text: str) -> str:
    return _NO_XML.sub("\ufffd", text)
