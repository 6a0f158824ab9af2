"""What many messages say, read by a process beside this one, which runs this module.

Finding names in a text is work for the processor alone. After an import it would keep the requests
of this process waiting for the interpreter lock; in a process of its own, and a nicer one, it uses
another core, and what is left of this one.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from typing import IO, Final

import msgspec

from helix_lab.domain.knowledge.evidence import Evidence, read_evidence
from helix_lab.domain.knowledge.extraction import Extractor, open_extractor

_LENGTH_BYTES: Final = 8
_NICER: Final = 5


class Saying(msgspec.Struct, frozen=True, array_like=True):
    """A text, and what `read_evidence` needs to know of it."""

    text: str
    message_id: str
    conversation_id: str
    time: str
    speakers: tuple[str, ...] = ()


def read_saying(saying: Saying, extractor: Extractor) -> Evidence:
    """What the message says."""
    return read_evidence(
        saying.text,
        extractor,
        message_id=saying.message_id,
        conversation_id=saying.conversation_id,
        time=saying.time,
        speakers=saying.speakers,
    )


class EvidenceProcess:
    """Reads messages in a process that is started for the first and ends with `close`.

    It ends, too, when this process does, however that dies. Not thread-safe.
    """

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None

    def read(self, sayings: Sequence[Saying]) -> list[Evidence]:
        """What they say, in their order.

        Raises:
            OSError, EOFError, msgspec.DecodeError: the process cannot be started, or has died.
        """
        if self._process is None:
            self._process = subprocess.Popen(  # noqa: S603 - this module, by this interpreter
                [sys.executable, "-m", __name__], stdin=subprocess.PIPE, stdout=subprocess.PIPE
            )
        assert self._process.stdin is not None  # noqa: S101 - a pipe, as asked for
        assert self._process.stdout is not None  # noqa: S101
        _send(self._process.stdin, msgspec.msgpack.encode(sayings))
        return msgspec.msgpack.decode(_receive(self._process.stdout), type=list[Evidence])

    def close(self) -> None:
        """End the process; closing twice is harmless."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.communicate()


def _send(pipe: IO[bytes], content: bytes) -> None:
    pipe.write(len(content).to_bytes(_LENGTH_BYTES))
    pipe.write(content)
    pipe.flush()


def _receive(pipe: IO[bytes]) -> bytes:
    length = _read_exactly(pipe, _LENGTH_BYTES)
    return _read_exactly(pipe, int.from_bytes(length))


def _read_exactly(pipe: IO[bytes], count: int) -> bytes:
    content = pipe.read(count)
    if len(content) < count:
        message = "the other end of the pipe is gone"
        raise EOFError(message)
    return content


def serve(source: IO[bytes], sink: IO[bytes]) -> None:
    """Answer until nobody asks any more."""
    extractor = open_extractor()
    while True:
        try:
            content = _receive(source)
        except EOFError:
            return
        sayings = msgspec.msgpack.decode(content, type=list[Saying])
        answer = [read_saying(saying, extractor) for saying in sayings]
        _send(sink, msgspec.msgpack.encode(answer))


if __name__ == "__main__":
    os.nice(_NICER)
    serve(sys.stdin.buffer, sys.stdout.buffer)
