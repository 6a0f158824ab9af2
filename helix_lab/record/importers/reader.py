"""Files of other programs as items of events: the format is found by the shape of what is inside.

Reading streams: memory is bounded by the largest single conversation, not by the file.
Everything is the same from one reading to the next, ids above all, so that importing a
file twice, or a grown export of the same conversations, adds only what is new.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any

from helix_lab.domain.model.errors import InvalidRequest
from helix_lab.record.importers.chatgpt import is_chatgpt
from helix_lab.record.importers.chatgpt import read_conversation as read_chatgpt
from helix_lab.record.importers.claude import is_claude
from helix_lab.record.importers.claude import read_conversation as read_claude
from helix_lab.record.importers.debates import is_debate, read_debate
from helix_lab.record.importers.decoding import decode_object
from helix_lab.record.importers.items import Item, Records, Refusal
from helix_lab.record.importers.jsonl import (
    ChatReader,
    is_message,
    is_openai_chat,
    read_messages,
)
from helix_lab.record.importers.lines import BYTE_ORDER_MARK, split_lines
from helix_lab.record.importers.packed import Damaged
from helix_lab.record.importers.sources import Member, OnRead, Source
from helix_lab.record.importers.tally import Tally
from helix_lab.record.importers.values import split_values

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from io import BufferedReader
    from pathlib import Path

__all__ = ["FORMATS", "Item", "Refusal", "detect_format", "read_items"]

_SHAPES: Mapping[str, Callable[[Mapping[str, Any]], bool]] = {
    "chatgpt": is_chatgpt,
    "claude": is_claude,
    "debates_jsonl": is_debate,
    "openai_jsonl": is_openai_chat,
    "messages_jsonl": is_message,
}
FORMATS: tuple[str, ...] = tuple(_SHAPES)
"""The names of the formats that can be read."""

_KNOWN = (
    "known are ChatGPT exports (objects with 'mapping'), Claude exports ('chat_messages'), "
    "OpenAI chats ('messages'), messages ('conversation_id' and 'role') and debates "
    "('participants' and 'turns'); see docs/import.md"
)
_MAX_TRIED_RECORDS = 20
_PEEKED_BYTES = 1 << 16
_UTF_16_OR_32 = (b"\xff\xfe", b"\xfe\xff", b"\x00")


def detect_format(path: Path) -> str:
    """The format of a file, one of `FORMATS`, by its first objects that are whole.

    Raises:
        InvalidRequest: nothing inside has the shape of a format that can be read.
    """
    with Source(path) as source:
        formats = (_detect(member)[0] for member in source.members)
        found = next((name for name in formats if name), None)
        return found or _explain_unknown(path, source)


def read_items(
    path: Path, *, format: str | None = None, on_progress: OnRead | None = None
) -> Iterator[Item | Refusal]:
    """The items of a file in order, and between them what was refused.

    Args:
        path: an export (zip, also a damaged one, or its JSON files), JSON Lines, also gzipped.
        format: one of `FORMATS`; by default found by shape.
        on_progress: told (bytes read, bytes in total) of the path, at the end (total, total);
            may raise to stop.

    Raises:
        InvalidRequest: nothing inside can be read, or the format is unknown.
    """
    if format is not None and format not in _SHAPES:
        message = f"format {format!r} is unknown; allowed are {', '.join(FORMATS)}"
        raise InvalidRequest(message, field="format", value=format)
    return _read_source(path, format or detect_format(path), on_progress)


def _read_source(path: Path, format: str, on_progress: OnRead | None) -> Iterator[Item | Refusal]:
    with Source(path, on_progress) as source:
        if source.warning:
            yield Refusal(path.name, source.warning)
        is_alone = len(source.members) == 1
        readers = _Readers(format)
        for member in source.members:
            yield from _read_member(member, readers, is_alone=is_alone)
        if on_progress is not None:
            on_progress(source.total_bytes, source.total_bytes)


def _read_member(member: Member, readers: _Readers, *, is_alone: bool) -> Iterator[Item | Refusal]:
    found, _ = _detect(member)
    is_expected = found == readers.format or member.name.startswith("conversations")
    if not (is_expected or is_alone):
        # Exports hold other files too: the account, projects, feedback.
        return
    try:
        with member.open() as stream:
            yield from readers.read(_split(stream, member.name, is_alone=is_alone))
    except (Damaged, InvalidRequest) as error:
        yield Refusal(member.name, str(error))


class _Readers:
    """The readers of one format, with what they remember from file to file."""

    def __init__(self, format: str) -> None:
        self.format = format
        self._read_chat = ChatReader().read
        self._seen = Tally()
        self._count = 0

    def read(self, records: Records) -> Iterator[Item | Refusal]:
        """Items and refusals of one file."""
        if self.format == "messages_jsonl":
            yield from read_messages(records)
            return
        for record in records.raw:
            if isinstance(record, Refusal):
                yield record
            else:
                yield self._read_one(records.name(record[0]), record[1])

    def _read_one(self, name: str, raw: bytes) -> Item | Refusal:
        self._count += 1
        try:
            value = decode_object(raw)
            name = f"{name}{_show_title(value)}"
            item = self._convert(value, raw, name)
            self._check_is_new(value.get("debate_id") or item.drafts[0].key)
        except InvalidRequest as error:
            return Refusal(name, error.message)
        return item

    def _convert(self, value: dict[str, Any], raw: bytes, name: str) -> Item:
        if not _SHAPES[self.format](value):
            fields = ", ".join(sorted(value)[:8]) or "none"
            message = f"not of the format {self.format}; its fields are: {fields}"
            raise InvalidRequest(message)
        if self.format == "chatgpt":
            return read_chatgpt(value, name)
        if self.format == "claude":
            return read_claude(value, name)
        if self.format == "debates_jsonl":
            return read_debate(value, name)
        return self._read_chat(value, raw, name)

    def _check_is_new(self, stated_id: object) -> None:
        key = str(stated_id)
        first = self._seen[key]
        if first:
            message = f"its id {key} was used before, by item {first} of this import"
            raise InvalidRequest(message, value=key)
        self._seen[key] = self._count


def _detect(member: Member) -> tuple[str | None, str]:
    """The format of a member, or None and what is wrong with it."""
    try:
        with member.open() as stream:
            tried = islice(_split(stream, member.name, is_alone=True).raw, _MAX_TRIED_RECORDS)
            values = [_decode_or_none(raw[1]) for raw in tried if not isinstance(raw, Refusal)]
    except (Damaged, InvalidRequest) as error:
        return None, str(error)
    for value in values:
        found = _find_shape(value)
        if found:
            return found, ""
    fields = next((", ".join(sorted(value)[:8]) for value in values if value), "")
    return (
        None,
        f"its first object has the fields {fields}" if fields else "it holds no JSON object",
    )


def _find_shape(value: Mapping[str, Any] | None) -> str | None:
    if value is None:
        return None
    return next((name for name, has_shape in _SHAPES.items() if has_shape(value)), None)


def _decode_or_none(raw: bytes) -> dict[str, Any] | None:
    try:
        return decode_object(raw)
    except InvalidRequest:
        return None


def _split(stream: BufferedReader, member_name: str, *, is_alone: bool) -> Records:
    """The objects of a text: one a line, or else in a list or one after another.

    Raises:
        InvalidRequest: it is empty, or neither JSON nor UTF-8.
    """
    start = stream.peek(_PEEKED_BYTES)[:_PEEKED_BYTES]
    if start.startswith(_UTF_16_OR_32) or b"\x00" in start[:4]:
        message = f"{member_name} is not UTF-8 text (it looks like UTF-16); save it as UTF-8"
        raise InvalidRequest(message, field="path")
    text = start.removeprefix(BYTE_ORDER_MARK).lstrip()
    if not text:
        message = f"{member_name} is empty"
        raise InvalidRequest(message, field="path")
    name = member_name.replace("{", "{{").replace("}", "}}")
    if _is_one_a_line(text):
        prefix = "" if is_alone else f"{name} "
        label = prefix + "line {}"
        return Records(label, prefix + "lines {}–{}", split_lines(stream, label))
    if not text.startswith((b"[", b"{")):
        message = (
            f"{member_name} is no JSON: it starts with {text[:20].decode('utf-8', 'replace')!r}"
        )
        raise InvalidRequest(message, field="path")
    label = name + "[{}]"
    raw = split_values(stream, label, lambda value: bool(_find_shape(value)))
    return Records(label, name + "[{}–{}]", raw)


def _is_one_a_line(text: bytes) -> bool:
    """Whether the start of a text looks like JSON Lines: one of its first lines is an object."""
    if text.startswith(b"["):
        return False
    lines = text.splitlines()
    is_one_long_line = len(lines) == 1 and text.startswith(b"{")
    return is_one_long_line or any(map(_decode_or_none, lines[:_MAX_TRIED_RECORDS]))


def _show_title(value: Mapping[str, Any]) -> str:
    title = value.get("title") or value.get("name") or value.get("debate_id")
    return f" {title[:80]!r}" if isinstance(title, str) else ""


def _explain_unknown(path: Path, source: Source) -> str:
    problems = [
        f"{member.name}: {_detect(member)[1]}" if len(source.members) > 1 else _detect(member)[1]
        for member in source.members[:5]
    ]
    seen = "; ".join(problems) or "there is no JSON file in it"
    message = f"the format of {path.name} is not known: {seen}; {_KNOWN}"
    raise InvalidRequest(message, field="path", allowed=list(FORMATS))
