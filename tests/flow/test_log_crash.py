"""The embedded event log under a killed process, rival processes and a full disk."""

from __future__ import annotations

import json
import random
import shutil
import sqlite3
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from helix_lab.adapters.log_sqlite import SqliteEventLog
from helix_lab.domain.model.event import CONVERSATIONS, DEBATES, Entry

ROOT = Path(__file__).parents[2]
CHILD = [sys.executable, "-m", "tests.flow.log_child"]
KILLS = 10
FILE_LIMIT_BYTES = 1_000_000
MOUNT = 'mount -t tmpfs -o size=2m none "$0" && exec "$@"'


@contextmanager
def run_child(*arguments: object) -> Iterator[subprocess.Popen[str]]:
    command = [*CHILD, *map(str, arguments)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as child:
        try:
            yield child
        finally:
            child.kill()


def read_all(path: Path) -> list[Entry]:
    with SqliteEventLog(path) as log:
        return [
            entry
            for topic in (CONVERSATIONS, DEBATES)
            for entry in log.read(topic, 0, start_offset=0, limit=1_000_000)
        ]


def append_until_killed(path: Path, seed: int) -> dict[str, int]:
    """Kill a child with four appending threads after a random number of answers."""
    acknowledged: dict[str, int] = {}
    answers = random.Random(seed).randint(1, 120)
    with run_child("append", path, seed, 4, 0) as child:
        assert child.stdout
        for number, line in enumerate(child.stdout):
            if number == answers:
                child.kill()
            acknowledged |= json.loads(line)
    assert -9 == child.returncode
    return acknowledged


def test_no_acknowledged_event_is_lost_when_the_process_is_killed(tmp_path: Path) -> None:
    path = tmp_path / "log.sqlite"
    acknowledged: dict[str, int] = {}

    for seed in range(KILLS):
        acknowledged |= append_until_killed(path, seed)

        entries = read_all(path)
        offsets = {entry.event.event_id: entry.offset for entry in entries}
        assert len(entries) == len(offsets)
        assert acknowledged == {name: offsets.get(name) for name in acknowledged}
        parts = Counter(entry.event.subject for entry in entries)
        assert parts == {entry.event.subject: entry.event.data["size"] for entry in entries}
    with sqlite3.connect(path) as connection:
        assert [("ok",)] == connection.execute("PRAGMA integrity_check").fetchall()
    connection.close()


def test_two_processes_append_without_loss_and_without_clash(tmp_path: Path) -> None:
    path = tmp_path / "log.sqlite"
    with (
        run_child("append", path, "left", 2, 150) as left,
        run_child("append", path, "right", 2, 150) as right,
    ):
        output = "".join(child.communicate(timeout=60)[0] for child in (left, right))

    answers = [json.loads(line) for line in output.splitlines()]
    acknowledged = {name: offset for answer in answers for name, offset in answer.items()}
    assert 4 * 150 == len(answers)
    assert len(acknowledged) == len(set(acknowledged.values()))
    assert acknowledged == {entry.event.event_id: entry.offset for entry in read_all(path)}


def test_a_process_is_woken_by_the_appends_of_another(tmp_path: Path) -> None:
    with SqliteEventLog(tmp_path / "log.sqlite") as log:
        seen = log.end_offsets([CONVERSATIONS, DEBATES])
        with run_child("append", tmp_path / "log.sqlite", "other", 1, 1):
            assert log.wait_for_append(seen, timeout_s=60)


def check_fill(output: str) -> None:
    seen: dict[str, Any] = json.loads(output)

    assert "event log" == seen["failure"]["details"]["service"]
    assert seen["failure"]["details"]["path"] in seen["failure"]["message"]
    assert "space" in seen["failure"]["message"]
    assert Counter(seen["acknowledged"]) == Counter(seen["while_full"])
    assert seen["retried"]
    assert Counter(seen["acknowledged"] + seen["retried"]) == Counter(seen["finally"])


def test_a_full_disk_refuses_appends_until_there_is_space(tmp_path: Path) -> None:
    if not shutil.which("unshare"):
        pytest.skip("a small disk needs Linux and its `unshare`")
    inside = ["sh", "-c", MOUNT, str(tmp_path), *CHILD, "fill", str(tmp_path), "0"]
    child = subprocess.run(
        ["unshare", "--user", "--map-root-user", "--mount", *inside],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    if "mount:" in child.stderr or "unshare:" in child.stderr:
        pytest.skip(f"this machine lets nobody mount a small disk: {child.stderr.strip()}")

    assert "" == child.stderr
    check_fill(child.stdout)


def test_a_refused_write_leaves_the_log_usable(tmp_path: Path) -> None:
    with run_child("fill", tmp_path, FILE_LIMIT_BYTES) as child:
        output, _ = child.communicate(timeout=60)

    assert 0 == child.returncode
    check_fill(output)
