"""The command line, `helix-lab`: every operation as a command, and a few of its own.

Nothing heavy is imported before a command runs, so that help comes at once.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from helix_lab.doors.cli.root import run

__all__ = ["main", "run"]


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and leave with its exit code."""
    sys.exit(run(sys.argv[1:] if arguments is None else arguments))
