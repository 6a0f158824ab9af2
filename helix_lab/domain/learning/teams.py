"""Who takes which position of a debate: Thompson sampling (1933) over what was learned.

For each provider at each position a win rate is drawn from what its debates so far leave open,
Beta(1 + wins, 1 + losses), and positions go to those with the highest draws. What is known well is
drawn near its rate; what was seldom tried is drawn widely, so it is tried as often as it may still
be the best: that is all the exploration there is, and it ends by itself. The debate's seed
decides the draws, so the same evidence and the same seed seat the same team.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from helix_lab.domain.model.errors import InvalidRequest
from helix_lab.domain.model.event import make_event_id

MIN_ATTEMPTS = 3
"""Debates of a provider at a position from which on it counts as evidence, as in the guide."""


@dataclass(frozen=True, slots=True)
class Experience:
    """What a provider came to at a position.

    Attributes:
        wins, attempts: in debates with a winner; wins are not more than attempts.
    """

    wins: int
    attempts: int


@dataclass(frozen=True, slots=True)
class Choice:
    """Who takes a position, and why.

    Attributes:
        draw: the win rate that was drawn for it, 0 to 1.
    """

    position: str
    provider: str
    wins: int
    attempts: int
    draw: float


Experiences = Mapping[tuple[str, str], Experience]
"""(provider, position) → what came of it; who is missing was never tried there."""


def has_evidence(
    positions: Sequence[str], providers: Sequence[str], experiences: Experiences
) -> bool:
    """Whether anything that could be chosen was tried often enough to tell."""
    return any(
        experiences[pair].attempts >= MIN_ATTEMPTS
        for pair in ((name, position) for name in providers for position in positions)
        if pair in experiences
    )


def choose_team(
    positions: Sequence[str], providers: Sequence[str], experiences: Experiences, *, seed: int
) -> tuple[Choice, ...]:
    """Who takes each position, in their order.

    The highest draw is seated first; each provider is seated as often as any other, or once less.

    Args:
        positions: one for each seat; the same one may come again.
        providers: who can be seated, by name.
        experiences: what was learned.
        seed: of the debate.

    Raises:
        InvalidRequest: nobody can be seated, a provider is named twice, or counts are impossible.
    """
    _check(providers, experiences)
    draws = {
        (name, position): _draw(name, position, experiences, seed)
        for position in dict.fromkeys(positions)
        for name in providers
    }
    most = -(-len(positions) // len(providers))
    open_seats = dict(enumerate(positions))
    seated: dict[int, str] = {}
    while open_seats:
        counts = Counter(seated.values())
        free = [name for name in providers if counts[name] < most]
        seat, name = max(
            ((seat, name) for seat in open_seats for name in free),
            key=lambda pair: (draws[pair[1], open_seats[pair[0]]], -counts[pair[1]], -pair[0]),
        )
        seated[seat] = name
        del open_seats[seat]
    return tuple(
        _explain(seated[seat], position, experiences, draws)
        for seat, position in enumerate(positions)
    )


def _draw(name: str, position: str, experiences: Experiences, seed: int) -> float:
    """The same for a pair whoever else can be seated."""
    known = experiences.get((name, position), Experience(0, 0))
    number = int(make_event_id("team", str(seed), name, position), 16)
    losses = known.attempts - known.wins
    return float(np.random.default_rng(number).beta(1 + known.wins, 1 + losses))


def _explain(
    name: str, position: str, experiences: Experiences, draws: Mapping[tuple[str, str], float]
) -> Choice:
    known = experiences.get((name, position), Experience(0, 0))
    return Choice(position, name, known.wins, known.attempts, round(draws[name, position], 6))


def _check(providers: Sequence[str], experiences: Experiences) -> None:
    if not providers:
        message = "no provider to seat; configure one, or use 'offline'"
        raise InvalidRequest(message, field="providers")
    if len(set(providers)) < len(providers):
        message = f"each provider is named once; given were {', '.join(providers)}"
        raise InvalidRequest(message, field="providers")
    for (name, position), known in experiences.items():
        if not 0 <= known.wins <= known.attempts:
            message = (
                f"{name!r} as {position!r} has {known.wins} wins of {known.attempts} attempts; "
                "wins must be from 0 to the attempts"
            )
            raise InvalidRequest(message, field="experiences")
