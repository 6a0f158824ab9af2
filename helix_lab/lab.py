"""The composition root: `open_lab` wires the rooms of one lab. No logic here."""

from __future__ import annotations

import atexit
import os
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from functools import cache
from importlib.metadata import version
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlsplit
from urllib.request import url2pathname

from helix_lab.adapters.analytics_duckdb import DuckDBAnalytics
from helix_lab.adapters.cache_memory import MemoryCache
from helix_lab.adapters.chat_offline import OfflineProvider
from helix_lab.adapters.graph_ladybug import LadybugGraph
from helix_lab.adapters.log_sqlite import SqliteEventLog
from helix_lab.data_folder import DataFolder
from helix_lab.domain.knowledge.extraction import open_extractor
from helix_lab.domain.model.errors import InvalidRequest, MissingDriver, Unavailable
from helix_lab.exchange.exchange import Exchange
from helix_lab.jobs.contexts import ContextMaker, Made, decode, encode
from helix_lab.jobs.debate import make_debate_kind
from helix_lab.jobs.imports import make_import_kind
from helix_lab.jobs.rebuild import make_rebuild_kind
from helix_lab.jobs.reports.artifacts import Artifacts
from helix_lab.jobs.reports.job import Address, Reports
from helix_lab.jobs.reports.library import ReportLibrary
from helix_lab.jobs.runner import JobRunner
from helix_lab.jobs.runs import RunStore
from helix_lab.jobs.schedules.scheduler import Schedules
from helix_lab.jobs.schedules.store import ScheduleStore
from helix_lab.operations.memory_editor import MemoryEditor
from helix_lab.operations.metering import Meter
from helix_lab.operations.methods import Methods
from helix_lab.operations.operation import (
    Operation,
    StreamItem,
    parse_request,
    require_stream,
)
from helix_lab.operations.sampling import Sampler
from helix_lab.operations.services import Service, Services
from helix_lab.ports.cache import Cache
from helix_lab.ports.chat import ChatProvider
from helix_lab.ports.event_log import EventLog
from helix_lab.ports.graph import GraphStore
from helix_lab.projections.analytics import AnalyticsProjection
from helix_lab.projections.conversations import ConversationsProjection
from helix_lab.projections.graph import GraphProjection
from helix_lab.projections.memory import MemoryProjection
from helix_lab.projections.memory_strategies import read_shown
from helix_lab.projections.runner import ProjectionRunner
from helix_lab.queries.context_store import ContextStore, code_version
from helix_lab.queries.kept_results import KeptResults
from helix_lab.queries.readings import Readings
from helix_lab.queries.statements import (
    load_graph_schema,
    load_graph_statements,
    load_schema,
)
from helix_lab.record.writer import Writer
from helix_lab.records.database import Records
from helix_lab.settings import Neo4jSettings, ProviderSettings, Settings, read_settings

if TYPE_CHECKING:
    from pydantic import BaseModel


class Lab(Methods):
    """An open lab in this process; has a method for every operation. Close it, or use `with`."""

    def __init__(self, settings: Settings, folder: DataFolder, services: Services) -> None:
        self.settings = settings
        self.data_folder = folder
        self.services = services
        self._on_close = ExitStack()
        self._is_closed = False

    def call(
        self, operation: Operation, values: dict[str, Any], *, lenient: bool = False
    ) -> BaseModel:
        """Carry out an operation with unchecked field values; see `parse_request` for `lenient`."""
        request = parse_request(operation.request, values, lenient=lenient)
        self._check_open(operation)
        with self.services.meter.measure(operation.name):
            return operation.run(self.services, request)

    def stream(
        self, operation: Operation, values: dict[str, Any], *, lenient: bool = False
    ) -> Iterator[list[StreamItem]]:
        """The answer of an operation that streams, as it is made; see `Operation.stream`."""
        request = parse_request(operation.request, values, lenient=lenient)
        self._check_open(operation)
        pieces = require_stream(operation)(self.services, request)
        return self.services.meter.follow(operation.name, pieces)

    def _check_open(self, operation: Operation) -> None:
        if self._is_closed and operation.scope != "public":
            message = "this lab is closed; open it again with open_lab()"
            raise Unavailable(message, service="helix_lab")

    def close(self) -> None:
        """Stop jobs and projections, release the data folder. Closing twice is harmless."""
        self._is_closed = True
        self._on_close.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        error_type: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Lab {self.settings.data_dir}>"


