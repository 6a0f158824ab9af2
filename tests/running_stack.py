"""The stack on which the tests of real services run.

`python -m tests.running_stack` prints where the env file of the user's stack is, if that runs.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from helix_lab.doors.cli.stacking import find_cache, open_stack
from helix_lab.stack.stack import Stack


@contextmanager
def lend_folder() -> Iterator[Path]:
    """A folder for a stack; none of its services outlives the block, however it ends."""
    with tempfile.TemporaryDirectory(prefix="helix-stack-") as name:
        Path(name).chmod(0o711)  # PostgreSQL may run as another user
        try:
            yield Path(name)
        finally:
            Stack(Path(name), find_cache()).down()


def main() -> None:
    """Print it."""
    stack = open_stack()
    if stack.read_variables():
        print(stack.folder.env_file)  # noqa: T201


if __name__ == "__main__":
    main()
