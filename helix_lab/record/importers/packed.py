"""Streams of packed bytes that give all that is good before they say what is damaged."""

from __future__ import annotations

import io
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from typing import Any

# What lies in the piece that holds the damage is lost with it, so pieces are small.
_PIECE_BYTES = 1 << 10
_BUFFER_BYTES = 1 << 18
_MAX_EXPANSION = 300
_FREE_EXPANSION_BYTES = 512 << 20

RAW_DEFLATE = -15
GZIP = 31


class Damaged(Exception):
    """The bytes end too early or cannot be unpacked. What came before them is good."""


@dataclass(frozen=True, slots=True)
class Packed:
    """Where packed bytes lie in a file.

    Attributes:
        starts_at: offset of the first byte.
        window_bits: how zlib unpacks them; None where they are stored as they are.
        size_bytes: of the packed bytes; None where only the data tells where it ends.
        crc: of the unpacked bytes, where it is known.
    """

    starts_at: int
    window_bits: int | None
    size_bytes: int | None = None
    crc: int | None = None


def open_packed(file: BinaryIO, packed: Packed) -> io.BufferedReader:
    """The unpacked bytes; reading raises `Damaged` behind the last good one.

    Closing it leaves the file open. Data that expands more than 300 times, after the
    first 512 MiB, is taken for a bomb.
    """
    return io.BufferedReader(PackedStream(file, packed), _BUFFER_BYTES)


class PackedStream(io.RawIOBase):
    """The raw stream behind `open_packed`; knows where the packed bytes ended."""

    def __init__(self, file: BinaryIO, packed: Packed) -> None:
        self._file = file
        self._packed = packed
        self._read_bytes = 0
        self._given_bytes = 0
        self._crc = 0
        self._inflater = _make_inflater(packed)
        self._tail = b""

    @property
    def ends_at(self) -> int:
        """Offset behind the packed bytes that were used."""
        unused = len(self._inflater.unused_data) if self._inflater else 0
        return self._packed.starts_at + self._read_bytes - unused - len(self._tail)

    def readable(self) -> bool:
        """Always true: the stream is for reading."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill a part of the buffer; 0 at the end."""
        data = self._inflate(len(buffer)) if self._inflater else self._read(len(buffer))
        buffer[: len(data)] = data
        self._given_bytes += len(data)
        self._crc = zlib.crc32(data, self._crc)
        self._check(is_at_end=not data)
        return len(data)

    def _check(self, *, is_at_end: bool) -> None:
        if is_at_end and self._packed.crc not in (None, self._crc):
            reason = "its checksum is wrong: what was read from it may differ from what was written"
            raise Damaged(reason)
        if self._given_bytes > _FREE_EXPANSION_BYTES + _MAX_EXPANSION * self._read_bytes:
            reason = f"the compressed data expands more than {_MAX_EXPANSION} times"
            raise Damaged(reason)

    def _inflate(self, limit: int) -> bytes:
        while self._inflater and not self._is_done():
            raw = self._tail or self._read(_PIECE_BYTES)
            if not raw:
                reason = "the compressed data is cut off"
                raise Damaged(reason)
            try:
                data: bytes = self._inflater.decompress(raw, limit)
            except zlib.error as error:
                reason = f"the compressed data is damaged ({error})"
                raise Damaged(reason) from None
            self._tail = self._inflater.unconsumed_tail
            if data:
                return data
        return b""

    def _is_done(self) -> bool:
        """Whether the data has said that it ends; a gzip file may hold several in a row."""
        inflater = self._inflater
        if inflater is None or not inflater.eof:
            return False
        if self._packed.window_bits != GZIP:
            return True
        following = inflater.unused_data or self._read(_PIECE_BYTES)
        if not following.startswith(b"\x1f"):
            return True
        self._inflater = _make_inflater(self._packed)
        self._tail = following
        return False

    def _read(self, limit: int) -> bytes:
        """The next packed bytes; empty behind the last one."""
        size_bytes = self._packed.size_bytes
        count = limit if size_bytes is None else min(limit, size_bytes - self._read_bytes)
        self._file.seek(self._packed.starts_at + self._read_bytes)
        raw = self._file.read(count)
        if not raw and count and not self._inflater:
            reason = "the file is cut off"
            raise Damaged(reason)
        self._read_bytes += len(raw)
        return raw


def _make_inflater(packed: Packed) -> Any:
    return None if packed.window_bits is None else zlib.decompressobj(packed.window_bits)
