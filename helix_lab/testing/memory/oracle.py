"""What all replicas must show in the end, found the slow way: every update against every other."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from helix_lab.domain.memory.record import Kind, Reader, Record, Update, gives_life
from helix_lab.domain.memory.replica import Commit


@dataclass(frozen=True, slots=True)
class Shown:
    """A memory as anyone may see it, without the dots, which replicas forget at different times."""

    heads: tuple[tuple[int, int], ...]
    values: tuple[tuple[str, tuple[Any, ...]], ...]
    tags: tuple[str, ...]
    version: int
    is_erased: bool


@dataclass(frozen=True, slots=True)
class _Known:
    """One update with its dot and what its writer saw."""

    update: Update
    reader: Reader
    seq: int

    @property
    def order(self) -> tuple[int, str, int]:
        return (self.update.clock, self.reader.node, self.seq)

    def is_seen_by(self, other: _Known) -> bool:
        if other.reader.node == self.reader.node:
            return other.seq > self.seq
        return other.reader.saw(self.reader.node, self.seq)


def show_record(record: Record) -> Shown:
    """What a replica shows."""
    return Shown(
        heads=tuple((head.clock, head.depth) for head in record.heads),
        values=tuple(
            (name, tuple(entry.value for entry in record.entries[name]))
            for name in sorted(record.entries)
        ),
        tags=tuple(sorted(record.tags)),
        version=record.version,
        is_erased=record.is_erased,
    )


def show_records(records: dict[str, Record]) -> dict[str, Shown]:
    """The memories that are there to be seen; the deleted ones may be forgotten or not."""
    return {key: show_record(r) for key, r in records.items() if r.is_alive or r.is_erased}


def judge(commits: Iterable[Commit]) -> dict[str, Shown]:
    """What must be shown once all these commits are known to everyone."""
    known: dict[str, list[_Known]] = defaultdict(list)
    dots: set[tuple[str, int]] = set()
    for commit in commits:
        for seq, update in enumerate(commit.updates, commit.seq):
            if (commit.node, seq) not in dots:
                dots.add((commit.node, seq))
                reader = Reader(commit.node, commit.seen)
                known[update.memory_id].append(_Known(update, reader, seq))
    judged = {key: _judge_memory(updates) for key, updates in known.items()}
    return {key: shown for key, shown in judged.items() if shown is not None}


def _judge_memory(updates: Sequence[_Known]) -> Shown | None:
    if any(known.update.kind is Kind.ERASE for known in updates):
        return Shown((), (), (), 0, is_erased=True)
    ordered = sorted(updates, key=lambda known: known.order)
    if not _find_unreplaced(ordered, gives_life, lambda u: gives_life(u) or u.kind is Kind.DELETE):
        return None
    heads = _find_unreplaced(ordered, lambda _: True, lambda _: True)
    tags = {tag for known in ordered for tag in known.update.tags_added}
    return Shown(
        heads=tuple((head.clock, head.depth) for head in heads),
        values=_judge_values(ordered),
        tags=tuple(sorted(tag for tag in tags if _is_tagged(ordered, tag))),
        version=max(head.depth for head in heads) + (len(heads) > 1),
        is_erased=False,
    )


def _judge_values(ordered: Sequence[_Known]) -> tuple[tuple[str, tuple[Any, ...]], ...]:
    values = []
    for name in sorted({name for known in ordered for name in known.update.changes}):
        found = _find_unreplaced(ordered, partial(_writes, name), partial(_replaces, name))
        if found:
            values.append((name, tuple(update.changes[name] for update in found)))
    return tuple(values)


def _is_tagged(ordered: Sequence[_Known], tag: str) -> bool:
    adds, changes = partial(_adds, tag), partial(_changes_tag, tag)
    return bool(_find_unreplaced(ordered, adds, changes))


def _writes(name: str, update: Update) -> bool:
    return name in update.changes


def _replaces(name: str, update: Update) -> bool:
    return name in update.changes or update.kind is Kind.CREATE


def _adds(tag: str, update: Update) -> bool:
    return tag in update.tags_added


def _changes_tag(tag: str, update: Update) -> bool:
    return tag in update.tags_added + update.tags_removed or update.kind is Kind.CREATE


def _find_unreplaced(
    ordered: Sequence[_Known],
    writes: Callable[[Update], bool],
    replaces: Callable[[Update], bool],
) -> list[Update]:
    """What was written and not replaced by anyone who had seen it."""
    return [
        known.update
        for known in ordered
        if writes(known.update)
        and not any(replaces(other.update) and known.is_seen_by(other) for other in ordered)
    ]
