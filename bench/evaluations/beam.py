"""BEAM: long chats with an assistant, and probing questions (no licence stated: local use only)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from helix_lab.domain.context.history import Message

_MARK = re.compile(r"\s*->->\s*\d+,\s*(?:\d+(?:,\s*\d+)?|N/A)")
_UPDATE = "knowledge_update"
_CONTRADICTION = "contradiction_resolution"


@dataclass(frozen=True, slots=True)
class Probe:
    """A question with its evidence; of an update, the stale and the current messages."""

    kind: str
    text: str
    evidence: tuple[str, ...]
    stale: tuple[str, ...]
    current: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Chat:
    """A conversation and what is asked of it."""

    name: str
    messages: tuple[Message, ...]
    probes: tuple[Probe, ...]


def read_chats(folder: Path) -> list[Chat]:
    """The chats of a folder that has one folder for each."""
    folders = sorted(path.parent for path in folder.glob("*/chat.json"))
    return [_chat(path) for path in sorted(folders, key=lambda path: int(path.name))]


def _chat(folder: Path) -> Chat:
    messages = tuple(_messages(json.loads((folder / "chat.json").read_text("utf-8"))))
    known = {message.message_id for message in messages}
    probes: list[Probe] = []
    path = folder / "questions.json"
    for kind, asked in json.loads(path.read_text("utf-8")).items():
        probes += filter(None, (_probe(kind, one, known) for one in asked))
    return Chat(folder.name, messages, tuple(probes))


def _messages(batches: list[dict[str, Any]]) -> Iterator[Message]:
    for batch in batches:
        found = [message for turn in batch["turns"] for message in turn]
        stated = next(m["time_anchor"] for m in found if m.get("time_anchor"))
        day = datetime.strptime(stated, "%B-%d-%Y").replace(tzinfo=UTC)
        for message in found:
            content = _MARK.sub("", message["content"])
            yield Message(str(message["id"]), day, {"role": message["role"], "content": content})


def _probe(kind: str, asked: dict[str, Any], known: set[str]) -> Probe | None:
    sources = asked.get("source_chat_ids", [])
    evidence = tuple(dict.fromkeys(one for one in _ids(sources) if one in known))
    if not evidence:
        return None
    stale: tuple[str, ...] = ()
    current: tuple[str, ...] = ()
    if kind == _UPDATE:
        stale = tuple(_ids(sources["original_info"]))
        current = tuple(_ids(sources["updated_info"]))
    if kind == _CONTRADICTION and isinstance(sources, dict):
        stale = tuple(_ids(sources["first_statement"]))
        current = tuple(_ids(sources["second_statement"]))
    return Probe(kind, asked["question"], evidence, stale, current)


def _ids(value: Any) -> Iterator[str]:
    """All ids inside of a value, in order."""
    if isinstance(value, (int, str)):
        yield str(value)
    elif isinstance(value, dict):
        for inner in value.values():
            yield from _ids(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _ids(inner)
