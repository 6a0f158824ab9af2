"""What operations work with: the rooms of one lab, already wired."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from helix_lab.domain.model.errors import HelixError, Unavailable
from helix_lab.exchange.exchange import Exchange
from helix_lab.jobs.batch.job import BatchJobs
from helix_lab.jobs.contexts import ContextMaker
from helix_lab.jobs.lake.daily import DailyArchives
from helix_lab.jobs.lake.kept import LakeGate
from helix_lab.jobs.learner import Learner
from helix_lab.jobs.reports.job import Reports
from helix_lab.jobs.runner import JobRunner
from helix_lab.jobs.schedules.scheduler import Schedules
from helix_lab.operations.memory_editor import MemoryEditor
from helix_lab.operations.metering import Meter
from helix_lab.operations.sampling import Sampler
from helix_lab.ports.analytics import AnalyticsStore
from helix_lab.ports.chat import ChatProvider
from helix_lab.ports.event_log import EventLog
from helix_lab.ports.graph import GraphStore
from helix_lab.ports.lake import Lake, LakeReader
from helix_lab.projections.graph_feed import GraphFeed
from helix_lab.projections.runner import ProjectionRunner
from helix_lab.queries.kept_results import KeptResults
from helix_lab.record.writer import Writer
from helix_lab.records.database import Records

Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class Service:
    """A backend as `/health` shows it.

    Attributes:
        backend: the technology in use, such as "sqlite" or "kafka".
        is_embedded: it runs inside this process.
        probe: one cheap real use of it; raises when it cannot be used.
    """

    backend: str
    is_embedded: bool
    probe: Callable[[], object]


@dataclass(frozen=True, slots=True)
class Services:
    """The parts of an open lab that operations use."""

    version: str
    node_id: str
    writer: Writer
    log: EventLog
    records: Records
    analytics: AnalyticsStore
    graph: GraphStore
    graph_feed: GraphFeed
    lake: Lake
    lake_reader: LakeReader
    lake_gate: LakeGate
    daily_archives: DailyArchives | None
    results: KeptResults
    projections: ProjectionRunner
    jobs: JobRunner
    memories: MemoryEditor
    exchange: Exchange
    reports: Reports
    batch: BatchJobs
    schedules: Schedules
    learner: Learner
    providers: Mapping[str, ChatProvider]
    contexts: ContextMaker
    meter: Meter
    sampler: Sampler
    backends: Mapping[str, Service]
    """By the names of the guide: kafka, neo4j, clickhouse, minio, …"""

    def ask(self, store: str, question: Callable[[], Answer]) -> Answer:
        """The answer of a store, once it is level with the log, or two seconds later.

        Raises:
            Unavailable: the store stands still or is being rebuilt: it would answer wrongly.
        """
        with self.projections.reading(store):
            return question()

    def find(
        self, store: str, question: Callable[[], Answer | None], *, otherwise: HelixError
    ) -> Answer:
        """As `ask`, where the answer is one thing; `otherwise` is raised if there is none.

        Raises:
            Unavailable: it may only not be there yet, because the store is behind the log.
        """
        with self.projections.reading(store) as is_level:
            found = question()
        if found is not None:
            return found
        if not is_level:
            message = f"the store {store!r} is behind the log; try again in a while"
            raise Unavailable(message, service=store)
        raise otherwise
