"""The process that reads files by stages; it ends with its parent, however that dies."""

from __future__ import annotations

import os
import pickle
import sys
from typing import IO, Any, Final

from helix_lab.domain.model.errors import InvalidRequest
from helix_lab.ports.stage_reading import read_files

_NICER: Final = 5


def serve(source: IO[bytes], sink: IO[bytes]) -> None:
    """Answer until nobody asks any more."""

    def tell(kind: str, content: Any) -> None:
        pickle.dump((kind, content), sink)
        sink.flush()

    while True:
        try:
            stage, files, target = pickle.load(source)  # noqa: S301 - by our own parent
        except EOFError:
            return
        try:
            path = read_files(stage, files, target, lambda rows: tell("rows", rows))
        except InvalidRequest as error:
            tell("refused", (error.message, error.details))
        else:
            tell("done", path is not None)


if __name__ == "__main__":
    os.nice(_NICER)
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # what a library prints is no answer
    serve(sys.stdin.buffer, answers)
