"""What the tests of importers have in common."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from helix_lab.domain.model.event import Draft
from helix_lab.record.importers.reader import Item, Refusal, read_items

SAMPLES = Path(__file__).parent.parent / "samples"
CHATGPT = SAMPLES / "chatgpt_conversations.json"
CLAUDE = SAMPLES / "claude_conversations.json"
MESSAGES = SAMPLES / "messages.jsonl"
CHATS = SAMPLES / "openai_chats.jsonl"
DEBATES = SAMPLES / "debates.jsonl"
ALL = {
    "chatgpt": CHATGPT,
    "claude": CLAUDE,
    "messages_jsonl": MESSAGES,
    "openai_jsonl": CHATS,
    "debates_jsonl": DEBATES,
}


def read(path: Path, *, format: str | None = None) -> tuple[list[Item], list[Refusal]]:
    """All items and all refusals of a file."""
    found = list(read_items(path, format=format))
    items = [item for item in found if isinstance(item, Item)]
    return items, [refusal for refusal in found if isinstance(refusal, Refusal)]


def read_good(path: Path) -> list[Item]:
    """All items of a file in which nothing is refused."""
    items, refusals = read(path)
    assert refusals == []
    return items


def drafts_of(items: Iterable[Item], noun: str = "") -> list[Draft]:
    """The drafts of items, all or those of one kind such as "message.added"."""
    return [
        draft
        for item in items
        for draft in item.drafts
        if draft.type.name.removeprefix("helixagent.").startswith(noun)
    ]


def messages_of(items: Iterable[Item]) -> list[dict[str, Any]]:
    """The data of all messages."""
    return [dict(draft.data) for draft in drafts_of(items, "message.added")]


def write_lines(path: Path, values: Iterable[Any]) -> Path:
    """A file with one JSON value a line; a text or bytes is written as it is."""
    with path.open("wb") as file:
        for value in values:
            raw = value if isinstance(value, bytes) else str.encode(to_line(value))
            file.write(raw + b"\n")
    return path


def to_line(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def write_json(path: Path, value: Any) -> Path:
    """A file with one JSON value, compact as exports are."""
    path.write_text(json.dumps(value), encoding="utf-8")
    return path


def write_zip(path: Path, members: dict[str, bytes]) -> Path:
    """A deflated zip file."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def load(path: Path) -> Any:
    """The JSON of a sample."""
    return json.loads(path.read_text(encoding="utf-8"))


def load_lines(path: Path) -> list[Any]:
    """The JSON lines of a sample."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def said(role: str, text: str, **more: Any) -> dict[str, Any]:
    """A message as a line."""
    return {"conversation_id": "c", "role": role, "content": text, **more}


def names(found: Sequence[Item] | Sequence[Refusal]) -> list[str]:
    """How a report calls them."""
    return [one.name for one in found]
