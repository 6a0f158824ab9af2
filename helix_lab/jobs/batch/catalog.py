"""The five jobs: what each reads, which statement it asks, what comes out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

from helix_lab.domain.batch import debates, mentions, requests
from helix_lab.domain.batch.rows import Row
from helix_lab.domain.knowledge.evidence import MAX_PAIRED
from helix_lab.jobs.batch.readings import (
    DEBATE,
    DEBATES_READ,
    MENTIONS,
    REQUESTS,
    TERMS,
    Columns,
    Reading,
)
from helix_lab.ports.batch import Value


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


ENTITY_EXTRACTION: Final = BatchJob(
    "EntityExtraction",
    "Extract entities from conversations and debates",
    MENTIONS,
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
    MENTIONS,
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
    TERMS,
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
    REQUESTS,
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
    DEBATES_READ,
    "debate_analysis",
    {**DEBATE, "agreement_change": "real", "pattern": "text"},
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
