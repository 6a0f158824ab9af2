"""The score sees what a context says and nothing else."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from helix_lab.domain.context import quality
from helix_lab.domain.context.analysis import analyse
from helix_lab.domain.context.compression import Compressed, Line, compress
from helix_lab.domain.context.history import Message

TIME = datetime(2026, 1, 2, tzinfo=UTC)
SAID = [
    "I moved to Porto in May 2021 because my sister lives there.",
    "The parcel for Maria never reached the old warehouse.",
    "Our train to Porto leaves at 9:40 and costs 27 euros.",
]
MESSAGES = [
    Message(f"m{n}", TIME, {"role": "user", "content": text}) for n, text in enumerate(SAID)
]
ANALYSIS = analyse(MESSAGES)


def digest(lines: dict[str, str]) -> Compressed:
    """A context as a model could have written it."""
    whole = compress(ANALYSIS, budget_tokens=ANALYSIS.original_tokens)
    made = tuple(Line(text, (message_id,), "user", TIME) for message_id, text in lines.items())
    return replace(whole, recent_messages=(), summary=made)


def test_everything_said_is_one_and_nothing_said_is_zero() -> None:
    whole = quality.score(ANALYSIS, digest({f"m{n}": text for n, text in enumerate(SAID)}))
    nothing = quality.score(ANALYSIS, digest({}))

    assert 1.0 == pytest.approx(whole.score) == whole.statements == whole.strict
    assert 0.0 == nothing.score == nothing.entities == nothing.numbers == nothing.negations


def test_a_lost_number_a_lost_name_and_a_lost_negation_show_in_their_component() -> None:
    full = {f"m{n}": text for n, text in enumerate(SAID)}

    number = quality.score(ANALYSIS, digest({**full, "m2": "Our train to Porto leaves and costs"}))
    name = quality.score(ANALYSIS, digest({**full, "m2": SAID[2].replace("Porto", "")}))
    negation = quality.score(ANALYSIS, digest({**full, "m1": SAID[1].replace("never", "")}))

    assert number.numbers < 1 == number.negations == number.entities
    assert name.entities < 1 == name.numbers
    assert 0 == negation.negations < negation.numbers
    assert all(0 < one.score < 1 for one in (number, name, negation))


def test_words_of_another_message_do_not_count() -> None:
    swapped = quality.score(ANALYSIS, digest({"m0": SAID[1], "m1": SAID[0]}))

    assert 0 == swapped.negations
    assert swapped.score < 0.2


def test_a_line_that_cites_two_messages_counts_for_both() -> None:
    one = Line("moved Porto May 2021 sister parcel Maria never reached", ("m0", "m1"), "user", TIME)

    made = quality.score(ANALYSIS, replace(digest({}), summary=(one,)))

    assert 1 == made.negations
    assert made.statements > 0.4


def test_saying_a_word_once_does_not_count_for_every_time_it_was_said() -> None:
    messages = [
        Message("a", TIME, {"role": "user", "content": "We saw 7 boats. Later 7 boats left us."})
    ]
    analysis = analyse(messages)
    whole = compress(analysis, budget_tokens=analysis.original_tokens)
    once = replace(whole, recent_messages=(), summary=(Line("7 boats", ("a",), "user", TIME),))

    assert 0.5 == quality.score(analysis, once).numbers


def test_dropped_code_is_not_forgotten_by_the_score() -> None:
    code = "```python\nprint('hello')\n```"
    analysis = analyse(
        [Message(f"m{n}", TIME, {"role": "user", "content": code}) for n in range(9)]
    )

    made = compress(analysis, budget_tokens=analysis.original_tokens // 2)

    assert 0 < made.stats.quality_score < 0.6
