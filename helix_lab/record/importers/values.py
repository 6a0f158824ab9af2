"""JSON objects in a list or one after another, split without reading the whole file.

A list of one gigabyte is one JSON value: a parser of the whole stops for good at the
first damaged byte. Here the objects are cut out by counting brackets and each is parsed
on its own, so that a damaged one is refused alone. Where the damage makes the count
itself wrong, reading goes on at the next place that looks like the start of an object
(a brace and the first key that the objects of this file have) and is one. Where such a
start follows a whole object, nothing needs to be counted, which is several times faster.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import msgspec

from helix_lab.record.importers.decoding import NOT_DECODABLE, explain_decode_error
from helix_lab.record.importers.items import Refusal
from helix_lab.record.importers.lines import BYTE_ORDER_MARK, MAX_RECORD_BYTES
from helix_lab.record.importers.packed import Damaged

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from io import BufferedReader

_CHUNK_BYTES = 1 << 20
_MAX_RECOVERY_BYTES = 512 << 20
# The start of an object may lie across two chunks.
_OVERLAP_BYTES = 1 << 10

_COMMA = re.compile(rb"\s*+(?:,\s*+|\]?+\s*+\Z)?+")
_BETWEEN = re.compile(rb"[\s,\[\]]*+")
_TO_BRACKET = re.compile(rb'[^"{}\[\]]*+(?:"(?:[^"\\]++|\\.)*+"[^"{}\[\]]*+)*+', re.DOTALL)
_FIRST_KEY = re.compile(rb'\{\s*+("(?:[^"\\]++|\\.)*+")\s*+:', re.DOTALL)
_SCALAR = re.compile(rb'(?:"(?:[^"\\]++|\\.)*+"|[^\s,:"{}\[\]]++)(?=\s*+[,\]])', re.DOTALL)
_ANY_START = re.compile(rb'\{\s*+"')
_OPENING = b"{["
_QUOTE = ord('"')
_CLOSING_BRACE = ord("}")


def split_values(
    stream: BufferedReader[Any], label: str, is_record: Callable[[Any], bool]
) -> Iterator[tuple[int, bytes] | Refusal]:
    """Number (from 0) and bytes of each object in order, and what was damaged between them.

    Args:
        stream: a JSON list of objects, or objects one after another; UTF-8.
        label: format of an object's name, with one place for its number.
        is_record: whether a decoded object is of the kind that the file holds; asked only
            to find the way again behind a damage.
    """
    window = _Window(stream)
    start: re.Pattern[bytes] | None = None
    recovery = _Recovery(window, is_record)
    number = 0
    while window.skip_between():
        end, problem = _guess_end(window, start), ""
        if end is None:
            end, problem = _check_object(window)
        if end and not problem:
            start = start or _learn_start(window)
            yield number, window.take(end)
        else:
            damaged_from = window.offset
            recovery.skip_damage(end, start or _ANY_START)
            yield Refusal(label.format(number), _describe(problem, damaged_from, window))
        number += 1
    if window.problem_at_end:
        yield Refusal(label.format(number), window.problem_at_end)


class _Window:
    """The bytes of a stream from the current object on."""

    def __init__(self, stream: BufferedReader[Any]) -> None:
        self.data = bytearray()
        self.offset = 0
        self.damage = ""
        self.is_at_end = False
        self._stream = stream
        self._open_lists = 0
        if self.fill() and self.data.startswith(BYTE_ORDER_MARK):
            self.drop(len(BYTE_ORDER_MARK))

    @property
    def problem_at_end(self) -> str:
        """Why the stream ends where it should not; empty when all is well or was told."""
        if self.damage:
            return f"stopped at byte {self.offset}: {self.damage}"
        if self._open_lists > 0:
            return f"the file is cut off at byte {self.offset}, before the end of its list"
        return ""

    def fill(self) -> bool:
        """Read on; False when there is nothing more."""
        # In proportion to what is here, so that a long text is not scanned too often.
        wanted = max(_CHUNK_BYTES, len(self.data) // 2)
        before = len(self.data)
        try:
            while not self.is_at_end and len(self.data) < before + wanted:
                part = self._stream.read1(wanted)
                self.data += part
                self.is_at_end = not part
        except Damaged as damage:
            self.damage = str(damage)
            self.is_at_end = True
        return len(self.data) > before

    def drop(self, count: int) -> None:
        """Forget the first bytes."""
        del self.data[:count]
        self.offset += count

    def take(self, count: int) -> bytes:
        """Give and forget the first bytes."""
        taken = bytes(memoryview(self.data)[:count])
        self.drop(count)
        return taken

    def skip_between(self) -> bool:
        """Go to the next byte that is no white space, comma or bracket; False at the end."""
        while True:
            end = _end_of(_BETWEEN, self.data, 0)
            self._open_lists += self.data.count(b"[", 0, end) - self.data.count(b"]", 0, end)
            is_found = end < len(self.data)
            self.drop(end)
            if is_found:
                return True
            if not self.fill():
                return False

    def give_up(self) -> None:
        """Forget all that is left: its end was told."""
        self.drop(len(self.data))
        while self.fill():
            self.drop(len(self.data))
        self.damage = ""
        self._open_lists = 0


class _Recovery:
    """Finds the next good object behind a damaged one."""

    def __init__(self, window: _Window, is_record: Callable[[Any], bool]) -> None:
        self._window = window
        self._is_record = is_record
        self._scanned_bytes = 0

    def skip_damage(self, end: int | None, start: re.Pattern[bytes]) -> None:
        """Go behind the object at the current place; `end` is where its brackets close."""
        window = self._window
        if end and self._is_followed_well(end, start):
            window.drop(end)
            return
        while self._scanned_bytes < _MAX_RECOVERY_BYTES:
            found = start.search(window.data, 1)
            if found:
                window.drop(found.start())
                if self._skip_to_record():
                    return
            else:
                window.drop(max(len(window.data) - _OVERLAP_BYTES, 0))
                if not window.fill():
                    break
        window.give_up()

    def _is_followed_well(self, end: int, start: re.Pattern[bytes]) -> bool:
        """Whether another object or the end of the list follows, so that the end is right."""
        window = self._window
        if len(window.data) < end + _OVERLAP_BYTES:
            window.fill()
        next_at = _end_of(_COMMA, window.data, end)
        if next_at < len(window.data) or not window.is_at_end:
            return start.match(window.data, next_at) is not None
        return start.search(window.data, 1, end) is None

    def _skip_to_record(self) -> bool:
        """Whether a good object of the file is at the current place; another kind is skipped."""
        window = self._window
        end, problem = _check_object(window)
        self._scanned_bytes += end or len(window.data)
        if not end or problem:
            return False
        with memoryview(window.data)[:end] as raw:
            is_record = self._is_record(msgspec.json.decode(raw))
        if not is_record:
            window.drop(end)
        return is_record


def _learn_start(window: _Window) -> re.Pattern[bytes] | None:
    first_key = _FIRST_KEY.match(window.data)
    if first_key is None:
        return None
    return re.compile(rb"\{\s*+" + re.escape(first_key[1]) + rb"\s*+:")


def _guess_end(window: _Window, start: re.Pattern[bytes] | None) -> int | None:
    """Where the object at the current place ends, if the next start follows it directly."""
    found = start and start.search(window.data, 1)
    if not found:
        return None
    end = window.data.rfind(b"}", 0, found.start()) + 1
    return end if end and _try_decoding(window, end) is None else None


def _check_object(window: _Window) -> tuple[int | None, str]:
    """Where the object at the current place ends, if it does, and what is wrong with it."""
    end, problem = _find_end(window)
    if end is None or problem:
        return end, problem
    error = _try_decoding(window, end)
    return end, explain_decode_error(bytes(window.data[:end]), error) if error else ""


def _try_decoding(window: _Window, end: int) -> Exception | None:
    """What is raised by decoding the bytes up to an end; None when they are good."""
    with memoryview(window.data)[:end] as raw:
        try:
            msgspec.json.decode(raw)
        except NOT_DECODABLE as error:
            return error
    return None


def _find_end(window: _Window) -> tuple[int | None, str]:
    if not window.data.startswith(b"{"):
        return _end_of(_SCALAR, window.data, 0) or None, "not a JSON object"
    position, depth = 0, 0
    while True:
        data = window.data
        position = _end_of(_TO_BRACKET, data, position)
        if position < len(data) and data[position] != _QUOTE:
            depth += 1 if data[position] in _OPENING else -1
            position += 1
            if depth == 0:
                is_closed = data[position - 1] == _CLOSING_BRACE
                return (position, "") if is_closed else (None, "its brackets do not match")
        elif len(data) > MAX_RECORD_BYTES:
            return None, f"longer than {MAX_RECORD_BYTES >> 20} MiB"
        elif not window.fill():
            return None, window.damage or "the file is cut off in the middle of it"


def _end_of(pattern: re.Pattern[bytes], data: bytearray, position: int) -> int:
    """Where the match of a pattern that always matches ends."""
    match = pattern.match(data, position)
    return match.end() if match else position


def _describe(problem: str, start: int, window: _Window) -> str:
    if window.is_at_end and not window.data:
        return f"{problem} (from byte {start} to the end)"
    return f"{problem} (bytes {start} to {window.offset})"
