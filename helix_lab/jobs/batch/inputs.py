"""The input of a batch job: which files of the lake it reads, and where its result goes."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from helix_lab.domain.lake.manifest import ListedFile, decode_manifest, name_manifest
from helix_lab.domain.lake.paths import check_path, read_partition
from helix_lab.domain.model.errors import InvalidRequest, NotFound
from helix_lab.jobs.batch.catalog import BatchJob
from helix_lab.ports.lake import Lake, LakeFile

RESULTS: Final = "results"
"""The folder of the lake that results go to: what reads a dataset meets no other schema there."""

_GUIDES_BUCKET = "helixagent-datalake"
_ADDRESS = re.compile(r"(?:s3a?|file)://")


@dataclass(frozen=True, slots=True)
class Source:
    """A file of the lake, as it is now.

    Attributes:
        id: another one when its path or content is another.
        rows: None where no manifest tells.
    """

    id: str
    path: str
    dataset: str
    rows: int | None


@dataclass(frozen=True, slots=True)
class Selection:
    """What a job is to read.

    Attributes:
        paths: folders of the lake, or one file.
        start_date, end_date: of the first and the last day, by the folders of the files.
    """

    paths: Sequence[str]
    start_date: date | None = None
    end_date: date | None = None

    def has(self, path: str) -> bool:
        """Whether a file lies in the days; one without a day does, if no days are asked for."""
        day = read_partition(path)
        if day is None:
            return self.start_date is None and self.end_date is None
        return (self.start_date is None or self.start_date <= day) and (
            self.end_date is None or day <= self.end_date
        )


def find_path(lake: Lake, path: str, *, field: str) -> str:
    """A path inside of the lake, from one as users write it: also with the lake's address.

    Raises:
        InvalidRequest: it leads out of the lake, or is none.
    """
    shown = path
    for address in (f"s3://{_GUIDES_BUCKET}", f"s3a://{_GUIDES_BUCKET}", lake.probe()):
        if path == address or path.startswith(address.rstrip("/") + "/"):
            path = path[len(address.rstrip("/")) :].lstrip("/")
            break
    if not path or _ADDRESS.match(path):
        message = (
            f"field {field!r}: {shown!r} is not in the lake at {lake.probe()}; give a path in it, "
            "such as 'conversations/year=2026/month=01'"
        )
        raise InvalidRequest(message, field=field)
    return check_path(path, field=field)


def choose_inputs(lake: Lake, job: BatchJob, path: str | None) -> list[str]:
    """The paths that a job reads: the one that was asked for, or all that it is made for.

    Raises:
        InvalidRequest: it is not in the lake, or of a dataset that the job does not read.
    """
    datasets = list(job.reading.functions)
    if path is None:
        return datasets
    inside = find_path(lake, path, field="input_path")
    if inside.partition("/")[0] not in datasets:
        message = (
            f"field 'input_path': {path!r} is of no dataset that {job.name} reads; it reads "
            f"{' and '.join(datasets)}"
        )
        raise InvalidRequest(message, field="input_path")
    if next(_list(lake, inside), None) is None:
        message = (
            f"field 'input_path': the lake has no Parquet file at {path!r}; archive some first, by "
            "POST /v1/datalake/archive or `helix-lab archive`"
        )
        raise InvalidRequest(message, field="input_path")
    return [inside]


def choose_output(lake: Lake, job: BatchJob, path: str | None) -> str:
    """The folder of the lake that a result goes to, always below `RESULTS`."""
    if path is None:
        return f"{RESULTS}/{job.name}"
    inside = find_path(lake, path, field="output_path")
    return inside if inside.partition("/")[0] == RESULTS else f"{RESULTS}/{inside}"


def measure(lake: Lake, selection: Selection) -> int:
    """Bytes of the files of a selection."""
    return sum(
        file.bytes
        for path in selection.paths
        for file in _list(lake, path)
        if selection.has(file.path)
    )


def list_sources(lake: Lake, selection: Selection) -> list[Source]:
    """The files of a selection, by path."""
    listed: dict[date | None, Mapping[str, ListedFile]] = {}
    found = {
        file.path: file
        for path in selection.paths
        for file in _list(lake, path)
        if selection.has(file.path)
    }
    return [_identify(lake, found[path], listed) for path in sorted(found)]


def _list(lake: Lake, path: str) -> Iterator[LakeFile]:
    folder = path.rpartition("/")[0] if path.endswith(".parquet") else path
    for file in lake.list_files(folder):
        is_asked = path in {folder, file.path}
        is_hidden = any(part.startswith(("_", ".")) for part in file.path.split("/"))
        if is_asked and file.path.endswith(".parquet") and not is_hidden:
            yield file


def _identify(
    lake: Lake, file: LakeFile, listed: dict[date | None, Mapping[str, ListedFile]]
) -> Source:
    day = read_partition(file.path)
    if day not in listed:
        listed[day] = _read_manifest(lake, day)
    known = listed[day].get(file.path)
    is_known = known is not None and known.bytes == file.bytes
    digest = known.digest if known and is_known else _digest(lake.read(file.path))
    id = hashlib.blake2b(f"{file.path}\n{digest}".encode(), digest_size=16).hexdigest()
    dataset = file.path.partition("/")[0]
    return Source(id, file.path, dataset, known.rows if known and is_known else None)


def _read_manifest(lake: Lake, day: date | None) -> Mapping[str, ListedFile]:
    if day is None:
        return {}
    try:
        manifest = decode_manifest(lake.read(name_manifest(day)))
    except (NotFound, ValueError):
        return {}
    return {file.path: file for file in manifest.list_files()}


def _digest(content: bytes) -> str:
    return hashlib.blake2b(content, digest_size=16).hexdigest()
