"""Conversations from the start to the end, on real engines."""

from __future__ import annotations

from typing import Any

import pytest

from helix_lab.domain.model.errors import (
    Conflict,
    UnknownConversation,
)
from helix_lab.domain.model.event import CONVERSATIONS
from helix_lab.lab import Lab
from tests.flow.labs import say


def test_a_conversation_starts_once_with_what_was_given(lab: Lab) -> None:
    first = lab.start_conversation(conversation_id="c", user_id="u", title="Tea")
    again = lab.start_conversation(conversation_id="c", user_id="u", title="Tea")

    assert ("c", "u", "Tea", "api", 0) == (
        first.conversation_id,
        first.user_id,
        first.title,
        first.source,
        first.message_count,
    )
    assert first == again
    assert [first] == lab.list_conversations().conversations
    assert 2 == len(lab.services.log.read_key(CONVERSATIONS, "c"))


def test_an_id_is_made_up_where_none_is_given(lab: Lab) -> None:
    ids = {lab.start_conversation().conversation_id for _ in range(10)}

    assert 10 == len(ids)


@pytest.mark.parametrize(
    "other", [{"user_id": "someone else"}, {"user_id": None}, {"user_id": "u", "title": "Coffee"}]
)
def test_a_start_that_contradicts_the_first_is_a_conflict(lab: Lab, other: dict[str, Any]) -> None:
    lab.start_conversation(conversation_id="c", user_id="u", title="Tea")

    with pytest.raises(Conflict, match="'c'"):
        lab.start_conversation(conversation_id="c", **other)

    shown = lab.get_conversation("c")
    assert ("u", "Tea") == (shown.user_id, shown.title)


def test_a_conversation_that_was_not_started_is_unknown_to_every_operation(lab: Lab) -> None:
    calls: dict[str, list[Any]] = {
        "append_messages": [[say("a")]],
        "replay": [],
        "get_conversation": [],
        "get_context_stats": [],
        "complete_conversation": [],
    }

    for name, arguments in calls.items():
        with pytest.raises(UnknownConversation, match="'ghost'"):
            getattr(lab, name)("ghost", *arguments)
    assert [] == lab.list_conversations().conversations


def test_a_conversation_is_completed_once_and_may_end_otherwise_later(lab: Lab) -> None:
    lab.start_conversation(conversation_id="c")
    first = lab.complete_conversation("c", outcome="abandoned", reason="no answer")
    again = lab.complete_conversation("c", outcome="abandoned", reason="no answer")
    other = lab.complete_conversation("c")

    assert ("abandoned", first) == (first.outcome, again)
    assert "successful" == other.outcome
    assert other.completed_at is not None
    assert 3 == len(lab.services.log.read_key(CONVERSATIONS, "c"))


def test_lists_show_the_last_change_first_page_by_page(lab: Lab) -> None:
    names = [f"c{number}" for number in range(7)]
    for name in names:
        lab.start_conversation(
            conversation_id=name, user_id="even" if int(name[1]) % 2 == 0 else None
        )
    lab.append_messages("c0", [say("now the newest")])

    pages = read_pages(lab, limit=3)

    assert [3, 3, 1] == [len(page) for page in pages]
    assert ["c0", *reversed(names[1:])] == [name for page in pages for name in page]
    assert [["c0", "c6"], ["c4", "c2"]] == read_pages(lab, limit=2, user_id="even")


def read_pages(lab: Lab, **arguments: Any) -> list[list[str]]:
    pages: list[list[str]] = []
    cursor: str | None = None
    while cursor is not None or not pages:
        answer = lab.list_conversations(cursor=cursor, **arguments)
        pages.append([conversation.conversation_id for conversation in answer.conversations])
        cursor = answer.next_cursor
    return pages
