"""Who sits where in a debate: the seats that a request asks for, and the usual ones."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import Field

from helix_lab.domain.debate import Seat, default_seats
from helix_lab.domain.model.errors import UnknownProvider
from helix_lab.operations.operation import Name, Request
from helix_lab.operations.services import Services

OFFLINE = "offline"


class Participant(Request):
    """Who takes a seat."""

    provider: Name = Field(description="a configured provider, or offline")
    model: Name | None = Field(None, description="the provider's default if absent")
    position: Name | None = Field(None, description="what it argues as; by protocol if absent")


def seat_participants(
    services: Services,
    protocol: str,
    participants: Sequence[Participant] | None,
    *,
    judge: Participant | None,
) -> tuple[Sequence[Seat], Seat | None]:
    """The seats and the judge that were asked for; the protocol fills in what was left open.

    Raises:
        UnknownProvider: somebody who is not configured was asked for.
    """
    chosen = [name for name in services.providers if name != OFFLINE] or [OFFLINE]
    pairs = [(name, services.providers[name].default_model) for name in chosen]
    seats, usual_judge = default_seats(pairs, protocol)
    if participants is not None:
        seats = _name_seats(services, participants, seats)
    if protocol != "moderated":
        return seats, None
    if judge is None:
        return seats, usual_judge
    return seats, _take_seat(services, judge, name="moderator", position="moderator")


def _name_seats(
    services: Services, participants: Sequence[Participant], usual: Sequence[Seat]
) -> tuple[Seat, ...]:
    named: list[Seat] = []
    for number, participant in enumerate(participants):
        fallback = usual[number].position if number < len(usual) else f"debater-{number + 1}"
        position = participant.position or fallback
        taken = {seat.seat for seat in named}
        name = position if position not in taken else f"{position}-{number + 1}"
        named.append(_take_seat(services, participant, name=name, position=position))
    return tuple(named)


def _take_seat(services: Services, participant: Participant, *, name: str, position: str) -> Seat:
    provider = services.providers.get(participant.provider)
    if provider is None:
        known = ", ".join(services.providers)
        message = (
            f"field 'participants': no provider {participant.provider!r}; configured: {known}; "
            "add others by HELIX_PROVIDERS"
        )
        raise UnknownProvider(message, field="participants", provider=participant.provider)
    return Seat(name, position, participant.provider, participant.model or provider.default_model)
