from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest

from helix_lab.record.importers.reader import Item
from tests.importers.reading import (
    CHATGPT,
    drafts_of,
    load,
    messages_of,
    names,
    read,
    read_good,
    write_json,
)


@pytest.fixture
def branched(tmp_path: Path) -> dict[str, Any]:
    """The sample's conversation with an edited question and a repeated answer."""
    conversation: dict[str, Any] = load(CHATGPT)[0]
    return conversation


def read_one(tmp_path: Path, *conversations: Any) -> list[Item]:
    return read_good(write_json(tmp_path / "conversations.json", conversations))


def make_conversation(content: Any, **message: Any) -> dict[str, Any]:
    return {
        "conversation_id": "c",
        "mapping": {
            "m": {
                "parent": None,
                "children": [],
                "message": {"author": {"role": "assistant"}, "content": content, **message},
            }
        },
    }


def test_items_are_called_by_place_and_title() -> None:
    expected = [
        "chatgpt_conversations.json[0] 'Sourdough that does not rise'",
        "chatgpt_conversations.json[1] 'Mean of a column'",
        "chatgpt_conversations.json[2] 'Which mushroom?'",
    ]

    assert names(read_good(CHATGPT)) == expected


def test_a_conversation_keeps_its_id_its_times_and_its_title() -> None:
    started, described, *_ = read_good(CHATGPT)[0].drafts

    assert started.key == "6f1b0c1e-1111-4a00-9000-000000000000"
    assert started.data["created_at"] == "2024-05-01T10:00:00.123456Z"
    assert started.data["source"] == "chatgpt"
    assert described.data["title"] == "Sourdough that does not rise"


def test_all_branches_are_kept_and_the_shown_one_is_selected() -> None:
    item = read_good(CHATGPT)[0]

    prefix = "6f1b0c1e-1111-4a00-9000-0000000000"
    parents = {
        message["message_id"].removeprefix(prefix): message.get("parent_id", "").removeprefix(
            prefix
        )
        for message in messages_of([item])
    }
    assert parents == {"03": "", "04": "03", "05": "", "06": "05", "07": "05"}
    (selected,) = drafts_of([item], "branch.selected")
    assert selected.subject == f"{prefix}07"


def test_a_conversation_without_branches_selects_none() -> None:
    assert drafts_of(read_good(CHATGPT)[1:], "branch.selected") == []


def test_what_a_person_did_not_see_is_left_out() -> None:
    texts = [message["content"] for message in messages_of(read_good(CHATGPT))]

    assert not any("Be short" in text for text in texts)
    assert "" not in texts


def test_calls_of_tools_and_their_output_have_the_role_tool() -> None:
    _, call, output, answer = messages_of([read_good(CHATGPT)[1]])

    assert [m["role"] for m in (call, output, answer)] == ["tool", "tool", "assistant"]
    assert [call["name"], output["name"]] == ["python", "python"]
    assert [call["metadata"]["tool"], output["metadata"]["tool"]] == ["call", "output"]
    assert call["metadata"]["content"] == {"language": "python"}
    assert output["content"] == "41.75"


def test_what_the_model_thought_is_metadata_of_what_came_of_it() -> None:
    _, call, output, answer = messages_of([read_good(CHATGPT)[1]])

    assert call["metadata"]["reasoning"][0]["thoughts"][0]["summary"] == "Loading the file"
    assert answer["metadata"]["reasoning"][0]["content"] == "Thought for 3 seconds"
    assert "reasoning" not in output["metadata"]


def test_the_model_that_answered_is_kept() -> None:
    question, call, output, answer = messages_of([read_good(CHATGPT)[1]])

    assert [m.get("model") for m in (question, call, output, answer)] == [None, "o3", None, "o3"]
    assert answer["provider"] == "openai"
    assert "provider" not in question


def test_an_image_leaves_a_mark_and_its_facts() -> None:
    question, answer = messages_of([read_good(CHATGPT)[2]])

    assert question["content"] == "[image: file-9Kd2]\nWhich mushroom is this?"
    assert question["metadata"]["files"][0]["width"] == 1024
    assert "created_at" not in question
    assert answer["parent_id"] == question["message_id"]


def test_attachments_are_kept() -> None:
    question = messages_of([read_good(CHATGPT)[1]])[0]

    assert question["metadata"]["attachments"][0]["name"] == "prices.csv"


@pytest.mark.parametrize(
    ("content", "text", "metadata"),
    [
        ({"content_type": "text", "parts": ["a", "", "b"]}, "a\nb", None),
        ({"parts": ["a"]}, "a", None),
        (
            {"content_type": "tether_quote", "url": "https://example.org", "text": "cited"},
            "cited",
            {"content_type": "tether_quote", "content": {"url": "https://example.org"}},
        ),
        (
            {"content_type": "tether_browsing_display", "result": "page", "summary": ""},
            "page",
            {"content_type": "tether_browsing_display"},
        ),
        (
            {"content_type": "of tomorrow", "frames": [1, 2]},
            "",
            {"content_type": "of tomorrow", "content": {"frames": [1, 2]}},
        ),
        (
            {
                "content_type": "multimodal_text",
                "parts": [{"content_type": "audio_transcription", "text": "hi"}, 5],
            },
            "hi\n[part]",
            {
                "content_type": "multimodal_text",
                "files": [{"content_type": "audio_transcription", "text": "hi"}, 5],
            },
        ),
    ],
)
def test_every_kind_of_content_is_kept(
    tmp_path: Path, content: Any, text: str, metadata: Any
) -> None:
    (message,) = messages_of(read_one(tmp_path, make_conversation(content)))

    assert message["content"] == text
    assert message.get("metadata") == metadata


