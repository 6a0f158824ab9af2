"""Membership: joining under one's name, saying what one has, and signs of life."""

from __future__ import annotations

from datetime import UTC, datetime

from helix_lab.domain.memory.record import Vector
from helix_lab.domain.model.errors import DuplicateId, NodeIdInUse, UnknownNode
from helix_lab.domain.model.event import NODE_REPORTED, TELEMETRY
from helix_lab.exchange.peers import Peer
from helix_lab.ports.event_log import EventLog
from helix_lab.record.nodes import acknowledge, join, remove, report
from helix_lab.record.writer import Writer

_LOOK_BACK = 1000
"""Offsets of telemetry that are read at the start: only the last report of each node counts."""


class Membership:
    """This node among the others, as the shared log knows them.

    Attributes:
        peers: the others, by name, as they reported last.
    """

    def __init__(
        self, shared: EventLog, writer: Writer, *, node_id: str, instance: str, session: str
    ) -> None:
        self.peers: dict[str, Peer] = {}
        self._shared = shared
        self._writer = writer
        self._node_id = node_id
        self._instance = instance
        self._session = session
        self._reports = 0
        self._first_offset: int | None = None
        self._positions: dict[tuple[str, int], int] = {}

    def join(self) -> None:
        """Join, or find that this node has joined before.

        Raises:
            NodeIdInUse: another data folder joined under this name.
        """
        draft = join(self._node_id, instance=self._instance)
        try:
            self._shared.append(self._writer.stamp([draft]))
        except DuplicateId as error:
            raise NodeIdInUse(self._node_id) from error

    def acknowledge(self, seen: Vector) -> None:
        """Say what is on this node's disk; nobody keeps metadata for it beyond that."""
        self._shared.append(self._writer.stamp([acknowledge(self._node_id, seen)]))

    def remove(self, node_id: str, *, is_known: bool) -> None:
        """Declare a node gone; a second time changes nothing.

        Raises:
            UnknownNode: no node of this name has joined.
        """
        if not is_known:
            raise UnknownNode(node_id)
        draft = remove(node_id, removed_by=self._node_id)
        try:
            self._shared.append(self._writer.stamp([draft]))
        except DuplicateId:
            return  # another node was quicker

    def report(self, seen: Vector, *, waiting: int) -> None:
        """Give a sign of life."""
        draft = report(
            self._node_id,
            instance=self._instance,
            session=self._session,
            number=self._reports,
            seen=seen,
            waiting=waiting,
        )
        # Also where no answer comes: the report may be there, and the next one says something else.
        self._reports += 1
        entry = self._shared.append(self._writer.stamp([draft]))[0]
        if self._first_offset is None:
            self._first_offset = entry.offset

    def read_reports(self) -> None:
        """Read what the others reported since.

        Raises:
            NodeIdInUse: another process reports under this name now.
        """
        for (topic, partition), end in self._shared.end_offsets([TELEMETRY]).items():
            place = (topic, partition)
            start = self._positions.get(place, max(0, end - _LOOK_BACK))
            while start < end:
                entries = self._shared.read(topic, partition, start_offset=start, limit=_LOOK_BACK)
                for entry in entries:
                    if entry.event.type == NODE_REPORTED.name:
                        self._take(Peer.read(entry.event, now=datetime.now(UTC)), entry.offset)
                start = entries[-1].offset + 1 if entries else end
                self._positions[place] = start

    def _take(self, peer: Peer, offset: int) -> None:
        if peer.node_id != self._node_id:
            self.peers[peer.node_id] = peer
        elif peer.session != self._session and self._is_after_start(offset):
            raise NodeIdInUse(self._node_id)

    def _is_after_start(self, offset: int) -> bool:
        return self._first_offset is not None and offset > self._first_offset
