"""Every variable by name: its place in a configuration file, its form, its value in force."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from helix_lab.settings.form import Neo4jSettings, Settings

Kind = Literal["text", "integer", "number", "boolean", "providers"]

_LEARNING = "a cache of insights, which are read from the records without one"
_WORKERS = "settings of consumers (workers go on at their checkpoints; --count says how many)"


@dataclass(frozen=True, slots=True)
class Variable:
    """One setting.

    Attributes:
        name: of the environment variable.
        path: keys of a configuration file, joined by dots; None: not to be set there.
        kind: what its text must be.
        is_secret: its value is shown to nobody.
        in_force: its value in the settings; None: just what was given.
        waits_for: the capability that will read it; None: it is read today.
    """

    name: str
    path: str | None
    kind: Kind = "text"
    is_secret: bool = False
    in_force: Callable[[Settings], object] | None = None
    waits_for: str | None = None


def _of_neo4j(part: str) -> Callable[[Settings], object]:
    usual = Neo4jSettings("", "neo4j", "", "neo4j")
    return lambda settings: getattr(settings.neo4j or usual, part)


def _list_providers(settings: Settings) -> str:
    return ", ".join(provider.name for provider in settings.providers)


_LAB = (
    Variable("HELIX_DATA_DIR", "lab.data_dir", in_force=lambda s: s.data_dir),
    Variable("HELIX_PORT", "lab.port", "integer", in_force=lambda s: s.port),
    Variable("NODE_ID", "lab.node_id", in_force=lambda s: s.node_id),
    Variable("HELIX_WORKERS", "lab.workers", in_force=lambda s: ", ".join(s.workers)),
    Variable("HELIX_PROVIDERS", "lab.providers", "providers", in_force=_list_providers),
    Variable(
        "HELIX_REPORT_RUNS_KEPT",
        "lab.report_runs_kept",
        "integer",
        in_force=lambda s: s.report_runs_kept,
    ),
)
_BIGDATA = (
    Variable("HELIX_LOG_URL", "bigdata.kafka.url"),
    Variable("KAFKA_BOOTSTRAP_SERVERS", "bigdata.kafka.bootstrap_servers"),
    Variable("KAFKA_CONSUMER_GROUP", "bigdata.kafka.consumer_group", waits_for=_WORKERS),
    Variable("KAFKA_AUTO_OFFSET_RESET", "bigdata.kafka.auto_offset_reset", waits_for=_WORKERS),
    Variable(
        "KAFKA_CONSUMER_THREADS", "bigdata.kafka.consumer_threads", "integer", waits_for=_WORKERS
    ),
    Variable("HELIX_RECORDS_URL", "bigdata.postgresql.url"),
    Variable("DB_HOST", "bigdata.postgresql.host"),
    Variable("DB_PORT", "bigdata.postgresql.port", "integer", in_force=lambda _: 5432),
    Variable("DB_USER", "bigdata.postgresql.username", in_force=lambda _: "helixagent"),
    Variable("DB_PASSWORD", "bigdata.postgresql.password", is_secret=True),
    Variable("DB_NAME", "bigdata.postgresql.database", in_force=lambda _: "helixagent"),
    Variable("HELIX_CACHE_URL", "bigdata.redis.url"),
    Variable("REDIS_HOST", "bigdata.redis.host"),
    Variable("REDIS_PORT", "bigdata.redis.port", "integer", in_force=lambda _: 6379),
    Variable("REDIS_PASSWORD", "bigdata.redis.password", is_secret=True),
    Variable("NEO4J_URI", "bigdata.neo4j.uri"),
    Variable("NEO4J_USERNAME", "bigdata.neo4j.username", in_force=_of_neo4j("username")),
    Variable("NEO4J_PASSWORD", "bigdata.neo4j.password", is_secret=True),
    Variable("NEO4J_DATABASE", "bigdata.neo4j.database", in_force=_of_neo4j("database")),
    Variable("HELIX_ANALYTICS_URL", "bigdata.clickhouse.url", is_secret=True),
    Variable("CLICKHOUSE_HOST", "bigdata.clickhouse.host"),
    Variable("CLICKHOUSE_PORT", "bigdata.clickhouse.port", "integer", in_force=lambda _: 8123),
    Variable("CLICKHOUSE_DATABASE", "bigdata.clickhouse.database", in_force=lambda _: "helixagent"),
    Variable("CLICKHOUSE_USERNAME", "bigdata.clickhouse.username", in_force=lambda _: "default"),
    Variable("CLICKHOUSE_PASSWORD", "bigdata.clickhouse.password", is_secret=True),
    Variable("HELIX_LAKE_URL", "bigdata.lake.url"),
    Variable("HELIX_SPARK_URL", "bigdata.spark.url", in_force=lambda s: s.spark_url),
    Variable(
        "HELIX_LAKE_ARCHIVE",
        "bigdata.lake.archive",
        in_force=lambda s: "daily" if s.archives_daily else "off",
    ),
    Variable("MINIO_ENDPOINT", "bigdata.minio.endpoint"),
    Variable("MINIO_ACCESS_KEY", "bigdata.minio.access_key", is_secret=True),
    Variable("MINIO_SECRET_KEY", "bigdata.minio.secret_key", is_secret=True),
    Variable("MINIO_BUCKET", "bigdata.minio.bucket", in_force=lambda s: s.lake and s.lake.bucket),
    Variable(
        "MINIO_USE_SSL",
        "bigdata.minio.use_ssl",
        "boolean",
        in_force=lambda s: bool(s.lake and s.lake.is_secure),
    ),
)
_CONTEXT = (
    Variable(
        "CONTEXT_COMPRESSION_STRATEGY",
        "context.compression_strategy",
        in_force=lambda s: s.context.strategy,
    ),
    Variable(
        "CONTEXT_COMPRESSION_RATIO",
        "context.compression_ratio",
        "number",
        in_force=lambda s: s.context.ratio,
    ),
    Variable(
        "CONTEXT_MIN_QUALITY_SCORE",
        "context.min_quality_score",
        "number",
        in_force=lambda s: s.context.minimum_quality,
    ),
    Variable(
        "CONTEXT_MAX_COMPRESSION_RATIO",
        "context.max_compression_ratio",
        "number",
        in_force=lambda s: s.context.max_ratio,
    ),
    Variable("CONTEXT_COMPRESSION_PROVIDER", "context.compression_provider"),
    Variable("CONTEXT_ADDITIONS", "context.additions"),
    Variable(
        "CONTEXT_CACHE_SIZE",
        "context.cache_size",
        "integer",
        in_force=lambda s: s.context_cache_size,
    ),
    Variable(
        "CONTEXT_CACHE_TTL", "context.cache_ttl", "number", in_force=lambda s: s.context_cache_ttl_s
    ),
)
_MEMORY = (
    Variable("MEMORY_CRDT_STRATEGY", "memory.crdt_strategy", in_force=lambda s: s.memory_strategy),
    Variable("CRDT_STRATEGY", None),
    Variable("HELIX_MEMORY_LOG", "memory.log"),
    Variable("MEMORY_EVENT_SOURCING_ENABLED", "memory.event_sourcing_enabled", "boolean"),
    Variable(
        "MEMORY_SNAPSHOT_INTERVAL",
        "memory.snapshot_interval",
        "number",
        in_force=lambda s: s.memory_snapshot_interval_s,
    ),
)
_LEARNED = (
    Variable(
        "LEARNING_ENABLED",
        "learning.enabled",
        "boolean",
        in_force=lambda s: s.learning.is_enabled,
    ),
    Variable(
        "LEARNING_MIN_CONFIDENCE",
        "learning.min_confidence",
        "number",
        in_force=lambda s: s.learning.thresholds.min_confidence,
    ),
    Variable(
        "LEARNING_MIN_FREQUENCY",
        "learning.min_frequency",
        "integer",
        in_force=lambda s: s.learning.thresholds.min_frequency,
    ),
    Variable(
        "LEARNING_INSIGHT_THRESHOLD",
        "learning.insight_threshold",
        "number",
        in_force=lambda s: s.learning.thresholds.insight_threshold,
    ),
    Variable(
        "LEARNING_IDLE_AFTER",
        "learning.idle_after",
        "number",
        in_force=lambda s: s.learning.idle_s,
    ),
    Variable(
        "LEARNING_HALF_LIFE_DAYS",
        "learning.half_life_days",
        "number",
        in_force=lambda s: s.learning.half_life_days,
    ),
    Variable(
        "LEARNING_INSIGHT_CACHE_SIZE",
        "learning.insight_cache_size",
        "integer",
        waits_for=_LEARNING,
    ),
)
_OF_THIS_MACHINE = (
    Variable("HELIX_LAB_URL", None),
    Variable("HELIX_LAB_TOKEN", None, is_secret=True),
    Variable("HELIX_STACK_DIR", None),
    Variable("JAVA_HOME", None),
    Variable("HELIX_ENV_FILE", None),
    Variable("HELIX_CONFIG", None),
)

VARIABLES = (*_LAB, *_BIGDATA, *_CONTEXT, *_MEMORY, *_LEARNED, *_OF_THIS_MACHINE)

ALTERNATIVES = (
    ("HELIX_LOG_URL", "KAFKA_BOOTSTRAP_SERVERS"),
    ("HELIX_RECORDS_URL", "DB_HOST"),
    ("HELIX_CACHE_URL", "REDIS_HOST"),
    ("MEMORY_CRDT_STRATEGY", "CRDT_STRATEGY"),
)
"""Several names for one thing: the first goes before the others, where both are given alike."""
