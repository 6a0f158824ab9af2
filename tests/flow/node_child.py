"""A node in a process of its own: writes without end, and says what was acknowledged."""

from __future__ import annotations

import sys
from itertools import count
from pathlib import Path

from helix_lab.lab import open_lab
from helix_lab.settings import Settings

MEMORIES = 5


def main(folder: str, node_id: str, shared: str, round_number: str) -> None:
    """Set one metadata key after the other; each that is acknowledged is printed."""
    settings = Settings(Path(folder), node_id, port=0, memory_log=shared)
    with open_lab(settings=settings) as lab:
        print("ready", flush=True)  # noqa: T201
        for number in count():
            key = f"{node_id}-{round_number}-{number}"
            lab.update_memory(f"m{number % MEMORIES}", content=key, metadata={key: number})
            print(key, flush=True)  # noqa: T201


if __name__ == "__main__":
    main(*sys.argv[1:])
