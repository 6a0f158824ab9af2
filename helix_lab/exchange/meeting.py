"""The meeting: the shared log, opened and joined, with all that works on it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from helix_lab.domain.memory.replica import Replica
from helix_lab.exchange.herald import Herald
from helix_lab.exchange.identity import find_instance, list_former_names
from helix_lab.exchange.keeper import Keeper
from helix_lab.exchange.membership import Membership
from helix_lab.exchange.relay import Relay
from helix_lab.exchange.returning import Return
from helix_lab.exchange.snapshots import Snapshots
from helix_lab.exchange.standing import Pace
from helix_lab.exchange.voice import CATCH_UP_S, STORE, Voice
from helix_lab.ports.event_log import EventLog
from helix_lab.projections.runner import ProjectionRunner
from helix_lab.queries.memories import read_replica
from helix_lab.record.writer import Writer
from helix_lab.records.database import Records


@dataclass(slots=True)
class Meeting:
    """The shared log, opened, with what works on it."""

    shared: EventLog
    relay: Relay
    membership: Membership
    voice: Voice
    keeper: Keeper
    herald: Herald
    snapshots: Snapshots


@dataclass(frozen=True, slots=True)
class Home:
    """What a node brings to a meeting.

    Attributes:
        address: of the shared log; the checkpoints belong to it.
        session: of this process.
    """

    local: EventLog
    records: Records
    writer: Writer
    projections: ProjectionRunner
    node_id: str
    address: str
    session: str
    pace: Pace

    def read_replica(self) -> Replica:
        """What this node knows of itself and of the others."""
        return read_replica(self.records, self.node_id)

    def count_own(self) -> int:
        """The number of the last update of this node that is in its log."""
        self.projections.catch_up(STORE, timeout_s=CATCH_UP_S)
        return self.read_replica().vector.get(self.node_id, 0)

    def find_return(self) -> Return:
        """What is to be done where this folder wrote under another name before."""
        return Return(
            self.local,
            self.records,
            self.writer,
            self.projections,
            node_id=self.node_id,
            former=list_former_names(self.local, self.records, self.node_id),
        )


def join(home: Home, open_shared: Callable[[], EventLog]) -> Meeting:
    """Open the shared log and take part.

    Raises:
        NodeIdInUse: another data folder joined under this name.
        NodeRemoved: this node was declared gone.
        Unavailable: the log cannot be used.
    """
    home.projections.catch_up(STORE, timeout_s=CATCH_UP_S)
    instance = find_instance(home.local, home.writer, home.records, home.node_id)
    shared = open_shared()
    try:
        return _join(home, shared, instance)
    except BaseException:
        shared.close()
        raise


def _join(home: Home, shared: EventLog, instance: str) -> Meeting:
    node_id = home.node_id
    membership = Membership(
        shared, home.writer, node_id=node_id, instance=instance, session=home.session
    )
    membership.join()
    relay = Relay(
        home.local,
        shared,
        home.records,
        home.writer,
        node_id=node_id,
        instance=instance,
        address=home.address,
        own_seq=home.count_own,
    )
    returning = home.find_return()
    if returning.is_pending():
        for name in list_former_names(home.local, home.records, node_id):
            membership.remove(name, is_known=True)
        returning.carry_out(shared, relay)
    snapshots = Snapshots(shared, home.writer, node_id=node_id)
    return Meeting(
        shared,
        relay,
        membership,
        Voice(
            relay,
            membership,
            home.projections,
            pace=home.pace,
            read_replica=home.read_replica,
        ),
        Keeper(
            relay,
            snapshots,
            home.records,
            home.projections,
            node_id=node_id,
            instance=instance,
            pace=home.pace,
            read_replica=home.read_replica,
        ),
        Herald(shared, home.writer, home.records, node_id=node_id),
        snapshots,
    )
