"""Two node processes that are killed while they write: nothing acknowledged is lost, both agree."""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path

from helix_lab.lab import Lab
from tests.flow.node_child import MEMORIES
from tests.flow.nodes import OpenNode, read_refusals, settle, show

ROOT = Path(__file__).parents[2]
ROUNDS = 2
NAMES = ("east", "west")


def start(folder: Path, name: str, number: int) -> subprocess.Popen[str]:
    command = [
        sys.executable, "-m", "tests.flow.node_child",
        str(folder / name), name, str(folder / "shared.sqlite"), str(number),
    ]  # fmt: skip
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)


def read_acknowledged(process: subprocess.Popen[str], *, kill_after: int) -> list[str]:
    """The keys that a child acknowledged until it was killed."""
    assert process.stdout is not None
    assert "ready\n" == process.stdout.readline()
    keys = []
    for line in process.stdout:
        if line.endswith("\n"):
            keys.append(line.strip())
        if len(keys) == kill_after:
            process.kill()
    process.wait()
    process.stdout.close()
    return keys


def collect_keys(lab: Lab) -> set[str]:
    return {key for memory in show(lab) for key in memory["metadata"]}


def test_nodes_that_are_killed_lose_nothing_that_they_acknowledged(
    open_node: OpenNode, tmp_path: Path
) -> None:
    rng = random.Random(8)
    first = open_node("east")
    for number in range(MEMORIES):
        first.create_memory("start", memory_id=f"m{number}")
    settle(first)
    first.close()
    second = open_node("west")
    settle(second)
    second.close()
    acknowledged: set[str] = set()

    for number in range(ROUNDS):
        children = [start(tmp_path, name, number) for name in NAMES]
        for child in children:
            acknowledged |= set(read_acknowledged(child, kill_after=rng.randint(3, 25)))

    east, west = (open_node(name) for name in NAMES)
    settle(east, west, east)
    assert show(east) == show(west)
    assert acknowledged <= collect_keys(east)
    assert [[], []] == [read_refusals(east), read_refusals(west)]
