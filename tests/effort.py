"""How often a test repeats itself: a part of it in `make test`, all of it in `make test-all`.

The body of a test is the same either way; only the number of its rounds or examples differs.
`HELIX_TEST_EFFORT=full` asks for all of them.
"""

from __future__ import annotations

import os

IS_FULL = os.environ.get("HELIX_TEST_EFFORT") == "full"


def choose(*, full: int, quick: int) -> int:
    """The number of rounds of this run."""
    return full if IS_FULL else quick