def test_a_message_that_says_nothing_is_passed_through(tmp_path: Path) -> None:
    items = read_one(tmp_path, make_conversation({"content_type": "text", "parts": [""]}))

    assert messages_of(items) == []


def test_a_new_message_in_a_later_export_is_all_that_is_new(
    tmp_path: Path, branched: dict[str, Any]
) -> None:
    later = copy.deepcopy(branched)
    leaf = branched["current_node"]
    later["mapping"][leaf]["children"].append("new")
    later["mapping"][leaf]["message"]["metadata"]["a_field_of_tomorrow"] = True
    later["mapping"]["new"] = {
        "id": "new",
        "parent": leaf,
        "children": [],
        "message": {
            "author": {"role": "user"},
            "create_time": 1714561300.0,
            "content": {"content_type": "text", "parts": ["It worked!"]},
        },
    }
    later |= {"current_node": "new", "update_time": 1714561300.0}

    before, after = (drafts_of(read_one(tmp_path, c)) for c in (branched, later))

    known = {draft.event_id: draft.data for draft in before}
    fresh = [draft for draft in after if draft.event_id not in known]
    assert [draft.type.name for draft in fresh] == [
        "helixagent.message.added",
        "helixagent.branch.selected",
    ]
    assert {d.event_id: d.data for d in after if d.event_id in known} == {
        d.event_id: d.data for d in before if d.type.name != "helixagent.branch.selected"
    }


def test_a_changed_title_is_a_new_description(tmp_path: Path, branched: dict[str, Any]) -> None:
    before = drafts_of(read_one(tmp_path, branched), "conversation.described")
    after = drafts_of(read_one(tmp_path, {**branched, "title": "Bread"}), "conversation.described")

    assert before[0].event_id != after[0].event_id


def test_a_branch_can_be_selected_again_after_another(
    tmp_path: Path, branched: dict[str, Any]
) -> None:
    other = branched["current_node"].replace("07", "06")
    states = [
        branched,
        {**branched, "current_node": other, "update_time": 1714561300.0},
        {**branched, "update_time": 1714561400.0},
    ]

    selected = [drafts_of(read_one(tmp_path, s), "branch.selected")[0].event_id for s in states]

    assert len(set(selected)) == 3


@pytest.mark.parametrize("current_node", [None, "gone"])
def test_without_a_current_node_the_last_message_is_shown(
    tmp_path: Path, branched: dict[str, Any], current_node: str | None
) -> None:
    items = read_one(tmp_path, {**branched, "current_node": current_node})

    (selected,) = drafts_of(items, "branch.selected")
    assert selected.subject.endswith("07")


def test_parents_are_found_by_the_lists_of_children_too(
    tmp_path: Path, branched: dict[str, Any]
) -> None:
    orphaned = copy.deepcopy(branched)
    for node in orphaned["mapping"].values():
        del node["parent"]

    assert messages_of(read_one(tmp_path, orphaned)) == messages_of(read_one(tmp_path, branched))


def test_a_long_title_is_cut_and_kept_as_metadata(tmp_path: Path, branched: dict[str, Any]) -> None:
    items = read_one(tmp_path, {**branched, "title": "x" * 1500})

    (described,) = drafts_of(items, "conversation.described")
    assert len(described.data["title"]) == 1000
    assert described.data["metadata"]["full_title"] == "x" * 1500


def break_it(change: dict[str, Any]) -> dict[str, Any]:
    return {**make_conversation({"parts": ["a"]}), **change}


TEXT = {"parts": ["a"]}


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        (break_it({"conversation_id": None}), "conversation_id is missing"),
        (break_it({"conversation_id": ["a"]}), "no id"),
        (break_it({"create_time": "noon"}), "create_time 'noon' is no time"),
        (break_it({"title": 5}), "title 5 is no text"),
        (break_it({"mapping": {"m": "x"}}), "no JSON object"),
        (break_it({"mapping": {"m": {"children": "x"}}}), "no JSON list"),
        (break_it({"mapping": {"m": {"parent": "n"}, "n": {"parent": "m"}}}), "its own ancestor"),
        (make_conversation(TEXT, author={"role": "oracle"}), "allowed are user, assistant"),
        (make_conversation(TEXT, create_time=1e40), "message m: create_time 1e+40"),
        (make_conversation({"parts": ["a\0b"]}), "NUL"),
        (make_conversation({"parts": ["x" * 8_388_609]}), "8388608"),
        (make_conversation({"parts": "text"}), "parts 'text' is no JSON list"),
        (make_conversation(TEXT, recipient=5), "recipient 5 is no text"),
    ],
)
def test_a_bad_conversation_is_refused_alone_with_its_reason(
    tmp_path: Path, branched: dict[str, Any], broken: Any, reason: str
) -> None:
    path = write_json(tmp_path / "conversations.json", [branched, broken, load(CHATGPT)[1]])

    items, refusals = read(path)

    assert len(items) == 2
    assert [refusal.name.split(" ")[0] for refusal in refusals] == ["conversations.json[1]"]
    assert reason in refusals[0].reason


def test_the_second_conversation_of_one_id_is_refused(
    tmp_path: Path, branched: dict[str, Any]
) -> None:
    items, refusals = read(write_json(tmp_path / "c.json", [branched, load(CHATGPT)[1], branched]))

    assert len(items) == 2
    assert names(refusals) == ["c.json[2] 'Sourdough that does not rise'"]
    assert "was used before, by item 1" in refusals[0].reason
