"""Messages: written all or none, read again as they were, on real engines."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from helix_lab.domain.model.errors import (
    DuplicateId,
    InvalidEvent,
    InvalidRequest,
    TooLarge,
)
from helix_lab.lab import Lab
from tests.flow.labs import catch_up, contents, open_at, say

TEXTS = {
    "line ends": "a\r\nb\rc\n\n",
    "space": " \t leading and trailing \u00a0\u2003 ",
    "empty": "",
    "emoji": "👩‍👩‍👧‍👦 🏳️‍🌈",
    "combining": "é e\u0301 Å",
    "right to left": "שלום \u202eabc\u202c",
    "controls": "\x01\x07\x1b[31m\x7f\x85\u2028\ufeff",
    "quotes": "'\"`\\ \\u0000 %s {x} ${HOME} </script>",
    "last plane": "\U0010ffff",
    "long": "0123456789" * 100_000,
}


@pytest.mark.parametrize("name", TEXTS)
def test_a_text_comes_back_equal_to_the_byte(lab: Lab, name: str) -> None:
    lab.start_conversation(conversation_id=name)

    lab.append_messages(name, [say(TEXTS[name])])

    assert [TEXTS[name].encode()] == [text.encode() for text in contents(lab, name)]


def test_messages_come_back_in_order_with_all_that_was_given(lab: Lab) -> None:
    lab.start_conversation(conversation_id="c")
    at = datetime(2020, 2, 29, 23, 59, 59, 123456, tzinfo=UTC)
    whole = say("b", "assistant", message_id="m2", created_at=at, parent_id="m1", name="Sage",
                provider="p", model="m", metadata={"a": [1, None, {"é": 1.5}]})  # fmt: skip

    answer = lab.append_messages("c", [say("a", message_id="m1"), whole])
    replayed = lab.replay("c", include_metadata=True)

    assert ["m1", "m2"] == [message.message_id for message in answer.messages]
    first, second = replayed.messages
    assert ("m2", "assistant", "b", at) == (
        second.message_id,
        second.role,
        second.content,
        second.timestamp,
    )
    expected = {
        "parent_id": "m1",
        "name": "Sage",
        "provider": "p",
        "model": "m",
        "metadata": {"a": [1, None, {"é": 1.5}]},
        "model_tokens": 1,
        "created_at": "2020-02-29T23:59:59.123456Z",
    }
    assert expected == second.metadata
    assert datetime.now(UTC) - first.timestamp < timedelta(minutes=1)


def test_a_replay_shows_metadata_and_alternatives_only_on_request(lab: Lab) -> None:
    lab.start_conversation(conversation_id="c")
    lab.append_messages("c", [say("a")])

    replayed = lab.replay("c")

    assert replayed.alternatives is None
    assert [None] == [message.metadata for message in replayed.messages]


def test_branches_are_kept_as_alternatives(lab: Lab) -> None:
    lab.start_conversation(conversation_id="c")
    lab.append_messages(
        "c",
        [
            say("question", message_id="q"),
            say("first answer", "assistant", message_id="a1", parent_id="q"),
            say("second answer", "assistant", message_id="a2", parent_id="q"),
        ],
    )

    replayed = lab.replay("c", include_alternatives=True)

    assert ["question", "first answer"] == [message.content for message in replayed.messages]
    assert replayed.alternatives is not None
    assert ["second answer"] == [message.content for message in replayed.alternatives]
    assert (2, 4) == (replayed.stats.total_messages, replayed.stats.events_replayed)


def test_the_same_message_again_changes_nothing(lab: Lab) -> None:
    lab.start_conversation(conversation_id="c")
    first = lab.append_messages("c", [say("a", message_id="m1")])

    again = lab.append_messages("c", [say("a", message_id="m1"), say("b", message_id="m2")])

    assert first.messages[0] == again.messages[0]
    assert ["a", "b"] == contents(lab, "c")


@pytest.mark.parametrize(
    "other", [say("A"), say("a", "assistant"), say("a", model="m"), say("a", parent_id="m0")]
)
def test_another_message_of_the_same_id_is_refused_with_its_whole_batch(
    lab: Lab, other: dict[str, Any]
) -> None:
    lab.start_conversation(conversation_id="c")
    lab.append_messages("c", [say("a", message_id="m1")])

    with pytest.raises(DuplicateId):
        lab.append_messages("c", [say("new"), {**other, "message_id": "m1"}, say("newer")])

    assert ["a"] == contents(lab, "c")
    assert 1 == lab.get_conversation("c").message_count


def test_two_messages_of_one_id_in_a_batch_are_refused_unless_they_are_the_same(lab: Lab) -> None:
    lab.start_conversation(conversation_id="c")

    with pytest.raises(DuplicateId):
        lab.append_messages("c", [say("a", message_id="m1"), say("b", message_id="m1")])
    answer = lab.append_messages("c", [say("a", message_id="m1")] * 2)

    assert ["a"] == contents(lab, "c")
    assert answer.messages[0] == answer.messages[1]


def test_the_same_message_id_in_two_conversations_is_two_messages(lab: Lab) -> None:
    for name in ("c", "d"):
        lab.start_conversation(conversation_id=name)
        lab.append_messages(name, [say(name, message_id="m1")])

    assert [["c"], ["d"]] == [contents(lab, "c"), contents(lab, "d")]


@pytest.mark.parametrize(
    "bad",
    [
        say("b", "robot"),
        say("b\0"),
        say("\ud800"),
        say("b", message_id=""),
        say("b", created_at="yesterday"),
        say("b", created_at=datetime(2026, 1, 1)),  # noqa: DTZ001 - naive on purpose
        say("b", metadata={"x": float("nan")}),
        say("b", metadata={"x": datetime.now(UTC)}),
        say("b", metadata={"x": "\ud800"}),
        say("b", metadata={"x": {1: 2}}),
        say("b", unknown=1),
        {"role": "user"},
        {"content": "b"},
        "b",
    ],
)
def test_one_message_that_cannot_be_kept_keeps_the_whole_batch_out(lab: Lab, bad: Any) -> None:
    lab.start_conversation(conversation_id="c")

    with pytest.raises(InvalidRequest):
        lab.append_messages("c", [say("a"), bad, say("c")])

    assert [] == contents(lab, "c")


def test_metadata_may_be_neither_huge_nor_without_bottom(lab: Lab) -> None:
    lab.start_conversation(conversation_id="c")
    deep: dict[str, Any] = {}
    for _ in range(50_000):
        deep = {"x": deep}

    with pytest.raises(TooLarge, match="metadata"):
        lab.append_messages("c", [say("a", metadata={"x": "y" * 100_000})])
    with pytest.raises((InvalidRequest, InvalidEvent)):
        lab.append_messages("c", [say("a", metadata=deep)])

    assert [] == contents(lab, "c")


def test_an_answer_follows_at_once_what_was_written(lab: Lab) -> None:
    lab.start_conversation(conversation_id="c")
    for number in range(1, 51):
        lab.append_messages("c", [say("word " * number)])

        assert number == lab.get_conversation("c").message_count
        assert number == lab.get_context_stats("c").message_count
        assert number == len(lab.replay("c").messages)
    replayed_tokens = lab.replay("c").stats.total_tokens
    assert replayed_tokens == lab.get_conversation("c").total_tokens


def test_ten_thousand_messages_are_written_and_read_whole(lab: Lab) -> None:
    lab.start_conversation(conversation_id="c")
    texts = [f"message {number} é" for number in range(10_000)]

    answer = lab.append_messages("c", [say(text) for text in texts])

    assert texts == contents(lab, "c")
    assert 10_000 == len({message.message_id for message in answer.messages})
    offsets = [message.offset for message in answer.messages]
    assert sorted(offsets) == offsets


def test_more_messages_at_once_are_refused(lab: Lab) -> None:
    lab.start_conversation(conversation_id="c")

    for messages in ([], [say("x")] * 10_001):
        with pytest.raises(InvalidRequest, match="messages"):
            lab.append_messages("c", messages)


def test_threads_that_write_side_by_side_keep_their_own_order(lab: Lab) -> None:
    lab.start_conversation(conversation_id="c")

    def write(thread: int) -> None:
        for number in range(25):
            lab.append_messages("c", [say(f"{thread}/{number}/a"), say(f"{thread}/{number}/b")])

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, range(4)))

    found = contents(lab, "c")
    assert 4 * 25 * 2 == len(set(found)) == len(found)
    for thread in range(4):
        own = [text for text in found if text.startswith(f"{thread}/")]
        assert [f"{thread}/{number}/{part}" for number in range(25) for part in "ab"] == own


def test_a_budget_that_is_too_small_says_what_would_do(lab: Lab) -> None:
    lab.start_conversation(conversation_id="c")
    lab.append_messages("c", [say("one two three")])
    tokens = lab.replay("c").stats.total_tokens

    with pytest.raises(InvalidRequest) as caught:
        lab.replay("c", max_tokens=tokens - 1)

    assert ("BUDGET_TOO_SMALL", tokens) == (
        caught.value.code,
        caught.value.details["needed_tokens"],
    )
    assert tokens == lab.replay("c", max_tokens=tokens).stats.total_tokens


def test_what_was_written_is_there_after_a_restart(lab: Lab) -> None:
    lab.start_conversation(conversation_id="c", user_id="u")
    lab.append_messages("c", [say("a"), say("b")])
    before = (lab.replay("c").messages, lab.get_conversation("c"))
    catch_up(lab)
    lab.close()

    with open_at(lab.data_folder.path) as again:
        assert before == (again.replay("c").messages, again.get_conversation("c"))
