"""Members of a zip file, by its directory, or by their own headers where that is missing.

A zip file has its directory at the end: a download that broke off has none. But every
member is preceded by a header of its own, and deflated data says itself where it ends.
Nothing is unpacked to disk, so the path in a member's name leads nowhere.
Source: APPNOTE.TXT 6.3, sections 4.3.7 (local header), 4.3.9 (data descriptor), 4.5.3.
"""

from __future__ import annotations

import struct
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from helix_lab.record.importers.packed import RAW_DEFLATE, Damaged, Packed, PackedStream

_HEADER = struct.Struct("<4s5H3L2H")
_HEADER_SIGNATURE = b"PK\x03\x04"
_HAS_DESCRIPTOR = 8
_IS_ENCRYPTED = 1
_WINDOW_BITS = {zipfile.ZIP_STORED: None, zipfile.ZIP_DEFLATED: RAW_DEFLATE}
_SIZE_IS_ELSEWHERE = 0xFFFFFFFF
_ZIP64_EXTRA = 1
_ZIP64_SIZES = struct.Struct("<QQ")
_CHUNK_BYTES = 1 << 18


@dataclass(frozen=True, slots=True)
class ZipMember:
    """A member of a zip file; `problem` says why it cannot be read, if so."""

    name: str
    packed: Packed
    problem: str | None = None


def list_members(file: BinaryIO) -> tuple[list[ZipMember], bool]:
    """The members of a zip file, and whether its directory was there."""
    try:
        with zipfile.ZipFile(file) as archive:
            return [_locate(file, info) for info in archive.infolist()], True
    except (zipfile.BadZipFile, OSError, ValueError):
        return list(_walk(file)), False


def _locate(file: BinaryIO, info: zipfile.ZipInfo) -> ZipMember:
    file.seek(info.header_offset)
    header = _read_header(file)
    if header is None:
        return ZipMember(info.filename, Packed(0, None), "its header is damaged")
    return ZipMember(
        info.filename,
        Packed(header.packed.starts_at, header.packed.window_bits, info.compress_size, info.CRC),
        header.problem,
    )


def _walk(file: BinaryIO) -> Iterator[ZipMember]:
    position: int | None = 0
    while position is not None:
        file.seek(position)
        member = _read_header(file)
        if member is None:
            return
        yield member
        position = None if member.problem else _find_next(file, member.packed)


def _read_header(file: BinaryIO) -> ZipMember | None:
    raw = file.read(_HEADER.size)
    if len(raw) < _HEADER.size or not raw.startswith(_HEADER_SIGNATURE):
        return None
    _, _, flags, method, _, _, crc, size, _, name_length, extra_length = _HEADER.unpack(raw)
    name = file.read(name_length).decode("utf-8", "replace")
    extra = file.read(extra_length)
    if size == _SIZE_IS_ELSEWHERE:
        size = _read_zip64_size(extra)
    known = not flags & _HAS_DESCRIPTOR
    packed = Packed(
        file.tell(), _WINDOW_BITS.get(method), size if known else None, crc if known else None
    )
    problem = None
    if flags & _IS_ENCRYPTED:
        problem = "it is encrypted; unpack it and import what is inside"
    elif method not in _WINDOW_BITS:
        problem = f"its compression method {method} is unknown; stored and deflated can be read"
    return ZipMember(name, packed, problem)


def _read_zip64_size(extra: bytes) -> int | None:
    position = 0
    while position + 4 <= len(extra):
        kind, length = struct.unpack_from("<HH", extra, position)
        if kind == _ZIP64_EXTRA and length >= _ZIP64_SIZES.size:
            return int(_ZIP64_SIZES.unpack_from(extra, position + 4)[1])
        position += 4 + length
    return None


def _find_next(file: BinaryIO, packed: Packed) -> int | None:
    """Offset of the header behind a member; None where the data breaks off."""
    if packed.size_bytes is not None:
        return packed.starts_at + packed.size_bytes
    if packed.window_bits is None:
        return None
    stream = PackedStream(file, packed)
    try:
        while stream.read(_CHUNK_BYTES):
            pass
    except Damaged:
        return None
    file.seek(stream.ends_at)
    rest = file.read(28)
    # The signature of a data descriptor is optional, and its two sizes have 4 or 8 bytes.
    for length in (16, 24, 12, 20):
        if rest[length : length + 4] == _HEADER_SIGNATURE:
            return stream.ends_at + length
    return None
