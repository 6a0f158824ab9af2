"""Context store: analyses of long conversations on the disk, for labs that have just been opened.

A file per conversation, written behind the requests and replaced as a whole. Nothing depends on
it: what is damaged, or of other code, is dropped and made anew from the log. See
docs/decisions/0016-context-store.md.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import struct
import threading
import zlib
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

LOGGER = logging.getLogger(__name__)

LEAST_TOKENS: Final = 50_000
"""A smaller conversation is read and taken apart faster than it is worth a file."""
QUIET_S: Final = 2.0
"""How long nothing may be added before a file is written: a chat adds every few seconds."""
_SUFFIX = ".context"
_MAGIC = b"helix-lab context 1\n"
_HEAD = struct.Struct("<IQ")  # CRC-32 of all that follows it, length of the JSON
_ALIGNED = 8


@dataclass(frozen=True, slots=True)
class Position:
    """What of a conversation an analysis has read.

    Attributes:
        through_offset, event_id: of the last event in the log.
        fingerprint: of all events.
    """

    through_offset: int
    event_id: str
    event_count: int
    model_tokens: int
    fingerprint: str


@dataclass(frozen=True, slots=True)
class Stored:
    """An analysis as texts and arrays (see `domain.context.storing`), and how far it reaches."""

    position: Position
    texts: Mapping[str, Any]
    arrays: Mapping[str, NDArray[Any]]


class ContextStore:
    """Analyses in a folder. Safe in threads; the folder belongs to one process.

    Args:
        folder: made when the first file is written.
        most: files kept; the ones written longest ago go first. 0 keeps none.
    """

    def __init__(self, folder: Path, *, most: int, quiet_s: float = QUIET_S) -> None:
        self._folder = folder
        self._most = most
        self._quiet_s = quiet_s
        self._changed = threading.Condition()
        self._writing = threading.Lock()
        self._waiting: dict[str, Callable[[], Stored]] = {}
        self._is_closed = False
        self._thread: threading.Thread | None = None

    def wants(self, model_tokens: int) -> bool:
        """Whether a conversation of this size is worth a file."""
        return bool(self._most) and model_tokens >= LEAST_TOKENS

    def find(self, conversation_id: str) -> Stored | None:
        """What is stored of a conversation; None where that is nothing of use."""
        if not self._most:
            return None
        path = self._path(conversation_id)
        try:
            return _decode(path.read_bytes(), conversation_id)
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError, struct.error) as error:
            LOGGER.warning("the stored context %s is of no use, and dropped: %s", path.name, error)
            self.drop(conversation_id)
            return None

    def drop(self, conversation_id: str) -> None:
        """Forget what is stored of a conversation."""
        with contextlib.suppress(OSError):
            self._path(conversation_id).unlink(missing_ok=True)

    def clear(self) -> None:
        """Drop all files, and what was to be stored soon."""
        with self._writing:
            with self._changed:
                self._waiting.clear()
            for path in self._folder.glob("*"):
                path.unlink(missing_ok=True)

    def keep(self, conversation_id: str, make: Callable[[], Stored]) -> None:
        """Store a conversation soon, in a thread of its own, and once for many calls."""
        with self._changed:
            if self._is_closed:
                return
            self._waiting[conversation_id] = make
            if self._thread is None:
                self._thread = threading.Thread(
                    target=self._work, name="helix-context-store", daemon=True
                )
                self._thread.start()
            self._changed.notify_all()

    def close(self) -> None:
        """Write what waits, and take no more."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()
            thread = self._thread
        if thread is not None:
            thread.join()

    def _work(self) -> None:
        while True:
            with self._changed:
                while not self._waiting and not self._is_closed:
                    self._changed.wait()
                if not self._waiting:
                    return
                # Every further call wakes it, and begins the quiet time anew.
                while not self._is_closed and self._changed.wait(self._quiet_s):
                    pass
            with self._writing:
                with self._changed:
                    waiting, self._waiting = self._waiting, {}
                for conversation_id, make in waiting.items():
                    self._write(conversation_id, make)

    def _write(self, conversation_id: str, make: Callable[[], Stored]) -> None:
        path = self._path(conversation_id)
        try:
            data = _encode(make(), conversation_id)
            self._folder.mkdir(mode=0o700, exist_ok=True)
            fresh = path.with_suffix(".new")
            fresh.write_bytes(data)
            fresh.replace(path)
            self._let_go()
        except Exception as error:
            # The answer was given long ago; a full disk costs the next start its speed.
            LOGGER.warning("the context of %r was not stored: %s", conversation_id, error)

    def _let_go(self) -> None:
        files = sorted(self._folder.glob(f"*{_SUFFIX}"), key=lambda path: path.stat().st_mtime_ns)
        for path in files[: -self._most]:
            path.unlink(missing_ok=True)

    def _path(self, conversation_id: str) -> Path:
        name = hashlib.blake2b(conversation_id.encode("utf-8", "surrogatepass"), digest_size=16)
        return self._folder / f"{name.hexdigest()}{_SUFFIX}"


@cache
def code_version() -> str:
    """A digest of the code that makes analyses: another release may find other things."""
    digest = hashlib.blake2b(digest_size=16)
    files = resources.files("helix_lab.domain.context").iterdir()
    for file in sorted(files, key=lambda one: one.name):
        if file.name.endswith(".py"):
            digest.update(file.read_bytes())
    return digest.hexdigest()


def _encode(stored: Stored, conversation_id: str) -> bytes:
    places: list[tuple[str, str, int]] = [
        (name, array.dtype.str, len(array)) for name, array in stored.arrays.items()
    ]
    described = {
        "code": code_version(),
        "conversation_id": conversation_id,
        "position": asdict(stored.position),
        "texts": stored.texts,
        "arrays": places,
    }
    text = json.dumps(described, separators=(",", ":")).encode()
    text += b" " * (-(len(_MAGIC) + _HEAD.size + len(text)) % _ALIGNED)
    blocks = []
    for array in stored.arrays.values():
        raw = np.ascontiguousarray(array).tobytes()
        blocks.append(raw + bytes(-len(raw) % _ALIGNED))
    body = b"".join([text, *blocks])
    return _MAGIC + _HEAD.pack(zlib.crc32(body), len(text)) + body


def _decode(data: bytes, conversation_id: str) -> Stored | None:
    begin = len(_MAGIC) + _HEAD.size
    if data[: len(_MAGIC)] != _MAGIC:
        raise ValueError("it is no stored context")  # noqa: EM101
    checksum, length = _HEAD.unpack_from(data, len(_MAGIC))
    if zlib.crc32(memoryview(data)[begin:]) != checksum:
        raise ValueError("it is damaged")  # noqa: EM101
    described = json.loads(data[begin : begin + length])
    if described["code"] != code_version() or described["conversation_id"] != conversation_id:
        return None
    arrays: dict[str, NDArray[Any]] = {}
    place = begin + length
    for name, kind, count in described["arrays"]:
        arrays[name] = np.frombuffer(data, np.dtype(kind), count, place)
        place += -(-arrays[name].nbytes // _ALIGNED) * _ALIGNED
    return Stored(Position(**described["position"]), described["texts"], arrays)
