"""The wiring: which rooms a lab has, and what each is given."""

from __future__ import annotations

from contextlib import ExitStack
from importlib.metadata import version

from helix_lab.adapters.analytics_duckdb import DuckDBLakeReader
from helix_lab.adapters.cache_memory import MemoryCache
from helix_lab.data_folder import DataFolder
from helix_lab.domain.knowledge.extraction import open_extractor
from helix_lab.exchange.exchange import Exchange
from helix_lab.exchange.standing import LOOK_S, WAKING_LOOK_S, Pace
from helix_lab.jobs.contexts import ContextMaker, Made, decode, encode
from helix_lab.jobs.debate import make_debate_kind
from helix_lab.jobs.erasure import Places, make_erasure_kind
from helix_lab.jobs.imports import make_import_kind
from helix_lab.jobs.lake.archiving import Sources, make_archive_kind
from helix_lab.jobs.lake.daily import DailyArchives
from helix_lab.jobs.lake.kept import LakeGate
from helix_lab.jobs.lake.renewing import LakeRenewal
from helix_lab.jobs.lake.restoring import make_restore_kind
from helix_lab.jobs.learner import Learner
from helix_lab.jobs.rebuild import make_rebuild_kind
from helix_lab.jobs.reports.artifacts import Artifacts
from helix_lab.jobs.reports.job import Address, Reports
from helix_lab.jobs.reports.library import ReportLibrary
from helix_lab.jobs.runner import JobRunner
from helix_lab.jobs.runs import RunStore
from helix_lab.jobs.schedules.scheduler import Schedules
from helix_lab.jobs.schedules.store import ScheduleStore
from helix_lab.lab.backends import (
    name_analytics,
    name_memory_log,
    open_analytics,
    open_graph,
    open_lake,
    open_log,
    open_memory_log,
    open_records,
)
from helix_lab.lab.batch import make_batch_jobs, open_engines
from helix_lab.lab.providers import make_providers
from helix_lab.lab.workers import check_workers
from helix_lab.operations.memory_editor import MemoryEditor
from helix_lab.operations.metering import Meter
from helix_lab.operations.sampling import Sampler
from helix_lab.operations.services import Service, Services
from helix_lab.ports.cache import Cache
from helix_lab.ports.chat import ChatProvider
from helix_lab.ports.event_log import EventLog
from helix_lab.projections.analytics import AnalyticsProjection
from helix_lab.projections.conversations import ConversationsProjection
from helix_lab.projections.evidence_reader import EvidenceReader
from helix_lab.projections.graph import GraphProjection
from helix_lab.projections.graph_feed import GraphFeed
from helix_lab.projections.learning import LearningProjection
from helix_lab.projections.memory import MemoryProjection
from helix_lab.projections.memory_strategies import read_shown
from helix_lab.projections.runner import ProjectionRunner
from helix_lab.projections.traces import TracesProjection
from helix_lab.queries.context_store import ContextStore, code_version
from helix_lab.queries.kept_results import KeptResults
from helix_lab.queries.lake import count_chosen
from helix_lab.queries.readings import Readings
from helix_lab.record.writer import Writer
from helix_lab.records.database import Records
from helix_lab.settings import Settings


