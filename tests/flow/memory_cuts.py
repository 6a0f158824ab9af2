"""A node that is cut off at one SQL statement after the other, and opened again.

`python -m tests.flow.memory_cuts` cuts at every statement of the two logs and of the records: in
and after each transaction, and so before and after each time that SQLite waits for the disk.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import sqlite3
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from helix_lab.lab import Lab, open_lab
from helix_lab.settings import Settings
from tests.flow.nodes import pause, read_refusals, settle, show

NAMES = ("east", "west")
_CUT = 9
_WRITING = ("INSERT", "UPDATE", "DELETE", "REPLACE", "COMMIT", "RELEASE")


def open_node(folder: Path, name: str) -> Lab:
    """One of the two nodes, which carries nothing by itself."""
    shared = str(folder / "shared.sqlite")
    lab = open_lab(settings=Settings(folder / name, name, port=0, memory_log=shared))
    pause(lab)
    return lab


def prepare(folder: Path) -> None:
    """Two nodes that share three memories; then `west` edits what `east` has not heard of."""
    with ExitStack() as stack:
        east, west = (stack.enter_context(open_node(folder, name)) for name in NAMES)
        for number in range(3):
            east.create_memory("start", memory_id=f"m{number}")
        settle(east, west, east)
        west.update_memory("m0", content="west", metadata={"west": 1})
        west.update_memory("m2", metadata={"west": 2})
        west.services.exchange.sync()


def list_steps(lab: Lab) -> dict[str, Callable[[], Any]]:
    """What the node does, one after the other; metadata of a memory tells that it was done."""
    return {
        "create": lambda: lab.create_memory("made", memory_id="m9", metadata={"create": 1}),
        "edit": lambda: lab.update_memory("m0", content="east", metadata={"edit": 1}),
        "sync": lab.force_sync,
        "snapshot": lab.services.exchange.write_snapshot,
        "edit-again": lambda: lab.update_memory("m1", content="b", metadata={"edit-again": 1}),
        "delete": lambda: lab.delete_memory("m2"),
        "sync-again": lab.force_sync,
    }


def work_until(folder: Path, cut: int, acknowledged: int) -> None:
    """Do the steps in this process, which ends at the statement number `cut`."""
    left = [cut]

    def note(statement: str) -> None:
        if statement.lstrip().upper().startswith(_WRITING):
            left[0] -= 1
            if left[0] == 0:
                os._exit(_CUT)

    connect = sqlite3.connect

    def connect_and_note(*arguments: Any, **named: Any) -> sqlite3.Connection:
        connection: sqlite3.Connection = connect(*arguments, **named)
        connection.set_trace_callback(note)
        return connection

    sqlite3.connect = connect_and_note  # type: ignore[assignment]
    sqlite3.dbapi2.connect = connect_and_note  # type: ignore[assignment]
    lab = open_node(folder, "east")
    for name, step in list_steps(lab).items():
        step()
        os.write(acknowledged, f"{name}\n".encode())
    os._exit(0)


def check(folder: Path, acknowledged: Sequence[str]) -> list[str]:
    """What is wrong with the nodes after the cut; nothing may be."""
    with ExitStack() as stack:
        east, west = (stack.enter_context(open_node(folder, name)) for name in NAMES)
        settle(east, west, east)
        here, there = show(east), show(west)
        refused = [*read_refusals(east), *read_refusals(west)]
    wrong = [] if here == there else [f"they differ: {here} {there}"]
    wrong += refused
    done = {key for memory in here for key in memory["metadata"]}
    if "m2" not in {memory["memory_id"] for memory in here}:
        done.add("delete")
    writing = [name for name in ("create", "edit", "edit-again", "delete") if name in done]
    # In their order: all that was acknowledged, and at most the one that was on its way.
    order = ["create", "edit", "edit-again", "delete"]
    wrong += [f"acknowledged and lost: {n}" for n in acknowledged if n in order and n not in done]
    if writing != order[: len(writing)]:
        wrong.append(f"not in order: {writing}")
    if len(writing) > sum(name in order for name in acknowledged) + 1:
        wrong.append(f"done before it was asked for: {writing}, acknowledged {acknowledged}")
    wrong += [f"lost of west: {key}" for key in ("west",) if key not in done]
    return wrong


def in_child(work: Callable[[], None]) -> int:
    """The exit status of a forked process."""
    child = os.fork()
    if child == 0:
        try:
            work()
        except BaseException:
            sys.excepthook(*sys.exc_info())
            os._exit(1)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def cut_at(start: Path, cut: int) -> bool:
    """Whether the work was cut; afterwards all must be well.

    Raises:
        AssertionError: something was lost, or the nodes differ.
    """
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "nodes"
        shutil.copytree(start, folder)
        reading, writing = os.pipe()
        status = in_child(lambda: work_until(folder, cut, writing))
        os.close(writing)
        with os.fdopen(reading) as told:
            acknowledged = told.read().split()
        assert status in {0, _CUT}, f"cut {cut}: the node failed with {status}"

        def judge() -> None:
            wrong = check(folder, acknowledged)
            assert not wrong, f"cut {cut}, after {acknowledged}: {wrong}"

        assert in_child(judge) == 0, f"cut {cut}, after {acknowledged}: see above"
        return status == _CUT


def cut_everywhere(start: Path, cuts: Sequence[int] | None) -> Iterator[int]:
    """The cuts that were made: these, or every one until the work ends without."""
    if cuts is not None:
        yield from (cut for cut in cuts if cut_at(start, cut))
        return
    cut = 1
    while cut_at(start, cut):
        yield cut
        cut += 1


def main() -> None:
    """Cut at all statements, or at some."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--some", type=int, help="so many cuts, chosen by --seed")
    parser.add_argument("--most", type=int, default=150, help="statements to choose from")
    parser.add_argument("--seed", type=int, default=0)
    wanted = parser.parse_args()
    cuts = None
    if wanted.some:
        cuts = sorted(random.Random(wanted.seed).sample(range(1, wanted.most), wanted.some))
    with tempfile.TemporaryDirectory() as temporary:
        start = Path(temporary) / "nodes"
        assert in_child(lambda: prepare(start)) == 0, "the nodes could not be prepared"
        made = sum(1 for _ in cut_everywhere(start, cuts))
    print(f"cut at {made} statements: nothing acknowledged was lost, both nodes agree")  # noqa: T201


if __name__ == "__main__":
    main()
