"""The operation that tells what was talked about in a time, and how the graph grew."""

from __future__ import annotations

from datetime import UTC, datetime

from pydantic import Field

from helix_lab.operations.knowledge import STORE, MaxRows
from helix_lab.operations.operation import Operation, Response
from helix_lab.operations.services import Services
from helix_lab.operations.windows import Windowed, read_span
from helix_lab.queries import knowledge as graph


class GetKnowledgeActivity(Windowed):
    """Which window of time, by when messages were said."""

    limit: MaxRows = Field(20, description="entities at most")


class MentionedEntity(Response):
    """An entity, and how much was said of it in the window."""

    entity_id: str
    name: str
    type: str
    mentions: int
    messages: int
    conversations: int


class GrowthDay(Response):
    """A day (UTC) on which entities were named for the first time."""

    date: str
    new_entities: int


class KnowledgeActivity(Response):
    """What was talked about: the most mentioned first; days without a new entity are left out."""

    window: str
    entities: list[MentionedEntity]
    growth: list[GrowthDay]
    new_entities: int
    total_entities: int = Field(description="in the graph now, whenever they were named")
    total_relations: int


def get_activity(services: Services, request: GetKnowledgeActivity) -> KnowledgeActivity:
    """What was talked about in a window."""
    span = read_span(request)
    since = "" if span.from_at is None else _to_text(span.from_at)
    until = _to_text(span.until_at)
    store = services.graph
    with services.projections.reading(STORE):
        entities = graph.list_mentioned(store, since=since, until=until, limit=request.limit)
        days = graph.count_new_entities(store, since=since, until=until)
        totals = graph.count_graph(store)
    return KnowledgeActivity(
        window=span.name,
        entities=[MentionedEntity(entity_id=row.pop("id"), **row) for row in entities],
        growth=[GrowthDay(date=row["day"], new_entities=row["number"]) for row in days],
        new_entities=sum(row["number"] for row in days),
        total_entities=totals["entities"],
        total_relations=totals["related_to"],
    )


def _to_text(moment: datetime) -> str:
    """A moment as the graph has it: all alike, so that they compare as text."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds").removesuffix("+00:00") + "Z"


OPERATIONS = (
    Operation(
        name="get_knowledge_activity",
        summary="Tell what was talked about, and how the graph grew",
        method="GET",
        path="/v1/knowledge/activity",
        scope="read",
        request=GetKnowledgeActivity,
        response=KnowledgeActivity,
        run=get_activity,
    ),
)
