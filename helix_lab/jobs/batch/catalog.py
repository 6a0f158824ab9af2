"""The five jobs: which datasets each reads, by which stage, what it asks, what comes out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal

from helix_lab.domain.batch import debates, mentions, requests
from helix_lab.domain.batch.rows import Row
from helix_lab.domain.knowledge.evidence import MAX_PAIRED
from helix_lab.domain.lake.schema import CONVERSATIONS, DEBATES
from helix_lab.ports.batch import Stage, Value

if TYPE_CHECKING:
    import pyarrow as pa

Kind = Literal["text", "texts", "whole", "real", "truth", "moment", "reals"]
"""Of a column; `moment` comes out of a statement as text in RFC 3339."""

Columns = Mapping[str, Kind]


@dataclass(frozen=True, slots=True)
class Options:
    """What a user may set; a job takes no notice of what does not concern it.

    Attributes:
        partitions: pieces that the reading is cut into, at least; None: as many as suit the engine.
        min_entity_confidence: an entity that no mention gives so much is left out.
        entity_types: only these; empty for all.
        window_size: messages in a row whose entities count as named together.
        min_cooccurrence: windows that name both, so that they are a pair.
        method: of topic modelling.
        topics: how many to look for.
        terms: of each topic to show.
        document_size: messages in a row that are one document for topics.
        min_documents: a term of fewer documents tells nothing.
        max_document_share: nor does one of more of them.
        max_terms: the most widespread ones of the others are kept.
        seed: of what is random.
    """

    partitions: int | None = None
    min_entity_confidence: float = 0.0
    entity_types: Sequence[str] = ()
    window_size: int = 10
    min_cooccurrence: int = 5
    method: Literal["nmf", "lda"] = "nmf"
    topics: int = 10
    terms: int = 10
    document_size: int = 20
    min_documents: int = 2
    max_document_share: float = 0.5
    max_terms: int = 5000
    seed: int = 1


@dataclass(frozen=True, slots=True)
class Reading:
    """A stage, by the datasets that it is made for.

    Attributes:
        functions: dataset → function, and the columns that it needs.
        columns: of what it gives.
    """

    name: str
    functions: Mapping[str, tuple[str, tuple[str, ...]]]
    columns: Columns
    is_whole: bool = False

    def stage(self, dataset: str) -> Stage:
        """The stage for files of a dataset."""
        function, needed = self.functions[dataset]
        return Stage(function, needed, make_schema(self.columns), self.is_whole)


@dataclass(frozen=True, slots=True)
class BatchJob:
    """One of the five jobs.

    Attributes:
        derive: the row that is shown, from a row of the statement.
        columns: of the result.
        found: what one row of the result is called in a status.
    """

    name: str
    summary: str
    reading: Reading
    statement: str
    columns: Columns
    found: str
    parameters: Callable[[Options], Mapping[str, Value]] = field(default=lambda _: {})
    derive: Callable[[Row], Row] = field(default=lambda row: row)
    is_merged: bool = False
    """Its statement asks the table `merged`: which entities people merged."""


_MENTIONS: Final = Reading(
    "mentions",
    {
        CONVERSATIONS.name: (
            "helix_lab.domain.batch.mentions:read_messages",
            ("conversation_id", "position", "content", "created_at", "event"),
        ),
        DEBATES.name: (
            "helix_lab.domain.batch.mentions:read_turns",
            ("conversation_id", "turn", "role", "response", "created_at", "event"),
        ),
    },
    {
        "conversation_id": "text",
        "message_id": "text",
        "position": "whole",
        "time": "text",
        "place": "whole",
        "entity_id": "text",
        "name": "text",
        "type": "text",
        "aliases": "texts",
        "mentions": "whole",
        "confidence": "real",
        "confidence_parts": "whole",
    },
)
_TERMS: Final = Reading(
    "terms",
    {
        CONVERSATIONS.name: (
            "helix_lab.domain.batch.terms:read_messages",
            ("conversation_id", "position", "content"),
        ),
        DEBATES.name: (
            "helix_lab.domain.batch.terms:read_turns",
            ("conversation_id", "turn", "role", "response"),
        ),
    },
    {"conversation_id": "text", "position": "whole", "term": "text", "mentions": "whole"},
)
_REQUESTS: Final = Reading(
    "requests",
    {
        CONVERSATIONS.name: (
            "helix_lab.domain.batch.requests:read_messages",
            requests.MESSAGE_COLUMNS,
        ),
        DEBATES.name: ("helix_lab.domain.batch.requests:read_turns", requests.TURN_COLUMNS),
    },
    {
        "kind": "text",
        "provider": "text",
        "model": "text",
        "debate_seat": "text",
        "is_judged": "truth",
        "has_won": "truth",
        "is_error": "truth",
        "response_time": "whole",
        "confidence": "whole",
        "input_tokens": "whole",
        "output_tokens": "whole",
        "cost": "whole",
    },
)
_DEBATE: Final[Columns] = {
    "debate_id": "text",
    "topic": "text",
    "protocol": "text",
    "outcome": "text",
    "seats": "whole",
    "rounds": "whole",
    "turns": "whole",
    "failed_turns": "whole",
    "terms_first": "real",
    "terms_last": "real",
    "agreement_first": "real",
    "agreement_last": "real",
    "persistence": "real",
    "confidence_first": "real",
    "confidence_last": "real",
    "winner_position": "text",
    "winner_provider": "text",
    "winner_model": "text",
    "winner_confidence": "real",
    "has_first_won": "truth",
    "has_longest_won": "truth",
}
_DEBATES: Final = Reading(
    "debates",
    {DEBATES.name: ("helix_lab.domain.batch.debates:read_debates", debates.TURN_COLUMNS)},
    _DEBATE,
    is_whole=True,
)

ENTITY_EXTRACTION: Final = BatchJob(
    "EntityExtraction",
    "Extract entities from conversations and debates",
    _MENTIONS,
    "entity_extraction",
    {
        "entity_id": "text",
        "name": "text",
        "type": "text",
        "aliases": "texts",
        "mention_count": "whole",
        "message_count": "whole",
        "conversation_count": "whole",
        "avg_confidence": "real",
        "max_confidence": "real",
        "importance": "real",
        "first_seen": "moment",
        "last_seen": "moment",
    },
    "entities_extracted",
    lambda options: {
        "min_confidence": options.min_entity_confidence,
        "types": ",".join(options.entity_types),
    },
    mentions.weigh_entity,
    is_merged=True,
)
RELATIONSHIP_MINING: Final = BatchJob(
    "RelationshipMining",
    "Find entities that are named together",
    _MENTIONS,
    "relationship_mining",
    {
        "source": "text",
        "source_name": "text",
        "source_type": "text",
        "target": "text",
        "target_name": "text",
        "target_type": "text",
        "cooccurrences": "whole",
        "same_message": "whole",
        "conversation_count": "whole",
        "lift": "real",
        "first_seen": "moment",
        "last_seen": "moment",
    },
    "relationships_found",
    lambda options: {
        "min_confidence": options.min_entity_confidence,
        "window_size": options.window_size,
        "min_cooccurrence": options.min_cooccurrence,
        "max_paired": MAX_PAIRED,
    },
    mentions.weigh_pair,
    is_merged=True,
)
TOPIC_MODELING: Final = BatchJob(
    "TopicModeling",
    "Find topics by NMF or LDA",
    _TERMS,
    "topic_modeling",
    {
        "topic": "whole",
        "name": "text",
        "terms": "texts",
        "weights": "reals",
        "coherence": "real",
        "share": "real",
        "documents": "whole",
        "conversations": "texts",
    },
    "topics_identified",
    lambda options: {
        "document_size": options.document_size,
        "min_documents": options.min_documents,
        "max_share": round(options.max_document_share * 1000),
        "max_terms": options.max_terms,
    },
)
PROVIDER_PERFORMANCE: Final = BatchJob(
    "ProviderPerformance",
    "Sum up how providers did, in chats and in debates",
    _REQUESTS,
    "provider_performance",
    {
        "kind": "text",
        "provider": "text",
        "model": "text",
        "requests": "whole",
        "errors": "whole",
        "error_rate": "real",
        "avg_response_time_ms": "real",
        "p50_response_time_ms": "real",
        "p95_response_time_ms": "real",
        "avg_confidence": "real",
        "input_tokens": "whole",
        "output_tokens": "whole",
        "cost_usd": "real",
        "debates": "whole",
        "debates_judged": "whole",
        "wins": "whole",
        "win_rate": "real",
    },
    "providers_rated",
    derive=requests.rate_provider,
)
DEBATE_ANALYSIS: Final = BatchJob(
    "DebateAnalysis",
    "Find patterns of debates over their rounds",
    _DEBATES,
    "debate_analysis",
    {**_DEBATE, "agreement_change": "real", "pattern": "text"},
    "debates_analysed",
    derive=debates.name_pattern,
)

JOBS: Final[Mapping[str, BatchJob]] = {
    job.name: job
    for job in (
        ENTITY_EXTRACTION,
        RELATIONSHIP_MINING,
        TOPIC_MODELING,
        PROVIDER_PERFORMANCE,
        DEBATE_ANALYSIS,
    )
}


def make_schema(columns: Columns) -> pa.Schema:
    """The columns as Arrow has them."""
    import pyarrow as pa

    types: dict[Kind, Any] = {
        "text": pa.string(),
        "texts": pa.list_(pa.string()),
        "reals": pa.list_(pa.float64()),
        "whole": pa.int64(),
        "real": pa.float64(),
        "truth": pa.bool_(),
        "moment": pa.timestamp("us", "UTC"),
    }
    return pa.schema([(name, types[kind]) for name, kind in columns.items()])
