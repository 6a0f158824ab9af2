from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from helix_lab.domain.context.tokens import count_tokens
from helix_lab.domain.model.errors import InvalidRequest
from helix_lab.record.importers.reader import FORMATS, detect_format, read_items
from helix_lab.record.schemas import check_draft
from tests.importers.reading import (
    ALL,
    CHATGPT,
    MESSAGES,
    drafts_of,
    load,
    messages_of,
    names,
    read,
    read_good,
    said,
    write_json,
    write_lines,
)


def test_there_is_a_sample_of_every_format() -> None:
    assert set(ALL) == set(FORMATS)


@pytest.mark.parametrize(("format", "sample"), ALL.items(), ids=ALL)
def test_a_format_is_found_by_shape_whatever_the_file_is_called(
    tmp_path: Path, format: str, sample: Path
) -> None:
    path = tmp_path / "upload.tmp"
    path.write_bytes(sample.read_bytes())

    assert detect_format(sample) == format
    assert detect_format(path) == format


@pytest.mark.parametrize("sample", ALL.values(), ids=ALL)
def test_every_draft_of_every_sample_fits_its_schema(sample: Path) -> None:
    drafts = drafts_of(read_good(sample))

    for draft in drafts:
        check_draft(draft)
        json.dumps(draft.data)
    assert drafts


@pytest.mark.parametrize("sample", ALL.values(), ids=ALL)
def test_reading_a_file_twice_gives_equal_items(sample: Path) -> None:
    assert read_good(sample) == read_good(sample)


@pytest.mark.parametrize("sample", ALL.values(), ids=ALL)
def test_every_message_is_counted_in_model_tokens(sample: Path) -> None:
    for message in messages_of(read_good(sample)):
        assert message["model_tokens"] == count_tokens(message["content"])


@pytest.mark.parametrize("sample", ALL.values(), ids=ALL)
@pytest.mark.parametrize("share", [0.2, 0.5, 0.9, 0.99])
def test_a_file_that_is_cut_off_gives_its_whole_items_and_one_refusal(
    tmp_path: Path, sample: Path, share: float
) -> None:
    raw = sample.read_bytes()
    path = tmp_path / "cut"
    path.write_bytes(raw[: int(len(raw) * share)])
    whole = {draft.event_id for draft in drafts_of(read_good(sample))}

    try:
        items, refusals = read(path)
    except InvalidRequest:
        # Not even the first object is whole.
        return

    assert {draft.event_id for draft in drafts_of(items)} < whole
    assert len(refusals) == 1


def test_the_format_can_be_given(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "m", ['{"oops": 1}', to_messages()])

    items, refusals = read(path, format="messages_jsonl")

    assert len(messages_of(items)) == 1
    assert names(refusals) == ["line 1"]


def to_messages() -> str:
    return json.dumps(said("user", "hello"))


def test_an_unknown_format_is_refused_with_those_that_are_known() -> None:
    with pytest.raises(InvalidRequest, match="allowed are chatgpt, claude"):
        read_items(MESSAGES, format="slack")


def test_a_first_line_that_is_damaged_does_not_hide_the_format(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "m", ['{"conversation_id": "c", "ro', to_messages()])

    items, refusals = read(path)

    assert len(messages_of(items)) == 1
    assert names(refusals) == ["line 1"]


def test_an_object_of_another_format_is_refused_with_its_fields(tmp_path: Path) -> None:
    path = write_json(tmp_path / "c.json", [*load(CHATGPT), {"messages": [], "id": "x"}])

    items, refusals = read(path)

    assert len(items) == 3
    assert refusals[0].reason == "not of the format chatgpt; its fields are: id, messages"


def test_a_single_conversation_is_read_however_it_is_laid_out(tmp_path: Path) -> None:
    conversation = load(CHATGPT)[0]
    compact, pretty = tmp_path / "compact.json", tmp_path / "pretty.json"
    compact.write_text(json.dumps(conversation))
    pretty.write_text(json.dumps(conversation, indent=2))

    assert drafts_of(read_good(compact)) == drafts_of(read_good(pretty))


@pytest.mark.parametrize("kind", ["messages_jsonl", "chatgpt"])
def test_memory_does_not_grow_with_the_file(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "big"
    with path.open("wb") as file:
        write_big(file.write, kind, 40_000_000)

    run = subprocess.run(
        [sys.executable, "-c", _MEASURE, str(path)],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[2],
    )

    messages, grown_mib = map(float, run.stdout.split())
    assert messages > 40_000
    assert grown_mib < 40


_MEASURE = """
import resource, sys
from pathlib import Path
from helix_lab.record.importers.reader import read_items
read = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
before = read()
messages = sum(len(item.drafts) for item in read_items(Path(sys.argv[1])))
print(messages, read() - before)
"""


def write_big(write: object, kind: str, size_bytes: int) -> None:
    """A long file of short conversations."""
    assert callable(write)
    text = "the cat sat on the mat and looked at the dog " * 3
    written = write(b"[") if kind == "chatgpt" else 0
    number = 0
    while written < size_bytes:
        lines = [
            (f"{number}-{i}", "assistant" if i % 2 else "user", f"{i} {text}") for i in range(20)
        ]
        if kind == "chatgpt":
            written += write((b", " if number else b"") + to_chatgpt(number, lines))
        else:
            for message_id, role, content in lines:
                line = said(role, content, message_id=message_id, conversation_id=str(number))
                written += write(json.dumps(line).encode() + b"\n")
        number += 1
    if kind == "chatgpt":
        write(b"]")


def to_chatgpt(number: int, lines: list[tuple[str, str, str]]) -> bytes:
    mapping: dict[str, object] = {
        message_id: {
            "id": message_id,
            "parent": lines[position - 1][0] if position else None,
            "children": [],
            "message": {
                "author": {"role": role, "name": None, "metadata": {}},
                "create_time": 1.7e9 + position,
                "content": {"content_type": "text", "parts": [content]},
                "metadata": {"model_slug": "gpt-x", "padding": "x" * 300},
                "recipient": "all",
            },
        }
        for position, (message_id, role, content) in enumerate(lines)
    }
    value = {"title": f"Talk {number}", "conversation_id": f"talk-{number}", "mapping": mapping}
    return json.dumps({**value, "current_node": lines[-1][0]}).encode()
