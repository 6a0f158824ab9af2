"""Operations that tell what one did not ask for: recommendations, clusters, discoveries."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from helix_lab.domain.model.errors import InvalidRequest, UnknownConversation, UnknownEntity
from helix_lab.operations.knowledge import STORE, EntityName, MaxRows, Strength, require_entity
from helix_lab.operations.operation import Id, Operation, Request, Response
from helix_lab.operations.services import Services
from helix_lab.ports.graph import Row
from helix_lab.queries.clusters import Cluster, group_conversations
from helix_lab.queries.conversations import find_conversation
from helix_lab.queries.discoveries import Discovery, discover
from helix_lab.queries.recommendations import (
    MOST_ASKED,
    Recommendation,
    list_mentioned,
    recommend,
)

_MOST_SHOWN = 20


class GetRecommendations(Request):
    """For a conversation, or for who asked about an entity; give one of the two."""

    conversation_id: Id | None = Field(None, description="what it mentions speaks for others")
    entity: EntityName | None = Field(None, description="name, alias or id of what was asked about")
    min_strength: Strength = Field(0.5, description="of the relations that count, from 0 to 1")
    limit: MaxRows = Field(5, description="recommendations at most")


class Reason(Response):
    """Something that was asked about and is related."""

    entity_id: str
    name: str
    strength: float
    relationship_type: str


class RecommendedEntity(Response):
    """An entity that was not mentioned, and why one may want to know about it."""

    entity_id: str
    name: str
    type: str
    score: float = Field(description="1 − ∏(1 − strength) over the reasons")
    text: str = Field(description="a sentence for people")
    reasons: list[Reason]


class Recommendations(Response):
    """The best first."""

    recommendations: list[RecommendedEntity]


class ListClusters(Request):
    """Of how many conversations, and how fine."""

    max_conversations: int = Field(500, ge=2, le=5000, description="the latest ones")
    resolution: float = Field(1.0, gt=0, le=10, description="above 1: more, smaller clusters")
    seed: int = Field(1, ge=0, le=2**31 - 1, description="the same seed gives the same clusters")
    limit: MaxRows = Field(20, description="clusters at most")


class ClusterEntity(Response):
    """An entity that holds a cluster together."""

    entity_id: str
    name: str
    type: str
    conversations: int = Field(description="of the cluster that mention it")
    weight: float


class ClusterConversation(Response):
    """A conversation of a cluster."""

    conversation_id: str
    title: str
    last_at: str


class TopicCluster(Response):
    """Conversations that talk of the same, named by what they talk of most."""

    name: str
    size: int
    entities: list[ClusterEntity]
    conversations: list[ClusterConversation]


class TopicClusters(Response):
    """The largest first; a conversation that shares nothing is in none."""

    clusters: list[TopicCluster]


class ListDiscoveries(Request):
    """About which entity, and how much must be shared."""

    entity: EntityName | None = Field(None, description="absent: the most mentioned ones")
    min_shared: Annotated[int, Field(ge=1, le=100)] = Field(2, description="shared neighbours")
    limit: MaxRows = Field(10, description="pairs at most")


class DiscoveredEntity(Response):
    """One of the two."""

    entity_id: str
    name: str
    type: str


class SharedNeighbour(Response):
    """What both are related to."""

    entity_id: str
    name: str
    score: float = Field(description="what it adds: 1 / ln(its relations)")


class DiscoveredPair(Response):
    """Two entities that no message names together."""

    source: DiscoveredEntity
    target: DiscoveredEntity
    score: float = Field(description="Adamic–Adar: the sum over the shared neighbours")
    reasons: list[SharedNeighbour]


class Discoveries(Response):
    """The best first."""

    discoveries: list[DiscoveredPair]


def get_recommendations(services: Services, request: GetRecommendations) -> Recommendations:
    """What else one might want to know about."""
    if (request.conversation_id is None) == (request.entity is None):
        message = "give either conversation_id or entity"
        raise InvalidRequest(message, field="conversation_id")
    asked = _find_asked(services, request)
    ids = [row["id"] for row in asked]
    found = services.ask(
        STORE,
        lambda: recommend(
            services.graph,
            ids[:MOST_ASKED],
            known=set(ids),
            min_strength=request.min_strength,
            limit=request.limit,
        ),
    )
    names = {row["id"]: row["name"] for row in asked}
    return Recommendations(recommendations=[_show_recommended(one, names) for one in found])


def list_clusters(services: Services, request: ListClusters) -> TopicClusters:
    """Conversations grouped by shared entities."""
    found = services.ask(
        STORE,
        lambda: group_conversations(
            services.graph,
            max_conversations=request.max_conversations,
            seed=request.seed,
            resolution=request.resolution,
        ),
    )
    return TopicClusters(clusters=[_show_cluster(cluster) for cluster in found[: request.limit]])


def list_discoveries(services: Services, request: ListDiscoveries) -> Discoveries:
    """Pairs that share neighbours and were never mentioned together."""
    asked = []
    if request.entity is not None:
        asked = [require_entity(services, request.entity)["id"]]
    found = services.ask(
        STORE,
        lambda: discover(services.graph, asked, min_shared=request.min_shared, limit=request.limit),
    )
    return Discoveries(discoveries=[_show_pair(pair) for pair in found])


def _find_asked(services: Services, request: GetRecommendations) -> list[Row]:
    if request.entity is not None:
        return [require_entity(services, request.entity)]
    conversation_id = request.conversation_id or ""
    services.find(
        "conversations",
        lambda: find_conversation(services.records, conversation_id),
        otherwise=UnknownConversation(conversation_id),
    )
    return services.ask(STORE, lambda: list_mentioned(services.graph, conversation_id))


def _show_recommended(found: Recommendation, names: dict[str, str]) -> RecommendedEntity:
    row = found.entity
    reasons = [
        Reason(
            entity_id=entity_id,
            name=names[entity_id],
            strength=strength,
            relationship_type=relation.upper(),
        )
        for entity_id, strength, relation in found.reasons
    ]
    text = f"You asked about {reasons[0].name}, you might also want to learn about {row['name']}"
    return RecommendedEntity(
        entity_id=row["id"],
        name=row["name"],
        type=row["type"],
        score=found.score,
        text=text,
        reasons=reasons,
    )


def _show_cluster(cluster: Cluster) -> TopicCluster:
    entities = [
        ClusterEntity(entity_id=row["id"], **{name: row[name] for name in _SHOWN})
        for row in cluster.entities[:_MOST_SHOWN]
    ]
    conversations = [
        ClusterConversation(
            conversation_id=row["id"], title=row["title"] or "", last_at=row["last_at"]
        )
        for row in cluster.conversations
    ]
    return TopicCluster(
        name=cluster.name,
        size=len(conversations),
        entities=entities,
        conversations=conversations,
    )


_SHOWN = ("name", "type", "conversations", "weight")


def _show_pair(pair: Discovery) -> DiscoveredPair:
    first, second = (
        DiscoveredEntity(entity_id=row["id"], name=row["name"], type=row["type"])
        for row in (pair.first, pair.second)
    )
    reasons = [
        SharedNeighbour(entity_id=row["id"], name=row["name"], score=score)
        for row, score in pair.shared[:_MOST_SHOWN]
    ]
    return DiscoveredPair(source=first, target=second, score=pair.score, reasons=reasons)


OPERATIONS = (
    Operation(
        name="get_recommendations",
        summary="Recommend what is related to what was talked of",
        method="GET",
        path="/v1/knowledge/recommendations",
        scope="read",
        request=GetRecommendations,
        response=Recommendations,
        run=get_recommendations,
        errors=(UnknownEntity, UnknownConversation),
    ),
    Operation(
        name="list_clusters",
        summary="Group conversations by what they talk of",
        method="GET",
        path="/v1/knowledge/clusters",
        scope="read",
        request=ListClusters,
        response=TopicClusters,
        run=list_clusters,
    ),
    Operation(
        name="list_discoveries",
        summary="Find pairs that share neighbours and were never mentioned together",
        method="GET",
        path="/v1/knowledge/discoveries",
        scope="read",
        request=ListDiscoveries,
        response=Discoveries,
        run=list_discoveries,
        errors=(UnknownEntity,),
    ),
)