def wire(settings: Settings, folder: DataFolder, stack: ExitStack) -> Services:
    """The rooms of one lab; what must be closed at its end is on the stack."""
    check_workers(settings)
    log = open_log(settings, folder)
    stack.callback(log.close)
    records = open_records(settings, folder)
    stack.callback(records.close)
    results = KeptResults(folder.path / "results")
    stack.callback(results.close)
    analytics = open_analytics(settings, folder)
    stack.callback(analytics.close)
    graph = open_graph(settings, folder)
    stack.callback(graph.close)
    lake, gate = open_lake(settings, folder), LakeGate()
    stack.callback(lake.close)
    lake_reader = DuckDBLakeReader(lake)
    stack.callback(lake_reader.close)
    engines = open_engines(settings, folder, stack)
    feed, reader = GraphFeed(), EvidenceReader(open_extractor())
    learns = settings.learning.is_enabled
    projections = ProjectionRunner(
        log,
        [
            ConversationsProjection(records),
            AnalyticsProjection(analytics),
            MemoryProjection(
                records,
                read_shown(settings.memory_strategy),
                node_id=settings.node_id,
                log=log,
            ),
            GraphProjection(graph, reader, feed),
            TracesProjection(records),
            *([LearningProjection(records, reader)] if learns else []),
        ],
        dead_letters=records,
        by_workers=settings.workers,
    )
    stack.callback(projections.close)
    providers = make_providers(settings, stack)
    writer = Writer(log, node_id=settings.node_id)
    exchange = _make_exchange(settings, folder, log, records, writer, projections)
    stack.callback(exchange.close)
    contexts, shared = _make_contexts(settings, folder, stack, log, writer, providers)
    jobs = JobRunner(RunStore(records))
    stack.callback(jobs.close)
    refusals = folder.path / "imports"
    refusals.mkdir(mode=0o700, exist_ok=True)
    jobs.register(make_debate_kind(writer, log, providers, contexts))
    jobs.register(make_import_kind(writer, log, reports=refusals))
    jobs.register(make_rebuild_kind(projections))
    sources = Sources(lake, log, records, analytics, graph, projections)
    jobs.register(make_archive_kind(sources, gate))
    jobs.register(make_restore_kind(lake, log, writer, gate))
    batch = make_batch_jobs(settings, folder, jobs, engines, lake, graph, projections)
    daily = None
    if settings.archives_daily:
        daily = DailyArchives(jobs, lambda day: count_chosen(records, day).conversations)
        stack.callback(daily.close)
    jobs.register(
        make_erasure_kind(
            Places(
                log=log,
                records=records,
                projections=projections,
                contexts=contexts,
                results=results,
                batch=batch,
                runs=jobs.store,
                folders=(folder.path / "imports", folder.path / "runs"),
                lake=LakeRenewal(lake, log, gate),
                others=_name_unreached(settings),
            )
        )
    )
    reports = _make_reports(settings, folder, jobs)
    schedules = Schedules(ScheduleStore(records), reports)
    stack.callback(schedules.close)
    learner = _make_learner(settings, records, writer, projections)
    stack.callback(learner.close)
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
        graph_feed=feed,
        lake=lake,
        lake_reader=lake_reader,
        lake_gate=gate,
        daily_archives=daily,
        results=results,
        projections=projections,
        jobs=jobs,
        memories=MemoryEditor(
            records, projections, writer, node_id=settings.node_id, check=exchange.check
        ),
        exchange=exchange,
        reports=reports,
        batch=batch,
        schedules=schedules,
        learner=learner,
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
            "clickhouse": Service(
                name_analytics(settings),
                is_embedded=name_analytics(settings) != "clickhouse",
                probe=analytics.probe,
            ),
            **shared,
            "neo4j": Service(
                "neo4j" if settings.neo4j else "ladybug",
                is_embedded=settings.neo4j is None,
                probe=graph.probe,
            ),
            "minio": Service(
                "s3" if settings.lake and settings.lake.endpoint else "folder",
                is_embedded=not (settings.lake and settings.lake.endpoint),
                probe=lake.probe,
            ),
        },
    )


def _name_unreached(settings: Settings) -> tuple[str, ...]:
    """Where an erasure in this lab does not reach."""
    if settings.memory_log is None:
        return ()
    return ("the log in which nodes exchange memories, and the nodes that read it",)


def _make_exchange(
    settings: Settings,
    folder: DataFolder,
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
        open_shared=None if place is None else lambda: open_memory_log(place, folder),
        address=name_memory_log(place) if place else "",
        # A file is looked into; Kafka wakes whoever waits.
        pace=Pace(
            look_s=WAKING_LOOK_S if place and "://" in place else LOOK_S,
            snapshot_s=settings.memory_snapshot_interval_s,
        ),
    )


def _make_learner(
    settings: Settings, records: Records, writer: Writer, projections: ProjectionRunner
) -> Learner:
    return Learner(
        records,
        writer,
        projections,
        thresholds=settings.learning.thresholds,
        idle_s=settings.learning.idle_s,
        half_life_days=settings.learning.half_life_days,
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
