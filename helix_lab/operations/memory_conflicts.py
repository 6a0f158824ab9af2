"""Operations on conflicts of memories: list them with all values, choose, edit, undo."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Literal

from pydantic import Field

from helix_lab.domain.memory.conflicts import find_conflict as find_in_record
from helix_lab.domain.memory.record import Kind, Record, Update
from helix_lab.domain.model.clock import to_micros
from helix_lab.domain.model.errors import (
    Conflict,
    InvalidRequest,
    MemoryDeleted,
    UnknownConflict,
    UnknownMemory,
)
from helix_lab.domain.model.event import from_micros
from helix_lab.operations.memories import (
    Content,
    Importance,
    Memory,
    MemoryType,
    explain_missing,
    show_memory,
)
from helix_lab.operations.memory_editor import STORE
from helix_lab.operations.operation import Id, Instant, Name, Operation, Request, Response
from helix_lab.operations.paging import Cursor, Limit, make_cursor, read_cursor
from helix_lab.operations.services import Services
from helix_lab.queries.memories import find_conflict, list_conflicts
from helix_lab.records.memory_states import load_record

State = Literal["open", "resolved", "grown"]
_EDITABLE = ("content", "type", "category", "importance")


class ListMemoryConflicts(Request):
    """Which conflicts."""

    memory_id: Id | None = Field(None, description="only those of this memory")
    state: State | None = Field(
        None, description="open; resolved: an update saw all values; grown: more values came"
    )
    since: Instant | None = Field(None, description="only those that began at or after this")
    limit: Limit = 50
    cursor: Cursor = None


class ConflictNode(Response):
    """What one node did."""

    id: str
    version: int
    timestamp: datetime
    action: str


class ConflictValue(Response):
    """A value of a field, with who wrote it."""

    node_id: str
    value: Any
    clock: str
    timestamp: datetime


class Resolution(Response):
    """What is shown of the conflict, and how it ended."""

    strategy: str
    merged_version: int
    result: dict[str, Any]
    timestamp: datetime | None
    resolved_by: str | None
    version: int | None


class MemoryConflict(Response):
    """Updates of one memory of which none saw the others."""

    conflict_id: str
    memory_id: str
    conflict_type: Literal["concurrent_update", "concurrent_delete"]
    state: State
    found_at: datetime
    nodes: list[ConflictNode]
    node1: ConflictNode
    node2: ConflictNode | None
    values: dict[str, list[ConflictValue]]
    resolution: Resolution


class MemoryConflicts(Response):
    """One page of conflicts, the latest first."""

    conflicts: list[MemoryConflict]
    next_cursor: str | None


class ResolveMemoryConflict(Request):
    """How to end a conflict. Every way is an update, which all nodes take in."""

    conflict_id: Id = Field(description="of GET /v1/memory/conflicts")
    action: Literal["choose", "edit", "undo"] = Field(
        description="choose: what one node wrote; edit: the values that are given here; undo: "
        "what was shown before it was resolved"
    )
    node_id: Id | None = Field(None, description="to choose: whose values, or whose delete")
    content: Content | None = Field(None, description="to edit")
    type: MemoryType | None = Field(None, description="to edit")
    category: Name | None = Field(None, description="to edit")
    importance: Importance | None = Field(None, description="to edit")


class ResolvedConflict(Response):
    """The conflict and its memory afterwards."""

    conflict: MemoryConflict
    memory: Memory


def list_page(services: Services, request: ListMemoryConflicts) -> MemoryConflicts:
    """One page of conflicts."""
    rows = services.ask(
        STORE,
        lambda: list_conflicts(
            services.records,
            state=request.state,
            memory_id=request.memory_id,
            since=request.since,
            limit=request.limit + 1,
            after=read_cursor(request.cursor),
        ),
    )
    page, more = rows[: request.limit], rows[request.limit :]
    last = page[-1] if more else None
    cursor = make_cursor(last["found_at"], last["conflict_id"]) if last else None
    return MemoryConflicts(conflicts=[_show(row) for row in page], next_cursor=cursor)


def resolve(services: Services, request: ResolveMemoryConflict) -> ResolvedConflict:
    """Record the update that ends a conflict, or takes its end back."""
    row = _find(services, request.conflict_id)
    memory_id = row["memory_id"]

    def draft(memory: Mapping[str, Any] | None) -> Update:
        if memory is None:
            raise explain_missing(services, memory_id)
        record = load_record(memory["state"])
        if record.is_erased:
            message = f"memory {memory_id!r} was erased for ever, and its values with it"
            raise MemoryDeleted(message, memory_id=memory_id)
        _check_state(row, record, request)
        return _DRAFTS[request.action](row, record, request)

    after = services.memories.edit(memory_id, draft)
    return ResolvedConflict(
        conflict=_show(_find(services, request.conflict_id)), memory=show_memory(after)
    )


def _find(services: Services, conflict_id: str) -> Mapping[str, Any]:
    return services.find(
        STORE,
        lambda: find_conflict(services.records, conflict_id),
        otherwise=UnknownConflict(conflict_id),
    )


def _check_state(row: Mapping[str, Any], record: Record, request: ResolveMemoryConflict) -> None:
    """Refuse to end what has changed since it was shown, and to take back what did not end."""
    found = find_in_record(row["memory_id"], record)
    is_open = found is not None and found.conflict_id == row["conflict_id"]
    if request.action == "undo":
        if row["state"] != "resolved":
            message = f"conflict {row['conflict_id']!r} is {row['state']}; there is nothing to undo"
            raise Conflict(message, state=row["state"])
    elif found is not None and not is_open:
        message = (
            f"conflict {row['conflict_id']!r} has grown to {found.conflict_id!r}: look at all of "
            "its values, and resolve that one"
        )
        raise Conflict(message, conflict_id=found.conflict_id)


def _choose(row: Mapping[str, Any], record: Record, request: ResolveMemoryConflict) -> Update:
    writers = {writer["node_id"]: writer for writer in row["writers"]}
    names = {value["node_id"] for values in row["fields"].values() for value in values}
    names |= set(writers)
    if request.node_id not in names:
        message = (
            f"field 'node_id': {request.node_id!r} wrote nothing in this conflict; choose one of "
            f"{', '.join(sorted(names))}"
        )
        raise InvalidRequest(message, field="node_id")
    if writers.get(request.node_id, {}).get("action") == "delete":
        return Update(row["memory_id"], Kind.DELETE, 0, 0, {})
    chosen = {
        name: value["value"]
        for name, values in row["fields"].items()
        for value in values
        if value["node_id"] == request.node_id
    }
    return _update(row, record, chosen)


def _edit(row: Mapping[str, Any], record: Record, request: ResolveMemoryConflict) -> Update:
    given = {name: getattr(request, name) for name in _EDITABLE}
    changes = {name: value for name, value in given.items() if value is not None}
    if not changes:
        message = f"nothing is given to edit; give one of {', '.join(_EDITABLE)}"
        raise InvalidRequest(message, field="content")
    # What is not given ends as it is shown: an update of some fields would leave the others open.
    return _update(row, record, {**row["result"], **changes})


def _undo(row: Mapping[str, Any], record: Record, _request: ResolveMemoryConflict) -> Update:
    return _update(row, record, row["result"])


_DRAFTS = {"choose": _choose, "edit": _edit, "undo": _undo}


def _update(row: Mapping[str, Any], record: Record, changes: Mapping[str, Any]) -> Update:
    """An edit; of a memory that is deleted, one that makes it anew with all that it had."""
    shown = {name: entries[-1].value for name, entries in record.entries.items()}
    if not record.is_alive:
        tags = tuple(sorted(record.tags))
        return Update(row["memory_id"], Kind.CREATE, 0, 0, {**shown, **changes}, tags)
    # Where only a delete stood against it, saying the content again is what keeps it.
    kept = changes or {name: shown[name] for name in ("content",) if name in shown}
    return Update(row["memory_id"], Kind.EDIT, 0, 0, kept)


def _show(row: Mapping[str, Any]) -> MemoryConflict:
    nodes = [
        ConflictNode(
            id=writer["node_id"],
            version=writer["version"],
            timestamp=_to_moment(writer["clock"]),
            action=writer["action"],
        )
        for writer in row["writers"]
    ]
    return MemoryConflict(
        conflict_id=row["conflict_id"],
        memory_id=row["memory_id"],
        conflict_type=row["kind"],
        state=row["state"],
        found_at=row["found_at"],
        nodes=nodes,
        node1=nodes[0],
        node2=nodes[1] if len(nodes) > 1 else None,
        values={name: _show_values(values) for name, values in row["fields"].items()},
        resolution=Resolution(
            strategy=row["strategy"],
            merged_version=row["version"],
            result=row["result"],
            timestamp=row["ended_at"],
            resolved_by=row["ended_by"],
            version=row["ended_version"],
        ),
    )


def _show_values(values: Sequence[Mapping[str, Any]]) -> list[ConflictValue]:
    return [ConflictValue(**{**value, "timestamp": _to_moment(value["clock"])}) for value in values]


def _to_moment(clock: str) -> datetime:
    return from_micros(to_micros(int(clock))).astimezone(UTC)


OPERATIONS = (
    Operation(
        name="list_memory_conflicts",
        summary="List what was written to memories side by side, with all values",
        method="GET",
        path="/v1/memory/conflicts",
        scope="read",
        request=ListMemoryConflicts,
        response=MemoryConflicts,
        run=list_page,
    ),
    Operation(
        name="resolve_memory_conflict",
        summary="End a conflict: choose, edit, or undo",
        method="POST",
        path="/v1/memory/conflicts/{conflict_id}/resolve",
        scope="write",
        request=ResolveMemoryConflict,
        response=ResolvedConflict,
        run=resolve,
        errors=(UnknownConflict, UnknownMemory, MemoryDeleted, Conflict),
    ),
)
