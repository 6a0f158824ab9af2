"""Who sits where when the user names no seats."""

from __future__ import annotations

from itertools import cycle
from typing import TYPE_CHECKING

from helix_lab.domain.debate.values import MAX_SEATS, PROTOCOLS, Seat
from helix_lab.domain.model.errors import InvalidRequest

if TYPE_CHECKING:
    from collections.abc import Sequence

_MAJORITY = ("researcher", "critic", "synthesizer")
_SIDES = ("PRO", "CON")
_MODERATOR = "moderator"


def default_seats(
    providers: Sequence[tuple[str, str]], protocol: str
) -> tuple[tuple[Seat, ...], Seat | None]:
    """Seats and judge for a protocol; seats are named by their position.

    Args:
        providers: (provider, model) pairs; they take the positions in order, again from the
            first where there are fewer than positions. Where `majority` has more of them than
            positions, the positions begin again (`researcher-2`), so that all take part; the
            judge of `moderated` comes after its two sides.
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
    if protocol == "moderated":
        sides = tuple(_seat(side, side, next(taken)) for side in _SIDES)
        return sides, _seat(_MODERATOR, _MODERATOR, next(taken))
    count = min(MAX_SEATS, max(len(_MAJORITY), len(providers)))
    return tuple(_seat(*_place(number), next(taken)) for number in range(count)), None


def _place(number: int) -> tuple[str, str]:
    """Name and position of the seat with this number, from 0."""
    turn, place = divmod(number, len(_MAJORITY))
    position = _MAJORITY[place]
    return f"{position}-{turn + 1}" if turn else position, position


def _seat(name: str, position: str, provider: tuple[str, str]) -> Seat:
    return Seat(name, position, *provider)
