"""Operations on debates: start, list, show, cancel."""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from helix_lab.domain.context.additions import read_additions
from helix_lab.domain.debate import Seat
from helix_lab.domain.model.errors import Conflict, UnknownDebate, UnknownProvider, UnknownRun
from helix_lab.jobs.contexts import describe_additions
from helix_lab.jobs.debate_request import draft_start, read_plan
from helix_lab.jobs.runs import Run
from helix_lab.operations.additions import (
    DEFAULT_TOKENS,
    Add,
    AddedLine,
    AddTokens,
    gather,
    read_debate_metadata,
    show_additions,
)
from helix_lab.operations.cancellation import current_scope
from helix_lab.operations.debate_seats import Participant, seat_participants
from helix_lab.operations.debate_teams import Team, TeamChoice, seat_team, show_team
from helix_lab.operations.operation import Id, Operation, Request, Response, Text
from helix_lab.operations.paging import Cursor, Limit, make_cursor, read_cursor
from helix_lab.operations.services import Services
from helix_lab.queries import conversations as questions
from helix_lab.queries.history import has_conversation

MAX_TOPIC_CHARACTERS = 100_000

Status = Literal["queued", "running", "succeeded", "failed", "cancelled"]


class StartDebate(Request):
    """A topic to debate. Without any configured provider, `offline` answers, and says so."""

    topic: Annotated[Text, Field(min_length=1, max_length=MAX_TOPIC_CHARACTERS)]
    conversation_id: Id | None = Field(
        None, description="the conversation it goes on with; begun if it does not exist"
    )
    user_id: Id | None = None
    protocol: Literal["majority", "moderated"] = "majority"
    rounds: int = Field(1, ge=1, le=20, description="rounds of answers, at most")
    participants: list[Participant] | None = Field(
        None,
        min_length=2,
        max_length=26,
        description="the seats; all configured providers if absent",
    )
    judge: Participant | None = Field(None, description="the moderator, for moderated")
    seed: int | None = Field(
        None, ge=0, le=2**53, description="decides orders and labels; made up if absent"
    )
    team: TeamChoice = Field(
        "auto",
        description="without participants: auto seats by learned strategies once there is "
        "evidence, learned also says so where there is none, usual seats as configured",
    )
    add: Add = None
    add_max_tokens: AddTokens = DEFAULT_TOKENS
    turn_timeout_s: float = Field(60, gt=0, le=600, description="for each answer")
    wait_s: float = Field(0, ge=0, le=300, description="wait so long for the end")


class ShownSeat(Response):
    """A seat and who sits on it."""

    seat: str
    position: str
    provider: str
    model: str


class ShownTurn(Response):
    """A turn that has ended; what is not known is null."""

    round: int
    role: str
    seat: str
    position: str
    provider: str
    model: str
    text: str | None = None
    choice: str | None = None
    confidence: float | None = None
    response_time_ms: float | None = None
    ttft_ms: float | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    cost_usd: float | None = None
    finish_reason: str | None = None
    error_code: str | None = None
    error_message: str | None = None
    ended_at: datetime


class DebateSummary(Response):
    """A debate as lists show it."""

    debate_id: str
    conversation_id: str
    topic: str
    protocol: str
    status: Status
    outcome: str | None
    winner: ShownSeat | None
    confidence: float | None
    started_at: datetime
    completed_at: datetime | None


class Debate(DebateSummary):
    """A debate with its turns and its result."""

    rounds: int
    seed: int
    seats: list[ShownSeat]
    judge: ShownSeat | None
    progress: float
    verdict: str | None
    reason: str | None
    votes: Mapping[str, float] | None
    judgments: Sequence[Mapping[str, Any]] | None
    turns: list[ShownTurn]
    additions: list[AddedLine] = Field(
        description="what every prompt was given beside the conversation"
    )
    addition_notes: list[str] = Field(description="what could not be had, and why")
    team: Team | None = Field(description="why they sit there; null where nothing was chosen")
    error: Mapping[str, Any] | None


class ListDebates(Request):
    """Which debates to list."""

    conversation_id: Id | None = Field(None, description="only those of this conversation")
    limit: Limit = 50
    cursor: Cursor = None


class Debates(Response):
    """One page of debates, newest first."""

    debates: list[DebateSummary]
    next_cursor: str | None


class GetDebate(Request):
    """Which debate."""

    debate_id: Id = Field(description="its id")


def start(services: Services, request: StartDebate) -> Debate:
    """Record a debate and start it; the answer shows how far it is."""
    debate_id = f"debate-{uuid.uuid4().hex}"
    plan = _make_plan(services, request, debate_id)
    read_plan(plan)
    services.jobs.submit(
        "debate",
        plan,
        run_id=debate_id,
        before_start=lambda: services.writer.record(draft_start(plan)),
    )
    if request.wait_s:
        scope = current_scope()
        services.jobs.wait(
            debate_id, timeout_s=request.wait_s, should_stop=lambda: scope.is_cancelled
        )
    return _read(services, debate_id)


def _make_plan(services: Services, request: StartDebate, debate_id: str) -> dict[str, Any]:
    seed = secrets.randbelow(2**31) if request.seed is None else request.seed
    seats, judge, team = _seat(services, request, seed)
    conversation_id = request.conversation_id or f"conv-{uuid.uuid4().hex}"
    additions = gather(
        services,
        request.topic,
        add=request.add,
        max_tokens=request.add_max_tokens,
        user_id=request.user_id,
        conversation_id=request.conversation_id,
    )
    return {
        "debate_id": debate_id,
        "conversation_id": conversation_id,
        "is_new_conversation": not has_conversation(services.log, conversation_id),
        "user_id": request.user_id,
        "topic": request.topic,
        "protocol": request.protocol,
        "rounds": request.rounds,
        "seed": seed,
        "seats": [asdict(seat) for seat in seats],
        "judge": asdict(judge) if judge else None,
        "turn_timeout_s": request.turn_timeout_s,
        **describe_additions(additions),
        "team": team,
        "started_at": datetime.now(UTC).isoformat(),
    }


