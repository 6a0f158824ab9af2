"""The settings of a lab, and their defaults."""

from __future__ import annotations

from dataclasses import dataclass
from dataclasses import field as field_of
from pathlib import Path

from helix_lab.domain.context.policy import ContextPolicy
from helix_lab.ports.chat import DEFAULT_WINDOW_TOKENS
from helix_lab.settings.learning import LearningSettings

DEFAULT_PORT = 7061
GREATEST_PORT = 65535
DEFAULT_REPORT_RUNS_KEPT = 50
DEFAULT_SPARK_URL = "local[*]"
LAST_WRITE_WINS = "last_write_wins"
DEFAULT_SNAPSHOT_INTERVAL_S = 300.0
DEFAULT_CONTEXT_CACHE_SIZE = 100
DEFAULT_CONTEXT_CACHE_TTL_S = 1800.0


@dataclass(frozen=True, slots=True)
class ProviderSettings:
    """One LLM provider.

    Attributes:
        name: how debates call it.
        base_url: of an OpenAI-compatible API, such as `https://api.deepseek.com/v1`; or a
            `file:` address of recorded turns, which are then replayed.
        model: used where a request names none.
        api_key_env: environment variable that holds the key; the key itself is never kept here.
        context_window_tokens: what a prompt and its reply may have together.
    """

    name: str
    base_url: str
    model: str
    api_key_env: str | None = None
    context_window_tokens: int = DEFAULT_WINDOW_TOKENS


@dataclass(frozen=True, slots=True)
class Neo4jSettings:
    """A Neo4j server for the graph.

    Attributes:
        uri: such as bolt://127.0.0.1:7687.
    """

    uri: str
    username: str
    password: str = field_of(repr=False)
    database: str


@dataclass(frozen=True, slots=True)
class LakeSettings:
    """A place for the lake: a folder, or a bucket of a server that speaks S3.

    Attributes:
        folder: None for a bucket.
        endpoint: host and port of the server.
        prefix: part of the bucket; empty for all of it.
    """

    folder: Path | None = None
    endpoint: str = ""
    access_key: str = field_of(default="", repr=False)
    secret_key: str = field_of(default="", repr=False)
    bucket: str = ""
    prefix: str = ""
    is_secure: bool = False


@dataclass(frozen=True, slots=True)
class Settings:
    """All that a lab can be told; nothing configured means embedded.

    Attributes:
        records_url: of the record store on PostgreSQL, with its password; None for SQLite in the
            data folder.
        memory_log: the log through which nodes exchange memories: the path of a file that they
            share, or Kafka's address with its password; None: this node is alone.
        memory_snapshot_interval_s: seconds between two snapshots of what the nodes share; 0: none.
        cache_url: of a Redis that keeps contexts beside this process, with its password.
        log_url: of the event log on Kafka, with its password; None for SQLite in the data folder.
        analytics_url: of ClickHouse, with its password, or of chDB; None for DuckDB in the data
            folder.
        neo4j: where the graph is; None for Ladybug in the data folder.
        lake: where the lake is; None for the folder `lake` in the data folder.
        spark_url: the master of Spark for batch jobs, such as `local[*]` or `spark://host:port`.
        archives_daily: whether each day is archived after its end.
        learning: what is learned, and when something is an insight.
        workers: the stores that `helix-lab worker` fills, and this process does not.
    """

    data_dir: Path
    node_id: str
    port: int = DEFAULT_PORT
    providers: tuple[ProviderSettings, ...] = ()
    report_runs_kept: int = DEFAULT_REPORT_RUNS_KEPT
    memory_strategy: str = LAST_WRITE_WINS
    context: ContextPolicy = field_of(default_factory=ContextPolicy)
    context_cache_size: int = DEFAULT_CONTEXT_CACHE_SIZE
    context_cache_ttl_s: float = DEFAULT_CONTEXT_CACHE_TTL_S
    records_url: str | None = field_of(default=None, repr=False)
    memory_log: str | None = field_of(default=None, repr=False)
    memory_snapshot_interval_s: float = DEFAULT_SNAPSHOT_INTERVAL_S
    cache_url: str | None = field_of(default=None, repr=False)
    log_url: str | None = field_of(default=None, repr=False)
    neo4j: Neo4jSettings | None = None
    analytics_url: str | None = field_of(default=None, repr=False)
    learning: LearningSettings = field_of(default_factory=LearningSettings)
    workers: tuple[str, ...] = ()
    lake: LakeSettings | None = None
    archives_daily: bool = False
    spark_url: str = DEFAULT_SPARK_URL
