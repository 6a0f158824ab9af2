"""The archive job: what the log holds of conversations becomes files of the lake.

It may be killed at any moment and called again: files are written whole, a manifest after the
files that it lists, and what is there already, made of the same events, is left as it is.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import msgspec

from helix_lab.domain.collecting import collecting_seldom
from helix_lab.domain.lake import paths
from helix_lab.domain.lake.manifest import Archived
from helix_lab.domain.lake.rows import File, Row, Told, tell
from helix_lab.domain.lake.schema import ANALYTICS, ENTITIES, Dataset
from helix_lab.domain.model.event import COMPRESSIONS, CONVERSATIONS, DEBATES, Entry
from helix_lab.jobs.lake.files import encode_file
from helix_lab.jobs.lake.kept import KeptLake, LakeGate
from helix_lab.jobs.runner import JobKind, RunContext
from helix_lab.ports.analytics import AnalyticsStore
from helix_lab.ports.event_log import EventLog
from helix_lab.ports.graph import GraphStore
from helix_lab.ports.lake import Lake
from helix_lab.projections.runner import ProjectionRunner
from helix_lab.queries.lake import aggregate_day, list_chosen, list_entities
from helix_lab.records.database import Records

ARCHIVE = "archive"
_TOPICS = (CONVERSATIONS, DEBATES, COMPRESSIONS)
_EVENTS_A_BATCH = 10_000
_CONVERSATIONS_A_BATCH = 500
_encode = msgspec.json.Encoder(order="sorted").encode


@dataclass(frozen=True, slots=True)
class Sources:
    """What an archive is made of, and where it goes."""

    lake: Lake
    log: EventLog
    records: Records
    analytics: AnalyticsStore
    graph: GraphStore
    projections: ProjectionRunner


def make_archive_kind(sources: Sources, gate: LakeGate) -> JobKind:
    """The job that archives one conversation, those of a day, or all."""

    def run(context: RunContext) -> Mapping[str, Any]:
        context.check()
        with gate.changing(context.check), collecting_seldom():
            return _Archive(context, sources).run()

    return JobKind(ARCHIVE, run)


@dataclass(slots=True)
class _Figures:
    conversations: int = 0
    unchanged: int = 0
    files: int = 0
    bytes: int = 0
    rows: dict[str, int] = field(default_factory=dict)
    source_bytes: int = 0
    parquet_bytes: int = 0


class _Archive:
    def __init__(self, context: RunContext, sources: Sources) -> None:
        self._context = context
        self._sources = sources
        self._kept = KeptLake(sources.lake)
        self._format: paths.FileFormat = context.request.get("format") or "parquet"
        self._figures = _Figures()
        self._waiting: list[tuple[str, bytes]] = []

    def run(self) -> Mapping[str, Any]:
        """Archive what was asked for, and tell how much that was."""
        request = self._context.request
        day = date.fromisoformat(request["date"]) if request.get("date") else None
        one = request.get("conversation_id")
        ids = [one] if one else self._list_chosen(day)
        self._archive(ids)
        if day is not None:
            self._write_day(day)
        if request.get("entities"):
            self._write_snapshot()
        return self._tell()

    def _list_chosen(self, day: date | None) -> Sequence[str]:
        with self._sources.projections.reading("conversations"):
            return list_chosen(self._sources.records, day)

    def _archive(self, ids: Sequence[str]) -> None:
        batch: list[Told] = []
        events = 0
        for done, conversation_id in enumerate(ids):
            self._context.check()
            entries = read_told(self._sources.log, conversation_id)
            if entries:
                batch.append(tell(conversation_id, entries, format=self._format))
            events += len(entries)
            if events >= _EVENTS_A_BATCH or len(batch) >= _CONVERSATIONS_A_BATCH:
                self._write(batch)
                batch, events = [], 0
                self._context.report((done + 1) / len(ids))
        self._write(batch)

    def _write(self, batch: Sequence[Told]) -> None:
        """Write what is new of a batch: the files, then the manifests, then away with the old."""
        doomed: list[str] = []
        for told in batch:
            self._figures.conversations += 1
            manifest = self._kept.read_manifest(told.day)
            formats = manifest.conversations.setdefault(told.conversation_id, {})
            before = formats.get(self._format)
            if self._kept.has(before, told.source):
                self._figures.unchanged += 1
                continue
            formats[self._format] = after = self._write_files(told.day, told.source, told.files)
            self._figures.source_bytes += told.source_bytes
            self._figures.parquet_bytes += sum(file.bytes for file in after.files)
            paths_now = {file.path for file in after.files}
            old = before.files if before else ()
            doomed += [file.path for file in old if file.path not in paths_now]
        self._flush()
        self._sources.lake.delete(doomed)

    def _write_day(self, day: date) -> None:
        with self._sources.projections.reading("analytics"):
            rows = aggregate_day(self._sources.analytics, day)
        path = paths.name_aggregates(day, format=self._format)
        self._write_other(day, File(path, ANALYTICS, rows))

    def _write_snapshot(self) -> None:
        """The entities as they are; under the time of the request, also when it is resumed."""
        taken_at = self._context.run.created_at
        with self._sources.projections.reading("graph"):
            rows = list_entities(self._sources.graph, taken_at=taken_at)
        path = paths.name_snapshot(taken_at, format=self._format)
        self._write_other(taken_at.date(), File(path, ENTITIES, rows))

    def _write_other(self, day: date, file: File) -> None:
        source = _digest(file.rows)
        others = self._kept.read_manifest(day).others
        if file.rows and not self._kept.has(others.get(file.path), source):
            others[file.path] = self._write_files(day, source, [file])
            self._flush()

    def _write_files(self, day: date, source: str, files: Iterable[File]) -> Archived:
        listed = []
        for file in files:
            one, content = encode_file(file)
            self._waiting.append((file.path, content))
            listed.append(one)
            self._count(file.dataset, one.rows, one.bytes)
        self._kept.note(day, listed)
        return Archived(source, tuple(listed))

    def _flush(self) -> None:
        self._sources.lake.write(self._waiting)
        self._waiting = []
        self._kept.save()

    def _count(self, dataset: Dataset, rows: int, size: int) -> None:
        figures = self._figures
        figures.files += 1
        figures.bytes += size
        figures.rows[dataset.name] = figures.rows.get(dataset.name, 0) + rows

    def _tell(self) -> Mapping[str, Any]:
        figures = self._figures
        ratio = figures.parquet_bytes / figures.source_bytes if figures.source_bytes else None
        return {
            "conversations_archived": figures.conversations,
            "conversations_unchanged": figures.unchanged,
            "files_created": figures.files,
            "total_bytes": figures.bytes,
            "rows": figures.rows,
            "compression_ratio": ratio,
        }


def read_told(log: EventLog, conversation_id: str) -> list[Entry]:
    """All that the log has of a conversation and that the lake keeps."""
    return [entry for topic in _TOPICS for entry in log.read_key(topic, conversation_id)]


def _digest(rows: Sequence[Row]) -> str:
    return hashlib.blake2b(_encode(rows), digest_size=16).hexdigest()
