"""What a person says of a pattern, as evidence: it counts like so many occasions that show it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from helix_lab.domain.learning.confidence import REVIEW_WEIGHT
from helix_lab.domain.learning.entities import pair_things
from helix_lab.domain.learning.extracting import make_intent
from helix_lab.domain.learning.flow import make_flow
from helix_lab.domain.learning.preferences import make_preference
from helix_lab.domain.learning.providers import make_performance, make_strategy
from helix_lab.domain.learning.values import Lesson, Observation, Pattern, Thing

ACTIONS: Final = ("confirm", "mute", "unmute", "correct")
CORRECTABLE: Final = "user_preference"
"""Only of a preference it is clear what is true instead: another value."""


def learn_review(pattern: Mapping[str, Any], action: str, value: str | None) -> Lesson:
    """What the word counts for; muting hides a pattern and is no evidence against it.

    A correction counts for the value that is said to be right. Since all values of a preference
    share one group, that takes as much from the others.
    """
    if action == "confirm":
        shown = restore_pattern(pattern)
    elif action == "correct" and pattern["pattern_type"] == CORRECTABLE and value:
        shown = make_preference(pattern["subject"], value)
    else:
        return Lesson()
    groups = {shown.group: REVIEW_WEIGHT}
    if shown.other_group is not None:
        groups[shown.other_group] = REVIEW_WEIGHT
    return Lesson((Observation(shown, REVIEW_WEIGHT, ()),), groups)


def restore_pattern(pattern: Mapping[str, Any]) -> Pattern:
    """The pattern that a review speaks of, with the same id as where it was learned."""
    return _MAKERS[pattern["pattern_type"]](pattern)


def _restore_pair(pattern: Mapping[str, Any]) -> Pattern:
    one, other = (
        Thing(
            pattern[side],
            pattern.get(f"{side}_name") or pattern[side],
            pattern.get(f"{side}_type") or "other",
            1,
        )
        for side in ("subject", "object")
    )
    return pair_things(one, other)


_MAKERS: Mapping[str, Callable[[Mapping[str, Any]], Pattern]] = {
    "user_intent": lambda pattern: make_intent(pattern["subject"]),
    "user_preference": lambda pattern: make_preference(pattern["subject"], pattern["object"]),
    "entity_cooccurrence": _restore_pair,
    "debate_strategy": lambda pattern: make_strategy(pattern["subject"], pattern["object"]),
    "conversation_flow": lambda pattern: make_flow(pattern["subject"], pattern["object"]),
    "provider_performance": lambda pattern: make_performance(pattern["subject"]),
}
