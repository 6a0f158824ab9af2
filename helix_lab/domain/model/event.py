"""Events: what happened, as immutable CloudEvents-shaped values, and the register of their types.

Source: CloudEvents 1.0; the fields map as `type` → type, `node_id` → source
(`/helix/<node_id>`), `subject` → subject, `key` → partitionkey, `time` → time,
`version` → dataschema (`…/v<version>`), `clock` → extension `helixclock`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from helix_lab.domain.model.clock import HybridTime

CONVERSATIONS = "helixagent.conversations"
DEBATES = "helixagent.debates"
MEMORY_EVENTS = "helixagent.memory.events"
MEMORY_SNAPSHOTS = "helixagent.memory.snapshots"
MEMORY_CONFLICTS = "helixagent.memory.conflicts"
COMPRESSIONS = "helixagent.context.compressions"
ENTITY_UPDATES = "helixagent.entities.updates"
LEARNING_INSIGHTS = "helixagent.learning.insights"
TELEMETRY = "helixagent.telemetry"
TRACES = "helixagent.traces"


@dataclass(frozen=True, slots=True)
class EventType:
    """A registered kind of event: its full name, its topic, its current schema version."""

    name: str
    topic: str
    version: int = 1


CONVERSATION_STARTED = EventType("helixagent.conversation.started", CONVERSATIONS)
CONVERSATION_DESCRIBED = EventType("helixagent.conversation.described", CONVERSATIONS)
CONVERSATION_COMPLETED = EventType("helixagent.conversation.completed", CONVERSATIONS)
CONVERSATION_PAUSED = EventType("helixagent.conversation.paused", CONVERSATIONS)
MESSAGE_ADDED = EventType("helixagent.message.added", CONVERSATIONS)
BRANCH_SELECTED = EventType("helixagent.branch.selected", CONVERSATIONS)
REPLY_FAILED = EventType("helixagent.reply.failed", CONVERSATIONS)
PROPOSAL_DECIDED = EventType("helixagent.proposal.decided", CONVERSATIONS)
DEBATE_STARTED = EventType("helixagent.debate.started", DEBATES)
TURN_REQUESTED = EventType("helixagent.turn.requested", DEBATES)
TURN_ANSWERED = EventType("helixagent.turn.answered", DEBATES)
TURN_FAILED = EventType("helixagent.turn.failed", DEBATES)
DEBATE_COMPLETED = EventType("helixagent.debate.completed", DEBATES)
MEMORY_CREATED = EventType("helixagent.memory.created", MEMORY_EVENTS)
MEMORY_UPDATED = EventType("helixagent.memory.updated", MEMORY_EVENTS)
MEMORY_DELETED = EventType("helixagent.memory.deleted", MEMORY_EVENTS)
MEMORY_ERASED = EventType("helixagent.memory.erased", MEMORY_EVENTS)
NODE_JOINED = EventType("helixagent.node.joined", MEMORY_EVENTS)
NODE_ACKNOWLEDGED = EventType("helixagent.node.acknowledged", MEMORY_EVENTS)
NODE_REMOVED = EventType("helixagent.node.removed", MEMORY_EVENTS)
NODE_REPORTED = EventType("helixagent.node.reported", TELEMETRY)
SNAPSHOT_WRITTEN = EventType("helixagent.snapshot.written", MEMORY_SNAPSHOTS)
SNAPSHOT_COMPLETED = EventType("helixagent.snapshot.completed", MEMORY_SNAPSHOTS)
CONFLICT_FOUND = EventType("helixagent.conflict.found", MEMORY_CONFLICTS)
CONFLICT_ENDED = EventType("helixagent.conflict.ended", MEMORY_CONFLICTS)
CONTEXT_COMPRESSED = EventType("helixagent.context.compressed", COMPRESSIONS)
ENTITIES_MERGED = EventType("helixagent.entities.merged", ENTITY_UPDATES)
ENTITIES_SPLIT = EventType("helixagent.entities.split", ENTITY_UPDATES)
SPAN_ENDED = EventType("helixagent.span.ended", TRACES)
INSIGHT_MADE = EventType("helixagent.insight.made", LEARNING_INSIGHTS)
INSIGHT_SUPERSEDED = EventType("helixagent.insight.superseded", LEARNING_INSIGHTS)
PATTERN_REVIEWED = EventType("helixagent.pattern.reviewed", LEARNING_INSIGHTS)

EVENT_TYPES: Mapping[str, EventType] = {
    event_type.name: event_type
    for event_type in (
        CONVERSATION_STARTED,
        CONVERSATION_DESCRIBED,
        CONVERSATION_COMPLETED,
        CONVERSATION_PAUSED,
        MESSAGE_ADDED,
        BRANCH_SELECTED,
        REPLY_FAILED,
        PROPOSAL_DECIDED,
        DEBATE_STARTED,
        TURN_REQUESTED,
        TURN_ANSWERED,
        TURN_FAILED,
        DEBATE_COMPLETED,
        MEMORY_CREATED,
        MEMORY_UPDATED,
        MEMORY_DELETED,
        MEMORY_ERASED,
        NODE_JOINED,
        NODE_ACKNOWLEDGED,
        NODE_REMOVED,
        NODE_REPORTED,
        SNAPSHOT_WRITTEN,
        SNAPSHOT_COMPLETED,
        CONFLICT_FOUND,
        CONFLICT_ENDED,
        CONTEXT_COMPRESSED,
        ENTITIES_MERGED,
        ENTITIES_SPLIT,
        SPAN_ENDED,
        INSIGHT_MADE,
        INSIGHT_SUPERSEDED,
        PATTERN_REVIEWED,
    )
}
"""Every event type by its full name. An unregistered type is refused by `record`."""

EXCHANGED_TOPICS = (MEMORY_EVENTS, MEMORY_SNAPSHOTS, MEMORY_CONFLICTS, TELEMETRY)
"""What nodes tell each other: each keeps its own in a log of its own."""

TOPICS: tuple[str, ...] = tuple(sorted({event_type.topic for event_type in EVENT_TYPES.values()}))


@dataclass(frozen=True, slots=True)
class Draft:
    """A fact that is not recorded yet: what `record` validates, stamps and appends.

    Attributes:
        event_id: unique and stable: the same fact drafted twice has the same id, so that
            importing or delivering twice changes nothing. See `make_event_id`.
        key: decides the partition: the conversation id (or memory id).
        subject: id of the thing that the fact is about (a message id, a debate id).
        time: when it happened (UTC); None means "now", at the moment of recording.
        data: JSON object that fits the schema of the type.
    """

    event_id: str
    type: EventType
    key: str
    subject: str
    data: Mapping[str, Any] = field(default_factory=dict)
    time: datetime | None = None


@dataclass(frozen=True, slots=True)
class Event:
    """A recorded fact.

    Attributes:
        type: full name, `helixagent.<noun>.<past>`.
        time: when it happened (UTC). Not the order: an imported message is old and recorded today.
        clock: when it was recorded, as hybrid time. Events of one conversation are ordered
            by (clock, event_id).
        version: version of the schema that `data` fits.
    """

    event_id: str
    type: str
    node_id: str
    key: str
    subject: str
    time: datetime
    clock: HybridTime
    data: Mapping[str, Any]
    version: int = 1


@dataclass(frozen=True, slots=True)
class Entry:
    """An event with its place in the log."""

    topic: str
    partition: int
    offset: int
    event: Event


def order_of(entry: Entry) -> tuple[HybridTime, str]:
    """Sort key that gives the order of events in one conversation."""
    return (entry.event.clock, entry.event.event_id)


def make_event_id(*parts: str) -> str:
    """A stable id of 32 hex digits from the parts that make a fact unique.

    The parts are length-prefixed, so ("ab", "c") and ("a", "bc") differ.
    """
    text = "".join([f"{len(part)}:{part}" for part in parts])
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def to_micros(time: datetime) -> int:
    """Microseconds since 1970 of an aware datetime; exact."""
    delta = time.astimezone(UTC) - _EPOCH
    return (delta.days * 86_400 + delta.seconds) * 1_000_000 + delta.microseconds


def from_micros(micros: int) -> datetime:
    """The UTC datetime of microseconds since 1970; exact."""
    return _EPOCH + timedelta(microseconds=micros)


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
