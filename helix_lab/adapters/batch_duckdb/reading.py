"""Reading files by stages in other processes.

Finding names in texts is work for the processor alone. In this process it would keep everybody
waiting for the interpreter lock, and would use one core.
"""

from __future__ import annotations

import pickle
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Final

from helix_lab.domain.model.errors import InvalidRequest, Unavailable
from helix_lab.ports.batch import InputFile, Stage

_PROCESS: Final = "helix_lab.adapters.batch_duckdb.process"


class Reader:
    """A process that reads for one thread at a time; started at the first call."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._is_closed = False
        self._starting = threading.Lock()

    def read(
        self,
        stage: Stage,
        files: Sequence[InputFile],
        target: Path,
        on_rows: Callable[[int], None],
    ) -> Path | None:
        """As `stage_reading.read_files`, there.

        Raises:
            InvalidRequest: an input file cannot be read.
            Unavailable: the process cannot be started, or has died, or was closed.
        """
        try:
            process = self._start()
            pickle.dump((stage, list(files), target), _pipe(process.stdin))
            _pipe(process.stdin).flush()
            while True:
                kind, content = pickle.load(_pipe(process.stdout))  # noqa: S301 - by our own child
                if kind == "rows":
                    on_rows(content)
                elif kind == "refused":
                    raise InvalidRequest(content[0], **content[1])
                else:
                    return target if content else None
        except (OSError, EOFError, ValueError, pickle.UnpicklingError) as error:
            if isinstance(error, InvalidRequest):
                raise
            message = f"a process that reads for a batch job is gone: {error}; run the job again"
            raise Unavailable(message, service="duckdb") from error

    def _start(self) -> subprocess.Popen[bytes]:
        with self._starting:
            if self._is_closed:
                message = "it was told to end"
                raise OSError(message)
            if self._process is None:
                self._process = subprocess.Popen(  # noqa: S603 - our own module, by this interpreter
                    [sys.executable, "-m", _PROCESS], stdin=subprocess.PIPE, stdout=subprocess.PIPE
                )
            return self._process

    def close(self) -> None:
        """End the process, also while another thread waits for it."""
        with self._starting:
            self._is_closed = True
            if self._process is not None:
                self._process.kill()
                self._process.wait()
                for pipe in (self._process.stdin, self._process.stdout):
                    with suppress(OSError):  # what was still to be sent finds nobody
                        _pipe(pipe).close()


def _pipe(pipe: IO[bytes] | None) -> IO[bytes]:
    assert pipe is not None  # noqa: S101 - asked for at the start
    return pipe
