"""Records of memories as JSON, and back."""

from __future__ import annotations

from typing import Any

from helix_lab.domain.memory.record import Entry, Head, Kind, Record


def dump_record(record: Record) -> dict[str, Any]:
    """The record as JSON values."""
    return {
        "heads": [list(head) for head in record.heads],
        "entries": {name: [list(e) for e in entries] for name, entries in record.entries.items()},
        "tags": {tag: [list(dot) for dot in dots] for tag, dots in record.tags.items()},
        "life": [list(dot) for dot in record.life],
        "erased": record.is_erased,
    }


def load_record(state: dict[str, Any]) -> Record:
    """The record that was dumped."""
    return Record(
        heads=[Head(c, n, s, depth, Kind(kind)) for c, n, s, depth, kind in state["heads"]],
        entries={
            name: [Entry(*entry) for entry in entries] for name, entries in state["entries"].items()
        },
        tags={tag: [(n, s) for n, s in dots] for tag, dots in state["tags"].items()},
        life=[(n, s) for n, s in state["life"]],
        is_erased=state["erased"],
    )
