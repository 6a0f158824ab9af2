"""What a debate is asked for, as JSON: its plan, and the facts that begin it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any

from helix_lab.domain.context.additions import read_additions
from helix_lab.domain.debate import DebatePlan, Seat
from helix_lab.domain.model.event import Draft
from helix_lab.jobs.contexts import describe_additions
from helix_lab.record import drafts

OWN_SOURCE = "debate"
"""Source of debates that were held here."""


def draft_start(request: Mapping[str, Any]) -> list[Draft]:
    """The facts that begin a debate: its conversation, its topic as a message, itself."""
    plan = read_plan(request)
    started_at = datetime.fromisoformat(request["started_at"])
    return [
        *_draft_conversation(request),
        drafts.add_message(
            plan.conversation_id,
            topic_id(plan),
            role="user",
            content=plan.topic,
            user_id=request.get("user_id"),
            created_at=started_at,
        ),
        drafts.start_debate(
            plan.debate_id,
            conversation_id=plan.conversation_id,
            topic=plan.topic,
            protocol=plan.protocol,
            rounds=plan.rounds,
            seed=plan.seed,
            seats=[asdict(seat) for seat in plan.seats],
            judge=None if plan.judge is None else asdict(plan.judge),
            user_id=request.get("user_id"),
            source=OWN_SOURCE,
            metadata=_describe(request) or None,
            created_at=started_at,
        ),
    ]


def _describe(request: Mapping[str, Any]) -> dict[str, Any]:
    """What is kept with the start: what prompts are given beside the history, why these seats."""
    team = request.get("team")
    return describe_additions(read_additions(request)) | ({"team": team} if team else {})


def _draft_conversation(request: Mapping[str, Any]) -> list[Draft]:
    if not request["is_new_conversation"]:
        return []
    start = drafts.start_conversation(
        request["conversation_id"], user_id=request.get("user_id"), source=OWN_SOURCE
    )
    return [start]


def read_plan(request: Mapping[str, Any]) -> DebatePlan:
    """The plan of a request.

    Raises:
        InvalidRequest: it cannot be played; names the field.
    """
    judge = request.get("judge")
    return DebatePlan(
        debate_id=request["debate_id"],
        conversation_id=request["conversation_id"],
        topic=request["topic"],
        protocol=request["protocol"],
        rounds=request["rounds"],
        seed=request["seed"],
        seats=tuple(Seat(**seat) for seat in request["seats"]),
        judge=Seat(**judge) if judge else None,
    )


def topic_id(plan: DebatePlan) -> str:
    """Id of the message that states the topic."""
    return f"{plan.debate_id}/topic"
