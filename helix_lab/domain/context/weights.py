"""Weights: every constant that decides what a digest keeps first, in one place.

Where they come from is told in docs/decisions/0011-compression.md. They are rounded, few,
and hold no text.
"""

from __future__ import annotations

from typing import Final

# Value of a word: logistic of the sum.
BASE: Final = -3.5
CONTENT: Final = 1.5
NUMBER: Final = 0.2
TIME: Final = 1.2
ENTITY: Final = 0.8
CAPITAL: Final = 1.1
SPEAKER: Final = -2.0
FILLER: Final = -1.0
QUESTION: Final = -0.6
FIRST_PERSON: Final = 1.0
SECOND_PERSON: Final = -0.3
STRONG_WORDS: Final = 0.23
"""Per strong word of the sentence, up to ten."""
DECISION: Final = 1.0
DECISION_FILLER: Final = 1.0
"""What a filler gets back in a sentence that decides: there it may be the verb."""
COST_POWER: Final = 0.5
"""A dearer word is worth this power of its cost more: it says more."""
RECURS: Final = 0.7
"""The word stands more than once in the message; the first time counts."""
ECHOED: Final = 0.9
"""The next message takes the word up."""
ANSWERS: Final = 0.75
"""The message before asked something."""
FILLER_SHARE: Final = -1.2
"""Times the share of fillers among the content of the sentence."""
CAPTION: Final = -0.6
"""The sentence describes a picture."""
ADVERB: Final = -0.75
FIRST_WORD: Final = -0.2
REPEATED_IN_SENTENCE: Final = 0.25
REPEATED_IN_MESSAGE: Final = 0.3
FORCED: Final = 0.45
"""Least value of a number, a time or an entity in a sentence with two strong words."""
NEGATION_GAIN: Final = 0.6
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
