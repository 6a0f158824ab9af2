"""Replay, streamed: page by page, whole, of the past, and of branches."""

from __future__ import annotations

from typing import Any

import pytest

from helix_lab.domain.model.errors import InvalidRequest, UnknownConversation
from helix_lab.lab import Lab
from tests.flow.labs import say
from tests.flow.talks import talk


@pytest.fixture
def conversation_id(lab: Lab) -> str:
    lab.start_conversation(conversation_id="trip", user_id="u")
    lab.append_messages("trip", talk(120))
    return "trip"


def test_a_stream_gives_what_a_replay_gives_in_pages(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    from helix_lab.queries import history

    monkeypatch.setattr(history, "PAGE_ENTRIES", 7)
    lab.start_conversation(conversation_id="c")
    lab.append_messages("c", talk(50))

    *items, end = lab.stream_replay("c", include_metadata=True)

    whole = lab.replay("c", include_metadata=True)
    shown = whole.model_dump(mode="json")["messages"]
    assert shown == [item["message"] for item in items]
    assert (50, whole.stats.total_tokens, whole.stats.through_offset) == (
        end["stats"]["total_messages"],
        end["stats"]["total_tokens"],
        end["stats"]["through_offset"],
    )


def test_a_stream_reads_a_page_at_a_time(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    from helix_lab.queries import history

    monkeypatch.setattr(history, "PAGE_ENTRIES", 10)
    lab.start_conversation(conversation_id="c")
    lab.append_messages("c", talk(95))
    sizes: list[int] = []
    usual = lab.services.log.read_key

    def read_key(*arguments: Any, **options: Any) -> Any:
        page = usual(*arguments, **options)
        sizes.append(len(page))
        return page

    monkeypatch.setattr(lab.services.log, "read_key", read_key)
    items = lab.stream_replay("c")
    first = next(items)

    assert "message" in first
    assert max(sizes) <= 10
    reads = len(sizes)
    assert 96 == len([first, *items])
    assert len(sizes) > reads


def test_a_stream_leaves_out_what_is_said_meanwhile(lab: Lab) -> None:
    lab.start_conversation(conversation_id="c")
    lab.append_messages("c", talk(20))

    items = lab.stream_replay("c")
    first = next(items)
    lab.append_messages("c", [say("too late")])

    rest = list(items)
    assert 20 == len([first, *rest[:-1]]) == rest[-1]["stats"]["total_messages"]


def test_a_stream_of_branches_has_the_current_one(lab: Lab) -> None:
    lab.start_conversation(conversation_id="c")
    lab.append_messages(
        "c",
        [
            say("q", message_id="q"),
            say("first", "assistant", parent_id="q"),
            say("second", "assistant", parent_id="q"),
        ],
    )

    items = list(lab.stream_replay("c"))

    assert ["q", "first"] == [i["message"]["content"] for i in items[:-1]]


def test_a_stream_can_be_of_the_past_or_compressed(lab: Lab, conversation_id: str) -> None:
    *past, _ = lab.stream_replay(conversation_id, as_of=10)
    (compressed,) = lab.stream_replay(conversation_id, max_tokens=900)

    assert 10 == len(past)
    assert compressed["compression_stats"]["compressed_tokens"] <= 900
    with pytest.raises(UnknownConversation):
        next(iter(lab.stream_replay("ghost")))


def test_an_operation_that_does_not_stream_says_so(lab: Lab) -> None:
    from helix_lab.operations.table import find_operation

    with pytest.raises(InvalidRequest, match="get_info does not stream"):
        lab.stream(find_operation("get_info"), {})
