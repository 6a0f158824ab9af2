"""Conversations and debates as records: who, when, how much, and how it ended."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec

from helix_lab.domain.model.event import (
    CONVERSATION_COMPLETED,
    CONVERSATION_DESCRIBED,
    CONVERSATION_STARTED,
    CONVERSATIONS,
    DEBATE_COMPLETED,
    DEBATE_STARTED,
    DEBATES,
    MESSAGE_ADDED,
    PROPOSAL_DECIDED,
    TURN_ANSWERED,
    TURN_FAILED,
    Entry,
    Event,
)
from helix_lab.projections.facts import (
    ConversationCompleted,
    ConversationDescribed,
    ConversationStarted,
    DebateCompleted,
    DebateStarted,
    MessageAdded,
    TurnEnded,
    read_fact,
)
from helix_lab.projections.projection import Checkpoint, Projection, check_is_known
from helix_lab.projections.proposals import (
    TABLES,
    Found,
    find_proposals,
    read_decision,
    write_proposals,
)
from helix_lab.records.claims import Claims, WholeLog, forget_claims
from helix_lab.records.database import (
    Records,
    add_up,
    take_greatest,
    take_least,
    take_new_unless_null,
)
from helix_lab.records.tables import CONVERSATION, DEBATE, DEBATE_TURN

_MERGE = {
    "user_id": take_new_unless_null,
    "source": take_new_unless_null,
    "title": take_new_unless_null,
    "metadata": take_new_unless_null,
    "outcome": take_new_unless_null,
    "completed_at": take_new_unless_null,
    "started_at": take_least,
    "updated_at": take_greatest,
    "message_count": add_up,
    "token_count": add_up,
    "debate_count": add_up,
    "clock": take_greatest,
}
_KEPT_OF_TURN = {"debate_id", "conversation_id", "round", "role", "seat"}


class Row(msgspec.Struct):
    """What one event says: a change of its conversation, and perhaps of something in it."""

    change: dict[str, Any]
    event_id: str = ""
    debate: dict[str, Any] | None = None
    ended_debate: dict[str, Any] | None = None
    turn: dict[str, Any] | None = None
    found: Found | None = None
    decision: dict[str, Any] | None = None


class ConversationsProjection(Projection[Row]):
    """Fills `conversation`, `debate`, `debate_turn`, `proposal` and `proposal_decision`.

    A batch touches each conversation once, so the cost of a message does not grow with
    the length of its conversation.

    Args:
        records: the store.
        claims: of a worker that shares the partitions with others; None where this process
            follows all of them.
    """

    name = "conversations"
    topics = (CONVERSATIONS, DEBATES)

    def __init__(self, records: Records, claims: Claims | None = None) -> None:
        self._records = records
        self._claims = claims or WholeLog(self.name)

    def project(self, entry: Entry) -> Row | None:
        """See `Projection.project`."""
        check_is_known(entry)
        read = _READERS.get(entry.event.type)
        if read is None:
            return None
        row = read(entry.event)
        row.event_id = entry.event.event_id
        return row

    def write(self, rows: Sequence[Row], checkpoint: Checkpoint) -> None:
        """See `Projection.write`; one transaction."""
        with self._records.write() as connection:
            self._claims.check(connection, checkpoint)
            rows = self._claims.keep_new(connection, rows)
            conversations = _fold(row.change for row in rows)
            upsert = self._records.upsert
            upsert(connection, CONVERSATION, conversations, merge=_MERGE)
            upsert(connection, DEBATE, [row.debate for row in rows if row.debate])
            upsert(connection, DEBATE_TURN, [row.turn for row in rows if row.turn])
            for row in rows:
                if row.ended_debate:
                    _end_debate(connection, row.ended_debate)
            found = [row.found for row in rows if row.found]
            decisions = [row.decision for row in rows if row.decision]
            write_proposals(self._records, connection, found, decisions)
            self._records.move_checkpoint(connection, self.name, checkpoint)

    def read_checkpoint(self) -> dict[tuple[str, int], int]:
        """See `Projection.read_checkpoint`."""
        return self._records.read_checkpoint(self.name)

    def clear(self) -> None:
        """See `Projection.clear`."""
        with self._records.write() as connection:
            forget_claims(connection, self.name)
            for table in (CONVERSATION, DEBATE, DEBATE_TURN, *TABLES):
                connection.execute(table.delete())
            self._records.forget_checkpoint(connection, self.name)


def _end_debate(connection: Any, ended: Mapping[str, Any]) -> None:
    connection.execute(
        DEBATE.update()
        .where(DEBATE.c.debate_id == ended["debate_id"])
        .values(completed_at=ended["completed_at"], result=ended["result"])
    )


def _change(event: Event, **known: Any) -> dict[str, Any]:
    return {
        "conversation_id": event.key,
        "user_id": None,
        "source": None,
        "title": None,
        "metadata": None,
        "outcome": None,
        "completed_at": None,
        "started_at": event.time,
        "updated_at": event.time,
        "message_count": 0,
        "token_count": 0,
        "debate_count": 0,
        "clock": event.clock,
        **known,
    }


def _read_start(event: Event) -> Row:
    start = read_fact(event.data, ConversationStarted)
    return Row(_change(event, user_id=start.user_id, source=start.source))


def _read_description(event: Event) -> Row:
    said = read_fact(event.data, ConversationDescribed)
    return Row(_change(event, title=said.title, metadata=said.metadata))


def _read_message(event: Event) -> Row:
    said = read_fact(event.data, MessageAdded)
    change = _change(event, message_count=1, token_count=said.model_tokens)
    return Row(change, found=find_proposals(event, said))


def _read_decision(event: Event) -> Row:
    return Row(_change(event), decision=read_decision(event))


def _read_completion(event: Event) -> Row:
    end = read_fact(event.data, ConversationCompleted)
    return Row(_change(event, outcome=end.outcome, completed_at=event.time))


def _read_debate_start(event: Event) -> Row:
    start = read_fact(event.data, DebateStarted)
    debate = {
        "debate_id": start.debate_id,
        "conversation_id": event.key,
        "topic": start.topic,
        "protocol": start.protocol,
        "rounds": start.rounds,
        "seed": start.seed,
        "seats": start.seats,
        "judge": start.judge,
        "user_id": start.user_id,
        "source": start.source,
        "started_at": event.time,
    }
    return Row(_change(event, debate_count=1), debate=debate)


def _read_turn(event: Event) -> Row:
    ended = read_fact(event.data, TurnEnded)
    turn = {
        "debate_id": ended.debate_id,
        "round": ended.round,
        "role": ended.role,
        "seat": ended.seat,
        "clock": event.clock,
        "ended_at": event.time,
        "turn": {name: value for name, value in event.data.items() if name not in _KEPT_OF_TURN},
    }
    return Row(_change(event), turn=turn)


def _read_debate_end(event: Event) -> Row:
    ended = {
        "debate_id": read_fact(event.data, DebateCompleted).debate_id,
        "completed_at": event.time,
        "result": dict(event.data),
    }
    return Row(_change(event), ended_debate=ended)


_READERS: dict[str, Callable[[Event], Row]] = {
    CONVERSATION_STARTED.name: _read_start,
    CONVERSATION_DESCRIBED.name: _read_description,
    CONVERSATION_COMPLETED.name: _read_completion,
    MESSAGE_ADDED.name: _read_message,
    PROPOSAL_DECIDED.name: _read_decision,
    DEBATE_STARTED.name: _read_debate_start,
    TURN_ANSWERED.name: _read_turn,
    TURN_FAILED.name: _read_turn,
    DEBATE_COMPLETED.name: _read_debate_end,
}


def _fold(changes: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """One change a conversation, by the same rules as `_MERGE`."""
    folded: dict[str, dict[str, Any]] = {}
    for change in changes:
        known = folded.setdefault(change["conversation_id"], change)
        if known is not change:
            _merge_into(known, change)
    # In one order, whoever writes: two workers that lock the same rows do not lock each other.
    return [folded[conversation_id] for conversation_id in sorted(folded)]


def _merge_into(known: dict[str, Any], change: dict[str, Any]) -> None:
    for name in ("message_count", "token_count", "debate_count"):
        known[name] += change[name]
    for name in ("user_id", "source", "title", "metadata", "outcome", "completed_at"):
        if change[name] is not None:
            known[name] = change[name]
    started_at: datetime = change["started_at"]
    known["started_at"] = min(known["started_at"], started_at)
    known["updated_at"] = max(known["updated_at"], change["updated_at"])
    known["clock"] = max(known["clock"], change["clock"])
