"""Which provider wins which position, and how reliably each of them answers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from helix_lab.domain.learning.values import Group, Lesson, Observation, Occasion, Part, Pattern

MOST_CALLS: Final = 10
"""Calls of one occasion that count for a provider: one long conversation does not decide."""


def learn_strategies(debate: Occasion) -> Lesson:
    """An attempt of each provider at each position, and whether it won; a debate counts once."""
    if not debate.is_decided:
        return Lesson()
    attempts: dict[tuple[str, str], list[Part]] = {}
    for part in debate.parts:
        noticed = part.noticed
        if noticed.provider and noticed.position and noticed.role == "answer":
            attempts.setdefault((noticed.provider, noticed.position), []).append(part)
    observations = tuple(
        Observation(
            make_strategy(provider, position),
            int((provider, position) == debate.winner),
            tuple(part.part_id for part in parts),
            rating=_mean_confidence(parts),
            time_ms=_mean_time(parts),
            is_personal=False,
        )
        for (provider, position), parts in attempts.items()
    )
    return Lesson(observations, {one.pattern.group: 1 for one in observations})


def make_strategy(provider: str, position: str) -> Pattern:
    """The pattern of a provider at a position."""
    return Pattern(
        "debate_strategy",
        provider,
        position,
        Group("strategy", f"{provider}\x1f{position}", f"{provider} as {position}"),
        f"{provider} wins {position} position",
    )


def learn_performance(parts: Sequence[Part]) -> Lesson:
    """How many of the calls of each provider gave a usable answer."""
    calls: dict[str, list[Part]] = {}
    for part in parts:
        if part.noticed.provider:
            calls.setdefault(part.noticed.provider, []).append(part)
    observations = tuple(_observe(provider, made) for provider, made in calls.items())
    groups = {
        one.pattern.group: min(MOST_CALLS, len(calls[one.pattern.subject])) for one in observations
    }
    return Lesson(observations, groups)


def make_performance(provider: str) -> Pattern:
    """The pattern of a provider's usable answers."""
    group = Group("provider", provider, provider)
    text = f"{provider} answers reliably"
    return Pattern("provider_performance", provider, "answers", group, text)


def _observe(provider: str, made: Sequence[Part]) -> Observation:
    answered = [part for part in made if not part.noticed.has_failed]
    counted = min(MOST_CALLS, len(made))
    return Observation(
        make_performance(provider),
        # Down, so that a failure among many calls is seen; never above what counts.
        counted * len(answered) // len(made),
        tuple(part.part_id for part in made),
        rating=_mean_confidence(answered),
        time_ms=_mean_time(answered),
        is_personal=False,
    )


def _mean_confidence(parts: Sequence[Part]) -> float | None:
    return _mean([part.noticed.confidence for part in parts])


def _mean_time(parts: Sequence[Part]) -> float | None:
    return _mean([part.noticed.response_time_ms for part in parts])


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None
