"""Numbers, dates and amounts are kept whole or dropped whole, wherever they stand."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helix_lab.domain.context.compression import analyse, compress
from helix_lab.domain.context.history import Message
from helix_lab.domain.context.recall import recall
from helix_lab.domain.model.errors import BudgetTooSmall

TIME = datetime(2026, 1, 2, tzinfo=UTC)
CHATTER = "Well, thanks a lot for telling me that, I really enjoyed hearing about it, you know."


def read(said: str) -> list[Message]:
    texts = [said, CHATTER, CHATTER]
    return [
        Message(f"m{n}", TIME, {"role": "user", "content": text}) for n, text in enumerate(texts)
    ]


def shortened(said: str) -> list[str]:
    """What digests of ever smaller budgets say of a message, as words without punctuation."""
    analysis = analyse(read(said))
    found = []
    for budget in range(analysis.original_tokens - 1, 5, -2):
        try:
            made = compress(analysis, budget_tokens=budget, strategy="full")
        except BudgetTooSmall:
            continue
        found += [bare(line.text) for line in made.summary if line.message_ids == ("m0",)]
    assert found
    return found


def bare(text: str) -> str:
    bared = re.sub(r"[.,;:!?()]+(?=\s|$)|(?<=\s)\(", "", f" {text} ")
    return f" {' '.join(bared.split())} "


@pytest.mark.parametrize(
    ("said", "whole"),
    [
        ("We move to Berlin on April 1.", "April 1"),
        ("We move to Berlin on april 1 with the cat", "april 1"),
        ("We move on may 3, if the flat is ready", "may 3"),
        ("The date of the wedding is Sept. 5.", "Sept 5"),
        ("On 1. April we move to Berlin.", "1 April"),
        ("We move to Berlin on the 3rd of May", "3rd of May"),
        ("The release is version 2.", "2"),
        ("They met in 1999.", "1999"),
        ("Take flight No. 5 to Rome.", "No 5"),
        ("Open step 3. Check the valve of pump seven.", "3"),
        ("The pump is described on the last page (page 7)", "7"),
        ("Call the doctor at 3 p.m. tomorrow", "3 p.m"),
        ("The train to Rome leaves at 7 am, the boat later", "7 am"),
        ("The meeting with Rome starts at 5 pm CET in the hall", "5 pm CET"),
        ("The discount on pumps is 20 % until Friday", "20 %"),
        ("The house cost us 3.5 million dollars in Rome", "3.5 million dollars"),
        ("The house cost us two million in Rome", "two million"),
        ("The pump costs EUR 20 in Rome", "EUR 20"),
        ("The pump stops at loads ≥ 20 kg in Rome", "≥ 20 kg"),
        ("My number in Rome is 555 1234 567, call the shop", "555 1234 567"),
        ("Delivery of pumps takes 5 to 7 days in Rome", "5 to 7 days"),
        ("The room of the pump is 3 x 5 m", "3 x 5 m"),
    ],
)
def test_a_number_with_what_belongs_to_it_is_whole_or_absent(said: str, whole: str) -> None:
    digests = shortened(said)

    assert f" {whole} " in digests[0]
    for digest in digests:
        words = digest.split()
        assert f" {whole} " in digest or not set(whole.split()) & set(words), digest


DAYS = st.integers(1, 28)
MONTHS = st.sampled_from(["April", "Sept.", "July", "May", "december"])
MEASURES = st.one_of(
    st.builds("{} {}".format, MONTHS, DAYS),
    st.builds("{} {}".format, DAYS, MONTHS),
    st.builds("{} {}, {}".format, MONTHS, DAYS, st.integers(1900, 2099)),
    st.builds("{} {}".format, st.integers(1, 999), st.sampled_from(["kg", "am", "%", "euros"])),
    st.builds("{} to {} weeks".format, st.integers(1, 99), st.integers(100, 199)),
    st.builds("{}".format, st.integers(0, 10**6)),
)
ENDINGS = st.sampled_from([".", "!", "?", ")", "", ", I think.", ". Then we left.", ".\n\nBye."])
OPENINGS = st.sampled_from(["The pump of hall six stops on", "She said (in Rome):", "It is"])


@settings(max_examples=60, deadline=None)
@given(opening=OPENINGS, measure=MEASURES, ending=ENDINGS)
def test_the_law_of_measures(opening: str, measure: str, ending: str) -> None:
    whole = bare(measure)

    digests = shortened(f"{opening} {measure}{ending}")

    assert whole in digests[0]
    for digest in digests:
        assert whole in digest or not set(whole.split()) & set(digest.split()), digest


def test_the_number_of_a_list_is_no_number_of_a_sentence() -> None:
    said = "1. First the crew drains the pump. 2. Then the valve is closed.\n3. Rome is told."

    analysis = analyse(read(said))
    made = compress(analysis, budget_tokens=24, strategy="full")

    assert not re.search(r"\d", made.summary[0].text)
    assert 1 == analysis.outline.yardstick.totals[3]  # "First"


def test_a_number_alone_is_an_answer() -> None:
    made = compress(analyse(read("42.")), budget_tokens=20, strategy="full")

    assert any("42" in line.text for line in made.summary)


def test_a_table_of_numbers_is_no_single_number() -> None:
    table = " ".join(map(str, range(100, 160)))

    assert 1 < len(set(shortened(f"The pump measured {table}")))


def test_recall_shortens_no_measure_either() -> None:
    said = "The pump in Rome was moved to hall six at 7 am with 20 % more load on the 3rd of May."
    texts = [*[f"The pump {n} works well in hall seven." for n in range(80)], said]
    messages = [
        Message(f"m{n}", TIME, {"role": "user", "content": text}) for n, text in enumerate(texts)
    ]

    found = recall([analyse(messages)], "Which pump works well in hall seven?", max_tokens=1500)

    shown = next(line.text for line in found.lines if "Rome" in line.text)
    assert "well" not in shown.split()
    assert all(part in shown for part in ("7 am", "20 %", "3rd of May"))
