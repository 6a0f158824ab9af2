"""What was read out of files before, kept so that only new and changed files are read again.

One folder for each stage and version of the code. `kept.json` says which file of the lake is read
where; it is written after the Parquet files that it names, so that what it names is whole, also
when the process dies at any moment. All of it may be deleted: the next job reads everything.
"""

from __future__ import annotations

import hashlib
import logging
import shutil
import threading
import uuid
from collections.abc import Callable, Collection, Iterator, Sequence
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Final

import msgspec

from helix_lab.jobs.batch.inputs import Source
from helix_lab.jobs.batch.readings import Reading
from helix_lab.ports.batch import SOURCE

LOGGER = logging.getLogger(__name__)
_MOST_LOTS: Final = 40
"""Of Parquet files that a statement opens; beyond, they are made one."""
_PACKAGES: Final = ("helix_lab.domain.batch", "helix_lab.domain.knowledge")


class _Kept(msgspec.Struct):
    """Path in the lake → (source, lot); lot → its files."""

    read: dict[str, tuple[str, str]] = {}
    lots: dict[str, list[str]] = {}


Fill = Callable[[Path], list[Path]]
"""Writes Parquet files to the folder that it is given; those files."""


class Partials:
    """What the stages read. Safe in threads; one process at a time.

    Args:
        folder: of this lab alone.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._adding = threading.Lock()
        self._is_swept = False

    def find_missing(self, reading: Reading, sources: Sequence[Source]) -> list[Source]:
        """Those that are not read yet, or were changed since."""
        kept = self._load(self._place(reading))
        return [source for source in sources if not _has(kept, source)]

    def find_files(self, reading: Reading, sources: Sequence[Source]) -> list[Path]:
        """The Parquet files that have what was read out of these sources, and perhaps more."""
        place = self._place(reading)
        kept = self._load(place)
        lots = {kept.read[source.path][1] for source in sources if _has(kept, source)}
        return [place / lot / name for lot in sorted(lots) for name in kept.lots[lot]]

    def add(self, reading: Reading, sources: Sequence[Source], fill: Fill) -> None:
        """Read sources that are missing; all of them are kept, or none.

        Args:
            reading: by which stage.
            sources: what is read.
            fill: reads it.
        """
        place = self._place(reading)
        lot = uuid.uuid4().hex
        folder = place / lot
        folder.mkdir(parents=True)
        try:
            files = fill(folder)
            with self._adding:
                kept = self._load(place)
                kept.read |= {source.path: (source.id, lot) for source in sources}
                kept.lots[lot] = sorted(path.name for path in files)
                if len(kept.lots) > _MOST_LOTS:
                    _join(place, kept)
                self._save(place, kept)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise

    def sweep_once(self) -> None:
        """Remove what nobody names: of other versions, of runs that a dead process left behind.

        The first call of a process does it, before anything is read; the others do nothing.
        """
        with self._adding:
            if self._is_swept:
                return
            self._is_swept = True
            for place in _folders(self._folder):
                known = self._load(place).lots if place.name.endswith(_code_version()) else {}
                for lot in _folders(place):
                    if lot.name not in known:
                        shutil.rmtree(lot, ignore_errors=True)
                if not known:
                    shutil.rmtree(place, ignore_errors=True)

    def clear(self) -> None:
        """Remove all of it."""
        with self._adding:
            for place in _folders(self._folder):
                shutil.rmtree(place)

    def _place(self, reading: Reading) -> Path:
        return self._folder / f"{reading.name}-{_code_version()}"

    def _load(self, place: Path) -> _Kept:
        try:
            kept = msgspec.json.decode((place / "kept.json").read_bytes(), type=_Kept)
        except FileNotFoundError:
            return _Kept()
        except msgspec.DecodeError as error:
            LOGGER.warning("%s is damaged and left out: %s", place, error)
            return _Kept()
        gone = {lot for lot, names in kept.lots.items() if not _are_there(place / lot, names)}
        kept.read = {path: found for path, found in kept.read.items() if found[1] not in gone}
        kept.lots = {lot: names for lot, names in kept.lots.items() if lot not in gone}
        return kept

    def _save(self, place: Path, kept: _Kept) -> None:
        used = {lot for _, lot in kept.read.values()}
        kept.lots = {lot: names for lot, names in kept.lots.items() if lot in used}
        half = place / "kept.json.half"
        half.write_bytes(msgspec.json.encode(kept))
        half.replace(place / "kept.json")


def _has(kept: _Kept, source: Source) -> bool:
    found = kept.read.get(source.path)
    return found is not None and found[0] == source.id


def _are_there(folder: Path, names: Collection[str]) -> bool:
    return folder.is_dir() and all((folder / name).is_file() for name in names)


def _folders(folder: Path) -> Iterator[Path]:
    if folder.is_dir():
        yield from [path for path in folder.iterdir() if path.is_dir()]


def _join(place: Path, kept: _Kept) -> None:
    """Make one lot of all, without what is not asked for any more.

    A running job may still read the old ones; `sweep_once` of the next process removes them.
    """
    import pyarrow as pa
    import pyarrow.dataset as ds
    import pyarrow.parquet as pq

    files = [str(place / lot / name) for lot, names in kept.lots.items() for name in names]
    joined = uuid.uuid4().hex
    (place / joined).mkdir()
    kept.lots = {joined: []}
    if files:
        live = pa.array([source for source, _ in kept.read.values()], pa.string())
        scanner = ds.dataset(files).scanner(filter=ds.field(SOURCE).isin(live))
        with pq.ParquetWriter(
            place / joined / "part.parquet", scanner.projected_schema, compression="zstd"
        ) as writer:
            for batch in scanner.to_batches():
                writer.write_batch(batch)
        kept.lots = {joined: ["part.parquet"]}
    kept.read = {path: (source, joined) for path, (source, _) in kept.read.items()}


@cache
def _code_version() -> str:
    """A digest of the code that reads: another release may find other things."""
    digest = hashlib.blake2b(digest_size=8)
    for package in _PACKAGES:
        for file in sorted(resources.files(package).iterdir(), key=lambda one: one.name):
            if file.name.endswith(".py"):
                digest.update(file.read_bytes())
        data = resources.files(package) / "data"
        if data.is_dir():
            for file in sorted(data.iterdir(), key=lambda one: one.name):
                if file.is_file():
                    digest.update(file.read_bytes())
    return digest.hexdigest()
