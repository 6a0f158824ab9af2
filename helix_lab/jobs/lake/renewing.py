"""The lake after an erasure: what the log does not say any more is in no file of it either."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from helix_lab.domain.lake.manifest import FOLDER, Archived, Manifest
from helix_lab.domain.lake.paths import FileFormat
from helix_lab.domain.lake.rows import Told, tell
from helix_lab.domain.lake.schema import ENTITIES
from helix_lab.domain.model.event import Entry
from helix_lab.jobs.lake.archiving import read_told
from helix_lab.jobs.lake.checking import check_lake
from helix_lab.jobs.lake.files import encode_file
from helix_lab.jobs.lake.kept import KeptLake, LakeGate, list_manifests
from helix_lab.ports.event_log import EventLog
from helix_lab.ports.lake import Lake


@dataclass(frozen=True, slots=True)
class LakeRenewal:
    """Makes the files of a lake follow a log from which events were erased."""

    lake: Lake
    log: EventLog
    gate: LakeGate

    def run(self, check: Callable[[], None]) -> dict[str, int]:
        """How many files were written anew, and how many removed.

        Archived conversations are compared with the log, and written again where it says
        something else. Snapshots of the entities go, for they name what anybody spoke of; so does
        what killed archives left. Figures of days name nobody and stay.
        """
        with self.gate.changing(check):
            left = check_lake(self.lake, is_thorough=False, is_repairing=True, check=check)
            work = _Renewal(self.lake, self.log)
            for path in list_manifests(self.lake):
                check()
                work.renew(
                    date.fromisoformat(path.removeprefix(f"{FOLDER}/").removesuffix(".json"))
                )
        return {"rewritten": work.rewritten, "removed": work.removed + len(left.orphans)}


class _Renewal:
    def __init__(self, lake: Lake, log: EventLog) -> None:
        self._lake = lake
        self._log = log
        self._kept = KeptLake(lake)
        self.rewritten = self.removed = 0

    def renew(self, day: date) -> None:
        """Renew what the manifest of a day lists: files first, then it, then away with the old."""
        manifest = self._kept.read_manifest(day)
        before = {file.path for file in manifest.list_files()}
        for conversation_id in list(manifest.conversations):
            self._renew_one(manifest, conversation_id)
        _drop_snapshots(manifest)
        self._kept.note(day, [])
        self._kept.save()
        doomed = before - {file.path for file in manifest.list_files()}
        self._lake.delete(sorted(doomed))
        self.removed += len(doomed)

    def _renew_one(self, manifest: Manifest, conversation_id: str) -> None:
        entries = read_told(self._log, conversation_id)
        formats = manifest.conversations.pop(conversation_id)
        for name, archived in formats.items():
            told = _tell(conversation_id, entries, name)
            if told is None:
                continue
            keeper = self._kept.read_manifest(told.day)
            kept = keeper.conversations.setdefault(conversation_id, {})
            kept[name] = archived if told.source == archived.source else self._write(told)
            self._kept.note(told.day, kept[name].files)

    def _write(self, told: Told) -> Archived:
        encoded = [encode_file(file) for file in told.files]
        self._lake.write([(listed.path, content) for listed, content in encoded])
        self.rewritten += len(encoded)
        return Archived(told.source, tuple(listed for listed, _ in encoded))


def _tell(conversation_id: str, entries: list[Entry], name: str) -> Told | None:
    format: FileFormat = "json" if name == "json" else "parquet"
    return tell(conversation_id, entries, format=format) if entries else None


def _drop_snapshots(manifest: Manifest) -> None:
    for path in list(manifest.others):
        if path.startswith(f"{ENTITIES.name}/"):
            del manifest.others[path]
