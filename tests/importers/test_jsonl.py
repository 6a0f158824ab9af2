from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helix_lab.record.importers.items import Records, Refusal
from helix_lab.record.importers.jsonl import read_messages
from helix_lab.record.schemas import check_draft
from tests.importers.reading import (
    CHATS,
    MESSAGES,
    drafts_of,
    load_lines,
    messages_of,
    names,
    read,
    read_good,
    said,
    to_line,
    write_lines,
)

HELLO = said("user", "hello")


def texts_of(path: Path) -> list[str]:
    return [message["content"] for message in messages_of(read_good(path))]


# One message a line ---------------------------------------------------------------------


def test_a_conversation_begins_once_before_its_first_message() -> None:
    (item,) = read_good(MESSAGES)

    kinds = [(d.type.name.removeprefix("helixagent."), d.key) for d in item.drafts]
    assert kinds[:2] == [("conversation.started", "support-17"), ("message.added", "support-17")]
    assert kinds.count(("conversation.started", "support-17")) == 1
    assert item.name == "lines 1–8"


def test_every_field_of_a_line_is_kept() -> None:
    first, second, third, *_ = messages_of(read_good(MESSAGES))

    assert first["created_at"] == "2024-03-01T07:00:00.000000Z"
    assert first["user_id"] == "anna"
    assert second["parent_id"] == "m1"
    assert (second["provider"], second["model"]) == ("anthropic", "claude-3-opus")
    assert third["metadata"] == {"channel": "web"}


def test_two_equal_messages_in_a_row_are_two() -> None:
    pings = [m for m in messages_of(read_good(MESSAGES)) if m["content"] == "ping"]

    assert len({ping["message_id"] for ping in pings}) == 2


def test_whole_numbers_are_ids() -> None:
    messages = messages_of(read_good(MESSAGES))[-2:]

    ids = [(message["conversation_id"], message["message_id"]) for message in messages]
    assert ids == [("19", "1"), ("19", "2")]


def test_other_names_of_roles_are_translated_and_kept() -> None:
    message = messages_of(read_good(MESSAGES))[-2]

    assert (message["role"], message["metadata"]) == ("system", {"source_role": "developer"})


def test_parts_that_are_no_text_leave_a_mark() -> None:
    message = messages_of(read_good(MESSAGES))[-1]

    assert message["content"] == "What is this?\n[image_url]"
    assert message["metadata"]["parts"][1]["image_url"]["url"] == "https://example.org/a.png"


def test_reading_twice_gives_the_same_ids(tmp_path: Path) -> None:
    copied = tmp_path / "under another name"
    copied.write_bytes(MESSAGES.read_bytes())

    assert drafts_of(read_good(copied)) == drafts_of(read_good(MESSAGES))


def test_a_longer_file_adds_only_the_new_lines(tmp_path: Path) -> None:
    lines = load_lines(MESSAGES)
    new = {"conversation_id": "support-18", "role": "user", "content": "ping"}

    before = drafts_of(read_good(write_lines(tmp_path / "a", lines)))
    after = drafts_of(read_good(write_lines(tmp_path / "b", [*lines, new])))

    assert after[:-1] == before
    assert after[-1].event_id not in {draft.event_id for draft in before}


def test_mending_a_refused_line_changes_no_other_id(tmp_path: Path) -> None:
    lines = [HELLO, said("usr", "again"), HELLO, said("assistant", "hi")]
    mended = [HELLO, said("user", "again"), HELLO, said("assistant", "hi")]

    broken, refusals = read(write_lines(tmp_path / "a", lines))
    whole = read_good(write_lines(tmp_path / "b", mended))

    assert len(refusals) == 1
    before = {message["message_id"] for message in messages_of(broken)}
    assert len({message["message_id"] for message in messages_of(whole)} - before) == 1


def test_another_file_of_a_conversation_states_the_same_beginning(tmp_path: Path) -> None:
    one = said("user", "one", created_at="2024-01-01T00:00:00Z", user_id="anna")
    two = said("assistant", "two", created_at="2024-01-02T00:00:00Z")

    starts = [
        drafts_of(read_good(write_lines(tmp_path / str(n), [line])), "conversation.started")[0]
        for n, line in enumerate((one, two))
    ]

    assert starts[0].event_id == starts[1].event_id
    assert starts[0].data == starts[1].data


