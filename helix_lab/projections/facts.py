"""What the stores need to know of each event, checked: an event that lacks it is refused.

The log takes what an older, newer or foreign program appended, so a payload is not trusted
to fit its schema, nor its numbers to fit a column.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, TypeVar

import msgspec

Small = Annotated[int, msgspec.Meta(ge=0, le=2**31 - 1)]
Large = Annotated[int, msgspec.Meta(ge=0, le=2**53)]
Seats = list[dict[str, str]]

Fact = TypeVar("Fact", bound=msgspec.Struct)


class ConversationStarted(msgspec.Struct):
    """A conversation began."""

    user_id: str | None = None
    source: str | None = None


class ConversationDescribed(msgspec.Struct):
    """What is known about a conversation now."""

    title: str | None = None
    metadata: dict[str, Any] | None = None


class ConversationCompleted(msgspec.Struct):
    """A conversation ended."""

    outcome: str


class MessageAdded(msgspec.Struct):
    """Somebody said something."""

    message_id: str
    role: str
    content: str
    model_tokens: Small
    user_id: str | None = None
    provider: str | None = None
    model: str | None = None


class ReplyFigures(msgspec.Struct):
    """What is known of the request that a message answers, besides the message."""

    response_time_ms: float
    ttft_ms: float | None = None
    input_tokens: Large | None = None
    output_tokens: Large | None = None
    cost_usd: float | None = None


class ReplyFailed(msgspec.Struct):
    """A provider gave no usable reply."""

    message_id: str
    provider: str
    model: str
    error_code: str


class DebateStarted(msgspec.Struct):
    """A debate began."""

    debate_id: str
    topic: str
    protocol: str
    rounds: Small
    seed: Large
    seats: Seats
    judge: dict[str, str] | None = None
    user_id: str | None = None
    source: str | None = None


class ProposalDecided(msgspec.Struct):
    """A proposed fact was accepted or declined."""

    proposal_id: str
    decision: str
    memory_id: str | None = None


class MemoryUpdated(msgspec.Struct):
    """A memory was made, changed, deleted or erased."""

    memory_id: str
    seq: Large
    depth: Small
    clock: str
    seen: dict[str, Large] | None = None
    changes: dict[str, Any] = {}
    tags_added: list[str] = []
    tags_removed: list[str] = []


class NodeJoined(msgspec.Struct):
    """A node takes part in the exchange of memories."""

    node_id: str
    instance: str


class NodeAcknowledged(msgspec.Struct):
    """A node has taken in so much."""

    node_id: str
    seen: dict[str, Large]


class NodeRemoved(msgspec.Struct):
    """A node is gone."""

    node_id: str
    removed_by: str


class SnapshotNode(msgspec.Struct):
    """A node as a snapshot knows it."""

    node_id: str
    seq: Large
    acknowledged: dict[str, Large] | None
    instance: str | None = None
    joined_at: str | None = None
    removed_at: str | None = None
    removed_by: str | None = None


class SnapshotMemory(msgspec.Struct):
    """A memory in a snapshot."""

    memory_id: str
    state: dict[str, Any]
    created_at: str
    updated_at: str
    updated_by: str


class SnapshotCompleted(msgspec.Struct):
    """All memories as one node held them."""

    snapshot_id: str
    node_id: str
    offset: Large
    parts: Large
    memories: Large
    digest: str
    nodes: list[SnapshotNode]


class TurnEnded(msgspec.Struct):
    """A seat answered, or gave no usable answer."""

    debate_id: str
    round: Small
    role: str
    seat: str
    position: str
    provider: str
    model: str
    response_time_ms: float | None = None
    input_tokens: Large | None = None
    output_tokens: Large | None = None
    confidence: float | None = None
    cost_usd: float | None = None


class TurnSaid(msgspec.Struct):
    """What a seat answered."""

    role: str
    text: str


class EntitiesMerged(msgspec.Struct):
    """Somebody said that two entities are one."""

    merge_id: str
    source: str
    target: str


class EntitiesSplit(msgspec.Struct):
    """Somebody said that a merge was wrong."""

    merge_id: str


class Winner(msgspec.Struct):
    """The seat that won a debate."""

    position: str
    provider: str
    model: str


class DebateCompleted(msgspec.Struct):
    """A debate ended."""

    debate_id: str
    outcome: str
    total_rounds: Small
    winner: Winner | None = None
    confidence: float | None = None
    duration_ms: float | None = None


class ModelCall(msgspec.Struct):
    """What a span says of its call of a model."""

    operation: str
    is_request: bool
    conversation_id: str | None = None
    provider: str | None = None
    model: str | None = None
    input_tokens: Large | None = None
    output_tokens: Large | None = None
    ttft_ms: float | None = None
    cost_usd: float | None = None
    error_code: str | None = None


class SpanEnded(msgspec.Struct):
    """A span of a trace ended."""

    trace_id: str
    span_id: str
    name: str
    ended_at: datetime
    duration_ms: float
    status: str
    parent_span_id: str | None = None
    resource: dict[str, Any] = {}
    model_call: ModelCall | None = None


class ContextCompressed(msgspec.Struct):
    """A conversation was compressed anew."""

    compression_id: str
    purpose: str
    strategy: str
    original_messages: Large
    original_tokens: Large
    compressed_tokens: Large
    requested_ratio: float
    ratio: float
    quality_score: float
    meets_minimum: bool
    preserved_entities: Large
    duration_ms: float
    max_tokens: Large | None = None
    llm_provider: str | None = None
    llm_model: str | None = None


def read_fact(data: Any, kind: type[Fact]) -> Fact:
    """The fact that an event's data tell.

    Raises:
        msgspec.ValidationError: names the field that is missing or does not fit.
    """
    return msgspec.convert(data, kind)
