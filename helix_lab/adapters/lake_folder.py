"""The lake in a local folder."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

from helix_lab.domain.model.errors import NotFound, Unavailable
from helix_lab.ports.lake import Lake, LakeFile

_UNFINISHED = ".unfinished"
_THREADS = 8
"""A disk confirms many files in the time of one, if they are asked for at the same time."""


class FolderLake(Lake):
    """Files below a folder, which is made when something is written.

    A file is written under `.unfinished`, brought to the disk, and moved to its name.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="helix-lake")

    def list_files(self, prefix: str = "") -> Iterator[LakeFile]:
        """See `Lake.list_files`."""
        start = self._root / prefix
        with self._explained():
            found = sorted(
                (path.relative_to(self._root).as_posix(), path.stat().st_size)
                for path in start.rglob("*")
                if path.is_file() and _UNFINISHED not in path.parts
            )
        yield from (LakeFile(path, size) for path, size in found)

    def read(self, path: str) -> bytes:
        """See `Lake.read`."""
        try:
            with self._explained():
                return (self._root / path).read_bytes()
        except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
            message = f"the lake has no file {path!r}"
            raise NotFound(message, path=path) from None

    def write(self, files: Iterable[tuple[str, bytes]]) -> None:
        """See `Lake.write`."""
        with self._explained():
            (self._root / _UNFINISHED).mkdir(mode=0o700, parents=True, exist_ok=True)
            written = list(self._pool.map(lambda file: self._write_one(*file), files))
            folders = {path.parent for path in written}
            list(self._pool.map(_sync_folder, sorted(folders)))

    def delete(self, paths: Sequence[str]) -> None:
        """See `Lake.delete`."""
        with self._explained():
            for path in paths:
                (self._root / path).unlink(missing_ok=True)

    def sweep(self) -> int:
        """See `Lake.sweep`."""
        with self._explained():
            left = list((self._root / _UNFINISHED).glob("*"))
            for path in left:
                path.unlink()
        return len(left)

    def open_filesystem(self) -> tuple[Any, str]:
        """See `Lake.open_filesystem`."""
        from pyarrow import fs

        return fs.LocalFileSystem(), str(self._root)

    def probe(self) -> str:
        """See `Lake.probe`."""
        with self._explained():
            nearest = next(p for p in (self._root, *self._root.parents) if p.exists())
            if not nearest.is_dir() or not os.access(nearest, os.R_OK | os.W_OK | os.X_OK):
                raise PermissionError(13, "it is no folder that can be written", str(nearest))
        return str(self._root)

    def close(self) -> None:
        """See `Lake.close`."""
        self._pool.shutdown()

    def _write_one(self, path: str, content: bytes) -> Path:
        unfinished = self._root / _UNFINISHED / uuid4().hex
        target = self._root / path
        try:
            with unfinished.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            unfinished.chmod(0o600)
            target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            unfinished.replace(target)
        except OSError:
            unfinished.unlink(missing_ok=True)
            raise
        return target

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
            raise
        except OSError as error:
            message = (
                f"the lake in the folder {self._root} cannot be used: {error}; make room or give "
                "rights there, or choose another place by HELIX_LAKE_URL"
            )
            raise Unavailable(message, service="lake") from error


def _sync_folder(folder: Path) -> None:
    """Bring the names in a folder to the disk; a system without that has its own way."""
    if not hasattr(os, "O_DIRECTORY"):
        return
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
