"""How the exchange stands, as a value, and how often it does what it does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from helix_lab.exchange.peers import Peer

LOOK_S = 0.01
"""Between two looks into a shared log that others write without a word."""

WAKING_LOOK_S = 0.25
"""Between two looks into a shared log that wakes who waits."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How often things are done.

    Attributes:
        look_s: between two looks into the shared log, which other processes write.
        report_s: between two signs of life.
        quiet_s: without news before a node acknowledges what it has.
        acknowledge_s: the longest time until then, however much news comes.
        snapshot_s: between two snapshots of the shared log, whoever writes them; 0: never.
        snapshot_updates: so many updates at least lie between two of them, and as many as there
            are memories: so snapshots never take much more room than the updates.
        skip_from: updates from which on a node that is behind takes a snapshot instead.
    """

    look_s: float = LOOK_S
    report_s: float = 5.0
    quiet_s: float = 2.0
    acknowledge_s: float = 300.0
    snapshot_s: float = 300.0
    snapshot_updates: int = 1000
    skip_from: int = 1000


@dataclass(frozen=True, slots=True)
class WrittenSnapshot:
    """The latest snapshot in the shared log.

    Attributes:
        updates: how many are in it.
    """

    written_at: datetime
    node_id: str
    memories: int
    updates: int


@dataclass(frozen=True, slots=True)
class Standing:
    """How the exchange stands.

    Attributes:
        state: `active`, `unreachable`, `refused`, or `alone` where none is configured.
        problem: why it is not active.
        level_at: when this node last had all that was in the shared log.
        waiting_in: places of the shared log that are not read yet.
        lag_ms: see `Exchange.measure_lag_ms`.
        ahead_ms: by node, how far its clock was ahead.
        snapshot: the latest one; None where there is none.
    """

    state: str
    problem: str = ""
    sent: int = 0
    level_at: datetime | None = None
    waiting_in: int = 0
    lag_ms: int = 0
    peers: Mapping[str, Peer] = field(default_factory=dict)
    ahead_ms: Mapping[str, int] = field(default_factory=dict)
    snapshot: WrittenSnapshot | None = None
