"""A replica: all memories as one node knows them, from the updates of all nodes.

Nodes exchange commits through one ordered log. A commit says what its writer had seen, as one
version vector for all its updates. Acknowledgements travel in the same log; what every member
has acknowledged is stable, and needs no dots any more.

Source: dots and version vectors after Almeida et al. 2014, "Scalable and accurate causality
tracking for eventually consistent stores".
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from helix_lab.domain.memory.record import DETACHED, Kind, Reader, Record, Update, Vector
from helix_lab.domain.model.clock import HybridTime
from helix_lab.domain.model.errors import Conflict


@dataclass(frozen=True, slots=True)
class Commit:
    """Updates that one node made together.

    Attributes:
        node: place of the writer among the members.
        seq: number of the first update among those of the node; the others follow it.
        seen: what the writer had seen before; `DETACHED` where it must replace nothing.
    """

    node: int
    seq: int
    seen: Vector
    updates: Sequence[Update]

    @property
    def last_seq(self) -> int:
        """Number of the last update."""
        return self.seq + len(self.updates) - 1


@dataclass(slots=True)
class Replica:
    """The memories of one partition of the log, as one node knows them.

    Attributes:
        node: this node's place among the members.
        vector: how many updates of each member were taken in, by place.
        acknowledged: what each member said it has taken in; None once it is removed.
        promise: what this node ever wrote or acknowledged, kept on the disk by its owner. Others
            may have forgotten what it covers, so nothing is written below it.
    """

    node: int
    vector: list[int] = field(default_factory=list)
    acknowledged: list[Vector | None] = field(default_factory=list)
    promise: Vector = ()
    records: dict[str, Record] = field(default_factory=dict)
    early: dict[tuple[int, int], Commit] = field(default_factory=dict)

    # What the log says ----------------------------------------------------------------------

    def add_member(self) -> int:
        """A node has joined; gives its place, which is never used again."""
        self.vector.append(0)
        self.acknowledged.append(())
        return len(self.vector) - 1

    def remove_member(self, node: int) -> None:
        """A node is gone: nothing of it is taken in from here on, and nobody waits for it."""
        self.acknowledged[node] = None
        self.early = {at: commit for at, commit in self.early.items() if at[0] != node}

    def is_member(self, node: int) -> bool:
        """Whether a node has joined and was not removed."""
        return node < len(self.acknowledged) and self.acknowledged[node] is not None

    def take(self, commit: Commit) -> set[str]:
        """Take a commit in, and those that waited for it; gives the ids of changed memories.

        One that was taken in before changes nothing. One that comes early waits.

        Raises:
            Conflict: the node is no member, or reuses numbers for something else.
        """
        if not self.is_member(commit.node):
            message = f"node {commit.node} is no member of this memory"
            raise Conflict(message, node=commit.node)
        if commit.last_seq <= self.vector[commit.node]:
            return set()
        self.early[commit.node, commit.seq] = commit
        changed: set[str] = set()
        while ready := self._next_ready():
            changed |= self._apply(ready)
        return changed

    def _next_ready(self) -> Commit | None:
        return next((self.early.pop(at) for at, c in self.early.items() if self._is_due(c)), None)

    def _is_due(self, commit: Commit) -> bool:
        seen = commit.seen
        return commit.seq <= self.vector[commit.node] + 1 and all(
            node == commit.node or (node < len(self.vector) and count <= self.vector[node])
            for node, count in enumerate(seen)
        )

    def _apply(self, commit: Commit) -> set[str]:
        done = self.vector[commit.node]
        reader = Reader(commit.node, commit.seen)
        changed = set()
        for seq, update in enumerate(commit.updates, commit.seq):
            if seq > done:
                record = self.records.setdefault(update.memory_id, Record())
                record.apply(update, seq, reader)
                changed.add(update.memory_id)
        self.vector[commit.node] = max(done, commit.last_seq)
        return changed

    def take_acknowledgement(self, node: int, vector: Vector) -> None:
        """A member says what it has taken in; said in the log, after all its own updates."""
        if self.is_member(node):
            self.acknowledged[node] = _join(self.acknowledged[node] or (), vector)

    # What this node does --------------------------------------------------------------------

    @property
    def may_write(self) -> bool:
        """Whether this node is a member that has taken in all that it promised."""
        return self.is_member(self.node) and _covers(tuple(self.vector), self.promise)

    def write(
        self, drafts: Sequence[Update], *, clock: HybridTime, detached: bool = False
    ) -> Commit:
        """Make a commit of updates and take it in; their depths and clocks are set here.

        Args:
            drafts: what to do; `depth` and `clock` in them do not count.
            clock: of the first update; the others follow, and none is at or below what is
                known of its memory.
            detached: they replace nothing: for what a removed node wrote and never sent.

        Raises:
            Conflict: this node may not write (see `may_write`).
        """
        if not self.may_write:
            message = "this node has not yet caught up with what it wrote and acknowledged before"
            raise Conflict(message, node=self.node)
        updates: list[Update] = []
        depths: dict[str, tuple[int, HybridTime]] = {}
        for number, draft in enumerate(drafts):
            record = self.records.get(draft.memory_id) or Record()
            depth, floor = depths.get(draft.memory_id, (record.version, record.floor))
            depth, now = depth + 1, max(clock + number, floor + 1)
            depths[draft.memory_id] = (depth, now)
            updates.append(draft._replace(depth=depth, clock=now))
        seen = DETACHED if detached else tuple(self.vector)
        commit = Commit(self.node, self.vector[self.node] + 1, seen, updates)
        self.take(commit)
        self.promise = _join(self.promise, tuple(self.vector[: self.node + 1]))
        return commit

    def acknowledge(self) -> Vector:
        """What to say in the log; to be kept on the disk before it is said."""
        self.promise = _join(self.promise, tuple(self.vector))
        return self.promise

    # What nobody needs any more -------------------------------------------------------------

    @property
    def cut(self) -> Vector:
        """What every member has acknowledged."""
        members = [vector for vector in self.acknowledged if vector is not None]
        width = min(map(len, members), default=0)
        return tuple(min(vector[node] for vector in members) for node in range(width))

    def compact(self) -> None:
        """Drop what the cut makes needless: tombstones, and who wrote what."""
        cut = self.cut
        if cut:
            self.records = {key: r for key, r in self.records.items() if r.compact(cut)}


def write_again(replica: Replica, unsent: Iterable[Update], *, clock: HybridTime) -> list[Commit]:
    """Under a new place, what a removed node had written and not sent.

    An edit stands beside whatever the others did meanwhile. Where they forgot the memory, an
    edit of its content makes it anew, and any other has nothing left to change.
    """
    commits = []
    for update in unsent:
        record = replica.records.get(update.memory_id)
        is_known = record is not None and (record.is_alive or record.is_erased)
        if is_known or update.kind is Kind.ERASE:
            commits.append(replica.write([update], clock=clock, detached=True))
        elif update.kind is not Kind.DELETE and "content" in update.changes:
            commits.append(replica.write([update._replace(kind=Kind.CREATE)], clock=clock))
    return commits


def _covers(vector: Vector, other: Vector) -> bool:
    return len(vector) >= len(other) and all(a >= b for a, b in zip(vector, other, strict=False))


def _join(a: Vector, b: Vector) -> Vector:
    long, short = (a, b) if len(a) >= len(b) else (b, a)
    return tuple(map(max, long, short)) + long[len(short) :]