def _seat(
    services: Services, request: StartDebate, seed: int
) -> tuple[Sequence[Seat], Seat | None, dict[str, Any] | None]:
    """The seats, the judge, and why: those that were asked for are never changed."""
    seats, judge = seat_participants(
        services, request.protocol, request.participants, judge=request.judge
    )
    if request.participants is not None:
        return seats, judge, None
    chosen, found, team = seat_team(services, seats, judge, team=request.team, seed=seed)
    return chosen, judge if request.judge else found, team


def list_page(services: Services, request: ListDebates) -> Debates:
    """One page of debates."""
    after = read_cursor(request.cursor)
    rows = services.ask(
        "conversations",
        lambda: questions.list_debates(
            services.records,
            limit=request.limit + 1,
            after=after,
            conversation_id=request.conversation_id,
        ),
    )
    page, more = rows[: request.limit], rows[request.limit :]
    cursor = make_cursor(page[-1]["started_at"], page[-1]["debate_id"]) if more else None
    shown = [
        DebateSummary(**_summarise(row, _find_run(services, row["debate_id"]))) for row in page
    ]
    return Debates(debates=shown, next_cursor=cursor)


def get(services: Services, request: GetDebate) -> Debate:
    """One debate with its turns."""
    return _read(services, request.debate_id)


def cancel(services: Services, request: GetDebate) -> Debate:
    """Stop a debate; what was said stays recorded."""
    debate = _read(services, request.debate_id)
    try:
        services.jobs.cancel(request.debate_id)
    except UnknownRun:
        message = f"debate {request.debate_id!r} was imported and has ended as {debate.status}"
        raise Conflict(message, debate_id=request.debate_id) from None
    services.jobs.wait(request.debate_id, timeout_s=5)
    return _read(services, request.debate_id)


def _read(services: Services, debate_id: str) -> Debate:
    row, turns = services.find(
        "conversations",
        lambda: questions.find_debate(services.records, debate_id),
        otherwise=UnknownDebate(debate_id),
    )
    run = _find_run(services, debate_id)
    result = row["result"] or {}
    metadata = read_debate_metadata(services, row)
    additions = read_additions(metadata)
    return Debate(
        **_summarise(row, run),
        rounds=row["rounds"],
        seed=row["seed"],
        seats=row["seats"],
        judge=row["judge"],
        progress=run.progress if run else 1.0,
        verdict=result.get("verdict"),
        reason=result.get("reason"),
        votes=result.get("votes"),
        judgments=result.get("judgments"),
        turns=[_show_turn(turn) for turn in turns],
        additions=show_additions(additions),
        addition_notes=list(additions.notes),
        team=show_team(metadata),
        error=run.error if run else None,
    )


def _find_run(services: Services, debate_id: str) -> Run | None:
    try:
        return services.jobs.store.get(debate_id)
    except UnknownRun:
        return None


def _summarise(row: Mapping[str, Any], run: Run | None) -> dict[str, Any]:
    result = row["result"] or {}
    return {
        "debate_id": row["debate_id"],
        "conversation_id": row["conversation_id"],
        "topic": row["topic"],
        "protocol": row["protocol"],
        "status": run.state if run else _status_without_run(row),
        "outcome": result.get("outcome"),
        "winner": result.get("winner"),
        "confidence": result.get("confidence"),
        "started_at": row["started_at"],
        "completed_at": row["completed_at"],
    }


def _status_without_run(row: Mapping[str, Any]) -> Status:
    """What a debate shows that was imported, or whose run was lost with the record store."""
    outcomes: dict[str, Status] = {"failed": "failed", "cancelled": "cancelled"}
    if row["result"] is None and row["source"] == "debate":
        return "failed"
    return outcomes.get(str((row["result"] or {}).get("outcome")), "succeeded")


def _show_turn(row: Mapping[str, Any]) -> ShownTurn:
    known = {name: value for name, value in row["turn"].items() if name in ShownTurn.model_fields}
    return ShownTurn(
        **known,
        round=row["round"],
        role=row["role"],
        seat=row["seat"],
        ended_at=row["ended_at"],
    )


OPERATIONS = (
    Operation(
        name="start_debate",
        summary="Let providers debate a topic",
        method="POST",
        path="/v1/debates",
        scope="write",
        request=StartDebate,
        response=Debate,
        run=start,
        errors=(UnknownProvider,),
        status=202,
        location="/v1/debates/{debate_id}",
    ),
    Operation(
        name="list_debates",
        summary="List debates, newest first",
        method="GET",
        path="/v1/debates",
        scope="read",
        request=ListDebates,
        response=Debates,
        run=list_page,
    ),
    Operation(
        name="get_debate",
        summary="Show one debate with its turns and result",
        method="GET",
        path="/v1/debates/{debate_id}",
        scope="read",
        request=GetDebate,
        response=Debate,
        run=get,
        errors=(UnknownDebate,),
    ),
    Operation(
        name="cancel_debate",
        summary="Stop a debate; what was said stays recorded",
        method="DELETE",
        path="/v1/debates/{debate_id}",
        scope="write",
        request=GetDebate,
        response=Debate,
        run=cancel,
        errors=(UnknownDebate, Conflict),
    ),
)
