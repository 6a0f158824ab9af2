"""The check of a lake: every listed file is there and whole, and no other lies beside them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from helix_lab.domain.lake.manifest import ListedFile
from helix_lab.domain.lake.schema import DATASETS
from helix_lab.domain.model.errors import NotFound
from helix_lab.jobs.lake.files import list_file
from helix_lab.jobs.lake.kept import list_manifests, read_manifest
from helix_lab.ports.lake import Lake


@dataclass(slots=True)
class Checked:
    """What a check found; paths of files.

    Attributes:
        missing: listed, and not there.
        damaged: listed, and of another size or content.
        orphans: of our naming, and not listed: what a killed archive left.
        unfinished: how many writes were cut short.
        repeated: conversations that stand in the manifests of two days.
    """

    files: int = 0
    bytes: int = 0
    rows: dict[str, int] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)
    damaged: list[str] = field(default_factory=list)
    orphans: list[str] = field(default_factory=list)
    repeated: list[str] = field(default_factory=list)
    unfinished: int = 0


def check_lake(
    lake: Lake, *, is_thorough: bool, is_repairing: bool, check: Callable[[], None]
) -> Checked:
    """Compare the manifests with the files.

    Args:
        lake: nobody else may change it meanwhile.
        is_thorough: read every file and compare its digest; otherwise its size alone.
        is_repairing: remove orphans and unfinished writes. A file that was put there by hand
            under a name of ours is an orphan, too.
        check: called between steps; may raise to stop.
    """
    result = Checked()
    listed = _list_all(lake, result)
    there = {file.path: file.bytes for name in DATASETS for file in lake.list_files(name)}
    for path, file in listed.items():
        check()
        if path not in there:
            result.missing.append(path)
        elif there[path] != file.bytes or (is_thorough and not _is_same(lake, file)):
            result.damaged.append(path)
    result.orphans = [path for path in there if path not in listed and _is_ours(path)]
    result.files, result.bytes = len(there), sum(there.values())
    if is_repairing:
        lake.delete(result.orphans)
        result.unfinished = lake.sweep()
    return result


def _list_all(lake: Lake, result: Checked) -> dict[str, ListedFile]:
    listed: dict[str, ListedFile] = {}
    seen: set[str] = set()
    for path in list_manifests(lake):
        manifest = read_manifest(lake, path)
        result.repeated += sorted(seen & manifest.conversations.keys())
        seen |= manifest.conversations.keys()
        for file in manifest.list_files():
            listed[file.path] = file
            result.rows[file.dataset] = result.rows.get(file.dataset, 0) + file.rows
    return listed


def _is_same(lake: Lake, file: ListedFile) -> bool:
    try:
        content = lake.read(file.path)
    except NotFound:
        return False
    return list_file(file.path, file.dataset, file.rows, content) == file


def _is_ours(path: str) -> bool:
    name = path.rpartition("/")[2]
    return name.startswith(_PREFIXES) and name.endswith((".parquet", ".json"))


_PREFIXES = (
    "conversation_",
    "debate_",
    "events_",
    "snapshot_",
    "daily_aggregates_",
)