def test_conversations_may_be_interleaved(tmp_path: Path) -> None:
    lines = [{**HELLO, "conversation_id": f"c{number % 3}"} for number in range(9)]

    drafts = drafts_of(read_good(write_lines(tmp_path / "m", lines)))

    assert len(drafts) == 9 + 3
    assert len({draft.event_id for draft in drafts}) == 12


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("{oops", "not valid JSON"),
        (to_line(HELLO)[:-1], "not valid JSON"),
        ("17", "not a JSON object"),
        ('["a"]', "not a JSON object"),
        (b'{"conversation_id": "c", "role": "user", "content": "\xff"}', "not UTF-8"),
        ('{"conversation_id": "c", "role": "user", "content": "\\ud83d"}', "surrogate"),
        (
            '{"conversation_id": "c", "role": "user", "content": "a\\u0000b"}',
            "NUL character (at 1)",
        ),
        ('{"conversation_id": "c", "role": "user", "content": 1e999}', "valid JSON"),
        (b'{"a":' * 50_000 + b"1" + b"}" * 50_000, "nested too deeply"),
        ({"role": "user", "content": "x"}, "conversation_id is missing"),
        ({**HELLO, "conversation_id": ""}, "conversation_id is missing"),
        ({**HELLO, "conversation_id": {"id": 1}}, "no id"),
        ({"conversation_id": "c", "content": "x"}, "role None is unknown"),
        (said("moderator", "x"), "allowed are user, assistant, system, tool"),
        ({**HELLO, "role": ["user"]}, "is unknown"),
        ({"conversation_id": "c", "role": "user", "content": 5}, "content is a int"),
        ({"conversation_id": "c", "role": "user", "content": [5]}, "has no type"),
        (said("user", "x", created_at="soon"), "created_at 'soon' is no time"),
        (said("user", "x", created_at=1e30), "created_at 1e+30 is no time"),
        (said("user", "x", metadata=[1]), "metadata [1] is no JSON object"),
        (said("user", "x", name="n" * 201), "200"),
        (said("user", "x", model=5), "model 5 is no text"),
        (said("user", "x", message_id=1.5), "no id"),
        (said("user", "other", message_id="m"), "used before, with different content"),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_a_bad_line_is_refused_alone_with_its_number_and_reason(
    tmp_path: Path, line: Any, reason: str
) -> None:
    good = [said("user", "first", message_id="m"), said("assistant", "last")]
    path = write_lines(tmp_path / "m.jsonl", [good[0], line, good[1]])

    items, refusals = read(path)

    assert [message["content"] for message in messages_of(items)] == ["first", "last"]
    assert names(refusals) == ["line 2"]
    assert reason in refusals[0].reason


def test_content_may_be_null_or_absent(tmp_path: Path) -> None:
    lines = [said("assistant", "x", content=None), {"conversation_id": "c", "role": "user"}]

    assert texts_of(write_lines(tmp_path / "m", lines)) == ["", ""]


def test_blank_lines_and_other_line_ends_are_no_lines_of_their_own(tmp_path: Path) -> None:
    path = tmp_path / "m.jsonl"
    lines = [to_line(said("user", str(number))).encode() for number in range(3)]
    path.write_bytes(b"\xef\xbb\xbf" + b"\r\n\r\n  \n".join(lines))

    assert texts_of(path) == ["0", "1", "2"]


def test_the_same_line_twice_is_one_message(tmp_path: Path) -> None:
    line = said("user", "x", message_id="m")

    assert texts_of(write_lines(tmp_path / "m", [line, line])) == ["x"]


def test_items_are_runs_of_at_most_500_lines(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "m", [said("user", str(number)) for number in range(1201)])

    items = read_good(path)

    assert names(items) == ["lines 1–500", "lines 501–1000", "lines 1001–1201"]


def test_items_of_long_lines_are_shorter(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "m", [said("user", "x" * 1_500_000) for _ in range(4)])

    assert names(read_good(path)) == ["lines 1–3", "line 4"]


def test_a_list_of_messages_is_read_too(tmp_path: Path) -> None:
    path = tmp_path / "m.json"
    path.write_text(f"[{to_line(HELLO)}, {to_line(said('assistant', 'hi'))}]")

    items = read_good(path)

    assert names(items) == ["m.json[0–1]"]
    assert [message["content"] for message in messages_of(items)] == ["hello", "hi"]


