"""Request bodies as they arrive: small ones in memory, uploads into a file."""

from __future__ import annotations

import asyncio
import os
import tempfile
from collections.abc import Awaitable, Collection, Mapping
from concurrent.futures import Executor
from pathlib import Path

from multipart import MultipartError, MultipartSegment, PushMultipartParser, parse_options_header

from helix_lab.domain.model.errors import InvalidRequest, TooLarge, Unavailable
from helix_lab.operations.openapi_bodies import UPLOAD_PART

_WRITE_BYTES = 1 << 20
"""Collected before a thread writes it: fewer hops, still little memory."""


class MemoryBody:
    """A body held in memory, up to a limit.

    Args:
        max_bytes: longer bodies are refused.
    """

    def __init__(self, *, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._collected = bytearray()

    def receive(self, chunk: bytes) -> None:
        """Keep the next bytes.

        Raises:
            TooLarge: the body is over its limit.
        """
        refuse_too_large(len(self._collected) + len(chunk), self._max_bytes)
        self._collected += chunk

    def read(self) -> bytes:
        """All of it."""
        return bytes(self._collected)


class Upload:
    """A body written to a file of the data folder as it arrives.

    Raw bytes are the file; of a multipart form, its one part is.

    Args:
        folder: where the file goes; made if missing.
        content_type: the header of the request.
        max_bytes: longer bodies are refused.
        executor: threads that write.

    Raises:
        InvalidRequest: the content type is a multipart form without a boundary.
        Unavailable: the folder cannot be written.
    """

    def __init__(
        self, folder: Path, *, content_type: str, max_bytes: int, executor: Executor
    ) -> None:
        self._max_bytes = max_bytes
        self._executor = executor
        self._form = _open_form(content_type)
        self._received_bytes = 0
        self._collected = bytearray()
        try:
            folder.mkdir(mode=0o700, exist_ok=True)
            handle, name = tempfile.mkstemp(prefix="upload-", dir=folder)
        except OSError as error:
            raise _cannot_write(folder, error) from error
        self._file = os.fdopen(handle, "wb", buffering=0)
        self.path = Path(name)

    def receive(self, chunk: bytes) -> Awaitable[None] | None:
        """Take the next bytes; gives something to wait for when a thread has to write.

        Raises:
            TooLarge: the body is over its limit.
            InvalidRequest: the multipart form cannot be read.
        """
        self._received_bytes += len(chunk)
        refuse_too_large(self._received_bytes, self._max_bytes)
        if self._form is None:
            self._collected += chunk
        else:
            for payload in self._form.parse(chunk):
                self._collected += payload
        return self._write() if len(self._collected) >= _WRITE_BYTES else None

    async def complete(self) -> Path:
        """The file, once all bytes have arrived.

        Raises:
            InvalidRequest: it is empty, or the multipart form breaks off.
            Unavailable: it could not be written, such as on a full disk.
        """
        if self._form is not None:
            self._form.close()
        await self._write()
        if self._file.tell() == 0:
            message = "the body is empty; send the bytes of the file"
            raise InvalidRequest(message, field="body")
        self._file.close()
        return self.path

    def discard(self) -> None:
        """Remove the file; twice is harmless."""
        self._file.close()
        self.path.unlink(missing_ok=True)

    async def _write(self) -> None:
        waiting, self._collected = bytes(self._collected), bytearray()
        try:
            loop = asyncio.get_running_loop()
            await loop.run_in_executor(self._executor, self._write_now, waiting)
        except OSError as error:
            raise _cannot_write(self.path.parent, error) from error

    def _write_now(self, waiting: bytes) -> None:
        rest = memoryview(waiting)
        while rest:
            rest = rest[self._file.write(rest) :]


class _Form:
    """The one file of a multipart form, out of its bytes."""

    def __init__(self, boundary: str) -> None:
        self._parser = PushMultipartParser(boundary, max_segment_count=1)
        self._has_file = False

    def parse(self, chunk: bytes) -> list[bytes]:
        payloads: list[bytes] = []
        try:
            for event in self._parser.parse(chunk):
                if isinstance(event, MultipartSegment):
                    self._check_name(event)
                elif event is not None:
                    payloads.append(bytes(event))
        except MultipartError as error:
            raise _bad_form(str(error)) from None
        return payloads

    def _check_name(self, part: MultipartSegment) -> None:
        if part.name != UPLOAD_PART:
            message = f"its part is named {part.name!r}, not {UPLOAD_PART!r}"
            raise _bad_form(message)
        self._has_file = True

    def close(self) -> None:
        try:
            self._parser.close()
        except MultipartError as error:
            raise _bad_form(str(error)) from None
        if not self._has_file:
            message = f"it has no part {UPLOAD_PART!r}"
            raise _bad_form(message)


def remove_orphans(folder: Path, *, kept: Collection[str]) -> None:
    """Remove uploads that a crash left behind.

    Args:
        folder: where uploads lie; may be missing.
        kept: paths of files that jobs still read.
    """
    for path in folder.glob("upload-*"):
        if str(path) not in kept:
            path.unlink(missing_ok=True)


def refuse_too_large(size_bytes: int, max_bytes: int) -> None:
    """Check a size against the limit of the route.

    Raises:
        TooLarge: it is over.
    """
    if size_bytes > max_bytes:
        message = f"the body is larger than {max_bytes} bytes, the limit of this route"
        raise TooLarge(message, field="body", max_bytes=max_bytes)


def declared_bytes(headers: Mapping[str, str]) -> int:
    """The length that a request announces; 0 if it announces none."""
    declared = headers.get("Content-Length", "")
    return int(declared) if declared.isdecimal() else 0


def _open_form(content_type: str) -> _Form | None:
    kind, options = parse_options_header(content_type)
    if kind != "multipart/form-data":
        return None
    if not options.get("boundary"):
        problem = "the header Content-Type names no boundary"
        raise _bad_form(problem)
    try:
        return _Form(options["boundary"])
    except MultipartError as error:
        raise _bad_form(str(error)) from None


def _bad_form(problem: str) -> InvalidRequest:
    message = (
        f"the multipart form cannot be read: {problem}; send the bytes of one file, raw or as the "
        "only part of a form, and the other fields as query parameters"
    )
    return InvalidRequest(message, field="body")


def _cannot_write(folder: Path, error: OSError) -> Unavailable:
    message = f"the upload cannot be written to {folder}: {error.strerror}"
    return Unavailable(message, service="data folder", folder=str(folder))
