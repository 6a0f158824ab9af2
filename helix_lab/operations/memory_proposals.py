"""Operations on proposed facts: list what users said of themselves, accept it, decline it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal

from pydantic import Field

from helix_lab.domain.model.errors import Conflict, DuplicateId, MemoryDeleted, NotFound
from helix_lab.operations import memories
from helix_lab.operations.memories import Content, CreateMemory, Importance, Memory, Tags
from helix_lab.operations.operation import Id, Operation, Request, Response
from helix_lab.operations.paging import Cursor, Limit, make_cursor, read_cursor
from helix_lab.operations.services import Services
from helix_lab.queries.memories import find_memory
from helix_lab.queries.proposals import OPEN, find_proposal, list_proposals
from helix_lab.record import drafts

STORE = "conversations"
State = Literal["proposed", "accepted", "declined"]


class ListProposals(Request):
    """Which proposals to list."""

    state: State | None = Field("proposed", description="null: all")
    user_id: Id | None = Field(None, description="only what this user said")
    conversation_id: Id | None = Field(None, description="only what was said in this one")
    limit: Limit = 50
    cursor: Cursor = None


class Proposal(Response):
    """A fact that a user told of themselves, and where."""

    proposal_id: str
    content: str
    category: str = Field(description="preference, fact, or instruction for every answer")
    state: State
    user_id: str | None
    conversation_id: str
    message_id: str
    said_at: datetime
    decided_at: datetime | None
    memory_id: str | None = Field(description="the memory that it became")


class Proposals(Response):
    """One page of proposals, what was said last first."""

    proposals: list[Proposal]
    next_cursor: str | None


class AcceptProposal(Request):
    """Which proposal becomes a memory, and how."""

    proposal_id: Id = Field(description="of GET /v1/memory/proposals")
    content: Content | None = Field(None, description="in your words; absent: as it was said")
    importance: Importance = Field(0.5, description="from 0 to 1")
    tags: Tags = Field([], description="words to find it by")


class DeclineProposal(Request):
    """Which proposal is never to be made again."""

    proposal_id: Id = Field(description="of GET /v1/memory/proposals")


def list_page(services: Services, request: ListProposals) -> Proposals:
    """One page of proposals."""
    after = read_cursor(request.cursor)
    rows = services.ask(
        STORE,
        lambda: list_proposals(
            services.records,
            state=request.state,
            user_id=request.user_id,
            conversation_id=request.conversation_id,
            limit=request.limit + 1,
            after=after,
        ),
    )
    page, more = rows[: request.limit], rows[request.limit :]
    cursor = make_cursor(page[-1]["said_at"], page[-1]["proposal_id"]) if more else None
    return Proposals(proposals=[_show(row) for row in page], next_cursor=cursor)


def accept(services: Services, request: AcceptProposal) -> Memory:
    """The memory that a proposal becomes, with its source; the same one if it did before."""
    row = _read(services, request.proposal_id)
    _refuse_other(row, "accepted")
    memory = _keep(services, request, row)
    _decide(services, row, "accepted")
    return memory


def decline(services: Services, request: DeclineProposal) -> Proposal:
    """Decline a proposal: the same words of the same user are not proposed again."""
    row = _read(services, request.proposal_id)
    _refuse_other(row, "declined")
    _decide(services, row, "declined")
    return _show(_read(services, request.proposal_id))


def _keep(services: Services, request: AcceptProposal, row: Mapping[str, Any]) -> Memory:
    # The memory has the id of its proposal, so that accepting twice makes one.
    known = find_memory(services.records, request.proposal_id)
    if known is not None and known["is_alive"]:
        return memories.show_memory(known)
    source = {name: row[name] for name in ("conversation_id", "message_id")}
    asked = CreateMemory(
        content=request.content or row["content"],
        memory_id=request.proposal_id,
        user_id=row["user_id"],
        category=row["category"],
        importance=request.importance,
        tags=request.tags,
        metadata={"source": source, "said_at": row["said_at"].isoformat()},
    )
    return memories.create(services, asked)


def _decide(services: Services, row: Mapping[str, Any], decision: State) -> None:
    draft = drafts.decide_proposal(
        row["conversation_id"],
        row["message_id"],
        row["proposal_id"],
        decision=decision,
        memory_id=row["proposal_id"] if decision == "accepted" else None,
    )
    try:
        services.writer.record([draft])
    except DuplicateId:
        # Somebody else decided otherwise at the same moment; what was recorded first stands.
        message = f"the proposal {row['proposal_id']!r} was decided otherwise a moment ago"
        raise Conflict(message, proposal_id=row["proposal_id"]) from None


def _refuse_other(row: Mapping[str, Any], decision: State) -> None:
    if row["state"] not in {OPEN, decision}:
        message = (
            f"the proposal {row['proposal_id']!r} is {row['state']} already; change a memory with "
            "PATCH or DELETE /v1/memory/{memory_id}, make one with POST /v1/memory"
        )
        raise Conflict(message, proposal_id=row["proposal_id"], state=row["state"])


def _read(services: Services, proposal_id: str) -> Mapping[str, Any]:
    message = f"no proposal {proposal_id!r}; list them with GET /v1/memory/proposals"
    return services.find(
        STORE,
        lambda: find_proposal(services.records, proposal_id),
        otherwise=NotFound(message, proposal_id=proposal_id),
    )


def _show(row: Mapping[str, Any]) -> Proposal:
    return Proposal(**{name: row[name] for name in Proposal.model_fields})


OPERATIONS = (
    Operation(
        name="list_memory_proposals",
        summary="List facts that users told of themselves, to accept or decline",
        method="GET",
        path="/v1/memory/proposals",
        scope="read",
        request=ListProposals,
        response=Proposals,
        run=list_page,
    ),
    Operation(
        name="accept_memory_proposal",
        summary="Make a memory of a proposed fact",
        method="POST",
        path="/v1/memory/proposals/{proposal_id}/accept",
        scope="write",
        request=AcceptProposal,
        response=Memory,
        run=accept,
        errors=(NotFound, Conflict, MemoryDeleted),
        status=201,
    ),
    Operation(
        name="decline_memory_proposal",
        summary="Decline a proposed fact for good",
        method="POST",
        path="/v1/memory/proposals/{proposal_id}/decline",
        scope="write",
        request=DeclineProposal,
        response=Proposal,
        run=decline,
        errors=(NotFound, Conflict),
    ),
)
