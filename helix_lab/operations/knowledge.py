"""Operations on the knowledge graph: what is related, the way there, what is known of a thing."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import Field, create_model

from helix_lab.domain.model.errors import UnknownEntity
from helix_lab.operations.operation import Instant, Name, Operation, Request, Response, Text
from helix_lab.operations.services import Services
from helix_lab.ports.graph import Row
from helix_lab.queries import knowledge as graph
from helix_lab.queries import paths

STORE = "graph"

EntityName = Annotated[Text, Field(min_length=1, max_length=500)]
"""A name, an alias or an id of an entity."""

MaxRows = Annotated[int, Field(ge=1, le=1000)]
Strength = Annotated[float, Field(ge=0, le=1)]


class GetRelated(Request):
    """Of which entity, and how strongly related."""

    entity: EntityName = Field(description="its name, an alias, or its id")
    type: Name | None = Field(None, description="where several are called so")
    min_strength: Strength = Field(0.5, description="from 0 to 1; 0.5 is one sentence that says so")
    limit: MaxRows = Field(10, description="neighbours at most")
    as_of: Instant | None = Field(None, description="relations that held then; absent: now")


class RelatedEntity(Response):
    """A neighbour, by its strongest relation."""

    entity_id: str
    name: str
    type: str
    strength: float
    relationship_type: str
    is_source: bool = Field(description="the asked entity is the source of the relation")
    support: int = Field(description="messages that say so")
    cooccurrence_count: int = Field(description="messages that name both")
    valid_from: str
    valid_to: str | None


class RelatedEntities(Response):
    """What is related to an entity, the strongest first."""

    entity: str
    entity_id: str
    type: str
    related: list[RelatedEntity]


_PATH_FIELDS: dict[str, Any] = {
    "from": (EntityName, Field(description="name, alias or id of an entity")),
    "to": (EntityName, Field(description="of the entity to get to")),
    "max_depth": (
        Annotated[int, Field(ge=1, le=paths.GREATEST_DEPTH)],
        Field(5, description="steps at most"),
    ),
}
# Fields called as in the API reference: `from` is a word that Python keeps to itself.
FindPath = create_model(
    "FindPath", __base__=Request, __doc__="From where to where.", **_PATH_FIELDS
)

_WAY_FIELDS: dict[str, Any] = {
    "from": (str, ...),
    "to": (str, ...),
    "path": (list[dict[str, Any]], ...),
    "path_length": (int | None, ...),
    "total_strength": (float | None, ...),
}
_WAY = """The shortest way: an entity, a relationship, an entity, …