def open_lab(path: Path | str | None = None, *, settings: Settings | None = None) -> Lab:
    """Open the lab of a data folder in this process, and go on with its unfinished jobs.

    Args:
        path: the data folder, made if absent; by HELIX_DATA_DIR or the platform's if None.
        settings: instead of those of the environment.

    Raises:
        DataFolderInUse: another process owns the folder; use `helix_lab.connect()`.
        Unavailable: a file in it cannot be opened.
    """
    settings = settings or read_settings(data_dir=path)
    with ExitStack() as stack:
        folder = DataFolder(settings.data_dir)
        stack.callback(folder.release)
        services = _wire(settings, folder, stack)
        lab = Lab(settings, folder, services)
        services.projections.start()
        services.exchange.start()
        services.jobs.resume()
        services.schedules.start()
        services.sampler.start()
        _close_at_exit(lab)
        stack.callback(_OPEN_LABS.discard, lab)
        lab._on_close = stack.pop_all()  # noqa: SLF001 - the lab is complete only now
    return lab


_OPEN_LABS: set[Lab] = set()


def _close_at_exit(lab: Lab) -> None:
    """Close a lab that its program forgot; threads of engines must not outlive the interpreter."""
    _OPEN_LABS.add(lab)
    _register_exit()


@cache
def _register_exit() -> None:
    # Thread pools refuse work before `atexit` begins, and a job would fail instead of letting go.
    register = getattr(threading, "_register_atexit", atexit.register)
    register(_close_open_labs)


def _close_open_labs() -> None:
    for lab in list(_OPEN_LABS):
        lab.close()


def _wire(settings: Settings, folder: DataFolder, stack: ExitStack) -> Services:
    log = _open_log(settings, folder)
    stack.callback(log.close)
    records = _open_records(settings, folder)
    stack.callback(records.close)
    results = KeptResults(folder.path / "results")
    stack.callback(results.close)
    analytics = DuckDBAnalytics(folder.path / "analytics.duckdb", schema=load_schema("duckdb"))
    stack.callback(analytics.close)
    graph = _open_graph(settings, folder)
    stack.callback(graph.close)
    projections = ProjectionRunner(
        log,
        [
            ConversationsProjection(records),
            AnalyticsProjection(analytics),
            MemoryProjection(
                records, read_shown(settings.memory_strategy), node_id=settings.node_id
            ),
            GraphProjection(graph, open_extractor()),
        ],
        dead_letters=records,
    )
    stack.callback(projections.close)
    providers = _make_providers(settings, stack)
    writer = Writer(log, node_id=settings.node_id)
    exchange = _make_exchange(settings, log, records, writer, projections)
    stack.callback(exchange.close)
    contexts, shared = _make_contexts(settings, folder, stack, log, writer, providers)
    jobs = JobRunner(RunStore(records))
    stack.callback(jobs.close)
    refusals = folder.path / "imports"
    refusals.mkdir(mode=0o700, exist_ok=True)
    jobs.register(make_debate_kind(writer, log, providers, contexts))
    jobs.register(make_import_kind(writer, log, reports=refusals))
    jobs.register(make_rebuild_kind(projections))
    reports = _make_reports(settings, folder, jobs)
    schedules = Schedules(ScheduleStore(records), reports)
    stack.callback(schedules.close)
    sampler = Sampler()
    stack.callback(sampler.close)
    return Services(
        version=version("helix-lab"),
        node_id=settings.node_id,
        writer=writer,
        log=log,
        records=records,
        analytics=analytics,
        graph=graph,
        results=results,
        projections=projections,
        jobs=jobs,
        memories=MemoryEditor(
            records, projections, writer, node_id=settings.node_id, check=exchange.check
        ),
        exchange=exchange,
        reports=reports,
        schedules=schedules,
        providers=providers,
        contexts=contexts,
        meter=Meter(),
        sampler=sampler,
        backends={
            "kafka": Service(
                "kafka" if settings.log_url else "sqlite",
                is_embedded=not settings.log_url,
                probe=log.probe,
            ),
            "postgresql": Service(
                "postgresql" if settings.records_url else "sqlite",
                is_embedded=not settings.records_url,
                probe=records.probe,
            ),
            "clickhouse": Service("duckdb", is_embedded=True, probe=analytics.probe),
            **shared,
            "neo4j": Service(
                "neo4j" if settings.neo4j else "ladybug",
                is_embedded=settings.neo4j is None,
                probe=graph.probe,
            ),
        },
    )


