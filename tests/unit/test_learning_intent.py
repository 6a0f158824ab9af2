"""Intents: what plain questions want, and real messages against the guide's keyword rules."""

from __future__ import annotations

import pytest

from helix_lab.domain.learning.intent import INTENTS, OUT_OF_SCOPE, find_intent
from tests.data.intents import keyword_intent, measure_macro_f1, read_labelled
from tests.data.loaders import find_data


@pytest.mark.parametrize(
    ("text", "intent"),
    [
        ("How do I mount a volume in Docker?", "help_seeking"),
        ("Can you give me some tips for my first talk?", "help_seeking"),
        ("Write a function that parses dates", "implementation"),
        ("What is the difference between Kafka and Redis?", "comparison"),
        ("It doesn't work, I get a KeyError: 'name'", "debugging"),
        ("Why do I get a KeyError here? It doesn't work", "debugging"),
        ("Should I use PostgreSQL for this?", "decision"),
        ("Explain vector clocks", "explanation"),
        ("Show time is at eight, see you there", OUT_OF_SCOPE),
        ("Thanks, that was great!", OUT_OF_SCOPE),
        ("", OUT_OF_SCOPE),
    ],
)
def test_a_plain_message_has_its_intent(text: str, intent: str) -> None:
    assert intent == find_intent(text)


@pytest.mark.skipif(find_data() is None, reason="needs the data sets: HELIX_TEST_DATA")
def test_real_messages_are_read_better_than_by_parts_of_words() -> None:
    data = find_data()
    assert data is not None
    labelled = read_labelled(data)
    expected = [intent for _, intent in labelled]
    found = [find_intent(text, has_code="```" in text) for text, _ in labelled]
    baseline = [keyword_intent(text) for text, _ in labelled]

    assert 300 == len(labelled)
    assert set(found) <= set(INTENTS)
    assert measure_macro_f1(expected, found) >= measure_macro_f1(expected, baseline) + 0.15