`path` is empty and the other two are null where no way has so few steps; `total_strength` is the
mean of the strengths."""
EntityPath = create_model("EntityPath", __base__=Response, __doc__=_WAY, **_WAY_FIELDS)


class SearchEntities(Request):
    """What to search for."""

    query: Annotated[Text, Field(max_length=500)] = Field("", description="how the name begins")
    type: Name | None = Field(None, description="only of this type")
    fuzzy: bool = Field(True, description="also names that are like it")  # noqa: FBT003 - a default
    limit: MaxRows = Field(10, description="entities at most")


class FoundEntity(Response):
    """An entity, and why it was found."""

    entity_id: str
    name: str
    type: str
    mention_count: int
    match: str = Field(description="prefix or fuzzy")
    score: float = Field(description="how like the name is, from 0 to 1")


class FoundEntities(Response):
    """Names that begin so, the most mentioned first; then those that are like it, best first."""

    entities: list[FoundEntity]


class GetEntity(Request):
    """Which entity."""

    entity_id: EntityName = Field(description="its id, name, or an alias")
    limit: MaxRows = Field(20, description="messages and conversations at most")


class EntityMessage(Response):
    """A message that names an entity."""

    event_id: str
    conversation_id: str
    time: str
    count: int


class EntityConversation(Response):
    """A conversation that mentions an entity."""

    conversation_id: str
    title: str
    count: int
    first_at: str
    last_at: str


class Entity(Response):
    """An entity with its aliases, and the messages that are the evidence for it."""

    entity_id: str
    name: str
    type: str
    aliases: list[str]
    mention_count: int
    message_count: int
    confidence: float
    created_at: str
    updated_at: str
    messages: list[EntityMessage]
    conversations: list[EntityConversation]


class GetEvidence(Request):
    """Which two entities."""

    entity_id: EntityName = Field(description="id, name, or alias of one")
    other: EntityName = Field(description="of the other")
    limit: MaxRows = Field(20, description="messages at most")


class Evidence(Response):
    """The messages that name both: they support the edges between the two; the newest first."""

    entity_id: str
    other_id: str
    messages: list[EntityMessage]


class GetGraphStats(Request):
    """Nothing to say."""


class GraphStats(Response):
    """How much is in the graph."""

    backend: str
    entities: int
    conversations: int
    users: int
    messages: int
    related_to: int
    co_occurs_with: int
    mentioned_in: int
    notice: str = Field(description="what happened to the store, such as that it was made anew")


def require_entity(services: Services, name: str, kind: str | None = None) -> Row:
    """The entity that is called so.

    Raises:
        UnknownEntity: none is; it has the nearest names.
    """

    def find() -> Row | None:
        found = graph.find_entity(services.graph, name, kind)
        if found is None:
            nearest.extend(row["name"] for row in graph.find_nearest(services.graph, name))
        return found

    nearest: list[str] = []
    try:
        return services.find(STORE, find, otherwise=UnknownEntity(name))
    except UnknownEntity:
        raise UnknownEntity(name, nearest) from None


def get_related(services: Services, request: GetRelated) -> RelatedEntities:
    """The neighbours of an entity."""
    entity = require_entity(services, request.entity, request.type)
    rows = graph.list_related(
        services.graph,
        entity["id"],
        min_strength=request.min_strength,
        as_of=_to_text(request.as_of),
        limit=request.limit,
    )
    return RelatedEntities(
        entity=entity["name"],
        entity_id=entity["id"],
        type=entity["type"],
        related=[_show_related(row) for row in rows],
    )


def find_path(services: Services, request: Any) -> Response:
    """The shortest way between two entities."""
    source = require_entity(services, getattr(request, "from"))
    target = require_entity(services, request.to)
    path = paths.find_path(services.graph, source["id"], target["id"], max_depth=request.max_depth)
    ends = {"from": source["name"], "to": target["name"]}
    if path is None:
        return EntityPath(**ends, path=[], path_length=None, total_strength=None)
    strengths = path["strengths"]
    mean = sum(strengths) / len(strengths) if strengths else None
    steps = paths.describe_path(path)
    return EntityPath(**ends, path=steps, path_length=len(strengths), total_strength=mean)


def search_entities(services: Services, request: SearchEntities) -> FoundEntities:
    """Entities by their names."""

    def search() -> list[FoundEntity]:
        store, kind, limit = services.graph, request.type, request.limit
        rows = graph.list_by_prefix(store, request.query, kind=kind, limit=limit)
        found = [_show_found(row, "prefix", 1.0) for row in rows]
        known = {row["id"] for row in rows}
        if request.fuzzy and request.query.strip() and len(found) < limit:
            near = graph.find_nearest(store, request.query, kind=kind, limit=limit)
            fresh = [row for row in near if row["id"] not in known]
            found += [_show_found(row, "fuzzy", row["score"]) for row in fresh]
        return found[:limit]

    return FoundEntities(entities=services.ask(STORE, search))


def get_entity(services: Services, request: GetEntity) -> Entity:
    """All that is known of an entity."""
    found = require_entity(services, request.entity_id)
    store, entity_id = services.graph, found["id"]
    (row,) = graph.read_entities(store, [entity_id])
    messages = graph.list_messages(store, entity_id, limit=request.limit)
    conversations = graph.list_conversations(store, entity_id, limit=request.limit)
    fields = {name: row[name] for name in Entity.model_fields if name in row}
    return Entity(
        **fields,
        entity_id=entity_id,
        messages=[_show_message(row) for row in messages],
        conversations=[
            EntityConversation(
                conversation_id=row["id"],
                title=row["title"] or "",
                **{name: row[name] for name in ("count", "first_at", "last_at")},
            )
            for row in conversations
        ],
    )


def get_evidence(services: Services, request: GetEvidence) -> Evidence:
    """The messages that name two entities."""
    first = require_entity(services, request.entity_id)["id"]
    second = require_entity(services, request.other)["id"]
    rows = graph.list_messages(services.graph, first, other=second, limit=request.limit)
    messages = [_show_message(row) for row in rows]
    return Evidence(entity_id=first, other_id=second, messages=messages)


def get_stats(services: Services, _request: GetGraphStats) -> GraphStats:
    """Counts of nodes and edges."""
    counts = services.ask(STORE, lambda: graph.count_graph(services.graph))
    backend = services.backends["neo4j"].backend
    return GraphStats(backend=backend, notice=services.graph.notice, **counts)


def _show_related(row: Row) -> RelatedEntity:
    return RelatedEntity(
        entity_id=row["id"],
        relationship_type=row["relation"].upper(),
        cooccurrence_count=row["frequency"],
        **{name: row[name] for name in ("name", "type", "strength", "is_source", "support")},
        **{name: row[name] for name in ("valid_from", "valid_to")},
    )


def _show_found(row: Row, match: str, score: float) -> FoundEntity:
    known = {name: row[name] for name in ("name", "type", "mention_count")}
    return FoundEntity(entity_id=row["id"], match=match, score=score, **known)


def _show_message(row: Row) -> EntityMessage:
    return EntityMessage(
        event_id=row["id"],
        conversation_id=row["conversation_id"],
        time=row["time"],
        count=row.get("count", 1),
    )


def _to_text(moment: datetime | None) -> str:
    if moment is None:
        return graph.ALWAYS
    return moment.astimezone(UTC).isoformat(timespec="microseconds").removesuffix("+00:00") + "Z"


OPERATIONS = (
    Operation(
        name="get_related",
        summary="Show what is related to an entity",
        method="GET",
        path="/v1/knowledge/related",
        scope="read",
        request=GetRelated,
        response=RelatedEntities,
        run=get_related,
        errors=(UnknownEntity,),
    ),
    Operation(
        name="find_path",
        summary="Find the shortest way from one entity to another",
        method="GET",
        path="/v1/knowledge/path",
        scope="read",
        request=FindPath,
        response=EntityPath,
        run=find_path,
        errors=(UnknownEntity,),
    ),
    Operation(
        name="search_entities",
        summary="Search entities by name",
        method="GET",
        path="/v1/knowledge/search",
        scope="read",
        request=SearchEntities,
        response=FoundEntities,
        run=search_entities,
    ),
    Operation(
        name="get_entity",
        summary="Show an entity with its aliases and evidence",
        method="GET",
        path="/v1/knowledge/entities/{entity_id}",
        scope="read",
        request=GetEntity,
        response=Entity,
        run=get_entity,
        errors=(UnknownEntity,),
    ),
    Operation(
        name="get_evidence",
        summary="Show the messages that name two entities",
        method="GET",
        path="/v1/knowledge/entities/{entity_id}/evidence",
        scope="read",
        request=GetEvidence,
        response=Evidence,
        run=get_evidence,
        errors=(UnknownEntity,),
    ),
    Operation(
        name="get_graph_stats",
        summary="Tell how much is in the knowledge graph",
        method="GET",
        path="/v1/knowledge/stats",
        scope="read",
        request=GetGraphStats,
        response=GraphStats,
        run=get_stats,
    ),
)
