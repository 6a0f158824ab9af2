"""The manifests and folders of a lake while they are worked on; one job at a time."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date

from helix_lab.domain.lake.manifest import (
    FOLDER,
    Archived,
    ListedFile,
    Manifest,
    decode_manifest,
    encode_manifest,
    name_manifest,
)
from helix_lab.domain.model.errors import DamagedFile, NotFound
from helix_lab.ports.lake import Lake

_WAIT_S = 0.2


class LakeGate:
    """Lets one at a time change the lake of this process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()

    @contextmanager
    def changing(self, check: Callable[[], None]) -> Iterator[None]:
        """Wait for the turn; `check` may raise to end the wait."""
        while not self._lock.acquire(timeout=_WAIT_S):
            check()
        try:
            yield
        finally:
            self._lock.release()


class KeptLake:
    """What the manifests of a lake say, and what lies in its folders, each read once."""

    def __init__(self, lake: Lake) -> None:
        self.lake = lake
        self._manifests: dict[date, Manifest] = {}
        self._folders: dict[str, dict[str, int]] = {}
        self._changed: set[date] = set()

    def read_manifest(self, day: date) -> Manifest:
        """The manifest of a day; an empty one if there is none.

        Raises:
            DamagedFile: it cannot be read.
        """
        if day not in self._manifests:
            self._manifests[day] = read_manifest(self.lake, name_manifest(day))
        return self._manifests[day]

    def has(self, archived: Archived | None, source: str) -> bool:
        """Whether this was archived from the same source, and its files are all there."""
        if archived is None or archived.source != source:
            return False
        return all(self._size_of(file.path) == file.bytes for file in archived.files)

    def note(self, day: date, files: Sequence[ListedFile]) -> None:
        """Tell that files were written, and that the manifest of a day was changed for them."""
        self._changed.add(day)
        for file in files:
            folder = self._folders.get(_folder_of(file.path))
            if folder is not None:
                folder[file.path] = file.bytes

    def save(self) -> None:
        """Write the manifests that were changed."""
        days, self._changed = sorted(self._changed), set()
        self.lake.write(
            [(name_manifest(day), encode_manifest(self._manifests[day])) for day in days]
        )

    def _size_of(self, path: str) -> int | None:
        folder = _folder_of(path)
        if folder not in self._folders:
            found = self.lake.list_files(folder)
            self._folders[folder] = {file.path: file.bytes for file in found}
        return self._folders[folder].get(path)


def read_manifest(lake: Lake, path: str) -> Manifest:
    """The manifest at a path; an empty one if there is none.

    Raises:
        DamagedFile: it cannot be read.
    """
    try:
        return decode_manifest(lake.read(path))
    except NotFound:
        return Manifest()
    except ValueError as error:
        message = (
            f"the manifest {path!r} of the lake cannot be read: {error}; take it away, and archive "
            "that day again"
        )
        raise DamagedFile(message, path=path) from None


def list_manifests(lake: Lake) -> list[str]:
    """The paths of all manifests."""
    return [file.path for file in lake.list_files(FOLDER)]


def _folder_of(path: str) -> str:
    return path.rpartition("/")[0]
