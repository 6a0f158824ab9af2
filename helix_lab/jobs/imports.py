"""The import job: a file of another program goes in, item by item, each whole or not at all."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from helix_lab.domain.collecting import collecting_seldom
from helix_lab.domain.model.errors import DuplicateId, InvalidRequest
from helix_lab.domain.model.event import TOPICS, Draft
from helix_lab.jobs.runner import JobKind, RunContext
from helix_lab.jobs.runs import Run
from helix_lab.ports.event_log import EventLog
from helix_lab.record.importers.reader import Item, Refusal, detect_format, read_items
from helix_lab.record.writer import Writer

_EVENTS_A_BATCH = 2000
_REFUSALS_SHOWN = 1000


def make_import_kind(writer: Writer, log: EventLog, *, reports: Path) -> JobKind:
    """The job that reads a file into the log.

    Args:
        writer: records what the file says.
        log: tells what was there before.
        reports: folder for the full lists of refusals, one file a run.
    """

    def run(context: RunContext) -> Mapping[str, Any]:
        with collecting_seldom():
            return _Import(context, writer, log, reports).run()

    return JobKind("import", run, clean_up=_forget_upload)


def _forget_upload(run: Run) -> None:
    """Delete an uploaded file. As long as the end is not noted, a resumed import reads it again."""
    if run.request.get("is_upload"):
        Path(run.request["path"]).unlink(missing_ok=True)


class _Import:
    def __init__(self, context: RunContext, writer: Writer, log: EventLog, reports: Path) -> None:
        self._context = context
        self._writer = writer
        self._log = log
        self._report_path = reports / f"{context.run.run_id}.refused.jsonl"
        self._path = Path(context.request["path"])
        self._waiting: list[Item] = []
        self._waiting_events = 0
        self._items = self._events = self._new_events = self._refused = 0
        self._refusals: list[dict[str, str]] = []

    def run(self) -> Mapping[str, Any]:
        """Import the file and tell what of it is in the log."""
        self._context.check()
        file_format = self._context.request.get("format") or detect_format(self._path)
        self._report_path.unlink(missing_ok=True)
        for found in read_items(self._path, format=file_format, on_progress=self._report_progress):
            if isinstance(found, Refusal):
                self._refuse(found)
            else:
                self._take(found)
        self._flush()
        return {
            "format": file_format,
            "items": self._items,
            "events": self._events,
            "new_events": self._new_events,
            "refused_count": self._refused,
            "refused": self._refusals,
        }

    def _report_progress(self, done: int, total: int) -> None:
        self._context.check()
        self._context.report(done / total if total else 0.0)

    def _take(self, item: Item) -> None:
        self._waiting.append(item)
        self._waiting_events += len(item.drafts)
        if self._waiting_events >= _EVENTS_A_BATCH:
            self._flush()

    def _flush(self) -> None:
        self._context.check()
        items, self._waiting, self._waiting_events = self._waiting, [], 0
        try:
            self._record(items)
        except (InvalidRequest, DuplicateId):
            # One bad item must not hold up the others of its batch.
            for item in items:
                self._record_alone(item)

    def _record_alone(self, item: Item) -> None:
        try:
            self._record([item])
        except (InvalidRequest, DuplicateId) as error:
            if item.is_divisible and len(item.drafts) > 1:
                for part in _divide(item):
                    self._record_alone(part)
            else:
                self._refuse(Refusal(item.name, _explain(error)))

    def _record(self, items: Sequence[Item]) -> None:
        drafts: list[Draft] = [draft for item in items for draft in item.drafts]
        if not drafts:
            return
        ends = self._log.end_offsets(TOPICS)
        entries = self._writer.record(drafts)
        self._items += len(items)
        self._events += len(entries)
        self._new_events += sum(
            entry.offset >= ends.get((entry.topic, entry.partition), 0) for entry in entries
        )

    def _refuse(self, refusal: Refusal) -> None:
        row = {"name": refusal.name, "reason": refusal.reason}
        self._refused += 1
        if len(self._refusals) < _REFUSALS_SHOWN:
            self._refusals.append(row)
        with self._report_path.open("a", encoding="utf-8") as report:
            report.write(json.dumps(row, ensure_ascii=False) + "\n")


def _divide(item: Item) -> list[Item]:
    """Halves, so that one bad fact among many good ones is found in few commits."""
    middle = len(item.drafts) // 2
    return [
        _name_part(item, item.drafts[:middle]),
        _name_part(item, item.drafts[middle:]),
    ]


def _name_part(item: Item, drafts: Sequence[Draft]) -> Item:
    whole = item.name.partition(": ")[0]
    name = f"{whole}: {drafts[0].subject!r}" if len(drafts) == 1 else whole
    return Item(name, drafts, is_divisible=True)


def _explain(error: InvalidRequest | DuplicateId) -> str:
    if isinstance(error, DuplicateId):
        return "it was recorded before with other content, which is kept"
    return error.message
