"""What else one might want to know about: what is related to what was talked of, and was not.

**Score.** Each thing that was talked of and is related speaks for a recommendation with the
strength of the relation; as witnesses, together they give 1 − ∏(1 − strength).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from helix_lab.ports.graph import GraphStore, Row

MOST_ASKED: Final = 25
"""Of what a conversation mentions, the most mentioned things that speak for others."""

_MOST_RELATIONS = 5000


@dataclass(frozen=True, slots=True)
class Recommendation:
    """An entity, and what speaks for it: ids with strength and relation, the strongest first."""

    entity: Row
    score: float
    reasons: list[tuple[str, float, str]]


def list_mentioned(store: GraphStore, conversation_id: str) -> list[Row]:
    """What a conversation mentions, the most mentioned first: `id`, `name`, `type`, `count`."""
    return store.ask("entities_in", id=conversation_id, max_rows=1000)


def recommend(
    store: GraphStore,
    asked: Sequence[str],
    *,
    known: Collection[str],
    min_strength: float,
    limit: int,
) -> list[Recommendation]:
    """What is related to the asked entities and not known yet, the best first."""
    rows = store.ask("neighbours", ids=list(asked[:MOST_ASKED]), max_rows=_MOST_RELATIONS)
    reasons: dict[str, dict[str, tuple[float, str]]] = defaultdict(dict)
    for row in rows:  # the strongest first
        if row["target"] not in known and row["strength"] >= min_strength:
            reason = (row["strength"], row["relation"])
            reasons[row["target"]].setdefault(row["source"], reason)
    scores = {target: _score(spoken) for target, spoken in reasons.items()}
    best = sorted(scores, key=lambda target: (-scores[target], target))[:limit]
    found = {row["id"]: row for row in store.ask("find_entities", ids=best)}
    return [
        Recommendation(
            found[target],
            round(scores[target], 6),
            [(source, *reason) for source, reason in reasons[target].items()],
        )
        for target in best
    ]


def _score(spoken: Mapping[str, tuple[float, str]]) -> float:
    doubt = 1.0
    for strength, _ in spoken.values():
        doubt *= 1.0 - strength
    return 1.0 - doubt