def _make_exchange(
    settings: Settings,
    log: EventLog,
    records: Records,
    writer: Writer,
    projections: ProjectionRunner,
) -> Exchange:
    place = settings.memory_log
    return Exchange(
        log,
        records,
        writer,
        projections,
        node_id=settings.node_id,
        open_shared=None if place is None else lambda: SqliteEventLog(Path(place)),
        address=place or "",
    )


def _make_contexts(
    settings: Settings,
    folder: DataFolder,
    stack: ExitStack,
    log: EventLog,
    writer: Writer,
    providers: dict[str, ChatProvider],
) -> tuple[ContextMaker, dict[str, Service]]:
    """The maker of contexts, and the cache outside of this process where there is one."""
    size, ttl_s = settings.context_cache_size, settings.context_cache_ttl_s
    store = ContextStore(folder.path / "contexts", most=size)
    stack.callback(store.close)
    caches: list[Cache[Made]] = [MemoryCache(size=size, ttl_s=ttl_s)]
    services: dict[str, Service] = {}
    if settings.cache_url and size:
        from helix_lab.adapters.cache_redis import RedisCache

        shared = RedisCache(
            settings.cache_url,
            namespace=f"context:{code_version()}",
            ttl_s=ttl_s,
            encode=encode,
            decode=decode,
        )
        stack.callback(shared.close)
        caches.append(shared)
        services["redis"] = Service("redis", is_embedded=False, probe=shared.probe)
    readings = Readings(log, size=size, ttl_s=ttl_s, store=store)
    maker = ContextMaker(
        readings, writer, policy=settings.context, providers=providers, caches=caches
    )
    return maker, services


def _open_log(settings: Settings, folder: DataFolder) -> EventLog:
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

        return KafkaEventLog(settings.log_url, folder.path)
    return SqliteEventLog(folder.path / own)


def _open_records(settings: Settings, folder: DataFolder) -> Records:
    if settings.records_url:
        return Records(settings.records_url)
    return Records.embedded(folder.path / "records.sqlite")


def _open_graph(settings: Settings, folder: DataFolder) -> GraphStore:
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


def _make_reports(settings: Settings, folder: DataFolder, jobs: JobRunner) -> Reports:
    def find_address() -> Address | None:
        owner = folder.owner
        return Address(owner.url, owner.token) if owner.url else None

    return Reports(
        ReportLibrary(folder.path / "reports"),
        Artifacts(folder.path / "runs"),
        jobs,
        find_address=find_address,
        runs_kept=settings.report_runs_kept,
    )


def _make_providers(settings: Settings, stack: ExitStack) -> dict[str, ChatProvider]:
    providers: dict[str, ChatProvider] = {"offline": OfflineProvider()}
    for configured in settings.providers:
        provider = _make_provider(configured)
        provider.context_window_tokens = configured.context_window_tokens
        provider.problem = _find_problem(configured)
        providers[configured.name] = provider
    for made in providers.values():
        stack.callback(made.close)
    return providers


def _find_problem(settings: ProviderSettings) -> str | None:
    key = settings.api_key_env
    return f"the environment variable {key} is not set" if key and not os.environ.get(key) else None


def _make_provider(settings: ProviderSettings) -> ChatProvider:
    if settings.base_url.startswith("file:"):
        from helix_lab.adapters.chat_replay import ReplayProvider

        return ReplayProvider(
            Path(url2pathname(urlsplit(settings.base_url).path)),
            name=settings.name,
            default_model=settings.model,
        )
    from helix_lab.adapters.chat_openai_compatible import OpenAICompatibleProvider

    return OpenAICompatibleProvider(
        settings.name,
        base_url=settings.base_url,
        api_key=os.environ.get(settings.api_key_env) if settings.api_key_env else None,
        default_model=settings.model,
    )
