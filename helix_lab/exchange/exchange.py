"""The exchange of one node: joins, carries both ways in the background, and tells how it stands."""

from __future__ import annotations

import logging
import threading
import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from helix_lab.domain.model.errors import (
    HelixError,
    NodeAlone,
    NodeIdInUse,
    NodeRemoved,
    Unavailable,
)
from helix_lab.exchange.meeting import Home, Meeting, join
from helix_lab.exchange.standing import Pace, Standing
from helix_lab.exchange.voice import CATCH_UP_S
from helix_lab.ports.event_log import EventLog, TopicState
from helix_lab.projections.runner import ProjectionRunner
from helix_lab.record.writer import Writer
from helix_lab.records.database import Records

LOGGER = logging.getLogger(__name__)

FINAL = (NodeIdInUse, NodeRemoved)
"""What no further try can mend."""

_MEETING = "meeting"
_BY_HAND = "sync"
_FIRST_PAUSE_S = 0.1
_LONGEST_PAUSE_S = 5.0
_LOCAL_WAIT_S = 0.25
_KEEP_S = 0.5


class Exchange:
    """Exchanges the memories of a node with others. Safe in threads.

    Args:
        open_shared: opens the log where the nodes meet; None: this node is alone.
        address: of that log, as a person would write it.
    """

    def __init__(
        self,
        local: EventLog,
        records: Records,
        writer: Writer,
        projections: ProjectionRunner,
        *,
        node_id: str,
        open_shared: Callable[[], EventLog] | None = None,
        address: str = "",
        pace: Pace | None = None,
    ) -> None:
        self.node_id = node_id
        self.address = address
        self._open_shared = open_shared
        self._pace = pace or Pace()
        self._home = Home(
            local,
            records,
            writer,
            projections,
            node_id=node_id,
            address=address,
            session=uuid.uuid4().hex,
            pace=self._pace,
        )
        self._is_returning = False
        self._meeting: Meeting | None = None
        self._problems: dict[str, HelixError] = {}
        self._connecting = threading.Lock()
        self._has_caught_up = threading.Event()
        self._stopping = threading.Event()
        self._going = threading.Event()
        self._going.set()
        steps = {
            "send": self._send_step, "receive": self._receive_step, "keep": self._keep_step
        }  # fmt: skip
        self._steps = {name: threading.Lock() for name in steps}
        self._level_at: datetime | None = None
        self._threads = [
            threading.Thread(
                target=self._work, args=(name, step), name=f"helix-{name}", daemon=True
            )
            for name, step in steps.items()
        ]

    # Life -------------------------------------------------------------------------------------

    def start(self) -> None:
        """Join, and begin to carry. Without the shared log the node works on alone, and tries.

        Raises:
            NodeIdInUse: another data folder joined under this name.
            NodeRemoved: the others declared this node gone.
        """
        if self._open_shared is None:
            return
        self._is_returning = self._home.find_return().is_pending()
        try:
            self._meet()
        except Unavailable as error:
            self._note(_MEETING, error)
        for thread in self._threads:
            thread.start()

    def close(self) -> None:
        """Send what waits, where that is possible at once, and stop."""
        self._stopping.set()
        for thread in self._threads:
            if thread.is_alive():
                thread.join()
        if self._meeting is not None:
            meeting, self._meeting = self._meeting, None
            try:
                if not isinstance(self._problem, FINAL):
                    meeting.relay.send()
                meeting.relay.keep()
            except HelixError as error:
                LOGGER.warning("what waits is sent when the node starts again: %s", error)
            meeting.shared.close()

    # What operations ask ------------------------------------------------------------------------

    def check(self) -> None:
        """Refuse to write where the others would not take it, or before one's own is back.

        Raises:
            NodeIdInUse: another node writes under this name.
            NodeRemoved: this node was declared gone.
            Unavailable: what the shared log has is not taken in yet.
        """
        problem = self._problem
        if isinstance(problem, FINAL):
            raise problem
        if self._is_returning and self._meeting is None:
            message = (
                "this folder wrote under another node's name before; it writes again once it has "
                f"met the other nodes under its new one: {problem or 'it is about to'}"
            )
            raise Unavailable(message, service="memory log")
        if self._open_shared is None or problem is not None or self._has_caught_up.is_set():
            return
        if not self._has_caught_up.wait(CATCH_UP_S) and self._problem is None:
            message = "this node still takes in what the shared log has; try again in a while"
            raise Unavailable(message, service="memory log")

    def sync(self) -> None:
        """Carry both ways now, acknowledge and report.

        Raises:
            NodeAlone: there is no shared log.
            Unavailable: it cannot be used.
        """
        if self._open_shared is None:
            message = (
                "this node exchanges its memories with none; set HELIX_MEMORY_LOG to a file that "
                "the nodes share, and start it again"
            )
            raise NodeAlone(message)
        self._guard(_BY_HAND, self._sync)
        error = self._final_problem or self._problems.pop(_BY_HAND, None)
        if error is not None:
            raise error

    def remove(self, node_id: str) -> None:
        """Declare a node gone, for good: what it has not sent is not taken in any more.

        Raises:
            UnknownNode: no node of this name has joined.
            Unavailable: the shared log cannot be used.
        """
        self.sync()
        meeting = self._meet()
        known = self._home.read_replica().acknowledged
        meeting.membership.remove(node_id, is_known=node_id in known)
        self.sync()

    def apply_topics(
        self, partitions: Mapping[str, int | None], *, is_growing: bool = False
    ) -> list[TopicState]:
        """Make the topics of the shared log ready; see `EventLog.apply_topics`."""
        if self._open_shared is None:
            return []
        if self._meeting is not None:
            return self._meeting.shared.apply_topics(partitions, is_growing=is_growing)
        with self._open_shared() as shared:
            return shared.apply_topics(partitions, is_growing=is_growing)

    def pause(self) -> None:
        """Carry nothing by itself from here on, as if the shared log were away; see `resume`."""
        self._going.clear()
        for lock in self._steps.values():
            with lock:
                pass  # the step under way has ended

    def resume(self) -> None:
        """Carry again."""
        self._going.set()

    def stand(self) -> Standing:
        """How it stands now."""
        if self._open_shared is None:
            return Standing("alone")
        meeting, problem = self._meeting, self._problem
        is_refused = isinstance(problem, FINAL)
        state = "refused" if is_refused else "unreachable" if problem or not meeting else "active"
        if meeting is None:
            return Standing(state, str(problem or ""))
        try:
            waiting_in = meeting.relay.count_waiting_in()
            snapshot = meeting.snapshots.describe_latest()
        except Unavailable as error:
            return Standing("unreachable", str(error), level_at=self._level_at)
        return Standing(
            state,
            str(problem or ""),
            sent=meeting.relay.sent_seq,
            level_at=self._level_at,
            waiting_in=waiting_in,
            lag_ms=self._measure_lag_ms(meeting, waiting_in),
            peers=dict(meeting.membership.peers),
            ahead_ms=dict(meeting.relay.ahead_ms),
            snapshot=snapshot,
        )

    def _measure_lag_ms(self, meeting: Meeting, waiting_in: int) -> int:
        """How long the latest event took to come here; if some wait, the time since none did."""
        if waiting_in and self._level_at is not None:
            return round((datetime.now(UTC) - self._level_at).total_seconds() * 1000)
        return meeting.relay.delay_ms or 0

    @property
    def report_s(self) -> float:
        """Seconds between two reports of a node that is alive."""
        return self._pace.report_s

    # Work ---------------------------------------------------------------------------------------

    @property
    def _final_problem(self) -> HelixError | None:
        """What forbids this node to write, for good."""
        found = list(self._problems.values())
        return next((error for error in found if isinstance(error, FINAL)), None)

    @property
    def _problem(self) -> HelixError | None:
        """The worst of what goes wrong."""
        return self._final_problem or next(iter(list(self._problems.values())), None)

    def _work(self, name: str, step: Callable[[], None]) -> None:
        pause_s = _FIRST_PAUSE_S
        while not self._stopping.is_set():
            if not self._going.wait(_LOCAL_WAIT_S):
                continue
            with self._steps[name]:
                is_well = not self._going.is_set() or self._guard(name, step)
            if is_well:
                pause_s = _FIRST_PAUSE_S
                continue
            self._stopping.wait(pause_s)
            pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)

    def _guard(self, name: str, step: Callable[[], None]) -> bool:
        """Do a step; whether it went well. What went wrong is kept, to be told."""
        if isinstance(self._problem, FINAL):
            return False
        try:
            step()
        except HelixError as error:
            self._note(name, error)
            return False
        except Exception as error:
            LOGGER.exception("the exchange of memories failed, and is tried again")
            self._note(name, Unavailable(f"{type(error).__name__}: {error}", service="memory log"))
            return False
        self._problems.pop(name, None)
        return True

    def _note(self, name: str, error: HelixError) -> None:
        if self._stopping.is_set():
            return
        if str(self._problems.get(name)) != str(error):
            LOGGER.warning("memories are not exchanged for now: %s", error)
        self._problems[name] = error

    def _send_step(self) -> None:
        meeting = self._meet()
        if meeting.relay.send():
            meeting.voice.hear_news()
        meeting.voice.speak_when_due()
        meeting.relay.wait_for_local(_LOCAL_WAIT_S)

    def _receive_step(self) -> None:
        meeting = self._meet()
        self._receive(meeting)
        meeting.relay.wait_for_shared(self._pace.look_s)

    def write_snapshot(self) -> bool:
        """Write a snapshot of all that is here to the shared log; False if it cannot be just now.

        Raises:
            Unavailable: the shared log cannot be used.
        """
        return self._meet().keeper.write()

    def _keep_step(self) -> None:
        meeting = self._meet()
        meeting.herald.tell()
        meeting.keeper.write_when_due()
        self._stopping.wait(_KEEP_S)

    def _sync(self) -> None:
        meeting = self._meet()
        meeting.relay.send()
        self._receive(meeting)
        meeting.voice.speak()
        self._receive(meeting)

    def _receive(self, meeting: Meeting) -> None:
        if meeting.keeper.skip() or meeting.relay.receive():
            meeting.voice.hear_news()
        self._level_at = datetime.now(UTC)
        self._has_caught_up.set()

    def _meet(self) -> Meeting:
        """Open the shared log and join, unless that is done."""
        with self._connecting:
            if self._meeting is not None:
                return self._meeting
            assert self._open_shared is not None  # noqa: S101 - nobody comes here without
            self._meeting = join(self._home, self._open_shared)
            self._problems.pop(_MEETING, None)
            return self._meeting
