"""Data folders that are damaged, read-only or full, and labs that are closed."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest

from helix_lab.domain.model.errors import DataFolderInUse, Unavailable
from helix_lab.lab import Lab
from helix_lab.operations.operation import Operation
from helix_lab.operations.table import OPERATIONS
from tests.flow.labs import catch_up, contents, dump_stores, open_at, say

ROOT = Path(__file__).parents[2]
FILES = ("log.sqlite", "records.sqlite", "analytics.duckdb")
VALUES: dict[str, Any] = {
    "provider": "offline",
    "user_id": "u",
    "name": "provider-performance",
    "conversation_id": "c",
    "debate_id": "d",
    "run_id": "r",
    "memory_id": "m",
    "conflict_id": "c",
    "proposal_id": "p",
    "pattern_id": "p",
    "opinion": "mute",
    "action": "undo",
    "node_id": "n",
    "message_id": "m",
    "result_id": "a",
    "job_id": "archive-1",
    "schedule_id": "s",
    "content": "A fact",
    "cron": "0 7 * * 1",
    "topic": "t",
    "store": "analytics",
    "query": "SELECT 1",
    "entity": "Docker",
    "entity_id": "Docker",
    "other": "Redis",
    "source": "Docker",
    "target": "Redis",
    "from": "Docker",
    "to": "Redis",
    "trace_id": "t",
    "cypher": "RETURN 1",
    "messages": [say("a")],
    "path": __file__,
    "job_type": "ProviderPerformance",
}


def run_child(*arguments: object) -> dict[str, Any]:
    """What `lab_trouble` saw."""
    command = [sys.executable, "-m", "tests.flow.lab_trouble", *map(str, arguments)]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    assert 0 == done.returncode, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("content", [b"not a database", os.urandom(100_000)], ids=["text", "noise"])
def test_a_damaged_file_is_named_and_the_folder_is_let_go(
    tmp_path: Path, name: str, content: bytes
) -> None:
    (tmp_path / name).write_bytes(content)

    with pytest.raises(Unavailable, match=name.replace(".", r"\.")):
        open_at(tmp_path)

    (tmp_path / name).unlink()
    open_at(tmp_path).close()


@pytest.mark.parametrize("name", FILES)
def test_a_folder_where_a_file_should_be_is_named(tmp_path: Path, name: str) -> None:
    (tmp_path / name).mkdir()

    with pytest.raises(Unavailable, match=name.replace(".", r"\.")):
        open_at(tmp_path)


@pytest.mark.parametrize("name", ["a b", "a#b", "a%20b", "é'\"", "-", "x" * 200])
def test_a_folder_may_have_any_name(tmp_path: Path, name: str) -> None:
    with open_at(tmp_path / name) as lab:
        lab.start_conversation(conversation_id="c")

    assert {name} == {path.name for path in tmp_path.iterdir()}
    assert set(FILES) <= {path.name for path in (tmp_path / name).iterdir()}


def test_a_second_lab_of_a_folder_is_told_who_has_it(tmp_path: Path) -> None:
    with open_at(tmp_path), pytest.raises(DataFolderInUse, match=f"process {os.getpid()}"):
        open_at(tmp_path)

    open_at(tmp_path).close()


def test_everything_in_the_folder_is_for_its_owner_alone(lab: Lab) -> None:
    lab.start_conversation(conversation_id="c")
    lab.append_messages("c", [say("a")])
    lab.start_debate("Tea?", wait_s=30)
    catch_up(lab)

    folder = lab.data_folder.path
    assert (folder / "analytics.duckdb.wal").exists()
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in [folder, *folder.rglob("*")]}

    open_to_others = {name: oct(mode) for name, mode in modes.items() if mode & 0o077}
    assert {} == open_to_others


@pytest.fixture(scope="module")
def closed_lab(tmp_path_factory: pytest.TempPathFactory) -> Lab:
    lab = open_at(tmp_path_factory.mktemp("closed"))
    lab.close()
    lab.close()
    return lab


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
def test_a_closed_lab_refuses_every_operation(closed_lab: Lab, operation: Operation) -> None:
    fields = operation.request.model_fields
    values = {name: VALUES[name] for name, field in fields.items() if field.is_required()}

    if operation.name == "get_health":
        assert "degraded" == closed_lab.call(operation, values).model_dump()["status"]
        return
    with pytest.raises(Unavailable, match="closed"):
        closed_lab.call(operation, values)


def test_a_lab_that_was_not_closed_closes_with_the_program(tmp_path: Path) -> None:
    code = f"""
from pathlib import Path
from tests.flow.labs import open_at, say
lab = open_at(Path({str(tmp_path)!r}))
lab.start_conversation(conversation_id="c")
lab.append_messages("c", [say("a")])
lab.start_debate("Tea?", conversation_id="c")
"""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert (0, "", "") == (done.returncode, done.stdout, done.stderr)
    assert not (tmp_path / "owner.json").exists()
    with open_at(tmp_path) as lab:
        assert "a" == contents(lab, "c")[0]


def test_a_folder_that_may_not_be_written_is_named() -> None:
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        place = Path(folder) / "lab"
        place.mkdir(mode=0o555)

        seen = run_child("read-only", place)

    assert "SERVICE_UNAVAILABLE" == seen["code"]
    assert str(place) in seen["message"]
    assert "HELIX_DATA_DIR" in seen["message"]


def test_a_full_disk_refuses_by_name_and_everything_goes_on_when_there_is_room(
    tmp_path: Path,
) -> None:
    seen = run_child("full", tmp_path)

    assert "LOG_WRITE_FAILED" == seen["code"]
    assert "log.sqlite" in seen["message"]
    assert seen["acknowledged"] == seen["while_full"]
    assert [*seen["acknowledged"], "after"] == seen["finally"]
    with open_at(tmp_path) as lab:
        assert seen["finally"] == contents(lab, "c")
        assert len(seen["finally"]) == dump_stores(lab)["conversation"][0]["message_count"]
