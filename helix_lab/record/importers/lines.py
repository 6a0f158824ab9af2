"""JSON objects one a line."""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO

from helix_lab.record.importers.items import Refusal
from helix_lab.record.importers.packed import Damaged

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_RECORD_BYTES = 64 << 20
BYTE_ORDER_MARK = b"\xef\xbb\xbf"


def split_lines(stream: BinaryIO, label: str) -> Iterator[tuple[int, bytes] | Refusal]:
    """Number (from 1) and bytes of each line that is not blank; damage comes last.

    Args:
        stream: the text, UTF-8.
        label: format of a line's name, with one place for its number.
    """
    number = 0
    try:
        line = stream.readline(MAX_RECORD_BYTES).removeprefix(BYTE_ORDER_MARK)
        while line:
            number += 1
            if len(line) >= MAX_RECORD_BYTES and not line.endswith(b"\n"):
                yield Refusal(label.format(number), _TOO_LONG)
                _skip_line(stream)
            elif not line.isspace():
                yield number, line
            line = stream.readline(MAX_RECORD_BYTES)
    except Damaged as damage:
        yield Refusal(label.format(number + 1), f"stopped here: {damage}")


_TOO_LONG = f"the line is longer than {MAX_RECORD_BYTES >> 20} MiB"


def _skip_line(stream: BinaryIO) -> None:
    part = stream.readline(MAX_RECORD_BYTES)
    while len(part) >= MAX_RECORD_BYTES and not part.endswith(b"\n"):
        part = stream.readline(MAX_RECORD_BYTES)
