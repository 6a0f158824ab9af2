"""The erasure job: a person is removed from the log, and everything is made anew without them.

Every store follows from the log, so what the log does not say is in none of them after a rebuild.
The rest of the data folder (contexts, kept answers, runs and their files) is dropped where it may
quote the person. See docs/decisions/0031-erasure.md.
"""

from __future__ import annotations

import hashlib
import shutil
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from helix_lab.domain.erasure import Traces
from helix_lab.domain.model.errors import Conflict, UnknownUser
from helix_lab.domain.model.event import TOPICS, Entry, Event
from helix_lab.domain.model.event_json import encode_data
from helix_lab.jobs.contexts import ContextMaker
from helix_lab.jobs.runner import JobKind, RunContext
from helix_lab.jobs.runs import RunStore
from helix_lab.ports.event_log import EventLog
from helix_lab.projections.runner import ProjectionRunner
from helix_lab.queries.kept_results import KeptResults
from helix_lab.records.database import Records

KIND = "erasure"
_BATCH = 2000
_QUOTING_KINDS = frozenset({"import", "report"})
"""What their files quote cannot be told apart by person; they can be run again."""


@dataclass(frozen=True, slots=True)
class Places:
    """Where a person may have left something.

    Attributes:
        folders: with files of ended runs that may quote anybody.
        others: places that this lab cannot reach, as a person would name them.
    """

    log: EventLog
    records: Records
    projections: ProjectionRunner
    contexts: ContextMaker
    results: KeptResults
    runs: RunStore
    folders: tuple[Path, ...]
    others: tuple[str, ...] = ()


def make_erasure_kind(places: Places) -> JobKind:
    """The job that erases one user. It may be called again after a crash at any point."""

    def run(context: RunContext) -> Mapping[str, Any]:
        return _erase(context, places)

    return JobKind(KIND, run)


def _erase(context: RunContext, places: Places) -> Mapping[str, Any]:
    context.check()
    user_id = context.request["user_id"]
    traces = _find_traces(places.log, user_id)
    changes = _choose_changes(places.log, traces)
    # A run that a crash broke off may have done its work on the log already.
    if not changes and context.run.started_at is None:
        raise UnknownUser(_mask(user_id))
    runs = _list_runs(context, places.runs, traces)
    ends = places.log.end_offsets(TOPICS)
    others = _digest_others(places.log, ends, changes)
    counts = Counter(entry.event.type for entry in _read_all(places.log, ends, changes.keys()))
    context.check()  # from here on it is not broken off in the middle
    _remove_runs(places, runs)
    places.log.erase(changes)
    context.report(0.3)
    places.contexts.forget()
    places.results.clear()
    for number, store in enumerate(places.projections.names, 1):
        places.projections.rebuild(store)
        context.report(0.3 + 0.5 * number / len(places.projections.names))
    places.runs.replace_request(context.run.run_id, {"user_id": _mask(user_id)})
    places.records.compact()
    return {
        "user": _mask(user_id),
        "conversations": len(traces.conversations),
        "debates": len(traces.debates),
        "memories": len(traces.memories),
        "events": dict(sorted(counts.items())),
        "events_left": len(_choose_changes(places.log, traces)),
        "others_unchanged": others == _digest_others(places.log, ends, changes),
        "stores_rebuilt": list(places.projections.names),
        "runs_removed": len(runs),
        "not_reached": list(places.others),
    }


def _find_traces(log: EventLog, user_id: str) -> Traces:
    """What in the log is of a user."""
    traces = Traces(user_id)
    for entry in _read_all(log, log.end_offsets(TOPICS)):
        traces.learn(entry.topic, entry.event)
    return traces


def _choose_changes(log: EventLog, traces: Traces) -> dict[str, Event | None]:
    """By event id what is to stand in its place; None: nothing.

    Raises:
        Conflict: a part of the log cannot be changed.
    """
    changes: dict[str, Event | None] = {}
    for entry in _read_all(log, log.end_offsets(TOPICS)):
        fate = traces.decide(entry.topic, entry.event)
        if fate != "stays":
            changes[entry.event.event_id] = None if fate == "goes" else fate
    return changes


def _digest_others(
    log: EventLog, ends: Mapping[tuple[str, int], int], changes: Mapping[str, Event | None]
) -> str:
    """Of all events before the ends that do not change, to tell that they stayed as they were."""
    digest = hashlib.sha256()
    for entry in _read_all(log, ends):
        event = entry.event
        if event.event_id not in changes:
            place = (entry.topic, entry.partition, entry.offset, event.event_id, event.key)
            digest.update(msgspec.json.encode((*place, event.clock)) + encode_data(event))
    return digest.hexdigest()


def _read_all(
    log: EventLog,
    ends: Mapping[tuple[str, int], int],
    event_ids: Collection[str] | None = None,
) -> Iterator[Entry]:
    """Entries before the ends, in the order of each partition; with `event_ids`, only these."""
    for (topic, partition), end in ends.items():
        start = 0
        while start < end:
            entries = log.read(topic, partition, start_offset=start, limit=_BATCH)
            if not entries:
                break
            for entry in entries:
                is_wanted = event_ids is None or entry.event.event_id in event_ids
                if entry.offset < end and is_wanted:
                    yield entry
            start = entries[-1].offset + 1


def _list_runs(context: RunContext, runs: RunStore, traces: Traces) -> list[str]:
    """Runs that are about the user, or quote whatever they met.

    Raises:
        Conflict: one of them has not ended.
    """
    found = []
    for run in runs.list_all():
        told = (run.request, run.result, run.error)
        is_own = run.run_id == context.run.run_id
        if is_own or not (run.kind in _QUOTING_KINDS or _is_about(told, traces)):
            continue
        if not run.is_ended:
            message = (
                f"run {run.run_id!r} ({run.kind}) is at work and may write about the user; cancel "
                "it or wait for its end, then erase again"
            )
            raise Conflict(message, run_id=run.run_id)
        found.append(run.run_id)
    return found


def _remove_runs(places: Places, run_ids: Sequence[str]) -> None:
    """Remove runs with their files."""
    for run_id in run_ids:
        for folder in places.folders:
            shutil.rmtree(folder / run_id, ignore_errors=True)
            for path in folder.glob(f"{run_id}.*"):
                path.unlink(missing_ok=True)
    places.runs.forget(run_ids)


def _is_about(value: Any, traces: Traces) -> bool:
    text = msgspec.json.encode(value).decode()
    return any(msgspec.json.encode(one).decode()[1:-1] in text for one in traces.ids)


def _mask(user_id: str) -> str:
    """Tells the same user again to who knows the id, and nobody else."""
    return "sha256:" + hashlib.sha256(user_id.encode()).hexdigest()
