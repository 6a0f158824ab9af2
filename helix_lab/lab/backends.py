"""The backends: which adapter the settings choose for log, records, graph and lake."""

from __future__ import annotations

from pathlib import Path

from helix_lab.adapters.analytics_duckdb import DuckDBAnalytics
from helix_lab.adapters.graph_ladybug import LadybugGraph
from helix_lab.adapters.lake_folder import FolderLake
from helix_lab.adapters.log_by_topic import LogByTopic
from helix_lab.adapters.log_sqlite import SqliteEventLog
from helix_lab.data_folder import DataFolder
from helix_lab.domain.model.errors import InvalidRequest, MissingDriver
from helix_lab.domain.model.event import EXCHANGED_TOPICS, MEMORY_EVENTS, MEMORY_SNAPSHOTS, TOPICS
from helix_lab.ports.analytics import AnalyticsStore
from helix_lab.ports.event_log import EventLog
from helix_lab.ports.graph import GraphStore
from helix_lab.ports.lake import Lake
from helix_lab.queries.statements import (
    load_graph_schema,
    load_graph_statements,
    load_schema,
)
from helix_lab.records.database import Records
from helix_lab.settings import Neo4jSettings, Settings
from helix_lab.settings.services import LOG_SCHEMES


def open_log(settings: Settings, folder: DataFolder) -> EventLog:
    """The event log: on Kafka, or in the data folder.

    Raises:
        InvalidRequest: the folder belongs to a log of the other kind.
    """
    names = ("log-kafka.sqlite", "log.sqlite")
    own, other = names if settings.log_url else reversed(names)
    if (folder.path / other).exists() and not (folder.path / own).exists():
        # The stores in the folder stand for offsets of the log that filled them.
        message = (
            f"the data folder {folder.path} belongs to another event log: it has {other}. Choose "
            "another folder by HELIX_DATA_DIR, or the log by HELIX_LOG_URL (or "
            "KAFKA_BOOTSTRAP_SERVERS; unset for the log in the folder)"
        )
        raise InvalidRequest(message, field="HELIX_LOG_URL")
    if settings.log_url:
        from helix_lab.adapters.log_kafka import KafkaEventLog

        shared = [topic for topic in TOPICS if topic not in EXCHANGED_TOPICS]
        kafka = KafkaEventLog(settings.log_url, folder.path, followed=shared)
        memories = SqliteEventLog(folder.path / "memories.sqlite")
        return LogByTopic(memories, kafka, own_topics=EXCHANGED_TOPICS)
    return SqliteEventLog(folder.path / own)


def open_memory_log(place: str, folder: DataFolder) -> EventLog:
    """The log where nodes exchange their memories: on Kafka, or a file that they share."""
    if not place.startswith(LOG_SCHEMES):
        return SqliteEventLog(Path(place))
    from helix_lab.adapters.log_kafka import KafkaEventLog

    return KafkaEventLog(
        place,
        folder.path / "exchange",
        topics=EXCHANGED_TOPICS,
        in_order=(MEMORY_EVENTS, MEMORY_SNAPSHOTS),
        is_strict=True,
    )


def name_memory_log(place: str) -> str:
    """How the log of the exchange is shown: without a password."""
    scheme, separator, rest = place.partition("://")
    if not separator:
        return place
    return f"{scheme}://{rest.rpartition('@')[2].partition('?')[0]}"


def open_records(settings: Settings, folder: DataFolder) -> Records:
    """The record store: on PostgreSQL, or in the data folder."""
    if settings.records_url:
        return Records(settings.records_url)
    return Records.embedded(folder.path / "records.sqlite")


def open_shared_records(settings: Settings) -> Records:
    """The record store that workers share: on PostgreSQL."""
    return Records(settings.records_url or "")


def open_lake(settings: Settings, folder: DataFolder) -> Lake:
    """The lake: in a bucket, or in a folder, which is by default one of the data folder."""
    chosen = settings.lake
    if chosen is None or chosen.folder is not None:
        return FolderLake(chosen.folder if chosen and chosen.folder else folder.path / "lake")
    try:
        from helix_lab.adapters.lake_s3 import S3Lake
    except ImportError as error:
        message = 'the lake is in a bucket, but its client is missing: pip install "helix-lab[s3]"'
        raise MissingDriver(message, package="minio") from error
    return S3Lake(
        chosen.endpoint,
        access_key=chosen.access_key,
        secret_key=chosen.secret_key,
        bucket=chosen.bucket,
        prefix=chosen.prefix,
        is_secure=chosen.is_secure,
    )


def open_analytics(settings: Settings, folder: DataFolder) -> AnalyticsStore:
    """The analytics store: on ClickHouse, on chDB, or DuckDB in the data folder."""
    if settings.analytics_url is None:
        return DuckDBAnalytics(folder.path / "analytics.duckdb", schema=load_schema("duckdb"))
    from helix_lab.adapters.analytics_clickhouse import open_clickhouse

    return open_clickhouse(
        settings.analytics_url,
        folder=folder.path / "analytics.chdb",
        schema=load_schema("clickhouse"),
    )


def name_analytics(settings: Settings) -> str:
    """The engine of the analytics store."""
    scheme = (settings.analytics_url or "duckdb").partition(":")[0]
    return scheme.partition("+")[0]


def open_graph(settings: Settings, folder: DataFolder) -> GraphStore:
    """The graph store: on Neo4j, or in the data folder."""
    if settings.neo4j is not None:
        return _open_neo4j(settings.neo4j)
    return LadybugGraph(
        folder.path / "graph.lbug",
        schema=load_graph_schema("ladybug"),
        statements=load_graph_statements("ladybug"),
    )


def _open_neo4j(settings: Neo4jSettings) -> GraphStore:
    try:
        from helix_lab.adapters.graph_neo4j import Neo4jGraph
    except ImportError as error:
        message = 'NEO4J_URI is set, but its client is missing: pip install "helix-lab[neo4j]"'
        raise MissingDriver(message, package="neo4j") from error
    return Neo4jGraph(
        settings.uri,
        auth=(settings.username, settings.password),
        database=settings.database,
        schema=load_graph_schema("neo4j"),
        statements=load_graph_statements("neo4j"),
    )
