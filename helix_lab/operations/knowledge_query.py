"""Operations for one's own Cypher, what it can name, and the whole graph as a file."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Literal

from pydantic import Field

from helix_lab.domain.model.errors import (
    GraphQueryFailed,
    QueryCancelled,
    QueryRefused,
    QueryTimedOut,
    TooLarge,
)
from helix_lab.operations.answer_rows import to_json
from helix_lab.operations.cancellation import current_scope
from helix_lab.operations.knowledge import STORE
from helix_lab.operations.operation import Operation, Request, Response, Text
from helix_lab.operations.services import Services
from helix_lab.queries.graph_export import GraphTooLarge, export_graph, to_graphml


class QueryGraph(Request):
    """One statement that reads, and its limits."""

    cypher: Annotated[Text, Field(min_length=1, max_length=100_000)]
    parameters: dict[str, Any] = Field(default_factory=dict, description="values for $name")
    max_rows: int = Field(1000, ge=1, le=100_000, description="rows at most")
    timeout_s: float = Field(30, gt=0, le=600, description="stopped after this time")


class GraphRows(Response):
    """Rows by column, cut at max_rows.

    A node is `{"id", "label", "properties"}`, an edge `{"label", "source", "target",
    "properties"}`, a path `{"nodes", "edges"}`.
    """

    columns: list[str]
    rows: list[dict[str, Any]]
    row_count: int
    truncated: bool
    execution_time_ms: float


class DescribeGraph(Request):
    """Nothing to say."""


class GraphCatalog(Response):
    """Labels of nodes and types of edges, each with its properties."""

    nodes: dict[str, list[str]]
    edges: dict[str, list[str]]


class ExportGraph(Request):
    """In which form."""

    format: Literal["json", "graphml"] = Field("json", description="json or graphml")
    max_entities: int = Field(10_000, ge=1, le=1_000_000, description="refused if there are more")


class GraphDocument(Response):
    """The graph: `document` is GraphML, or `nodes` and `edges` are given."""

    format: str
    nodes: list[dict[str, Any]]
    edges: list[dict[str, Any]]
    document: str | None


def query(services: Services, request: QueryGraph) -> GraphRows:
    """One's own Cypher; stops when its caller goes away."""
    scope = current_scope()
    stops: list[Callable[[], None]] = []

    def stop_all() -> None:
        for stop in stops:
            stop()

    def on_start(stop: Callable[[], None]) -> None:
        stops.append(stop)
        if scope.is_cancelled:
            stop()

    with services.projections.reading(STORE), scope.on_cancel(stop_all):
        answer = services.graph.query(
            request.cypher,
            request.parameters,
            max_rows=request.max_rows,
            timeout_s=request.timeout_s,
            on_start=on_start,
        )
    rows = [dict(zip(answer.columns, map(to_json, row), strict=True)) for row in answer.rows]
    return GraphRows(
        columns=answer.columns,
        rows=rows,
        row_count=len(rows),
        truncated=answer.is_truncated,
        execution_time_ms=answer.elapsed_ms,
    )


def describe(services: Services, request: DescribeGraph) -> GraphCatalog:  # noqa: ARG001
    """What Cypher can name."""
    schema = services.graph.describe()
    return GraphCatalog(nodes=dict(schema.nodes), edges=dict(schema.edges))


def export(services: Services, request: ExportGraph) -> GraphDocument:
    """All entities and conversations with the edges between them."""
    try:
        found = services.ask(
            STORE, lambda: export_graph(services.graph, max_entities=request.max_entities)
        )
    except GraphTooLarge as error:
        message = f"the graph has {error.number} entities; give max_entities to get them all"
        raise TooLarge(message, entities=error.number) from None
    if request.format == "graphml":
        document = to_graphml(found)
        return GraphDocument(format="graphml", nodes=[], edges=[], document=document)
    return GraphDocument(format="json", nodes=found.nodes, edges=found.edges, document=None)


OPERATIONS = (
    Operation(
        name="query_graph",
        summary="Ask the knowledge graph in Cypher, reading only",
        method="POST",
        path="/v1/knowledge/query",
        scope="read",
        request=QueryGraph,
        response=GraphRows,
        run=query,
        errors=(QueryRefused, GraphQueryFailed, QueryTimedOut, QueryCancelled),
    ),
    Operation(
        name="describe_graph",
        summary="List what Cypher can name: labels, types of edges, properties",
        method="GET",
        path="/v1/knowledge/catalog",
        scope="read",
        request=DescribeGraph,
        response=GraphCatalog,
        run=describe,
    ),
    Operation(
        name="export_graph",
        summary="Give the whole knowledge graph as JSON or GraphML",
        method="GET",
        path="/v1/knowledge/export",
        scope="read",
        request=ExportGraph,
        response=GraphDocument,
        run=export,
        errors=(TooLarge,),
    ),
)
