"""What a simulated node keeps, what nodes tell each other, and the mistakes they can make."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum, auto

from helix_lab.domain.memory.record import Vector
from helix_lab.domain.memory.replica import Commit, Replica


class Fault(Enum):
    """A mistake that an implementation could make; the simulator must notice each."""

    NONE = auto()
    REUSED_DOT = auto()
    """Writing after a restart before the own updates came back from the log."""
    EARLY_ACKNOWLEDGEMENT = auto()
    """Acknowledging while own updates still wait to be sent."""
    FORGOTTEN_PROMISE = auto()
    """Writing after a restart below what was acknowledged before."""
    CUT_FROM_ELSEWHERE = auto()
    """Taking what the nodes have now for what they said in the log."""
    PARTIAL_REVIVAL = auto()
    """Creating a deleted memory again without replacing what it was."""
    REJOINED_AT_ZERO = auto()
    """Sending unsent updates again as one who has seen what is stable."""
    REJOINED_WITHOUT_FLOOR = auto()
    """Sending unsent updates again with their old clocks."""
    NO_FENCE = auto()
    """Taking updates in of a node that was removed."""


@dataclass(frozen=True, slots=True)
class Joined:
    """A node joins."""

    node: str


@dataclass(frozen=True, slots=True)
class Removed:
    """A node is removed."""

    node: str


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """A node says what it has taken in."""

    node: str
    vector: Vector


LogItem = Commit | Joined | Removed | Acknowledged


@dataclass(slots=True)
class Node:
    """A replica with what its disk keeps.

    Attributes:
        position: how much of the log is taken in.
        outbox: commits that are on the disk and not yet in the log.
        saved: an older state and position, from which a restart begins.
    """

    replica: Replica
    skew_ms: int
    position: int = 0
    outbox: list[Commit] = field(default_factory=list)
    saved: tuple[Replica, int] | None = None
    is_cut_off: bool = False
    is_gone: bool = False
