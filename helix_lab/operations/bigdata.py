"""The operation that tells how each part of the system does, in the shape of the API reference."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Literal

from pydantic import Field

from helix_lab.domain.lake.schema import DATASETS
from helix_lab.domain.model.event import TOPICS
from helix_lab.operations import analytics, charts, costs, debate_analytics, sql
from helix_lab.operations.operation import Operation, Request, Response
from helix_lab.operations.probing import State, ask_all, probe
from helix_lab.operations.services import Services
from helix_lab.queries import analytics as questions
from helix_lab.queries import knowledge, learning, memories

_HOUR = timedelta(hours=1)
_ASKING_ANALYTICS = frozenset(
    operation.name
    for module in (analytics, charts, costs, debate_analytics, sql)
    for operation in module.OPERATIONS
)


class GetBigdataStatus(Request):
    """Nothing to say."""


class KafkaStreams(Response):
    """The event log, and those that follow it."""

    status: State
    topics: int | None = None
    consumer_groups: int | None = Field(
        None, description="projections, each of which follows the log by its own checkpoint"
    )
    lag_ms: int | None = Field(
        None, description="0: every store is level with the log; null: for how long is not known"
    )
    lag_events: int | None = Field(None, description="of the store that is furthest behind")


class DistributedMemory(Response):
    """The memories, and the nodes that exchange them."""

    status: Literal["active", "alone", "refused", "unreachable"]
    nodes: int | None = Field(None, description="that have written memories, this one included")
    sync_lag_ms: int | None = None
    conflicts_last_hour: int | None = None


class KnowledgeGraph(Response):
    """The graph of entities."""

    status: State
    entity_count: int | None = None
    relationship_count: int | None = Field(None, description="stated ones, and co-occurrences")
    update_rate_per_sec: float | None = Field(
        None, description="messages of the last hour, by their own times, per second"
    )


class Analytics(Response):
    """The store of analytics; embedded it is DuckDB."""

    status: State
    clickhouse_query_avg_ms: float | None = Field(
        None, description="of the last hour, as its callers waited; null: nobody asked"
    )
    data_points_last_hour: int | None = Field(None, description="messages, by their own times")


class DataLake(Response):
    """The data lake; embedded it is a folder."""

    status: State
    total_size_gb: float | None = Field(None, description="of all files of its datasets")
    parquet_files: int | None = None


class Learning(Response):
    """Learning; today is since midnight UTC."""

    status: str = Field(description="learning, off, or unreachable")
    patterns_extracted_today: int | None = Field(None, description="seen for the first time")
    insights_generated_today: int | None = None


class BigdataStatus(Response):
    """Each part, freshly probed; what cannot be told within two seconds is null."""

    status: Literal["healthy", "degraded"]
    kafka_streams: KafkaStreams
    distributed_memory: DistributedMemory
    knowledge_graph: KnowledgeGraph
    analytics: Analytics
    data_lake: DataLake
    learning: Learning


def get_status(services: Services, _request: GetBigdataStatus) -> BigdataStatus:
    """Ask all parts at the same time, each for two seconds at most."""
    parts: dict[str, Callable[[Services], dict[str, Any]]] = {
        "kafka_streams": _describe_log,
        "distributed_memory": _describe_memory,
        "knowledge_graph": _describe_graph,
        "analytics": _describe_analytics,
        "data_lake": _describe_lake,
        "learning": _describe_learning,
    }
    found: dict[str, Any] = {
        name: answer or {"status": "unreachable"}
        for name, answer in ask_all(
            {name: partial(describe, services) for name, describe in parts.items()}
        ).items()
    }
    is_whole = all(part["status"] not in {"unreachable", "refused"} for part in found.values())
    return BigdataStatus.model_validate(
        {
            "status": "healthy" if is_whole else "degraded",
            **found,
        }
    )


def _describe_lake(services: Services) -> dict[str, Any]:
    state = probe(services.backends["minio"])
    files = [file for name in DATASETS for file in services.lake.list_files(name)]
    return {
        "status": state,
        "total_size_gb": sum(file.bytes for file in files) / 1e9,
        "parquet_files": sum(file.path.endswith(".parquet") for file in files),
    }


def _describe_log(services: Services) -> dict[str, Any]:
    state = probe(services.backends["kafka"])
    lag = max(services.projections.measure_lag().values(), default=0)
    return {
        "status": state,
        "topics": len({topic for topic, _ in services.log.end_offsets(TOPICS)}),
        "consumer_groups": len(services.projections.names),
        "lag_ms": None if lag else 0,
        "lag_events": lag,
    }


def _describe_memory(services: Services) -> dict[str, Any]:
    standing = services.exchange.stand()
    names = {row["node_id"] for row in memories.read_nodes(services.records)}
    return {
        "status": standing.state,
        "nodes": len({*names, services.node_id}),
        "sync_lag_ms": standing.lag_ms,
        "conflicts_last_hour": memories.count_conflicts_since(
            services.records, datetime.now(UTC) - _HOUR
        ),
    }


def _describe_graph(services: Services) -> dict[str, Any]:
    state = probe(services.backends["neo4j"])
    counts = knowledge.count_graph(services.graph)
    return {
        "status": state,
        "entity_count": counts["entities"],
        "relationship_count": counts["related_to"] + counts["co_occurs_with"],
        "update_rate_per_sec": _count_messages(services) / _HOUR.total_seconds(),
    }


def _describe_learning(services: Services) -> dict[str, Any]:
    if "learning" not in services.projections.names:
        return {"status": "off"}
    midnight = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    counted = learning.count_since(services.records, midnight)
    return {
        "status": "learning",
        "patterns_extracted_today": counted["patterns"],
        "insights_generated_today": counted["insights"],
    }


def _describe_analytics(services: Services) -> dict[str, Any]:
    state = probe(services.backends["clickhouse"])
    calls, _ = services.meter.list_calls(within_s=_HOUR.total_seconds())
    taken = [call.duration_ms for call in calls if call.operation in _ASKING_ANALYTICS]
    return {
        "status": state,
        "clickhouse_query_avg_ms": sum(taken) / len(taken) if taken else None,
        "data_points_last_hour": _count_messages(services),
    }


def _count_messages(services: Services) -> int:
    until_at = datetime.now(UTC)
    rows = questions.measure_activity(
        services.analytics, from_at=until_at - _HOUR, until_at=until_at, granularity="hour"
    )
    return sum(row["message_count"] for row in rows)


OPERATIONS = (
    Operation(
        name="get_bigdata_status",
        summary="Tell how each part of the system does",
        method="GET",
        path="/v1/bigdata/status",
        scope="read",
        request=GetBigdataStatus,
        response=BigdataStatus,
        run=get_status,
    ),
)
