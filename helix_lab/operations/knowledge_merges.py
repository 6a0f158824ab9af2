"""Operations that say which entities are one, and take it back."""

from __future__ import annotations

import uuid

from pydantic import Field

from helix_lab.domain.knowledge.merges import find_latest, group_of, list_active
from helix_lab.domain.model.errors import Conflict, InvalidRequest, UnknownEntity
from helix_lab.operations.knowledge import STORE, EntityName, require_entity
from helix_lab.operations.operation import Id, Operation, Request, Response
from helix_lab.operations.services import Services
from helix_lab.ports.graph import Row
from helix_lab.record import knowledge


class MergeEntities(Request):
    """Which two entities are one."""

    source: EntityName = Field(description="id, name or alias of the one that is shown no more")
    target: EntityName = Field(description="of the one that is shown for both")


class SplitEntities(Request):
    """Which merge was wrong: give one of the two."""

    entity_id: EntityName | None = Field(None, description="undo the latest merge of this entity")
    merge_id: Id | None = Field(None, description="undo this merge")


class MergedEntities(Response):
    """What shows as one now, by its ids before any merge."""

    merge_id: str
    entity_id: str
    name: str
    members: list[str]


def merge(services: Services, request: MergeEntities) -> MergedEntities:
    """Record that two entities are one."""
    source = require_entity(services, request.source)
    target = require_entity(services, request.target)
    if source["id"] == target["id"]:
        message = (
            f"{request.source!r} and {request.target!r} are one entity already: "
            f"{target['name']!r}; POST /v1/knowledge/entities/split takes a merge back"
        )
        raise Conflict(message, entity_id=target["id"])
    merge_id = f"merge-{uuid.uuid4().hex}"
    draft = knowledge.merge_entities(merge_id, source["id"], target["id"])
    services.writer.record([draft])
    return _show(services, merge_id, target)


def split(services: Services, request: SplitEntities) -> MergedEntities:
    """Record that a merge was wrong."""
    if (request.entity_id is None) == (request.merge_id is None):
        message = "give either entity_id or merge_id"
        raise InvalidRequest(message, field="entity_id")
    active = services.ask(STORE, lambda: list_active(services.graph.ask("all_merges")))
    if request.merge_id is not None:
        merge_id = request.merge_id
        found = next((merge for merge in active if merge.merge_id == merge_id), None)
    else:
        entity_id = require_entity(services, request.entity_id or "")["id"]
        found = find_latest(entity_id, active)
    if found is None:
        message = f"{request.merge_id or request.entity_id!r} is not merged, or not any more"
        raise Conflict(message, entity_id=request.entity_id, merge_id=request.merge_id)
    services.writer.record([knowledge.split_entities(found.merge_id)])
    return _show(services, found.merge_id, require_entity(services, found.target))


def _show(services: Services, merge_id: str, entity: Row) -> MergedEntities:
    active = services.ask(STORE, lambda: list_active(services.graph.ask("all_merges")))
    members = sorted(group_of(entity["id"], active))
    return MergedEntities(
        merge_id=merge_id, entity_id=entity["id"], name=entity["name"], members=members
    )


OPERATIONS = (
    Operation(
        name="merge_entities",
        summary="Say that two entities are one",
        method="POST",
        path="/v1/knowledge/entities/merge",
        scope="write",
        request=MergeEntities,
        response=MergedEntities,
        run=merge,
        errors=(UnknownEntity, Conflict),
    ),
    Operation(
        name="split_entities",
        summary="Take a merge of entities back",
        method="POST",
        path="/v1/knowledge/entities/split",
        scope="write",
        request=SplitEntities,
        response=MergedEntities,
        run=split,
        errors=(UnknownEntity, Conflict),
    ),
)
