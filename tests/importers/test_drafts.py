from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helix_lab.domain.model.errors import InvalidRequest
from helix_lab.domain.model.event import Draft
from helix_lab.record.drafts import (
    Turn,
    add_message,
    answer_turn,
    complete_conversation,
    complete_debate,
    describe_conversation,
    fail_turn,
    request_turn,
    select_branch,
    start_conversation,
    start_debate,
    to_rfc3339,
)
from helix_lab.record.schemas import check_draft

SEAT = {"seat": "A", "position": "PRO", "provider": "openai", "model": "gpt-x"}
TURN: Turn = {
    "conversation_id": "c",
    "round": 1,
    "role": "answer",
    "seat": "A",
    "position": "PRO",
    "provider": "openai",
    "model": "gpt-x",
}
NOON = datetime(2024, 5, 1, 12, tzinfo=UTC)


def make_all() -> list[Draft]:
    return [
        start_conversation("c", source="rest", user_id="anna", created_at=NOON),
        describe_conversation("c", title="Tea", metadata={"tag": 1}, time=NOON),
        add_message("c", "m", role="user", content="Hello", created_at=NOON, metadata={"k": 1}),
        select_branch("c", "m", at="1"),
        complete_conversation("c", outcome="successful", reason="done"),
        start_debate(
            "d",
            conversation_id="c",
            topic="Tea",
            protocol="majority",
            rounds=2,
            seed=7,
            seats=[SEAT],
            created_at=NOON,
        ),
        request_turn("d", **TURN),
        answer_turn("d", **TURN, text="Yes", output_tokens=1, time=NOON),
        fail_turn("d", **TURN, error_code="PROVIDER_TIMED_OUT", error_message="30 s"),
        complete_debate(
            "d",
            conversation_id="c",
            outcome="decided",
            winner=SEAT,
            confidence=0.5,
            total_rounds=2,
            votes={"A": 2},
        ),
    ]


@pytest.mark.parametrize("draft", make_all(), ids=lambda draft: draft.type.name)
def test_every_draft_fits_its_schema(draft: Draft) -> None:
    check_draft(draft)


def test_drafting_the_same_facts_again_gives_equal_drafts() -> None:
    assert make_all() == make_all()


def test_a_turn_ends_once_whether_it_was_answered_or_failed() -> None:
    answered = answer_turn("d", **TURN, text="Yes")
    failed = fail_turn("d", **TURN, error_code="E", error_message="no")

    assert answered.event_id == failed.event_id
    assert answered.event_id != request_turn("d", **TURN).event_id


def test_turns_differ_by_round_role_and_seat() -> None:
    turns: list[Turn] = [
        TURN,
        {**TURN, "round": 2},
        {**TURN, "role": "vote"},
        {**TURN, "seat": "B"},
    ]

    assert len({request_turn("d", **turn).event_id for turn in turns}) == 4


def test_a_new_title_is_a_new_event_and_the_same_title_is_not() -> None:
    first = describe_conversation("c", title="Tea", metadata={"a": 1, "b": 2})
    again = describe_conversation("c", title="Tea", metadata={"b": 2, "a": 1})
    other = describe_conversation("c", title="Coffee", metadata={"a": 1, "b": 2})

    assert first.event_id == again.event_id
    assert first.event_id != other.event_id


def test_a_title_can_be_stated_again_at_another_moment() -> None:
    first = describe_conversation("c", title="Tea", at="request 1")
    later = describe_conversation("c", title="Tea", at="request 3")

    assert first.event_id != later.event_id


def test_what_is_not_known_is_left_out() -> None:
    draft = add_message("c", "m", role="user", content="")

    expected = {
        "conversation_id": "c",
        "message_id": "m",
        "role": "user",
        "content": "",
        "model_tokens": 0,
    }
    assert draft.data == expected
    assert draft.time is None


def test_a_debate_without_a_winner_says_null() -> None:
    draft = complete_debate(
        "d", conversation_id="c", outcome="tie", winner=None, confidence=None, total_rounds=1
    )

    assert draft.data["winner"] is None
    assert draft.data["confidence"] is None


def test_times_are_kept_in_utc_with_their_microseconds() -> None:
    time = datetime(2024, 5, 1, 14, 0, 0, 123456, tzinfo=timezone(timedelta(hours=2)))

    draft = add_message("c", "m", role="user", content="x", created_at=time)

    assert draft.data["created_at"] == "2024-05-01T12:00:00.123456Z"
    assert draft.time == datetime(2024, 5, 1, 12, 0, 0, 123456, tzinfo=UTC)


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="no time zone"):
        start_conversation("c", source="rest", created_at=NOON.replace(tzinfo=None))


def test_a_time_that_leaves_the_calendar_in_utc_is_refused() -> None:
    time = datetime.max.replace(tzinfo=timezone(timedelta(hours=-1)))

    with pytest.raises(InvalidRequest, match="1 to 9999"):
        start_conversation("c", source="rest", created_at=time)


@given(st.datetimes(timezones=st.just(UTC)), st.datetimes(timezones=st.just(UTC)))
def test_times_as_text_sort_as_times(one: datetime, other: datetime) -> None:
    assert (to_rfc3339(one) < to_rfc3339(other)) == (one < other)
    assert datetime.fromisoformat(to_rfc3339(one)) == one
