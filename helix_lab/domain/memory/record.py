"""One memory as a replica holds it: every value that no later update has replaced.

An update replaces what its writer had seen, and nothing else. So what two writers did at the
same time stands side by side, in the same order on every replica; which of it is shown is the
matter of a strategy, and changes nothing here.

Decided in `docs/decisions/0015-replicated-memory.md`: an edit of the content that runs beside a
delete keeps the memory alive; any other edit does not; erasing is final.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any, NamedTuple

from helix_lab.domain.model.clock import HybridTime

CONTENT = "content"
METADATA_PREFIX = "m."
"""Before each key of the metadata, which is a field by itself."""

Vector = Mapping[str, int]
"""How many updates of each node were seen; none of those that it does not name."""

DETACHED: None = None
"""In place of a vector: has seen nothing, not even what all others have, and replaces nothing."""

Dot = tuple[str, int]
"""An update: the node, and its number among the updates of that node, from 1."""

STABLE: Dot = ("", 0)
"""The dot of what every member has seen: whoever writes now replaces it."""


class Kind(IntEnum):
    """What an update does to a memory."""

    CREATE = 0
    """Gives the whole memory; what the writer saw of it before is gone."""
    EDIT = 1
    DELETE = 2
    ERASE = 3
    """Drops the values for ever, whatever anyone else does."""


class Update(NamedTuple):
    """What one write does to one memory.

    Attributes:
        depth: the version that it makes: one more than its writer saw.
        clock: greater than that of everything that its writer saw of the memory.
        changes: the new values by field; a metadata key is the field `m.<key>`.
    """

    memory_id: str
    kind: Kind
    depth: int
    clock: HybridTime
    changes: Mapping[str, Any]
    tags_added: tuple[str, ...] = ()
    tags_removed: tuple[str, ...] = ()


class Head(NamedTuple):
    """An update that no other has seen. The order of heads is that of their clocks."""

    clock: HybridTime
    node: str
    seq: int
    depth: int
    kind: Kind


class Entry(NamedTuple):
    """A value with the update that wrote it. The order of entries is that of their clocks."""

    clock: HybridTime
    node: str
    seq: int
    value: Any


class Reader(NamedTuple):
    """What the writer of an update had seen."""

    node: str
    vector: Vector | None

    def saw(self, node: str, seq: int) -> bool:
        """Whether the update with this dot was seen; one's own always are."""
        if node == self.node:
            return True
        return self.vector is not None and seq <= self.vector.get(node, 0)


