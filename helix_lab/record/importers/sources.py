"""Where records come from: a file, a gzip file, or the members of a zip file."""

from __future__ import annotations

import io
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from helix_lab.domain.model.errors import InvalidRequest
from helix_lab.record.importers.packed import GZIP, Damaged, Packed, open_packed
from helix_lab.record.importers.zips import ZipMember, list_members

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from types import TracebackType
    from typing import Any

OnRead = Callable[[int, int], None]

_BUFFER_BYTES = 1 << 18
_SUFFIXES = (".json", ".jsonl", ".ndjson", ".json.gz", ".jsonl.gz", ".ndjson.gz")


@dataclass(frozen=True, slots=True)
class Member:
    """A text inside a source.

    Attributes:
        open: a context that gives the stream; opening or reading it may raise `Damaged`.
    """

    name: str
    open: Callable[[], AbstractContextManager[io.BufferedReader]]


class Source:
    """An opened path and its members.

    Args:
        path: a file.
        on_read: told (bytes read, bytes in total) as the path's own bytes are read.

    Attributes:
        warning: what is wrong with the source as a whole, if something is.

    Raises:
        InvalidRequest: there is no such file.
    """

    def __init__(self, path: Path, on_read: OnRead | None = None) -> None:
        if not path.is_file():
            message = f"there is no file {path}"
            raise InvalidRequest(message, field="path")
        self.total_bytes = path.stat().st_size
        self.warning: str | None = None
        self._on_read: OnRead | None = None
        self._read_bytes = 0
        self._resources = ExitStack()
        with ExitStack() as on_failure:
            on_failure.callback(self.close)
            self.members = self._find_members(path)
            on_failure.pop_all()
        # Finding the members is not progress.
        self._read_bytes = 0
        self._on_read = on_read

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        error_type: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close all files."""
        self._resources.close()

    def _find_members(self, path: Path) -> list[Member]:
        with path.open("rb") as file:
            start = file.read(2)
        if start == b"PK":
            return self._open_zip(self._resources.enter_context(self._open_file(path)))
        if start == b"\x1f\x8b":
            return [Member(path.name, lambda: self._open_gzip(path))]
        return [Member(path.name, lambda: self._open_file(path))]

    def _open_zip(self, file: io.BufferedReader) -> list[Member]:
        members, has_directory = list_members(file)
        if not has_directory:
            self.warning = "the zip file is damaged or cut off; what is left of it was read"
        return [_read_zip_member(file, member) for member in members if _is_wanted(member.name)]

    @contextmanager
    def _open_gzip(self, path: Path) -> Iterator[io.BufferedReader]:
        with self._open_file(path) as file, open_packed(file, Packed(0, GZIP)) as stream:
            yield stream

    def _open_file(self, path: Path) -> io.BufferedReader:
        return io.BufferedReader(_CountedFile(path, self._count), _BUFFER_BYTES)

    def _count(self, count: int) -> None:
        self._read_bytes += count
        if self._on_read is not None:
            self._on_read(min(self._read_bytes, self.total_bytes), self.total_bytes)


class _CountedFile(io.FileIO):
    """A file that tells how many bytes were read from it."""

    def __init__(self, path: Path, count: Callable[[int], None]) -> None:
        super().__init__(path, "rb")
        self._report = count

    def readinto(self, buffer: Any) -> int:
        count = super().readinto(buffer) or 0
        self._report(count)
        return count


def _read_zip_member(file: io.BufferedReader, member: ZipMember) -> Member:
    @contextmanager
    def open_member() -> Iterator[io.BufferedReader]:
        if member.problem:
            raise Damaged(member.problem)
        with open_packed(file, member.packed) as stream:
            yield stream

    return Member(_short_name(member.name), open_member)


def _is_wanted(name: str) -> bool:
    """Whether a member may hold records: the shape of its content decides later."""
    short_name = _short_name(name)
    is_hidden = short_name.startswith("._") or name.startswith("__MACOSX/")
    return short_name.lower().endswith(_SUFFIXES) and not is_hidden


def _short_name(name: str) -> str:
    return name.replace("\\", "/").rsplit("/", 1)[-1]