short_text = st.text(max_size=12)
lines = st.fixed_dictionaries(
    {"conversation_id": short_text, "role": st.sampled_from(["user", "assistant", "tool", "x"])},
    optional={
        "content": short_text | st.none(),
        "message_id": short_text | st.integers(),
        "parent_id": short_text,
        "created_at": st.floats() | st.integers() | st.datetimes().map(str) | short_text,
        "name": short_text,
        "user_id": short_text,
        "metadata": st.dictionaries(short_text, short_text),
        "other": short_text,
    },
)


@given(st.lists(lines, max_size=12))
def test_whatever_lines_say_they_are_refused_or_fit_the_schemas(stated: list[Any]) -> None:
    raw = [(number, to_line(line).encode()) for number, line in enumerate(stated)]

    found = list(read_messages(Records("line {}", "lines {}–{}", iter(raw))))

    again = list(read_messages(Records("line {}", "lines {}–{}", iter(raw))))
    assert found == again
    for one in found:
        for draft in () if isinstance(one, Refusal) else one.drafts:
            check_draft(draft)


# OpenAI's chat form ---------------------------------------------------------------------


def test_a_chat_is_a_conversation() -> None:
    item = read_good(CHATS)[0]

    started, described, *_ = item.drafts
    assert (started.key, started.data["user_id"]) == ("chat-1", "ben")
    assert started.data["created_at"] == "2024-05-01T10:00:00.000000Z"
    assert described.data["title"] == "Weather"
    roles = [message["role"] for message in messages_of([item])]
    assert roles == ["system", "user", "assistant", "tool", "assistant"]


def test_calls_of_tools_are_metadata() -> None:
    _, _, call, output, _ = messages_of(read_good(CHATS)[:1])

    assert call["content"] == ""
    assert call["metadata"]["tool_calls"][0]["function"]["name"] == "get_weather"
    assert output["metadata"] == {"tool_call_id": "call_1"}
    assert output["name"] == "get_weather"


def test_the_model_is_that_of_the_answers_and_the_user_that_of_the_questions() -> None:
    messages = messages_of(read_good(CHATS)[:1])

    expected = [None, None, "gpt-4o-mini", None, "gpt-4o-mini"]
    assert [message.get("model") for message in messages] == expected
    assert [message.get("user_id") for message in messages] == [None, "ben", None, None, None]


def test_two_equal_lines_without_an_id_are_two_conversations() -> None:
    _, second, third, _ = read_good(CHATS)

    assert second.drafts[0].key != third.drafts[0].key


def test_ids_of_lines_do_not_depend_on_what_is_around_them(tmp_path: Path) -> None:
    stated = load_lines(CHATS)
    other = {"messages": [{"role": "user", "content": "new"}]}

    before = {item.drafts[0].key for item in read_good(write_lines(tmp_path / "a", stated))}
    after = {
        item.drafts[0].key for item in read_good(write_lines(tmp_path / "b", [other, *stated]))
    }

    assert before < after
    assert len(after - before) == 1


def test_a_longer_chat_of_the_same_id_adds_only_the_new_message(tmp_path: Path) -> None:
    stated = load_lines(CHATS)[0]
    longer = {**stated, "messages": [*stated["messages"], {"role": "user", "content": "Thanks"}]}

    before = drafts_of(read_good(write_lines(tmp_path / "a", [stated])))
    after = drafts_of(read_good(write_lines(tmp_path / "b", [longer])))

    assert after[:-1] == before


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"messages": []}, "messages is empty"),
        ({"messages": ["hi"]}, "messages[0]: message 'hi' is no JSON object"),
        ({"messages": [{"role": "user"}, {"role": "judge"}]}, "messages[1]: role 'judge'"),
        ({"messages": [{"role": ["user"]}]}, "messages[0]: role ['user']"),
        ({"created": "then"}, "created 'then' is no time"),
        ({"metadata": "x"}, "metadata 'x' is no JSON object"),
        ({"id": 1.5}, "no id"),
    ],
)
def test_a_bad_chat_is_refused_alone(tmp_path: Path, change: dict[str, Any], reason: str) -> None:
    stated = load_lines(CHATS)
    path = write_lines(tmp_path / "chats", [stated[1], {**stated[0], **change}, stated[3]])

    items, refusals = read(path)

    assert len(items) == 2
    assert [refusal.name.split(" '")[0] for refusal in refusals] == ["line 2"]
    assert reason in refusals[0].reason
