"""The restore job: the files of the lake become events of the log again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from helix_lab.domain.collecting import collecting_seldom
from helix_lab.domain.lake.paths import read_partition
from helix_lab.domain.lake.rows import read_row
from helix_lab.domain.lake.schema import CONVERSATIONS, DEBATES, EVENTS
from helix_lab.domain.model.event import TOPICS, Event
from helix_lab.jobs.lake.files import decode_file, refuse_file
from helix_lab.jobs.lake.kept import LakeGate
from helix_lab.jobs.runner import JobKind, RunContext
from helix_lab.ports.event_log import EventLog
from helix_lab.ports.lake import Lake
from helix_lab.record.writer import Writer

RESTORE = "restore"
_DATASETS = (EVENTS.name, CONVERSATIONS.name, DEBATES.name)
_EVENTS_A_BATCH = 2_000


def make_restore_kind(lake: Lake, log: EventLog, writer: Writer, gate: LakeGate) -> JobKind:
    """The job that records again what the lake holds; what is in the log already stays."""

    def run(context: RunContext) -> Mapping[str, Any]:
        context.check()
        with gate.changing(context.check), collecting_seldom():
            return _Restore(context, lake, log, writer).run()

    return JobKind(RESTORE, run)


class _Restore:
    def __init__(self, context: RunContext, lake: Lake, log: EventLog, writer: Writer) -> None:
        self._context = context
        self._lake = lake
        self._log = log
        self._writer = writer
        self._conversations: set[str] = set()
        self._files = self._events = self._new_events = 0

    def run(self) -> Mapping[str, Any]:
        """Record day by day, each in the order in which its events were recorded first."""
        by_day = self._list_days()
        total = sum(map(len, by_day.values()))
        for day in sorted(by_day):
            told = [event for path in by_day[day] for event in self._read(path)]
            told.sort(key=lambda pair: (pair[1].clock, pair[1].event_id))
            for start in range(0, len(told), _EVENTS_A_BATCH):
                self._context.check()
                self._record(told[start : start + _EVENTS_A_BATCH])
            self._context.report(self._files / total)
        return {
            "conversations_restored": len(self._conversations),
            "files_read": self._files,
            "events": self._events,
            "new_events": self._new_events,
        }

    def _list_days(self) -> dict[date, list[str]]:
        by_day: dict[date, list[str]] = {}
        for dataset in _DATASETS:
            for file in self._lake.list_files(dataset):
                day = read_partition(file.path)
                if day is not None and file.path.endswith((".parquet", ".json")):
                    by_day.setdefault(day, []).append(file.path)
        return by_day

    def _read(self, path: str) -> Iterator[tuple[str, Event]]:
        self._context.check()
        self._files += 1
        dataset = path.partition("/")[0]
        for rows in decode_file(path, dataset, self._lake.read(path)):
            for row in rows:
                try:
                    yield read_row(dataset, row)
                except (ValueError, LookupError, TypeError, AttributeError) as error:
                    raise refuse_file(path, f"a row of it holds no event: {error}") from None

    def _record(self, told: Sequence[tuple[str, Event]]) -> None:
        ends = self._log.end_offsets(TOPICS)
        entries = self._writer.restore(told)
        self._events += len(entries)
        self._new_events += sum(
            entry.offset >= ends.get((entry.topic, entry.partition), 0) for entry in entries
        )
        self._conversations.update(event.key for _, event in told)
