"""The graph viewer: nodes and edges as a picture that grows, and the same as a table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from helix_lab.domain.knowledge.layout import place_nodes
from helix_lab.domain.model.errors import HelixError, UnknownEntity
from helix_lab.doors.widgets.showing import make_bundle
from helix_lab.doors.widgets.static_html import write_edges

if TYPE_CHECKING:
    from helix_lab.doors.widgets.front import Front

MOST_NODES = 1_000
NEIGHBOURS = 30
FIRST_ENTITIES = 60
MOST_CHARACTERS = 80
"""Of a name; the rest stays in the kernel."""

_ENTITY = "Entity"
_TOP = """
MATCH (e:Entity)
RETURN e.id AS id, e.name AS name, e.type AS type, e.mention_count AS mentions
ORDER BY mentions DESC, id LIMIT 60
"""
_BETWEEN = """
MATCH (a:Entity)-[r:RELATED_TO]->(b:Entity) WHERE a.id IN $ids AND b.id IN $ids
RETURN a.id AS source, b.id AS target, r.type AS label, r.strength AS strength
ORDER BY strength DESC, source, target LIMIT 1000
"""


class GraphView:
    """A graph to look at; the last value of a cell shows it.

    A click opens an entity: its strongest relations are added. The kernel places the nodes, once;
    what is new finds room between what is there.

    Args:
        title: what it is called.
        lab: has the operations as methods; None: nothing can be opened or looked up.
    """

    def __init__(self, title: str, lab: Any = None) -> None:
        self._title = title
        self._lab = lab
        self._nodes: dict[str, dict[str, Any]] = {}
        self._edges: dict[tuple[str, str, str], dict[str, Any]] = {}
        self._left_out = 0
        self._selected: str | None = None
        self._notice = ""
        self._front: Front | None = None

    def add_node(self, node_id: str, name: str, kind: str, *, is_entity: bool = True) -> bool:
        """Add a node if there is room; tells whether it is there."""
        if node_id in self._nodes:
            return True
        if len(self._nodes) >= MOST_NODES:
            self._left_out += 1
            return False
        shown = name if len(name) <= MOST_CHARACTERS else name[: MOST_CHARACTERS - 1] + "…"
        self._nodes[node_id] = {
            "id": node_id,
            "name": shown,
            "type": kind,
            "is_entity": is_entity,
            "is_open": False,
        }
        return True

    def add_edge(self, source: str, target: str, label: str, strength: float | None) -> None:
        """Add an edge between two nodes that are there."""
        if source in self._nodes and target in self._nodes:
            key = (source, target, label)
            edge = {"source": source, "target": target, "label": label}
            self._edges.setdefault(key, {**edge, "strength": strength})

    def place(self) -> None:
        """Find places for the nodes that have none."""
        numbers = {node_id: number for number, node_id in enumerate(self._nodes)}
        ends = [(numbers[one], numbers[other]) for one, other, _ in self._edges]
        placed = {
            numbers[node_id]: (node["x"], node["y"])
            for node_id, node in self._nodes.items()
            if "x" in node
        }
        points = place_nodes(len(numbers), ends, fixed=placed)
        for node, (x, y) in zip(self._nodes.values(), points.tolist(), strict=True):
            node.update(x=round(x, 4), y=round(y, 4))

    def ask(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        """Do what the reader asks for, and give what is to be shown now.

        Args:
            asked: `do` is expand (id of a node) or search (a name), with its `value`.
        """
        self._notice = ""
        value = asked.get("value")
        try:
            match asked.get("do"):
                case "expand" if isinstance(value, str) and value in self._nodes:
                    self._expand(value)
                case "search" if isinstance(value, str) and value.strip():
                    self._search(value.strip())
                case _:
                    self._notice = "This viewer does not know how to do that; run its cell again."
        except HelixError as error:
            self._notice = error.message
        self.place()
        return self.state

    @property
    def state(self) -> dict[str, Any]:
        """What is to be shown now, as JSON."""
        return {
            "title": self._title,
            "nodes": [dict(node) for node in self._nodes.values()],
            "edges": [dict(edge) for edge in self._edges.values()],
            "selected": self._selected,
            "notice": self._notice or self._tell_left_out(),
            "can_open": self._lab is not None,
        }

    def __repr__(self) -> str:
        return f"<graph {self._title!r}, {len(self._nodes)} nodes, {len(self._edges)} edges>"

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        """The viewer, and its edges as a table for places where no widget can live."""
        return make_bundle(repr(self), write_edges(self.state), self._open_front)

    def _open_front(self) -> Front:
        if self._front is None:
            from helix_lab.doors.widgets.front import GraphFront

            self._front = GraphFront(self.state, self.ask)
        return self._front

    def _expand(self, node_id: str) -> None:
        node = self._nodes[node_id]
        self._selected = node_id
        if not node["is_entity"]:
            self._notice = f"“{node['name']}” is no entity; only entities can be opened."
            return
        if self._lab is None:
            self._notice = "This graph stands alone; hx.view_graph() gives one that can be opened."
            return
        before = len(self._nodes)
        found = self._lab.get_related(node_id, min_strength=0.0, limit=NEIGHBOURS)
        for row in found.related:
            self.add_node(row.entity_id, row.name, row.type)
            ends = (node_id, row.entity_id)
            source, target = ends if row.is_source else ends[::-1]
            self.add_edge(source, target, row.relationship_type.lower(), row.strength)
        node["is_open"] = True
        new = len(self._nodes) - before
        self._notice = self._tell_left_out() or (
            f"“{node['name']}” has {len(found.related)} relations here, {new} of them new."
        )

    def _search(self, text: str) -> None:
        wanted = text.casefold()
        names = {node_id: node["name"].casefold() for node_id, node in self._nodes.items()}
        here = [node_id for node_id, name in names.items() if name.startswith(wanted)]
        here += [node_id for node_id, name in names.items() if wanted in name]
        if here:
            self._selected = here[0]
            return
        found = None if self._lab is None else self._look_up(text)
        if found is None:
            self._notice = f"No entity is called like “{text}”."
        elif self.add_node(found.entity_id, found.name, found.type):
            self._expand(found.entity_id)

    def _look_up(self, text: str) -> Any:
        """The entity of this name or alias, else the most like it; None: none is."""
        with suppress(UnknownEntity):
            return self._lab.get_entity(text)
        return next(iter(self._lab.search_entities(query=text, limit=1).entities), None)

    def _tell_left_out(self) -> str:
        if not self._left_out:
            return ""
        return f"{MOST_NODES:,} nodes are shown; {self._left_out:,} more were left out."


def view_graph(lab: Any, entity: str | None = None) -> GraphView:
    """A viewer of the knowledge graph.

    Args:
        lab: has the operations as methods.
        entity: where to begin, by name or id; the most mentioned entities if absent.

    Raises:
        UnknownEntity: there is none of this name.
    """
    if entity is not None:
        found = lab.get_entity(entity)
        view = GraphView(f"Around {found.name}", lab)
        view.add_node(found.entity_id, found.name, found.type)
        view.ask({"do": "expand", "value": found.entity_id})
        return view
    view = GraphView("The most mentioned entities", lab)
    rows = lab.query_graph(_TOP, max_rows=FIRST_ENTITIES).rows
    for row in rows:
        view.add_node(row["id"], row["name"], row["type"])
    ids = [row["id"] for row in rows]
    for row in lab.query_graph(_BETWEEN, parameters={"ids": ids}).rows:
        view.add_edge(row["source"], row["target"], row["label"], row["strength"])
    view.place()
    return view


def view_answer(
    nodes: Iterable[Mapping[str, Any]], edges: Iterable[Mapping[str, Any]], lab: Any
) -> GraphView:
    """A viewer of the nodes and edges that a Cypher statement gave."""
    view = GraphView("Answer", lab)
    for node in nodes:
        facts = node["properties"]
        name = str(facts.get("name") or facts.get("title") or node["id"])
        is_entity = node["label"] == _ENTITY
        kind = str(facts.get("type") or node["label"].lower())
        view.add_node(node["id"], name, kind, is_entity=is_entity)
    for edge in edges:
        for end in (edge["source"], edge["target"]):
            view.add_node(end, end, "unknown", is_entity=True)
        facts = edge["properties"]
        label = str(facts.get("type") or edge["label"]).lower()
        view.add_edge(edge["source"], edge["target"], label, facts.get("strength"))
    view.place()
    return view
