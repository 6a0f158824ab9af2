"""Who sits where when the user names no seats."""

from __future__ import annotations

from itertools import cycle
from typing import TYPE_CHECKING

from helix_lab.domain.debate.values import PROTOCOLS, Seat
from helix_lab.domain.model.errors import InvalidRequest

if TYPE_CHECKING:
    from collections.abc import Sequence

_POSITIONS = {
    "majority": ("researcher", "critic", "synthesizer"),
    "moderated": ("PRO", "CON"),
}
_MODERATOR = "moderator"


def default_seats(
    providers: Sequence[tuple[str, str]], protocol: str
) -> tuple[tuple[Seat, ...], Seat | None]:
    """Seats and judge for a protocol; seats are named by their position.

    Args:
        providers: (provider, model) pairs; they take the positions in order, again from the
            first where there are fewer than positions. The judge of `moderated` comes last.
        protocol: `majority` or `moderated`.

    Raises:
        InvalidRequest: no provider, or an unknown protocol.
    """
    if protocol not in PROTOCOLS:
        message = f"unknown protocol {protocol!r}; choose one of {', '.join(PROTOCOLS)}"
        raise InvalidRequest(message, field="protocol")
    if not providers:
        message = "no provider to debate; configure one, or use 'offline'"
        raise InvalidRequest(message, field="providers")
    taken = cycle(providers)
    seats = tuple(_seat(position, next(taken)) for position in _POSITIONS[protocol])
    return seats, _seat(_MODERATOR, next(taken)) if protocol == "moderated" else None


def _seat(position: str, provider: tuple[str, str]) -> Seat:
    name, model = provider
    return Seat(position, position, name, model)
