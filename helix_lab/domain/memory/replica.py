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
        node: the writer.
        seq: number of the first update among those of the node; the others follow it.
        seen: what the writer had seen before; `DETACHED` where it must replace nothing.
    """

    node: str
    seq: int
    seen: Vector | None
    updates: Sequence[Update]

    @property
    def last_seq(self) -> int:
        """Number of the last update."""
        return self.seq + len(self.updates) - 1


@dataclass(slots=True)
class Replica:
    """The memories of one ordered log, as one node knows them.

    Attributes:
        node: this node.
        vector: how many updates of each node were taken in.
        acknowledged: what each member said it has taken in; None once it is removed.
        promise: what this node ever wrote or acknowledged, kept on the disk by its owner. Others
            may have forgotten what it covers, so nothing is written below it.
        records: the memories; whoever keeps them elsewhere gives those that a step touches.
        early: commits that wait for what their writers had seen.
    """

    node: str
    vector: dict[str, int] = field(default_factory=dict)
    acknowledged: dict[str, Vector | None] = field(default_factory=dict)
    promise: Vector = field(default_factory=dict)
    records: dict[str, Record] = field(default_factory=dict)
    early: dict[tuple[str, int], Commit] = field(default_factory=dict)

    # What the log says ----------------------------------------------------------------------

    def add_member(self, node: str) -> None:
        """A node has joined; one that was removed stays so, its name is never used again."""
        self.vector.setdefault(node, 0)
        self.acknowledged.setdefault(node, {})

    def remove_member(self, node: str) -> None:
        """A node is gone: nothing of it is taken in from here on, and nobody waits for it."""
        self.acknowledged[node] = None
        self.early = {at: commit for at, commit in self.early.items() if at[0] != node}

    def is_member(self, node: str) -> bool:
        """Whether a node has joined and was not removed."""
        return self.acknowledged.get(node) is not None

    def take(self, commit: Commit) -> set[str]:
        """Take a commit in, and those that waited for it; gives the ids of changed memories.

        One that was taken in before changes nothing. One that comes early waits.

        Raises:
            Conflict: the node is no member.
        """
        if not self.is_member(commit.node):
            message = f"node {commit.node!r} is no member of this memory"
            raise Conflict(message, node=commit.node)
        if commit.last_seq <= self.vector[commit.node]:
            return set()
        if not self.early and self._is_due(commit):
            return self._apply(commit)
        self.early[commit.node, commit.seq] = commit
        changed: set[str] = set()
        while ready := self._next_ready():
            changed |= self._apply(ready)
        return changed

    def _next_ready(self) -> Commit | None:
        return next((self.early.pop(at) for at, c in self.early.items() if self._is_due(c)), None)

    def _is_due(self, commit: Commit) -> bool:
        own, vector = commit.node, self.vector
        if commit.seq > vector[own] + 1:
            return False
        for node, count in (commit.seen or {}).items():  # plain: it runs for every update
            if count > vector.get(node, 0) and node != own:
                return False
        return True

    def _apply(self, commit: Commit) -> set[str]:
        done = self.vector[commit.node]
        reader = Reader(commit.node, commit.seen)
        changed = set()
        for seq, update in enumerate(commit.updates, commit.seq):
            if seq > done:
                record = self.records.get(update.memory_id)
                if record is None:
                    record = self.records[update.memory_id] = Record()
                record.apply(update, seq, reader)
                changed.add(update.memory_id)
        self.vector[commit.node] = max(done, commit.last_seq)
        return changed

    def take_acknowledgement(self, node: str, vector: Vector) -> None:
        """A member says what it has taken in; said in the log, after all its own updates."""
        if self.is_member(node):
            self.acknowledged[node] = _join(self.acknowledged[node] or {}, vector)
        if node == self.node:
            self.promise = _join(self.promise, vector)

    # What this node does --------------------------------------------------------------------

    @property
    def may_write(self) -> bool:
        """Whether this node is a member that has taken in all that it promised."""
        return self.is_member(self.node) and _covers(self.vector, self.promise)

    def draft(
        self, drafts: Sequence[Update], *, clock: HybridTime, detached: bool = False
    ) -> Commit:
        """A commit of updates, not taken in yet; their depths and clocks are set here.

        Args:
            drafts: what to do; `depth` and `clock` in them do not count.
            clock: of the first update; the others follow, and none is at or below what is
                known of its memory.
            detached: they replace nothing: for what a removed node wrote and never sent.

        Raises:
            Conflict: this node may not write (see `may_write`).
        """
        if not self.may_write:
            message = (
                f"node {self.node!r} has not yet caught up with what it wrote and acknowledged "
                "before, or it was removed from the members"
            )
            raise Conflict(message, node=self.node)
        updates: list[Update] = []
        depths: dict[str, tuple[int, HybridTime]] = {}
        for number, draft in enumerate(drafts):
            record = self.records.get(draft.memory_id) or Record()
            depth, floor = depths.get(draft.memory_id, (record.version, record.floor))
            depth, now = depth + 1, max(clock + number, floor + 1)
            depths[draft.memory_id] = (depth, now)
            updates.append(draft._replace(depth=depth, clock=now))
        seen = DETACHED if detached else dict(self.vector)
        return Commit(self.node, self.vector[self.node] + 1, seen, updates)

    def write(
        self, drafts: Sequence[Update], *, clock: HybridTime, detached: bool = False
    ) -> Commit:
        """Make a commit as `draft` does, and take it in."""
        commit = self.draft(drafts, clock=clock, detached=detached)
        self.take(commit)
        self.promise = _join(self.promise, {self.node: commit.last_seq})
        return commit

    def acknowledge(self) -> Vector:
        """What to say in the log; to be kept on the disk before it is said."""
        self.promise = _join(self.promise, self.vector)
        return self.promise

    # What nobody needs any more -------------------------------------------------------------

    @property
    def cut(self) -> Vector:
        """What every member has acknowledged."""
        members = [vector for vector in self.acknowledged.values() if vector is not None]
        least = {
            node: min((vector.get(node, 0) for vector in members), default=0)
            for node in self.vector
        }
        return {node: count for node, count in least.items() if count}

    def compact(self) -> None:
        """Drop what the cut makes needless: tombstones, and who wrote what."""
        cut = self.cut
        if cut:
            self.records = {key: r for key, r in self.records.items() if r.compact(cut)}


def write_again(replica: Replica, unsent: Iterable[Update], *, clock: HybridTime) -> list[Commit]:
    """Under a new name, what a removed node had written and not sent.

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
    return all(vector.get(node, 0) >= count for node, count in other.items())


def _join(a: Vector, b: Vector) -> Vector:
    return {node: max(a.get(node, 0), b.get(node, 0)) for node in {*a, *b}}
