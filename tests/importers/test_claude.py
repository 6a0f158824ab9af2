from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest

from tests.importers.reading import (
    CLAUDE,
    drafts_of,
    load,
    messages_of,
    read,
    read_good,
    write_json,
)


@pytest.fixture
def conversation() -> dict[str, Any]:
    """The sample's conversation with attachments and blocks."""
    found: dict[str, Any] = load(CLAUDE)[0]
    return found


def make_message(**fields: Any) -> dict[str, Any]:
    return {"uuid": "m", "sender": "human", "text": "", "content": [], **fields}


def read_message(tmp_path: Path, **fields: Any) -> dict[str, Any]:
    value = {"uuid": "c", "chat_messages": [make_message(**fields)]}
    (message,) = messages_of(read_good(write_json(tmp_path / "c.json", [value])))
    return message


def test_a_conversation_keeps_its_id_its_title_and_its_owner() -> None:
    started, described, *_ = read_good(CLAUDE)[0].drafts

    assert started.key == "0b0ad2b0-aaaa-4c00-8000-000000000000"
    assert started.data["user_id"] == "acc00000-0000-4000-8000-000000000001"
    assert started.data["created_at"] == "2024-06-01T09:00:00.000001Z"
    assert described.data["title"] == "Summary of a contract"


def test_people_are_users_and_times_are_utc() -> None:
    messages = messages_of([read_good(CLAUDE)[0]])

    assert [m["role"] for m in messages] == ["user", "assistant", "user", "assistant"]
    assert [m.get("provider") for m in messages] == [None, "anthropic", None, "anthropic"]
    assert messages[2]["created_at"] == "2024-06-01T09:01:00.000000Z"


def test_an_attachment_leaves_a_mark_and_its_whole_text() -> None:
    message = messages_of([read_good(CLAUDE)[0]])[0]

    assert message["content"] == "Summarise this.\n\n[attachment: lease.txt]"
    assert message["metadata"]["attachments"][0]["extracted_content"].startswith("The tenant pays")


def test_a_message_whose_text_is_empty_is_read_from_its_blocks() -> None:
    message = messages_of([read_good(CLAUDE)[0]])[1]

    assert message["content"] == "Rent is 900 a month, due on the first. Notice is three months."
    assert message["metadata"]["blocks"][0]["thinking"] == "Two facts: rent and notice."


def test_calls_of_tools_are_kept_in_their_places() -> None:
    message = messages_of([read_good(CLAUDE)[0]])[3]

    blocks = message["metadata"]["blocks"]
    assert message["content"] == "Let me look.\n\nAbout 1,050 euros."
    assert [(b["position"], b["type"]) for b in blocks] == [(1, "tool_use"), (2, "tool_result")]
    assert "text" not in message["metadata"]


def test_a_text_that_its_blocks_do_not_hold_is_kept(tmp_path: Path) -> None:
    blocks = [{"type": "text", "text": "short"}]

    message = read_message(tmp_path, text="a longer text", content=blocks)

    assert message["content"] == "short"
    assert message["metadata"] == {"text": "a longer text"}


def test_citations_of_a_block_are_kept(tmp_path: Path) -> None:
    block = {"type": "text", "text": "so", "citations": [{"url": "https://example.org"}]}

    message = read_message(tmp_path, content=[block])

    assert message["metadata"]["blocks"] == [{"position": 0, **block}]


def test_a_message_without_blocks_is_its_text(tmp_path: Path) -> None:
    assert read_message(tmp_path, text="hello", content=None)["content"] == "hello"


def test_an_empty_message_is_kept(tmp_path: Path) -> None:
    assert read_message(tmp_path)["content"] == ""


def test_branches_are_kept_where_messages_name_their_parents() -> None:
    item = read_good(CLAUDE)[1]

    prefix = "0b0ad2b0-bbbb-4c00-8000-0000000000"
    parents = {
        message["message_id"].removeprefix(prefix): message.get("parent_id", "").removeprefix(
            prefix
        )
        for message in messages_of([item])
    }
    assert parents == {"01": "", "02": "01", "03": "01", "04": "03", "05": "04"}
    (selected,) = drafts_of([item], "branch.selected")
    assert selected.subject == f"{prefix}05"


def test_a_flat_conversation_has_no_parents() -> None:
    assert not any("parent_id" in message for message in messages_of([read_good(CLAUDE)[0]]))


def test_a_longer_export_adds_only_what_is_new(
    tmp_path: Path, conversation: dict[str, Any]
) -> None:
    later = copy.deepcopy(conversation)
    later["chat_messages"].append(make_message(uuid="new", text="Thanks"))
    later["updated_at"] = "2024-07-01T00:00:00Z"

    before, after = (
        drafts_of(read_good(write_json(tmp_path / "c.json", [value])))
        for value in (conversation, later)
    )

    assert after[:-1] == before
    assert after[-1].subject == "new"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"uuid": None}, "uuid is missing"),
        ({"created_at": "2024-99-01"}, "created_at '2024-99-01' is no time"),
        ({"chat_messages": ["hi"]}, "'hi' is no JSON object"),
        ({"chat_messages": [make_message(uuid=None)]}, "chat_messages[0]: uuid is missing"),
        ({"chat_messages": [make_message(sender="robot")]}, "allowed are human, assistant"),
        ({"chat_messages": [make_message(text="\0")]}, "NUL"),
        ({"chat_messages": [make_message(text=5)]}, "text 5 is no text"),
        ({"chat_messages": [make_message(), make_message(text="b")]}, "used twice"),
        ({"account": "anna"}, "account 'anna' is no JSON object"),
    ],
)
def test_a_bad_conversation_is_refused_alone_with_its_reason(
    tmp_path: Path, conversation: dict[str, Any], change: dict[str, Any], reason: str
) -> None:
    other = load(CLAUDE)[1]
    path = write_json(tmp_path / "c.json", [{**conversation, **change}, other])

    items, refusals = read(path)

    assert len(items) == 1
    assert len(refusals) == 1
    assert reason in refusals[0].reason


def test_damage_in_one_conversation_spares_the_next(
    tmp_path: Path, conversation: dict[str, Any]
) -> None:
    many = [{**conversation, "uuid": f"c{number}"} for number in range(5)]
    path = write_json(tmp_path / "c.json", many)
    path.write_text(path.read_text().replace('"uuid": "c2", "name', '"uuid": "c2, "name'))

    items, refusals = read(path)

    assert [item.drafts[0].key for item in items] == ["c0", "c1", "c3", "c4"]
    assert len(refusals) == 1
