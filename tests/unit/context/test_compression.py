"""Compression keeps its budget, its order and its words, and says where each line came from."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helix_lab.domain.context.compression import (
    STRATEGIES,
    Compressed,
    Strategy,
    analyse,
    compress,
    compress_to_quality,
)
from helix_lab.domain.context.history import Message
from helix_lab.domain.context.tokens import count_tokens
from helix_lab.domain.model.errors import BudgetTooSmall
from tests.unit.context.talks import SAID, TALK, TIME, say


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("ratio", [0.05, 0.2, 0.3, 0.6, 0.95, 1.0])
def test_a_digest_keeps_its_budget_and_cites_its_messages(strategy: Strategy, ratio: float) -> None:
    analysis = analyse(TALK)
    budget = int(ratio * analysis.original_tokens)

    made = compress(analysis, budget_tokens=budget, strategy=strategy)

    assert count_tokens(made.render()) == made.stats.compressed_tokens <= budget
    assert made.stats.compressed_tokens > 0.8 * budget
    check_sources(made, TALK)


def check_sources(made: Compressed, messages: list[Message]) -> None:
    """Every line cites, in order, and says nothing that its messages do not say."""
    said = {message.message_id: message.content for message in messages}
    order = {message.message_id: n for n, message in enumerate(messages)}
    for line in made.summary:
        assert line.message_ids
        source = " ".join(said[one] for one in line.message_ids)
        assert all(word in source for word in line.text.split())
    for heading in {line.heading for line in made.summary}:
        places = [order[x.message_ids[0]] for x in made.summary if x.heading == heading]
        assert sorted(places) == places
    for recent in made.recent_messages:
        assert said[recent.message_id] == recent.text
    for decision in made.key_decisions:
        assert decision.message_ids[0] in order


def test_the_strategies_differ_visibly() -> None:
    analysis = analyse(TALK)

    made = {s: compress(analysis, budget_tokens=700, strategy=s) for s in STRATEGIES}

    assert 4 == len({one.render() for one in made.values()})
    assert len(made["window"].recent_messages) > len(made["hybrid"].recent_messages) > 0
    assert () == made["full"].recent_messages
    assert any(line.heading for line in made["entity"].summary)


def test_all_fits_into_a_budget_of_all() -> None:
    analysis = analyse(TALK)

    made = compress(analysis, budget_tokens=analysis.original_tokens)

    assert [m.content for m in TALK] == [m.text for m in made.recent_messages]
    assert 1.0 == made.stats.quality_score
    assert () == made.summary


def test_numbers_dates_names_and_code_are_never_bent() -> None:
    analysis = analyse(TALK)
    made = compress(analysis, budget_tokens=int(0.6 * analysis.original_tokens), strategy="full")
    text = made.render()

    assert "March 15 2024" in text
    assert "$1,250.50" in text
    assert "7:45 pm" in text
    assert "https://example.org/a?b=1" in text
    assert "`make lab`" in text
    for found in re.findall(r"March(?! 15)|(?<!\$)1,250|`make(?! lab`)", text):
        pytest.fail(f"{found!r} was torn apart")


def test_a_word_that_is_negated_never_stands_alone() -> None:
    analysis = analyse(TALK)

    for ratio in (0.1, 0.2, 0.3, 0.5):
        made = compress(
            analysis, budget_tokens=int(ratio * analysis.original_tokens), strategy="full"
        )
        for line in made.summary:
            assert "MongoDB" not in line.text or "not MongoDB" in line.text
            assert " come" not in line.text or "can't come" in line.text


def test_decisions_and_names_are_in_the_text_that_was_counted() -> None:
    analysis = analyse(TALK)

    made = compress(analysis, budget_tokens=900)

    assert any("decided to use PostgreSQL" in line.text for line in made.key_decisions)
    assert all(line.text in made.render() for line in made.key_decisions)
    assert {"Lisbon", "PostgreSQL"} <= set(made.key_entities)
    assert all(name in made.render() for name in made.key_entities)


def test_code_and_tool_output_are_whole_or_absent() -> None:
    block = "```python\ndef f(x):\n    return x + 1  # [2 Jan 2026] | user\n```"
    texts = [f"Please look at item {n}.\n{block}\nIt fails in module {n}." for n in range(30)]
    tool = say(['{"rows": [1, 2, 3], "ok": true}'] * 3, role="tool")
    messages = [
        *say(texts),
        *(Message(f"t{n}", TIME + timedelta(days=9), m.data) for n, m in enumerate(tool)),
    ]
    analysis = analyse(messages)

    for ratio in (0.2, 0.4, 0.6, 0.8):
        made = compress(analysis, budget_tokens=int(ratio * analysis.original_tokens))
        for line in made.summary:
            assert "return" not in line.text or block in line.text
            assert "rows" not in line.text or '{"rows": [1, 2, 3], "ok": true}' == line.text


@pytest.mark.parametrize(
    "text",
    [
        "我们决定使用 PostgreSQL。会议在三月十五日举行。预算是五万元！",
        "Мы решили взять PostgreSQL. Встреча пройдёт 15 марта в Москве.",
        "החלטנו להשתמש ב-PostgreSQL. הפגישה ב-15 במרץ. The end שלום.",
        "Wir haben uns für PostgreSQL entschieden. Das Treffen findet am 15. März in Berlin statt.",
    ],
)
def test_other_languages_are_taken_by_whole_sentences_and_it_says_so(text: str) -> None:
    messages = say([f"{text} ({n})" for n in range(20)])
    analysis = analyse(messages)

    made = compress(analysis, budget_tokens=analysis.original_tokens // 3, strategy="full")

    assert "whole sentences" in made.stats.notes[0]
    assert made.summary
    for line in made.summary:
        source = next(m.content for m in messages if m.message_id == line.message_ids[0])
        assert all(sentence in source for sentence in line.text.split("\n"))
    assert 0 < made.stats.quality_score < 1


def test_the_gate_takes_the_least_ratio_that_is_good_enough() -> None:
    analysis = analyse(TALK)

    made = compress_to_quality(analysis, ratio=0.1, minimum_quality=0.9, max_ratio=0.9)

    assert made.stats.meets_minimum
    assert made.stats.quality_score >= 0.9
    assert 0.1 == made.stats.requested_ratio < made.stats.compression_ratio
    poorer = compress(
        analysis,
        budget_tokens=int((made.stats.compression_ratio - 0.02) * analysis.original_tokens),
    )
    assert poorer.stats.quality_score < 0.9


def test_the_gate_says_when_the_cap_is_not_enough() -> None:
    made = compress_to_quality(analyse(TALK), ratio=0.05, minimum_quality=0.99, max_ratio=0.1)

    assert not made.stats.meets_minimum
    assert made.stats.compression_ratio <= 0.1


def test_reading_on_gives_the_same_as_reading_all() -> None:
    whole = analyse(TALK)
    part = analyse(TALK[:100])
    before = compress(part, budget_tokens=400)

    continued = analyse(TALK, previous=part)

    for strategy in STRATEGIES:
        expected = compress(whole, budget_tokens=500, strategy=strategy)
        assert expected == compress(continued, budget_tokens=500, strategy=strategy)
    assert before == compress(part, budget_tokens=400)


def test_a_changed_beginning_is_read_anew() -> None:
    changed = [Message("m0", TIME, {"role": "user", "content": "Another start: 99."}), *TALK[1:]]

    made = compress(analyse(changed, previous=analyse(TALK[:50])), budget_tokens=500)

    assert compress(analyse(changed), budget_tokens=500) == made


def test_any_counter_has_the_last_word() -> None:
    def letters(text: str) -> int:
        return len(text)

    analysis = analyse(TALK, letters)
    made = compress(analysis, budget_tokens=3000)

    assert len(made.render()) == made.stats.compressed_tokens <= 3000
    assert "letters" == made.stats.tokenizer


TEXTS = st.lists(
    st.one_of(
        st.text(max_size=80),
        st.sampled_from(SAID),
        st.text("ab c.?!\n|>[]`", max_size=60),
    ),
    max_size=12,
)


@settings(max_examples=60, deadline=None)
@given(texts=TEXTS, budget=st.integers(1, 200), strategy=st.sampled_from(STRATEGIES))
def test_laws_of_a_digest(texts: list[str], budget: int, strategy: Strategy) -> None:
    messages = say(texts)
    analysis = analyse(messages)
    try:
        made = compress(analysis, budget_tokens=budget, strategy=strategy)
    except BudgetTooSmall as error:
        needed = error.details["needed_tokens"]
        assert compress(analysis, budget_tokens=needed, strategy=strategy).render()
        return

    assert count_tokens(made.render()) == made.stats.compressed_tokens <= budget
    assert made == compress(analyse(messages), budget_tokens=budget, strategy=strategy)
    ids = {message.message_id for message in messages}
    assert all(line.message_ids and ids.issuperset(line.message_ids) for line in made.summary)
    assert 0 <= made.stats.quality_score <= 1


_PRINT = """
import hashlib
from tests.unit.context.talks import TALK
from helix_lab.domain.context.compression import STRATEGIES, analyse, compress
from helix_lab.domain.context.recall import recall
analysis = analyse(TALK)
texts = [compress(analysis, budget_tokens=600, strategy=one).render() for one in STRATEGIES]
texts.append(recall([analysis], "When is the flight to Lisbon?", max_tokens=2000).render())
print(hashlib.sha256("".join(texts).encode()).hexdigest())
"""


def test_the_same_bytes_under_three_hash_seeds() -> None:
    printed = {
        subprocess.run(
            [sys.executable, "-c", _PRINT],
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": "."},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("0", "1", "4242")
    }

    assert 1 == len(printed)
