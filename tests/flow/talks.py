"""Conversations to compress, with names, numbers, decisions and small talk."""

from __future__ import annotations

import random
from typing import Any

from tests.flow.labs import say

PLACES = ("Lisbon", "Vienna", "Oslo", "Kyoto", "Quito", "Tallinn", "Nairobi")
_PEOPLE = ("Ada", "Grace", "Linus", "Barbara")
_THINGS = ("the hotel", "the train", "the ferry", "a museum", "the harbour", "dinner")
_LINES = (
    "Hello! How are you doing today? I hope that all is well with you.",
    "I think that {person} wants to see {thing} in {place}, and it costs {number} euros.",
    "We decided to take {thing} in {place} on {day} May 2026.",
    "No, {person} does not like {place}; she never wants to go there again.",
    "Well, you know, that is really very interesting, thank you so much for telling me!",
    "{person} said: the code of {thing} is {place}-{number}, do not lose it.",
)


def talk(count: int, *, seed: int = 7) -> list[dict[str, Any]]:
    """So many messages, the same for each seed."""
    dice = random.Random(seed)
    return [
        say(
            dice.choice(_LINES).format(
                person=dice.choice(_PEOPLE),
                thing=dice.choice(_THINGS),
                place=dice.choice(PLACES),
                number=dice.randrange(10, 9999),
                day=dice.randrange(1, 31),
            ),
            "user" if number % 2 == 0 else "assistant",
        )
        for number in range(count)
    ]
