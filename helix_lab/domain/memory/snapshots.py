"""Snapshots as their events tell them: whether they are whole, and what they stand for."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from helix_lab.domain.model.event import SNAPSHOT_WRITTEN, Entry

_DIGEST_BYTES = 16


class Digest:
    """Of the memories of a snapshot, however its JSON is spaced."""

    def __init__(self, parts: Iterable[object] = ()) -> None:
        self._hash = hashlib.blake2b(digest_size=_DIGEST_BYTES)
        for memories in parts:
            self.add(memories)

    def add(self, memories: object) -> None:
        """The memories of the next part."""
        self._hash.update(msgspec.json.encode(memories, order="sorted"))

    def __str__(self) -> str:
        return self._hash.hexdigest()


def pick_parts(entries: Sequence[Entry], *, parts: int, digest: str) -> list[Entry] | None:
    """The parts of a snapshot in their order; None unless all are there as they were written."""
    found = [entry for entry in entries if entry.event.type == SNAPSHOT_WRITTEN.name]
    found.sort(key=lambda entry: int(entry.event.data["part"]))
    if [entry.event.data["part"] for entry in found] != list(range(1, parts + 1)):
        return None
    is_same = str(Digest(entry.event.data["memories"] for entry in found)) == digest
    return found if is_same else None


def count_updates(completion: Mapping[str, Any]) -> dict[str, int]:
    """How many updates of each node a snapshot holds, from the data of its completion."""
    return {node["node_id"]: node["seq"] for node in completion["nodes"]}
