"""Which sentences propose a fact, and which do not."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helix_lab.domain.memory.proposals import LONGEST_SENTENCE, identify, propose
from tests.data.loaders import find_data, write_beam_jsonl, write_locomo_jsonl

PROPOSED = (
    ("preference", "I prefer tabs over spaces"),
    ("preference", "I really like short answers with an example"),
    ("preference", "I can't stand olives"),
    ("preference", "I don't eat pork"),
    ("preference", "My favourite editor is Helix"),
    ("fact", "My name is Ada Lovelace"),
    ("fact", "Please call me Ada"),
    ("fact", "I live in Zurich with two cats"),
    ("fact", "I'm from Norway"),
    ("fact", "I work at a hospital in Bern"),
    ("fact", "I’m a backend engineer"),
    ("fact", "I am a 44-year-old teacher"),
    ("fact", "I'm vegetarian"),
    ("fact", "I'm allergic to peanuts"),
    ("fact", "I have two kids"),
    ("fact", "My daughter's name is Mia"),
    ("fact", "My time zone is CET"),
    ("fact", "I usually use PostgreSQL for such things"),
    ("instruction", "Always answer in German"),
    ("instruction", "From now on, use metric units"),
)
NOT_PROPOSED = (
    "I love that!",
    "I like your idea of a second cache",
    "I love the colours in your picture",
    "I'd like to know how Kafka works",
    "Do I prefer tabs?",
    "Would you say I live in a bubble?",
    "I'm a bit tired today",
    "I'm a little confused by this error",
    "I think I prefer tabs to be wider than that",
    "If I live in Zurich, which tax applies?",
    "She said she lives in Oslo",
    'The letter says "I live in Paris" at the top',
    "`I prefer tabs` is the commit message",
    "> I work at a bank",
    "I have a question",
    "I have two errors in my log",
    "I work",
    "I loved that film",
    "My code is broken",
    "Never give up",
    "Always a pleasure",
    "I use",
    "It is always raining",
)


@pytest.mark.parametrize(("category", "sentence"), PROPOSED)
def test_a_plain_sentence_of_oneself_is_proposed(category: str, sentence: str) -> None:
    (found,) = propose(f"Hi there! Well, {sentence}. Can you help me?")

    assert (category, sentence) == (found.category, found.content)


@pytest.mark.parametrize("sentence", NOT_PROPOSED)
def test_what_is_asked_quoted_passing_or_of_others_is_not(sentence: str) -> None:
    assert [] == propose(sentence)


def test_several_facts_of_a_message_come_in_order_each_once() -> None:
    text = "I live in Oslo. i know, so far north. I prefer tea! And I prefer tea.\nI live in Oslo"

    assert ["I live in Oslo", "I prefer tea"] == [found.content for found in propose(text)]


def test_an_answer_below_a_quoted_line_is_read() -> None:
    text = "> I live in Bern\n  > I drive a bus\nNo. I live in Oslo."

    assert ["I live in Oslo"] == [found.content for found in propose(text)]


def test_what_is_pasted_at_length_is_not_read() -> None:
    assert [] == propose("I live in Oslo. " * 400)


def test_the_same_words_are_the_same_proposal_of_one_user_alone() -> None:
    first = identify("u", "I prefer  tabs, always")

    assert first == identify("u", "i prefer TABS always!")
    assert first != identify("v", "I prefer tabs, always")
    assert first != identify(None, "I prefer tabs, always")


@settings(max_examples=60)
@given(st.text(alphabet="I mylike.'!?\n\"`>é", max_size=200))
def test_any_text_is_read(text: str) -> None:
    for found in propose(text):
        assert found.content in text
        assert 0 < len(found.content) <= LONGEST_SENTENCE


@pytest.mark.skipif(find_data() is None, reason="needs the data sets: HELIX_TEST_DATA")
def test_real_talk_proposes_little_and_only_what_was_said(tmp_path: Path) -> None:
    data = find_data()
    assert data is not None
    path = tmp_path / "messages.jsonl"
    counts: dict[str, tuple[int, int]] = {}
    for name, write in (("locomo", write_locomo_jsonl), ("beam", write_beam_jsonl)):
        write(data, path)
        said = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        texts = [one["content"] for one in said if one["role"] == "user"]
        found = [(text, one) for text in texts for one in propose(text)]
        assert all(one.content in text and "?" not in one.content for text, one in found)
        counts[name] = (len(texts), len(found))

    assert all(0 < found < texts / 40 for texts, found in counts.values()), counts
