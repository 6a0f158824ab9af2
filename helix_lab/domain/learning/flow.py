"""How a conversation goes: its pace, its length, and questions that are asked again."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from statistics import median
from typing import Final

from helix_lab.domain.learning.values import Group, Lesson, Observation, Part, Pattern

_FEWEST: Final = 3
_RAPID_S: Final = 5.0
_NORMAL_S: Final = 30.0
_UNTIMED_S: Final = 0.1
"""A shorter pause is not of people: the messages came without times, all at once."""

_RE_ASKS: Final = 2
_ALIKE: Final = 0.6
_LOOKED_BACK: Final = 6
_RANGES: Final = ((5, "1-5"), (10, "6-10"), (20, "11-20"))
RE_ASKING: Final = "re-asking"
_SPOKEN: Final = ("user", "assistant")


def learn_flow(parts: Sequence[Part], outcome: str | None) -> Lesson:
    """The pace of at least three messages, and whether the user asked again and again."""
    said = [part for part in parts if part.noticed.role in _SPOKEN]
    if len(said) < _FEWEST:
        return Lesson()
    rating = None if outcome is None else float(outcome == "successful")
    length = name_range(len(said))
    observations = []
    pause_s = measure_pause_s(said)
    if pause_s is not None:
        name = name_pace(pause_s)
        everything = tuple(part.part_id for part in said)
        pattern = make_flow(name, length)
        observations.append(
            Observation(pattern, 1, everything, rating=rating, time_ms=pause_s * 1000)
        )
    asked_again = find_re_asks(said)
    if len(asked_again) >= _RE_ASKS:
        pattern = make_flow(RE_ASKING, length)
        observations.append(Observation(pattern, 1, asked_again, rating=rating))
    return Lesson(tuple(observations), {_GROUP: 1})


def measure_pause_s(parts: Sequence[Part]) -> float | None:
    """The median pause between messages; None: their times do not tell.

    The median, so that a night in between changes nothing; a clock that went back is no pause.
    """
    times = [part.said_at for part in parts]
    pauses = [(later - earlier).total_seconds() for earlier, later in pairwise(times)]
    forward = [pause for pause in pauses if pause >= 0]
    if len(forward) < _FEWEST - 1:
        return None
    middle = median(forward)
    return middle if middle >= _UNTIMED_S else None


def name_pace(pause_s: float) -> str:
    """The guide's name of a pace."""
    if pause_s < _RAPID_S:
        return "rapid"
    return "normal" if pause_s < _NORMAL_S else "thoughtful"


def name_range(messages: int) -> str:
    """The guide's range of a number of messages."""
    return next((name for most, name in _RANGES if messages <= most), "21+")


def find_re_asks(parts: Sequence[Part]) -> tuple[str, ...]:
    """Messages of the user that say nearly the same as one of the few before."""
    asked = [part for part in parts if part.noticed.role == "user" and part.noticed.words]
    found = []
    for place, part in enumerate(asked):
        words = frozenset(part.noticed.words)
        before = asked[max(0, place - _LOOKED_BACK) : place]
        if any(_is_alike(words, frozenset(other.noticed.words)) for other in before):
            found.append(part.part_id)
    return tuple(found)


def _is_alike(one: frozenset[int], other: frozenset[int]) -> bool:
    return len(one & other) >= _ALIKE * len(one | other)


_GROUP = Group("flow", "conversations", "conversations")


def make_flow(flow: str, length: str) -> Pattern:
    """The pattern of how conversations of a length go."""
    text = (
        f"Questions are asked again in conversations of {length} messages"
        if flow == RE_ASKING
        else f"{flow.capitalize()} pace in conversations of {length} messages"
    )
    return Pattern("conversation_flow", flow, length, _GROUP, text)