@dataclass(slots=True)
class Record:
    """What is known of one memory.

    Attributes:
        heads: the latest updates, sorted; several where none of them saw the others.
        entries: the values by field, sorted; several where they were written side by side.
        tags: for each tag, the updates that added it.
        life: the updates that keep the memory alive; none: it is deleted.
    """

    heads: list[Head] = field(default_factory=list)
    entries: dict[str, list[Entry]] = field(default_factory=dict)
    tags: dict[str, list[Dot]] = field(default_factory=dict)
    life: list[Dot] = field(default_factory=list)
    is_erased: bool = False

    @property
    def is_alive(self) -> bool:
        """Whether it is neither deleted nor erased."""
        return bool(self.life)

    @property
    def is_settled(self) -> bool:
        """Whether no dot is left in it: there is nothing to compact."""
        seqs = [head.seq for head in self.heads]
        seqs += [entry.seq for entries in self.entries.values() for entry in entries]
        seqs += [seq for dots in (self.life, *self.tags.values()) for _, seq in dots]
        return not any(seqs)

    @property
    def version(self) -> int:
        """The greatest depth, and one more where several heads are shown as one."""
        depth = max((head.depth for head in self.heads), default=0)
        return depth + (len(self.heads) > 1)

    @property
    def floor(self) -> HybridTime:
        """The greatest clock of the heads: a later update has a greater one."""
        return max((head.clock for head in self.heads), default=0)

    def apply(self, update: Update, seq: int, reader: Reader) -> None:
        """Take an update in. The order of updates of which neither saw the other is all one."""
        if self.is_erased:
            return
        if update.kind is Kind.ERASE:
            self._erase()
            return
        head = Head(update.clock, reader.node, seq, update.depth, update.kind)
        heads = self.heads
        is_alone = len(heads) == 1 and reader.saw(heads[0].node, heads[0].seq)
        if is_alone or (not heads and self._is_new):
            self._follow(update, head)
        else:
            self._join(update, head, reader)

    @property
    def _is_new(self) -> bool:
        return not (self.heads or self.entries or self.tags or self.life)

    def _erase(self) -> None:
        self.heads, self.life = [], []
        self.entries, self.tags = {}, {}
        self.is_erased = True

    def _follow(self, update: Update, head: Head) -> None:
        """The only head was seen, and through it all that is here: nothing stays beside."""
        dot = (head.node, head.seq)
        if update.kind is Kind.CREATE:
            self.entries, self.tags = {}, {}
        for name, value in update.changes.items():
            self.entries[name] = [Entry(head.clock, *dot, value)]
        if update.tags_removed or update.tags_added:
            for tag in update.tags_removed:
                self.tags.pop(tag, None)
            self.tags |= {tag: [dot] for tag in update.tags_added}
        if update.kind is Kind.DELETE:
            self.life = []
        elif gives_life(update):
            self.life = [dot]
        self.heads = [head]

    def _join(self, update: Update, head: Head, reader: Reader) -> None:
        """What the writer did not see stays beside what it wrote."""
        dot = (head.node, head.seq)
        whole = update.kind is Kind.CREATE
        for name in list(self.entries) if whole else update.changes:
            self._replace_entries(name, reader)
        for tag in list(self.tags) if whole else update.tags_removed + update.tags_added:
            self._replace_tag(tag, reader)
        for name, value in update.changes.items():
            entries = self.entries.setdefault(name, [])
            entries.append(Entry(head.clock, *dot, value))
            entries.sort(key=order_of)
        for tag in update.tags_added:
            self.tags.setdefault(tag, []).append(dot)
        if update.kind is Kind.DELETE or gives_life(update):
            self.life = _unseen(self.life, reader)
        if gives_life(update):
            self.life.append(dot)
        self.heads = [old for old in self.heads if not reader.saw(old.node, old.seq)]
        self.heads.append(head)
        self.heads.sort(key=order_of)

    def _replace_entries(self, name: str, reader: Reader) -> None:
        entries = self.entries.get(name, [])
        self.entries[name] = [e for e in entries if not reader.saw(e.node, e.seq)]
        if not self.entries[name]:
            del self.entries[name]

    def _replace_tag(self, tag: str, reader: Reader) -> None:
        self.tags[tag] = _unseen(self.tags.get(tag, []), reader)
        if not self.tags[tag]:
            del self.tags[tag]

    @property
    def may_be_forgotten(self) -> bool:
        """Whether it is deleted, and no edit stands beside the delete for somebody to choose."""
        edits = [head for head in self.heads if head.kind is not Kind.DELETE]
        return not self.life and (len(self.heads) == 1 or not edits)

    def compact(self, cut: Vector) -> bool:
        """Forget who wrote what all members have seen; False: the whole record may be forgotten.

        Values that stand side by side keep their dots until an update that saw them.
        """
        if self.is_erased:
            return True
        if self.may_be_forgotten and all(is_covered(h.node, h.seq, cut) for h in self.heads):
            return False
        for name, entries in self.entries.items():
            if len(entries) == 1 and is_covered(entries[0].node, entries[0].seq, cut):
                self.entries[name] = [Entry(0, *STABLE, entries[0].value)]
        for tag, dots in self.tags.items():
            self.tags[tag] = _collapse(dots, cut)
        self.life = _collapse(self.life, cut)
        if len(self.heads) == 1 and is_covered(self.heads[0].node, self.heads[0].seq, cut):
            self.heads = [self.heads[0]._replace(node=STABLE[0], seq=STABLE[1])]
        return True


def gives_life(update: Update) -> bool:
    """Whether an update keeps a memory alive that another one deletes at the same time."""
    return update.kind is Kind.CREATE or (update.kind is Kind.EDIT and CONTENT in update.changes)


def order_of(item: Head | Entry) -> tuple[HybridTime, str, int]:
    """Sort key of heads and entries: the same on every replica."""
    return item[:3]


def is_covered(node: str, seq: int, cut: Vector) -> bool:
    """Whether the update is among those that the vector counts."""
    return seq <= cut.get(node, 0)


def _unseen(dots: Sequence[Dot], reader: Reader) -> list[Dot]:
    return [dot for dot in dots if not reader.saw(*dot)]


def _collapse(dots: Sequence[Dot], cut: Vector) -> list[Dot]:
    """One stable dot in place of all that the cut covers."""
    rest = [dot for dot in dots if not is_covered(*dot, cut)]
    return rest if len(rest) == len(dots) else [STABLE, *rest]
