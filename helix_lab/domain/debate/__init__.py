"""Debates: protocols, roles, votes and judging, as pure functions."""

from helix_lab.domain.debate.prompts import DIGEST, KNOWN
from helix_lab.domain.debate.protocols import HISTORY_TOKENS, next_step
from helix_lab.domain.debate.replies import fail_turn, read_reply, read_turn
from helix_lab.domain.debate.seats import default_seats
from helix_lab.domain.debate.values import (
    PROTOCOLS,
    DebatePlan,
    NextTurns,
    Role,
    Seat,
    Turn,
    TurnRequest,
    Verdict,
)

__all__ = [
    "DIGEST",
    "HISTORY_TOKENS",
    "KNOWN",
    "PROTOCOLS",
    "DebatePlan",
    "NextTurns",
    "Role",
    "Seat",
    "Turn",
    "TurnRequest",
    "Verdict",
    "default_seats",
    "fail_turn",
    "next_step",
    "read_reply",
    "read_turn",
]
