"""Recall: what one conversation, or all of a user, says on a query, in a hard budget."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from helix_lab.domain.context.tokens import count_tokens
from helix_lab.domain.model.errors import (
    BudgetTooSmall,
    InvalidRequest,
    NotFound,
    UnknownConversation,
)
from helix_lab.lab import Lab
from helix_lab.operations import recall
from tests.flow.labs import say
from tests.flow.talks import talk

SECRET = "The password of the blue safe is Marmalade-42."


@pytest.fixture
def user_id(lab: Lab) -> str:
    """A user with three conversations; another one says the same words."""
    for number in range(3):
        lab.start_conversation(conversation_id=f"c{number}", user_id="u")
        lab.append_messages(f"c{number}", talk(80, seed=number))
    lab.start_conversation(conversation_id="other", user_id="v")
    lab.append_messages("other", [say("The blue safe of the other user has no password.")])
    return "u"


def test_what_was_said_once_is_found_in_a_small_budget(lab: Lab, user_id: str) -> None:
    lab.append_messages("c0", [say(SECRET, message_id="secret"), *talk(80, seed=8)])

    found = lab.recall("password of the blue safe", conversation_id="c0", max_tokens=200)

    assert SECRET in found.context
    assert "secret" == next(m for m in found.messages if m.content == SECRET).message_id
    assert found.tokens == count_tokens(found.context) <= 200
    assert 0 < found.coverage <= 1
    assert (1, 0) == (found.conversations_searched, found.conversations_left_out)


def test_all_conversations_of_a_user_are_searched_and_no_other(lab: Lab, user_id: str) -> None:
    lab.append_messages("c1", [say(SECRET)])

    found = lab.recall("password of the blue safe", user_id=user_id, max_tokens=400)

    assert ("c1", SECRET) == next(
        (m.conversation_id, m.content) for m in found.messages if "blue safe" in m.content
    )
    assert "other user" not in found.context
    assert 3 == found.conversations_searched


def test_a_current_value_comes_before_the_stale_one_and_both_are_dated(lab: Lab) -> None:
    lab.start_conversation(conversation_id="c")
    days = [datetime(2026, month, 1, tzinfo=UTC) for month in (1, 2, 3)]
    lab.append_messages(
        "c",
        [
            say("My phone number is 555-0100.", message_id="old", created_at=days[0]),
            say("I like tea.", "assistant", created_at=days[1]),
            say("My phone number is 555-0199 now.", message_id="new", created_at=days[2]),
        ],
    )

    found = lab.recall("What is my phone number?", conversation_id="c", max_tokens=300)

    assert found.context.index("555-0199") < found.context.index("555-0100")
    assert ["new"] == [m.superseded_by for m in found.messages if m.message_id == "old"]
    (pair,) = found.superseded
    assert ("c", "new", days[2], "old", days[0]) == (
        pair.conversation_id,
        pair.current_id,
        pair.current_at,
        pair.stale_id,
        pair.stale_at,
    )


def test_a_message_of_this_moment_is_found(lab: Lab, user_id: str) -> None:
    lab.recall("blue safe", user_id=user_id)
    lab.append_messages("c2", [say(SECRET)])

    assert SECRET in lab.recall("blue safe", user_id=user_id).context


def test_a_user_who_said_too_much_is_searched_as_far_as_it_goes(
    lab: Lab, user_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recall, "MAX_MESSAGES", 170)
    monkeypatch.setattr(recall, "_PAGE", 2)

    found = lab.recall("Lisbon", user_id=user_id)

    assert (2, 1) == (found.conversations_searched, found.conversations_left_out)
    assert {m.conversation_id for m in found.messages} <= {"c1", "c2"}


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({}, InvalidRequest),
        ({"conversation_id": "c0", "user_id": "u"}, InvalidRequest),
        ({"conversation_id": "c0", "max_tokens": 0}, InvalidRequest),
        ({"conversation_id": "c0", "max_tokens": -7}, InvalidRequest),
        ({"conversation_id": "c0", "max_tokens": 1}, BudgetTooSmall),
        ({"conversation_id": "c0", "query": ""}, InvalidRequest),
        ({"conversation_id": "ghost"}, UnknownConversation),
        ({"user_id": "nobody"}, NotFound),
    ],
)
def test_what_cannot_be_searched_is_refused(
    lab: Lab, user_id: str, arguments: dict[str, Any], error: type[Exception]
) -> None:
    with pytest.raises(error):
        lab.recall(**{"query": "Lisbon", **arguments})
