"""Weights: every constant that decides what a digest keeps first, in one place.

Where they come from is told in docs/decisions/0011-compression.md. They are rounded, few,
and hold no text.
"""

from __future__ import annotations

from typing import Final

# Value of a word: logistic of the sum.
BASE: Final = -4.4
CONTENT: Final = 1.5
NUMBER: Final = 0.4
TIME: Final = 0.6
ENTITY: Final = 0.5
CAPITAL: Final = 0.75
SPEAKER: Final = -0.6
FILLER: Final = -1.6
QUESTION: Final = -0.4
FIRST_PERSON: Final = 1.1
SECOND_PERSON: Final = -0.5
STATES: Final = 0.4
"""The sentence has a number, a time or an entity."""
STRONG_WORDS: Final = 0.12
"""Per strong word of the sentence, up to ten."""
LENGTH: Final = 0.19
"""Times the logarithm of the words of the message."""
DECISION: Final = 0.8
REPEATED_IN_SENTENCE: Final = 0.25
REPEATED_IN_MESSAGE: Final = 0.4
FORCED: Final = 0.55
"""Least value of a number, a time or an entity in a sentence with two strong words."""
NEGATION_GAIN: Final = 0.5
"""What a negation adds to the word that it negates."""
LONE_NEGATION: Final = 0.12
ENTITY_SENTENCE: Final = 1.8
OTHER_SENTENCE: Final = 0.8
BLOCK: Final = 0.25
PICTURE: Final = 0.02
SENTENCE_BASE: Final = 0.3
"""Value per token of a whole sentence of another language."""

# The score.
STATEMENTS_SHARE: Final = 0.55
ENTITIES_SHARE: Final = 0.20
NUMBERS_SHARE: Final = 0.20
NEGATIONS_SHARE: Final = 0.05
