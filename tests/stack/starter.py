"""A process that starts a stack, says so, and waits: `python starter.py FOLDER CACHE NAME…`."""

from __future__ import annotations

import signal
import sys
from pathlib import Path

from helix_lab.stack.stack import Stack


def main() -> None:
    """Hold the stack until killed."""
    folder, cache, *names = sys.argv[1:]
    with Stack(Path(folder), Path(cache)).hold(dict.fromkeys(names, 1)):
        print("ready", flush=True)  # noqa: T201
        signal.pause()


if __name__ == "__main__":
    main()
