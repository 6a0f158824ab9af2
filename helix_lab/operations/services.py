"""What operations work with: the rooms of one lab, already wired."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from helix_lab.jobs.reports.job import Reports
from helix_lab.jobs.runner import JobRunner
from helix_lab.ports.analytics import AnalyticsStore
from helix_lab.ports.chat import ChatProvider
from helix_lab.ports.event_log import EventLog
from helix_lab.projections.runner import ProjectionRunner
from helix_lab.record.writer import Writer
from helix_lab.records.database import Records


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
    probe: Callable[[], None]


@dataclass(frozen=True, slots=True)
class Services:
    """The parts of an open lab that operations use."""

    version: str
    node_id: str
    writer: Writer
    log: EventLog
    records: Records
    analytics: AnalyticsStore
    projections: ProjectionRunner
    jobs: JobRunner
    reports: Reports
    providers: Mapping[str, ChatProvider]
    backends: Mapping[str, Service]
    """By the names of the guide: kafka, neo4j, clickhouse, minio, …"""
