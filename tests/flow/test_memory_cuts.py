"""A node that is cut off at a statement of its databases: restarted, it equals the model."""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_a_node_that_is_cut_off_anywhere_loses_nothing_that_it_acknowledged() -> None:
    seed = random.randrange(10**6)
    command = [sys.executable, "-m", "tests.flow.memory_cuts", "--some", "4", "--seed", str(seed)]

    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=110, check=False
    )

    assert 0 == done.returncode, f"{' '.join(command[1:])}\n{done.stderr}"
    assert "nothing acknowledged was lost" in done.stdout
