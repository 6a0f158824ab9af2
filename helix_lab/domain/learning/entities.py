"""Which things are talked of together, in one conversation."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import combinations
from typing import Final

from helix_lab.domain.learning.values import Group, Lesson, Observation, Part, Pattern, Thing

MOST_PAIRED: Final = 10
"""Things of one conversation that are paired: those that most of its messages name. So a
conversation adds 45 pairs at most, however long it is."""

_UNPAIRED: Final = frozenset({"date"})
_MOST_SHOWN: Final = 20
"""Messages that are listed for a pair."""


def learn_cooccurrences(parts: Sequence[Part]) -> Lesson:
    """A pair counts once a conversation, whichever was named first."""
    naming: dict[str, list[str]] = {}
    things: dict[str, Thing] = {}
    messages: Counter[str] = Counter()
    for part in parts:
        for thing in part.noticed.things:
            if thing.type not in _UNPAIRED:
                things.setdefault(thing.entity_id, thing)
                naming.setdefault(thing.entity_id, []).append(part.part_id)
                messages[thing.entity_id] += 1
    # By id where messages are equal: the order of the log must not matter.
    chosen = sorted(messages, key=lambda entity_id: (-messages[entity_id], entity_id))
    chosen = sorted(chosen[:MOST_PAIRED])
    observations = tuple(
        Observation(pair_things(things[one], things[other]), 1, _show(naming[one], naming[other]))
        for one, other in combinations(chosen, 2)
    )
    return Lesson(observations, {group_thing(things[entity_id]): 1 for entity_id in chosen})


def pair_things(one: Thing, other: Thing) -> Pattern:
    """The pattern of two things, the same in either order."""
    first, second = sorted((one, other), key=lambda thing: thing.entity_id)
    return Pattern(
        "entity_cooccurrence",
        first.entity_id,
        second.entity_id,
        group_thing(first),
        " and ".join(sorted((first.name, second.name))) + " often discussed together",
        subject_name=first.name,
        subject_type=first.type,
        object_name=second.name,
        object_type=second.type,
        other_group=group_thing(second),
    )


def group_thing(thing: Thing) -> Group:
    """Conversations in which a thing is among the most named ones."""
    return Group("entity", thing.entity_id, thing.name)


def _show(one: Sequence[str], other: Sequence[str]) -> tuple[str, ...]:
    """Messages that name both; where there are none, the first that name each."""
    both = [part_id for part_id in one if part_id in set(other)]
    return tuple(both[:_MOST_SHOWN] or (one[0], other[0]))
