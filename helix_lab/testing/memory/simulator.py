"""Nodes that edit the same memories through a log, with everything going wrong that can.

A schedule is made from a seed alone, so a failure is told by its seed. Each schedule draws its
own mix of steps, for an even mix rarely gets far enough into any one trouble (swarm testing,
Groce et al. 2012).

    python -m helix_lab.testing.memory --schedules 1000
"""

from __future__ import annotations

import copy
import random
import sys
from collections.abc import Sequence

from helix_lab.domain.memory.record import CONTENT, DETACHED, Kind, Record, Update, Vector
from helix_lab.domain.memory.replica import Commit, Replica, write_again
from helix_lab.domain.model.clock import make_hybrid_time
from helix_lab.testing.memory.nodes import (
    Acknowledged,
    Fault,
    Joined,
    LogItem,
    Node,
    Removed,
)
from helix_lab.testing.memory.oracle import Shown, judge, show_records

MEMORIES = ("a", "b", "c")
FIELDS = (CONTENT, "importance", "m.colour")
TAGS = ("red", "blue")
MIN_MEMBERS = 3
MAX_SKEW_MS = 3_600_000


class Divergence(AssertionError):
    """Two replicas, or a replica and the oracle, show different things."""


class Simulation:
    """One schedule.

    Args:
        seed: makes everything that happens.
        fault: the mistake to make.
    """

    def __init__(self, seed: int, fault: Fault = Fault.NONE) -> None:
        self._rng = random.Random(seed)  # noqa: S311 - no secret is made of it
        self._fault = fault
        self._seed = seed
        self._log: list[LogItem] = []
        self._nodes: list[Node] = []
        self._now_ms = 1_000_000
        self._bias = self._rng.choice((0, 0.3, 0.6))
        for _ in range(self._rng.randint(3, 5)):
            self._join()
        self._read_all()

    def run(self) -> None:
        """Run the schedule, let every node catch up, and compare.

        Raises:
            Divergence: the seed and what differs.
        """
        steps = (
            self._edit, self._delete, self._create, self._erase, self._send, self._read,
            self._acknowledge, self._compact, self._cut_off, self._restart, self._save,
            self._remove, self._rejoin, self._acknowledge_all, self._repeat, self._adopt,
        )  # fmt: skip
        weights = [self._rng.choice((0, 1, 1, 4, 12)) for _ in steps]
        weights[0] = max(1, weights[0])
        for step in self._rng.choices(steps, weights, k=self._rng.randint(20, 120)):
            self._now_ms += self._rng.choice((0, 0, 1, 1000))
            step()
        self._heal()
        self._compare()

    # Steps ----------------------------------------------------------------------------------

    def _join(self) -> None:
        skew_ms = self._rng.choice((0, 0, -MAX_SKEW_MS, MAX_SKEW_MS))
        name = f"node-{sum(isinstance(item, Joined) for item in self._log)}"
        self._log.append(Joined(name))
        self._nodes.append(Node(Replica(name), skew_ms))

    def _edit(self) -> None:
        self._edit_at(self._pick())

    def _edit_at(self, node: Node) -> None:
        chosen = self._rng.sample(FIELDS, self._rng.randint(0, 2))
        self._write(
            node,
            Kind.EDIT,
            {name: self._rng.randrange(1000) for name in chosen},
            added=self._rng.sample(TAGS, self._rng.randint(0, 1)),
            removed=self._rng.sample(TAGS, self._rng.randint(0, 1)),
        )

    def _create(self) -> None:
        self._write(self._pick(), Kind.CREATE, {CONTENT: self._rng.randrange(1000)})

    def _delete(self) -> None:
        self._write(self._pick(), Kind.DELETE, {})

    def _erase(self) -> None:
        if self._rng.random() < 0.1:
            self._write(self._pick(), Kind.ERASE, {})

    def _write(
        self,
        node: Node,
        kind: Kind,
        changes: dict[str, int],
        *,
        added: Sequence[str] = (),
        removed: Sequence[str] = (),
    ) -> None:
        replica = node.replica
        if not self._may_write(node):
            return
        memory_id = self._rng.choice(MEMORIES)
        record = replica.records.get(memory_id) or Record()
        if record.is_erased or record.is_alive == (kind is Kind.CREATE):
            return
        if kind is Kind.CREATE and self._fault is Fault.PARTIAL_REVIVAL:
            kind = Kind.EDIT
        update = Update(memory_id, kind, 0, 0, changes, tuple(added), tuple(removed))
        node.outbox.append(replica.write([update], clock=self._tick(node)))

    def _may_write(self, node: Node) -> bool:
        replica = node.replica
        if self._fault is Fault.REUSED_DOT:
            replica.promise = {**replica.promise, replica.node: 0}
        return replica.may_write

    def _tick(self, node: Node) -> int:
        return make_hybrid_time(self._now_ms + node.skew_ms)

    def _send(self) -> None:
        node = self._pick()
        if not node.is_cut_off and node.outbox:
            self._log.append(node.outbox.pop(0))

    def _repeat(self) -> None:
        commits = [item for item in self._log if isinstance(item, Commit)]
        if commits:
            self._log.append(self._rng.choice(commits))

    def _read(self) -> None:
        node = self._pick()
        if not node.is_cut_off:
            self._read_to(node, self._rng.randint(node.position, len(self._log)))

    def _acknowledge(self) -> None:
        self._acknowledge_as(self._pick())

    def _acknowledge_all(self) -> None:
        for node in self._nodes:
            if not node.is_cut_off and not node.is_gone:
                if self._rng.random() < 0.7:
                    self._send_all(node)
                self._read_to(node, len(self._log))
                self._acknowledge_as(node)
        if self._rng.random() < 0.7:
            self._read_all()
            self._compact()

    def _acknowledge_as(self, node: Node) -> None:
        has_pending = bool(node.outbox) and self._fault is not Fault.EARLY_ACKNOWLEDGEMENT
        if node.is_cut_off or has_pending or not node.replica.may_write:
            return
        self._log.append(Acknowledged(node.replica.node, node.replica.acknowledge()))

    def _compact(self) -> None:
        for node in self._nodes:
            if not node.is_gone and self._rng.random() < 0.5:
                self._compact_one(node)

    def _compact_one(self, node: Node) -> None:
        if self._fault is Fault.CUT_FROM_ELSEWHERE:
            for other in self._nodes:
                node.replica.take_acknowledgement(other.replica.node, other.replica.vector)
        node.replica.compact()

    def _cut_off(self) -> None:
        node = self._pick()
        node.is_cut_off = not node.is_cut_off

    def _save(self) -> None:
        node = self._pick()
        node.saved = (copy.deepcopy(node.replica), node.position)

    def _restart(self) -> None:
        """From the saved state; the disk has the outbox and the promise as they were."""
        node = self._pick()
        if node.saved is None:
            return
        promise = node.replica.promise
        replica, node.position = node.saved
        node.replica = copy.deepcopy(replica)
        if self._fault is Fault.FORGOTTEN_PROMISE:
            node.replica.promise = {replica.node: promise.get(replica.node, 0)}
        else:
            node.replica.promise = promise
        for commit in node.outbox:
            node.replica.take(commit)
        if self._rng.random() < 0.5:
            self._edit_at(node)

    def _remove(self) -> None:
        """Somebody declares a node gone; what it had not sent may still arrive, too late."""
        members = [node for node in self._nodes if not node.is_gone]
        if len(members) < MIN_MEMBERS or self._rng.random() < 0.5:
            return
        node = self._rng.choice([node for node in members if node.outbox] or members)
        self._log.append(Removed(node.replica.node))
        node.is_gone = True

    def _rejoin(self) -> None:
        """A removed node learns of it, comes back under a new place, and writes again."""
        gone = [node for node in self._nodes if node.is_gone and node.outbox]
        if not gone:
            return
        old = self._rng.choice(gone)
        if self._rng.random() < 0.5:
            self._log += old.outbox
        self._join()
        new = self._nodes[-1]
        self._read_to(new, len(self._log))
        new.replica.promise = dict(new.replica.vector)
        unsent = [update for commit in old.outbox for update in commit.updates]
        old.outbox = []
        new.outbox = self._write_again(new.replica, unsent, new)

    def _adopt(self) -> None:
        """A node takes the snapshot of another one in, and its own updates on top of it."""
        other, node = self._pick(), self._pick()
        if other.outbox or node.is_cut_off or other.position <= node.position:
            return
        seen = other.replica
        if node.replica.node not in seen.acknowledged or seen.early:
            return
        own = [c for c in self._log if isinstance(c, Commit) and c.node == node.replica.node]
        name, promise = node.replica.node, node.replica.promise
        node.replica, node.position = copy.deepcopy(seen), other.position
        node.replica.node, node.replica.promise = name, promise
        node.saved = None
        for commit in (*own, *node.outbox):
            node.replica.take(commit)

    def _write_again(self, replica: Replica, unsent: list[Update], node: Node) -> list[Commit]:
        if self._fault is Fault.REJOINED_AT_ZERO:
            return self._write_wrongly(replica, unsent, seen={})
        if self._fault is Fault.REJOINED_WITHOUT_FLOOR:
            return self._write_wrongly(replica, unsent, seen=DETACHED)
        return write_again(replica, unsent, clock=self._tick(node))

    def _write_wrongly(
        self, replica: Replica, unsent: list[Update], *, seen: Vector | None
    ) -> list[Commit]:
        commits = []
        for update in unsent:
            commit = Commit(replica.node, replica.vector[replica.node] + 1, seen, [update])
            replica.take(commit)
            commits.append(commit)
        return commits

    # Reading --------------------------------------------------------------------------------

    def _pick(self) -> Node:
        """Any member, and in most schedules one of them far more often than the others."""
        members = [node for node in self._nodes if not node.is_gone]
        return members[0] if self._rng.random() < self._bias else self._rng.choice(members)

    def _send_all(self, node: Node) -> None:
        self._log += node.outbox
        node.outbox = []

    def _read_all(self) -> None:
        for node in self._nodes:
            if not node.is_gone and not node.is_cut_off:
                self._read_to(node, len(self._log))

    def _read_to(self, node: Node, position: int) -> None:
        for item in self._log[node.position : position]:
            self._take(node.replica, item)
        node.position = max(node.position, position)

    def _take(self, replica: Replica, item: LogItem) -> None:
        if isinstance(item, Joined):
            replica.add_member(item.node)
        elif isinstance(item, Removed):
            if self._fault is not Fault.NO_FENCE:
                replica.remove_member(item.node)
            else:
                replica.acknowledged[item.node] = dict.fromkeys(replica.vector, sys.maxsize)
        elif isinstance(item, Acknowledged):
            replica.take_acknowledgement(item.node, item.vector)
        elif replica.is_member(item.node):
            replica.take(item)

    # The end --------------------------------------------------------------------------------

    def _heal(self) -> None:
        for node in self._nodes:
            node.is_cut_off = False
            if not node.is_gone:
                self._send_all(node)
        self._read_all()

    def _compare(self) -> None:
        expected = judge(self._accepted())
        for node in self._nodes:
            if not node.is_gone:
                self._check(node, expected)

    def _check(self, node: Node, expected: dict[str, Shown]) -> None:
        actual = show_records(node.replica.records)
        if actual != expected or node.replica.early:
            message = (
                f"seed {self._seed}, node {node.replica.node}: shows {actual}, "
                f"the oracle {expected}, waiting {node.replica.early}"
            )
            raise Divergence(message)

    def _accepted(self) -> list[Commit]:
        """The commits that came before their writer was removed."""
        removed: set[str] = set()
        accepted: list[Commit] = []
        for item in self._log:
            if isinstance(item, Removed):
                removed.add(item.node)
            elif isinstance(item, Commit) and item.node not in removed:
                accepted.append(item)
        return accepted
