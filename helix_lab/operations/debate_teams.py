"""The team of a debate by what was learned: who sits where, and why, kept with the debate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal

from pydantic import Field

from helix_lab.domain.debate import Seat
from helix_lab.domain.learning.teams import (
    MIN_ATTEMPTS,
    Choice,
    Experience,
    Experiences,
    choose_team,
    has_evidence,
)
from helix_lab.domain.model.errors import HelixError
from helix_lab.operations.learning import ask_learning
from helix_lab.operations.operation import Response
from helix_lab.operations.services import Services
from helix_lab.queries import learning

TeamChoice = Literal["auto", "learned", "usual"]
"""`auto` and `learned` seat by evidence where there is some; `learned` says so if there is none."""

_MOST_STRATEGIES = 10_000


class ChosenSeat(Response):
    """Why somebody sits there."""

    position: str
    provider: str
    wins: int = Field(description="debates won from this position")
    attempts: int = Field(description="debates held from this position")
    draw: float = Field(description="the win rate that was drawn; the highest are seated first")


class Team(Response):
    """How the seats were given away."""

    policy: Literal["thompson", "usual"] = Field(
        description="thompson: by draws from what was learned; usual: in the order configured"
    )
    reason: str
    choices: list[ChosenSeat]


def seat_team(
    services: Services,
    seats: Sequence[Seat],
    judge: Seat | None,
    *,
    team: TeamChoice,
    seed: int,
) -> tuple[tuple[Seat, ...], Seat | None, dict[str, Any] | None]:
    """The usual seats, or those that learned strategies choose, and what is recorded of it.

    A judge who was not asked for is one who takes no side, where there is one.

    Args:
        services: of the lab.
        seats: the usual ones; those of a request that names its participants never come here.
        judge: the usual judge, if the protocol has one.
        team: what was asked for.
        seed: of the debate.
    """
    usual = tuple(seats)
    if team == "usual":
        return usual, judge, None
    providers = list(dict.fromkeys(seat.provider for seat in (*usual, judge) if seat))
    providers += [name for name in _list_candidates(services) if name not in providers]
    if len(providers) == 1:
        return usual, judge, _keep_usual(team, f"{providers[0]} is the only provider")
    positions = [seat.position for seat in usual]
    try:
        known = _read_experiences(services)
    except HelixError as error:
        return usual, judge, _keep_usual(team, f"what was learned cannot be read: {error.message}")
    if not has_evidence(positions, providers, known):
        reason = f"no provider has {MIN_ATTEMPTS} debates with a winner at one of the positions"
        return usual, judge, _keep_usual(team, reason)
    choices = choose_team(positions, providers, known, seed=seed)
    chosen = tuple(
        _seat(services, seat, choice.provider) for seat, choice in zip(usual, choices, strict=True)
    )
    return chosen, _find_judge(services, judge, chosen, providers), _describe(choices, seed)


def show_team(metadata: Mapping[str, Any]) -> Team | None:
    """How the seats were given away, as it is recorded; None where nothing was to be chosen."""
    return Team(**metadata["team"]) if "team" in metadata else None


def _list_candidates(services: Services) -> list[str]:
    return [name for name in services.providers if name != "offline"]


def _read_experiences(services: Services) -> Experiences:
    rows = ask_learning(
        services,
        lambda: learning.list_patterns(
            services.records, user_id=None, pattern_type="debate_strategy", limit=_MOST_STRATEGIES
        ),
    )
    return {
        (row["subject"], row["object"]): Experience(row["support"], row["trials"]) for row in rows
    }


def _seat(services: Services, seat: Seat, provider: str) -> Seat:
    if seat.provider == provider:
        return seat
    return replace(seat, provider=provider, model=services.providers[provider].default_model)


def _find_judge(
    services: Services, judge: Seat | None, seats: Sequence[Seat], providers: Sequence[str]
) -> Seat | None:
    if judge is None:
        return None
    seated = {seat.provider for seat in seats}
    if judge.provider not in seated:
        return judge
    neutral = [name for name in providers if name not in seated]
    return _seat(services, judge, neutral[0]) if neutral else judge


def _keep_usual(team: TeamChoice, reason: str) -> dict[str, Any] | None:
    if team == "auto":
        return None
    return {"policy": "usual", "reason": reason, "choices": []}


def _describe(choices: Sequence[Choice], seed: int) -> dict[str, Any]:
    told = ", ".join(
        f"{one.provider} as {one.position} (won {one.wins} of {one.attempts}, drew {one.draw:.2f})"
        for one in choices
    )
    shown = [
        {name: getattr(one, name) for name in ("position", "provider", "wins", "attempts", "draw")}
        for one in choices
    ]
    reason = f"the highest draws by seed {seed} from what was learned: {told}"
    return {"policy": "thompson", "reason": reason, "choices": shown}
