from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.importers.reading import (
    DEBATES,
    drafts_of,
    load_lines,
    messages_of,
    read,
    read_good,
    write_lines,
)


@pytest.fixture
def debate() -> dict[str, Any]:
    """The sample's judged debate."""
    found: dict[str, Any] = load_lines(DEBATES)[0]
    return found


def complete(tmp_path: Path, value: dict[str, Any]) -> dict[str, Any]:
    """The data of the event that ends a debate."""
    items = read_good(write_lines(tmp_path / "d.jsonl", [value]))
    return dict(drafts_of(items, "debate.completed")[0].data)


def test_a_debate_is_one_item_with_all_its_events() -> None:
    item = read_good(DEBATES)[0]

    kinds = [draft.type.name.removeprefix("helixagent.") for draft in item.drafts]
    expected = ["conversation.started", "message.added", "debate.started"]
    expected += ["turn.answered"] * 5 + ["message.added", "debate.completed"]
    assert kinds == expected
    assert item.name == "line 1 'tabs-1'"


def test_the_topic_is_asked_and_the_verdict_is_answered() -> None:
    topic, verdict = messages_of(read_good(DEBATES)[:1])

    assert (topic["role"], topic["message_id"]) == ("user", "tabs-1/topic")
    assert (verdict["role"], verdict["message_id"]) == ("assistant", "tabs-1/verdict")
    assert verdict["model"] == "gemini-x"


def test_seats_are_lettered_where_they_have_no_name() -> None:
    (started, named, _) = drafts_of(read_good(DEBATES), "debate.started")

    assert [(s["seat"], s["position"]) for s in started.data["seats"]] == [
        ("A", "PRO"),
        ("B", "CON"),
    ]
    assert [seat["seat"] for seat in named.data["seats"]] == ["one", "two"]


def test_turns_name_their_seat_by_seat_or_by_position() -> None:
    turns = [draft.data for draft in drafts_of(read_good(DEBATES)[:1], "turn.answered")]

    seats = [(turn["round"], turn["role"], turn["seat"], turn["model"]) for turn in turns]
    assert seats == [
        (1, "answer", "A", "claude-x"),
        (1, "answer", "B", "gpt-x"),
        (2, "answer", "A", "claude-x"),
        (2, "answer", "B", "gpt-x"),
        (2, "judge", "judge", "gemini-x"),
    ]
    assert turns[4]["choice"] == "B"


def test_tokens_that_are_not_stated_are_counted_and_marked() -> None:
    stated, counted, *_ = [d.data for d in drafts_of(read_good(DEBATES)[:1], "turn.answered")]

    assert (stated["output_tokens"], stated.get("metadata")) == (9, None)
    assert counted["output_tokens"] > 0
    assert counted["metadata"] == {"tokens_counted_by": "helix"}
    assert "input_tokens" not in counted


def test_the_winner_is_a_seat_and_the_judgments_are_votes(
    tmp_path: Path, debate: dict[str, Any]
) -> None:
    completed = complete(tmp_path, debate)

    assert completed["outcome"] == "decided"
    assert completed["winner"]["seat"] == "B"
    assert completed["votes"] == {"A": 1, "B": 2}
    assert [j["winner_seat"] for j in completed["judgments"]] == ["B", "B", "A"]
    assert completed["duration_ms"] == 120_000
    assert completed["total_rounds"] == 2


def test_a_winner_of_null_is_a_tie(tmp_path: Path, debate: dict[str, Any]) -> None:
    completed = complete(tmp_path, {**debate, "winner": None})

    assert (completed["outcome"], completed["winner"]) == ("tie", None)


def test_a_debate_that_was_not_judged_is_no_tie(tmp_path: Path, debate: dict[str, Any]) -> None:
    for field in ("winner", "judgments", "verdict", "confidence"):
        del debate[field]

    completed = complete(tmp_path, debate)

    assert completed["outcome"] == "cancelled"
    assert completed["winner"] is None
    assert completed["metadata"] == {"judged": False}
    assert completed["reason"] == "it was not judged"


def test_two_debates_of_one_conversation_begin_it_alike() -> None:
    _, second, third = drafts_of(read_good(DEBATES), "conversation.started")

    assert (second.event_id, second.data) == (third.event_id, third.data)


def test_a_debate_that_comes_twice_is_refused(tmp_path: Path, debate: dict[str, Any]) -> None:
    items, refusals = read(write_lines(tmp_path / "d", [debate, debate]))

    assert len(items) == 1
    assert "used before, by item 1" in refusals[0].reason


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"topic": None}, "`$.topic`"),
        ({"debate_id": ""}, "debate_id is missing"),
        ({"winer": "PRO"}, "winer"),
        ({"winner": "C"}, "winner: no seat and no position is called 'C'; there are A, B, CON"),
        ({"confidence": 2}, "`$.confidence`"),
        ({"participants": []}, "`$.participants`"),
        ({"turns": [{"round": 0, "seat": "A", "text": "x"}]}, "`$.turns[0].round`"),
        ({"turns": [{"round": 1, "seat": "Z", "text": "x"}]}, "round 1: no seat"),
        ({"turns": [{"round": 1, "seat": "A", "text": "\0"}]}, "NUL"),
        ({"turns": [{"round": 1, "seat": "A", "text": t} for t in "xy"]}, "used twice"),
        ({"started_at": "noon"}, "started_at 'noon' is no time"),
        ({"outcome": "won"}, "`$.outcome`"),
        ({"rounds": 1000}, "rounds"),
        (
            {"judge": {"seat": "A", "provider": "google", "model": "gemini-x"}},
            "seats are named alike",
        ),
    ],
)
def test_a_bad_debate_is_refused_alone_with_its_reason(
    tmp_path: Path, debate: dict[str, Any], change: dict[str, Any], reason: str
) -> None:
    other = load_lines(DEBATES)[1]

    items, refusals = read(write_lines(tmp_path / "d", [{**debate, **change}, other]))

    assert len(items) == 1
    assert len(refusals) == 1
    assert reason in refusals[0].reason


def test_a_position_that_two_seats_have_names_neither(
    tmp_path: Path, debate: dict[str, Any]
) -> None:
    stated = load_lines(DEBATES)[1]
    turns = [{"round": 1, "position": "answerer", "text": "x"}]

    _, refusals = read(write_lines(tmp_path / "d", [{**stated, "turns": turns}]))

    assert "no seat and no position is called 'answerer'" in refusals[0].reason
