"""The manifests of the lake: what was archived, and from what; one small JSON file a day.

A manifest is written after the files that it lists, so a listed file is whole. A file in the
datasets' folders that no manifest lists is an orphan: what a killed archive left behind.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import msgspec

FOLDER = "_manifest"
"""Readers of Parquet leave out folders that begin with `_`."""


class ListedFile(msgspec.Struct, frozen=True):
    """A file of the lake.

    Attributes:
        digest: BLAKE2b of 16 bytes, in hex digits.
    """

    path: str
    dataset: str
    rows: int
    bytes: int
    digest: str


class Archived(msgspec.Struct, frozen=True):
    """A conversation, or the figures of a day, in one format.

    Attributes:
        source: digest of what the files were made of.
    """

    source: str
    files: tuple[ListedFile, ...]


class Manifest(msgspec.Struct):
    """What was archived of the conversations that began on a day, and of the day itself.

    Attributes:
        conversations: by id and format.
        others: by the path of the file: figures of the day, snapshots of the entities.
    """

    version: int = 1
    conversations: dict[str, dict[str, Archived]] = {}
    others: dict[str, Archived] = {}

    def list_files(self) -> Iterator[ListedFile]:
        """Every file that it lists, once."""
        seen: set[str] = set()
        for kept in [*self.conversations.values(), self.others]:
            for archived in kept.values():
                for file in archived.files:
                    if file.path not in seen:
                        seen.add(file.path)
                        yield file


def name_manifest(day: date) -> str:
    """The path of a day's manifest."""
    return f"{FOLDER}/{day.isoformat()}.json"


def encode_manifest(manifest: Manifest) -> bytes:
    """The manifest as JSON; the same manifest gives the same bytes."""
    raw = msgspec.json.Encoder(order="sorted").encode(manifest)
    return msgspec.json.format(raw, indent=1) + b"\n"


def decode_manifest(raw: bytes) -> Manifest:
    """The manifest that was encoded.

    Raises:
        ValueError: it is not one.
    """
    return msgspec.json.decode(raw, type=Manifest)
