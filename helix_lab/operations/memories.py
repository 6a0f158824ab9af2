"""Operations on memories: make, read, search, change, delete."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from helix_lab.domain.memory.record import METADATA_PREFIX, Kind, Update
from helix_lab.domain.memory.strategies import STRATEGIES, show
from helix_lab.domain.model.errors import (
    Conflict,
    InvalidRequest,
    MemoryDeleted,
    StaleVersion,
    Unavailable,
    UnknownMemory,
)
from helix_lab.domain.model.event import MEMORY_DELETED, MEMORY_EVENTS
from helix_lab.operations.memory_editor import STORE
from helix_lab.operations.metadata import Metadata, check_metadata
from helix_lab.operations.operation import Id, Instant, Name, Operation, Request, Response, Text
from helix_lab.operations.paging import Cursor, Limit, make_cursor, read_cursor
from helix_lab.operations.services import Services
from helix_lab.queries.memories import MemoryFilter, find_memory, list_memories
from helix_lab.records.memory_states import load_record

MAX_CONTENT = 1_000_000
MAX_TAGS = 100
MAX_WORDS = 20

MemoryType = Literal["episodic", "semantic", "procedural", "working"]
Strategy = Literal["last_write_wins", "merge_all"]
Content = Annotated[Text, Field(min_length=1, max_length=MAX_CONTENT)]
Importance = Annotated[float, Field(ge=0, le=1)]
Tags = Annotated[list[Name], Field(max_length=MAX_TAGS)]


class CreateMemory(Request):
    """A fact to keep."""

    content: Content = Field(description="the fact, in words")
    memory_id: Id | None = Field(None, description="made up if absent")
    user_id: Id | None = Field(None, description="whom it is about")
    type: MemoryType = "semantic"
    category: Name | None = Field(None, description="a group of your own")
    importance: Importance = Field(0.5, description="from 0 to 1")
    tags: Tags = Field([], description="words to find it by")
    metadata: Metadata = Field({}, description="further facts, each merged by itself")
    expires_at: Instant | None = Field(None, description="not shown from then on; absent: never")


class Memory(Response):
    """A memory as this node shows it.

    `version` counts edits one upon the other; values that were written side by side and are
    shown as one count one more.
    """

    memory_id: str
    content: str
    user_id: str | None
    type: str | None
    category: str | None
    importance: float | None
    tags: list[str]
    metadata: dict[str, Any]
    expires_at: datetime | None
    version: int
    has_conflict: bool
    created_at: datetime
    updated_at: datetime
    updated_by: str


class GetMemory(Request):
    """Which memory, and how to show what was written side by side."""

    memory_id: Id = Field(description="a memory that exists")
    strategy: Strategy | None = Field(None, description="absent: that of this lab")


class UpdateMemory(Request):
    """What to change; what is not named stays."""

    memory_id: Id = Field(description="a memory that exists")
    content: Content | None = None
    type: MemoryType | None = None
    category: Name | None = None
    importance: Importance | None = None
    tags_added: Tags = Field([], description="a tag that is added stays, whoever removes it beside")
    tags_removed: Tags = Field([], description="of those that this node knows")
    metadata: Metadata = Field({}, description="keys to set; null removes one")
    expires_at: Instant | None = None
    if_version: int | None = Field(
        None, ge=1, le=2**53, description="refuse if the memory has another version by now"
    )


class DeleteMemory(Request):
    """Which memory to delete."""

    memory_id: Id = Field(description="a memory that exists")
    erase: bool = Field(
        default=False, description="drop its values on every node, whatever is written beside"
    )
    if_version: int | None = Field(
        None, ge=1, le=2**53, description="refuse if the memory has another version by now"
    )


class ListMemories(Request):
    """Which memories to list."""

    q: Annotated[Text, Field(max_length=1000)] | None = Field(
        None, description="only those that hold all these words; `word*` is the beginning of one"
    )
    user_id: Id | None = Field(None, description="only those of this user")
    type: MemoryType | None = None
    tag: Name | None = Field(None, description="only those with this tag")
    limit: Limit = 50
    cursor: Cursor = None


class Memories(Response):
    """One page of memories, the one that changed last first."""

    memories: list[Memory]
    next_cursor: str | None


def create(services: Services, request: CreateMemory) -> Memory:
    """Record a new memory."""
    memory_id = request.memory_id or f"mem-{uuid.uuid4().hex}"
    changes = {
        "content": request.content,
        "type": request.type,
        "importance": request.importance,
        **_known(user_id=request.user_id, category=request.category),
        **_known(expires_at=_to_text(request.expires_at)),
        **_to_fields(request.metadata),
    }

    def draft(row: Mapping[str, Any] | None) -> Update:
        if row is not None and row["is_alive"]:
            message = (
                f"there is a memory {memory_id!r}; change it with PATCH /v1/memory/{memory_id}"
            )
            raise Conflict(message, memory_id=memory_id)
        if row is not None and row["state"].get("erased"):
            message = f"memory {memory_id!r} was erased for ever; choose another id"
            raise MemoryDeleted(message, memory_id=memory_id)
        return Update(memory_id, Kind.CREATE, 0, 0, changes, tuple(dict.fromkeys(request.tags)))

    return show_memory(services.memories.edit(memory_id, draft))


def get(services: Services, request: GetMemory) -> Memory:
    """A memory, by the strategy of this lab or another."""
    row = _read_alive(services, request.memory_id)
    return show_memory(row) if request.strategy is None else _show_by(row, request.strategy)


def update(services: Services, request: UpdateMemory) -> Memory:
    """Record a change of a memory, upon what this node knows of it."""
    names = ("content", "type", "category", "importance")
    changes = {
        **_known(**{name: getattr(request, name) for name in names}),
        **_known(expires_at=_to_text(request.expires_at)),
        **_to_fields(request.metadata),
    }
    if not (changes or request.tags_added or request.tags_removed):
        message = "nothing to change is named; give one of content, type, category, importance, …"
        raise InvalidRequest(message, field="content")

    def draft(row: Mapping[str, Any] | None) -> Update:
        _check(services, row, request.memory_id, request.if_version)
        added, removed = tuple(request.tags_added), tuple(request.tags_removed)
        return Update(request.memory_id, Kind.EDIT, 0, 0, changes, added, removed)

    return show_memory(services.memories.edit(request.memory_id, draft))


def delete(services: Services, request: DeleteMemory) -> Memory:
    """Record that a memory is deleted; its history stays."""

    def draft(row: Mapping[str, Any] | None) -> Update:
        _check(services, row, request.memory_id, request.if_version)
        return Update(request.memory_id, Kind.ERASE if request.erase else Kind.DELETE, 0, 0, {})

    return show_memory(services.memories.edit(request.memory_id, draft))


def list_page(services: Services, request: ListMemories) -> Memories:
    """One page of memories."""
    words = (request.q or "").split()
    if len(words) > MAX_WORDS:
        message = f"q has {len(words)} words; give {MAX_WORDS} at most"
        raise InvalidRequest(message, field="q")
    query = request.q if words else None
    wanted = MemoryFilter(query, request.user_id, request.type, request.tag)
    after = read_cursor(request.cursor)
    rows = services.ask(
        STORE,
        lambda: list_memories(
            services.records, wanted, now=datetime.now(UTC), limit=request.limit + 1, after=after
        ),
    )
    page, more = rows[: request.limit], rows[request.limit :]
    last = page[-1] if more else None
    cursor = make_cursor(last["updated_at"], last["memory_id"]) if last else None
    return Memories(memories=[show_memory(row) for row in page], next_cursor=cursor)


def _read_alive(services: Services, memory_id: str) -> Mapping[str, Any]:
    with services.projections.reading(STORE) as is_level:
        row = find_memory(services.records, memory_id)
    if row is None and not is_level:
        message = f"the store {STORE!r} is behind the log; try again in a while"
        raise Unavailable(message, service=STORE)
    return _check(services, row, memory_id)


def explain_missing(services: Services, memory_id: str) -> UnknownMemory | MemoryDeleted:
    """Why there is no record: every node forgot it after it was deleted, or it never was."""
    entries = services.log.read_key(MEMORY_EVENTS, memory_id)
    deletes = [entry.event for entry in entries if entry.event.type == MEMORY_DELETED.name]
    if not deletes:
        return UnknownMemory(memory_id)
    last = max(deletes, key=lambda event: int(event.data["clock"]))
    return _explain_deleted(memory_id, at=last.time, by=last.node_id)


def _explain_deleted(memory_id: str, *, at: datetime, by: str) -> MemoryDeleted:
    message = (
        f"memory {memory_id!r} was deleted by {by} at {at.isoformat()}; "
        "POST /v1/memory with its id makes it anew"
    )
    return MemoryDeleted(message, memory_id=memory_id, deleted_at=at.isoformat(), deleted_by=by)


def _check(
    services: Services,
    row: Mapping[str, Any] | None,
    memory_id: str,
    if_version: int | None = None,
) -> Mapping[str, Any]:
    """The row; refuse what is not there, what is deleted, and what has changed meanwhile."""
    if row is None:
        raise explain_missing(services, memory_id)
    if not row["is_alive"]:
        raise _explain_deleted(memory_id, at=row["updated_at"], by=row["updated_by"])
    if if_version not in {None, row["version"]}:
        message = f"memory {memory_id!r} has version {row['version']} by now, not {if_version}"
        raise StaleVersion(message, current=show_memory(row).model_dump(mode="json"))
    return row


def show_memory(row: Mapping[str, Any]) -> Memory:
    """A memory as it lies in the records."""
    return Memory(**{name: row[name] for name in Memory.model_fields})


def _show_by(row: Mapping[str, Any], strategy: str) -> Memory:
    shown = show(row["memory_id"], load_record(row["state"]), STRATEGIES[strategy])
    kept = {name: row[name] for name in Memory.model_fields}
    other = {name: value for name, value in shown.fields.items() if name in kept}
    return Memory(**{**kept, **other, "metadata": shown.metadata})


def _known(**fields: Any) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}


def _to_text(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()


def _to_fields(metadata: Metadata) -> dict[str, Any]:
    return {
        f"{METADATA_PREFIX}{key}": value for key, value in (check_metadata(metadata) or {}).items()
    }


OPERATIONS = (
    Operation(
        name="create_memory",
        summary="Keep a fact",
        method="POST",
        path="/v1/memory",
        scope="write",
        request=CreateMemory,
        response=Memory,
        run=create,
        errors=(Conflict, MemoryDeleted),
        status=201,
        location="/v1/memory/{memory_id}",
    ),
    Operation(
        name="list_memories",
        summary="List or search memories, the one that changed last first",
        method="GET",
        path="/v1/memory",
        scope="read",
        request=ListMemories,
        response=Memories,
        run=list_page,
    ),
    Operation(
        name="get_memory",
        summary="Show one memory",
        method="GET",
        path="/v1/memory/{memory_id}",
        scope="read",
        request=GetMemory,
        response=Memory,
        run=get,
        errors=(UnknownMemory, MemoryDeleted),
    ),
    Operation(
        name="update_memory",
        summary="Change a memory",
        method="PATCH",
        path="/v1/memory/{memory_id}",
        scope="write",
        request=UpdateMemory,
        response=Memory,
        run=update,
        errors=(UnknownMemory, MemoryDeleted, StaleVersion),
    ),
    Operation(
        name="delete_memory",
        summary="Delete a memory; its history stays",
        method="DELETE",
        path="/v1/memory/{memory_id}",
        scope="write",
        request=DeleteMemory,
        response=Memory,
        run=delete,
        errors=(UnknownMemory, MemoryDeleted, StaleVersion),
    ),
)
