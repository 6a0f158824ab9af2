"""The answer to a Cypher statement: rows as of SQL, and the nodes and edges that are in them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

from helix_lab.doors import tables
from helix_lab.doors.kernel.result import SqlResult, import_library

if TYPE_CHECKING:
    from helix_lab.doors.widgets.graph import GraphView
    from helix_lab.operations.knowledge_query import GraphRows

_TYPES = {bool: "bool", int: "int64", float: "double", str: "string"}


@dataclass(slots=True, repr=False)
class Graph:
    """Nodes and edges, each once.

    Attributes:
        nodes: by id: `id`, `label` and `properties`.
        edges: `source`, `target`, `label` and `properties`.
        lab: where a click finds more; None: nowhere.
    """

    nodes: dict[str, dict[str, Any]] = field(default_factory=dict)
    edges: list[dict[str, Any]] = field(default_factory=list)
    lab: Any = None

    def add(self, value: Any) -> None:
        """Add the nodes and edges that are in a value."""
        if isinstance(value, list):
            for item in value:
                self.add(item)
        elif isinstance(value, dict):
            self._add_dict(value)

    def networkx(self) -> Any:
        """As a directed graph of networkx.

        Raises:
            MissingDriver: networkx is not installed.
        """
        graph = import_library("networkx").MultiDiGraph()
        for node_id, node in self.nodes.items():
            graph.add_node(node_id, **{**node["properties"], "label": node["label"]})
        for edge in self.edges:
            properties = {**edge["properties"], "label": edge["label"]}
            graph.add_edge(edge["source"], edge["target"], **properties)
        return graph

    def view(self) -> GraphView:
        """A viewer of it."""
        from helix_lab.doors.widgets.graph import view_answer

        return view_answer(self.nodes.values(), self.edges, self.lab)

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        """The viewer, its edges as a table, and the text of `repr`."""
        return {**self.view()._repr_mimebundle_(), "text/plain": repr(self)}

    def __repr__(self) -> str:
        names = {key: node["properties"].get("name", key) for key, node in self.nodes.items()}
        rows = [
            (
                names.get(edge["source"], edge["source"]),
                edge["label"],
                names.get(edge["target"], edge["target"]),
            )
            for edge in self.edges
        ]
        count = f"{len(self.nodes):,} nodes · {len(self.edges):,} edges"
        return tables.to_text(["source", "edge", "target"], rows, caption=lambda _shown: count)

    def _add_dict(self, value: dict[str, Any]) -> None:
        kind = set(value)
        if kind == {"id", "label", "properties"}:
            self.nodes.setdefault(value["id"], value)
        elif kind == {"source", "target", "label", "properties"}:
            if value not in self.edges:
                self.edges.append(value)
        else:
            for item in value.values():
                self.add(item)


@dataclass(frozen=True, slots=True, repr=False)
class GraphResult(SqlResult):
    """Rows that a Cypher statement gave; `graph()` has the nodes and edges of them."""

    lab: Any = None

    @classmethod
    def from_rows(cls, answer: GraphRows, lab: Any = None) -> Self:
        """From the response of the operation `query_graph`."""
        values = [tuple(row[name] for name in answer.columns) for row in answer.rows]
        types = [_name_type(column) for column in zip(*values, strict=True)]
        types = types or ["string"] * len(answer.columns)
        return cls(
            columns=answer.columns,
            types=types,
            values=values,
            page=values[: tables.count_page_rows(len(types))],
            total_rows=None if answer.truncated else len(values),
            is_truncated=answer.truncated,
            elapsed_ms=answer.execution_time_ms,
            lab=lab,
        )

    def graph(self) -> Graph:
        """The nodes and edges of all rows."""
        found = Graph(lab=self.lab)
        for row in self.values:
            for value in row:
                found.add(value)
        return found


def _name_type(column: Iterable[Any]) -> str:
    kinds = {type(value) for value in column if value is not None}
    if kinds == {int, float}:
        return "double"
    return _TYPES.get(kinds.pop(), "json") if len(kinds) == 1 else "json"
