"""Reading a choice and a confidence out of replies."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helix_lab.domain.debate import NextTurns, Turn, next_step, read_reply, read_turn
from helix_lab.domain.debate.replies import Reading, body_of, explanation_of, normalise
from tests.unit.debate.debates import make_plan

OPTIONS = ("A", "B", "TIE")


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("VOTE: B", "B"),
        ("vote: b", "B"),
        ("VOTE = B", "B"),
        ("**VOTE:** B", "B"),
        ("**VOTE: B**", "B"),
        ("VOTE: **B**", "B"),
        ("- VOTE: [B]", "B"),
        ("VOTE: (B)", "B"),
        ('VOTE: "B"', "B"),
        ("VOTE: Answer B", "B"),
        ("My vote: B, it is clear.", "B"),
        ("VOTE: B - it has sources", "B"),
        ("VOTE: B because it has sources", "B"),
        ("DECISION: TIE", "TIE"),
        ("Winner: side A.", "A"),
        ("B", "B"),
        ("**B.**", "B"),
        ("VOTE: A\nNo, wait.\nVOTE: B", "B"),
        ("VOTE: B, CONFIDENCE: 0.8", "B"),
        ('{"choice": "B"}', "B"),
        ('{"vote": "Answer b"}', "B"),
        ('Here:\n```json\n{"Choice": "B", "reason": "so"}\n```\nDone.', "B"),
        ('{"analysis": {"choice": "A"}, "choice": "B"}', "B"),
        ('{not json} {"choice": "B"}', "B"),
    ],
)
def test_a_choice_is_found_in_many_forms(text: str, label: str) -> None:
    assert label == read_reply(text, OPTIONS).label


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Both are good.",
        "VOTE: C",
        "VOTE: AB",
        "VOTE: A good answer would be B",
        "VOTE: neither",
        "I vote as follows",
        "VOTE:",
        "A or B",
        '{"choice": 1}',
        '{"choice": "C"}',
        '{"choice": null, "confidence": 0.5}',
        '{"choice": ["B"]}',
        "The devote: B",
    ],
)
def test_what_is_no_choice_is_none(text: str) -> None:
    assert read_reply(text, OPTIONS).label is None


@pytest.mark.parametrize(
    ("text", "confidence"),
    [
        ("CONFIDENCE: 0.8", 0.8),
        ("Confidence: .8", 0.8),
        ("confidence = 1", 1.0),
        ("CONFIDENCE: 0", 0.0),
        ("CONFIDENCE: 0.8.", 0.8),
        ("**CONFIDENCE:** 0.8", 0.8),
        ("**CONFIDENCE: 0.8**", 0.8),
        ("CONFIDENCE: 80%", 0.8),
        ("CONFIDENCE: 80 percent", 0.8),
        ("CONFIDENCE: 8/10", 0.8),
        ("CONFIDENCE: 0.8 (fairly sure)", 0.8),
        ("CONFIDENCE: 0.8 because of the sources", 0.8),
        ("CONFIDENCE: 0.8, VOTE: B", 0.8),
        ("CONFIDENCE: 0.2\n…\nCONFIDENCE: 0.8", 0.8),
        ('{"choice": "B", "confidence": 0.8}', 0.8),
        ('{"choice": "B", "confidence": "80%"}', 0.8),
        ('{"confidence": 1}', 1.0),
        ('{"choice": "B"}\nCONFIDENCE: 0.8', 0.8),
    ],
)
def test_a_confidence_is_found_in_many_forms(text: str, confidence: float) -> None:
    assert read_reply(text, OPTIONS).confidence == pytest.approx(confidence)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "I am confident.",
        "CONFIDENCE: high",
        "CONFIDENCE: 80",
        "CONFIDENCE: 1.2",
        "CONFIDENCE: -0.5",
        "CONFIDENCE: 120%",
        "CONFIDENCE: 11/10",
        "CONFIDENCE: 1/0",
        "CONFIDENCE: 1 out of 10",
        "CONFIDENCE: 0,8",
        "CONFIDENCE: 0.6-0.9",
        "CONFIDENCE: 0.6 to 0.9",
        "CONFIDENCE: 1e-3",
        "CONFIDENCE: 0.2\nCONFIDENCE: 7",
        '{"choice": "B", "confidence": 80}',
        '{"choice": "B", "confidence": true}',
        '{"choice": "B", "confidence": "high"}',
        '{"choice": "B", "confidence": NaN}',
        '{"choice": "B", "confidence": Infinity}',
        '{"choice": "B", "confidence": [0.8]}',
    ],
)
def test_a_confidence_that_is_out_of_range_or_ambiguous_is_none(text: str) -> None:
    assert read_reply(text, OPTIONS).confidence is None


def test_json_that_an_answer_quotes_does_not_speak_for_it() -> None:
    text = 'Reply with {"choice": "B", "confidence": 0.1}.\nCONFIDENCE: 0.8'

    assert read_reply(text) == Reading(confidence=0.8)


def test_the_reason_of_a_json_object_is_kept() -> None:
    reading = read_reply('{"choice": "B", "confidence": 0.8, "reason": "It cites."}', OPTIONS)

    assert reading.reason == "It cites."


def test_the_reason_of_a_json_object_can_be_written() -> None:
    reading = read_reply('{"choice": "B", "reason": "\\ud83d so"}', OPTIONS)

    assert reading.reason == "? so"


def test_a_turn_has_the_seat_that_was_chosen_and_the_text_unaltered() -> None:
    answers = [Turn(1, "answer", f"seat{n}", f"Text {n}.") for n in (1, 2, 3)]
    step = next_step(make_plan(), answers)
    assert isinstance(step, NextTurns)
    request = step.requests[0]

    turn = read_turn(request, " VOTE: A\n")

    assert Turn(1, "vote", request.seat.seat, " VOTE: A\n", request.labels["A"]) == turn


@pytest.mark.parametrize("words", ["VOTE: TIE", "VOTE: Z", "seat1", "VOTE: seat1"])
def test_a_turn_without_a_label_of_the_request_has_no_choice(words: str) -> None:
    answers = [Turn(1, "answer", f"seat{n}", f"Text {n}.") for n in (1, 2, 3)]
    step = next_step(make_plan(), answers)
    assert isinstance(step, NextTurns)

    assert read_turn(step.requests[0], words).choice is None


def test_the_lines_of_the_protocol_are_not_a_replys_own_words() -> None:
    assert body_of("CONFIDENCE: 0.8\nYes.\n**Confidence: 80%**\n") == "Yes."
    assert body_of("Confidence: a matter of taste") == "Confidence: a matter of taste"
    assert explanation_of("VOTE: B\nCONFIDENCE: 0.8\nIt cites.") == "It cites."


def test_answers_that_differ_in_form_only_are_equal() -> None:
    assert normalise("  Tea IS good.\nCONFIDENCE: 0.3") == normalise("*tea is\n good*")
    assert normalise("Tea is good") != normalise("Tea is not good")


@pytest.mark.parametrize(
    "piece",
    [
        "{",
        '{"a":',
        "VOTE:",
        "CONFIDENCE: ",
        "confidence*",
        "*",
        "9",
        " ",
        "\n",
        "-",
        "vote ",
        "\n-",
    ],
)
def test_hostile_replies_of_the_greatest_size_are_read_in_bounded_time(piece: str) -> None:
    text = "CONFIDENCE: " + piece * (8_000_000 // len(piece)) + "\nVOTE: B"
    started_s = time.process_time()

    reading = read_reply(text, OPTIONS)
    normalise(text)

    assert time.process_time() - started_s < 20
    assert reading.label == "B"


@given(st.text(), st.lists(st.sampled_from(["A", "B", "C", "TIE"]), unique=True))
def test_any_text_gives_an_option_or_none_and_a_probability_or_none(
    text: str, options: list[str]
) -> None:
    reading = read_reply(text, options)

    assert reading.label is None or reading.label in options
    assert reading.confidence is None or 0 <= reading.confidence <= 1
