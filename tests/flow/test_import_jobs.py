"""Imports as jobs: each item whole, again without harm, cancelled, closed and taken up."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from helix_lab.domain.model.errors import InvalidRequest
from helix_lab.lab import Lab
from tests.flow.labs import PATIENCE_S, contents, dump_stores, open_at, wait_until

ROOT = Path(__file__).parents[2]
MESSAGES = 30_000
CONVERSATIONS = 10


def write_messages(path: Path, count: int = MESSAGES) -> Path:
    """A file of messages of some conversations, in turns."""
    with path.open("w", encoding="utf-8") as file:
        for number in range(count):
            line = {
                "conversation_id": f"c{number % CONVERSATIONS}",
                "message_id": f"m{number}",
                "role": "user",
                "content": f"message {number}",
            }
            file.write(json.dumps(line) + "\n")
    return path


def expected(count: int = MESSAGES) -> dict[str, list[str]]:
    return {
        f"c{name}": [f"message {number}" for number in range(name, count, CONVERSATIONS)]
        for name in range(CONVERSATIONS)
    }


def read_all(lab: Lab) -> dict[str, list[str]]:
    return {f"c{name}": contents(lab, f"c{name}") for name in range(CONVERSATIONS)}


def finish(lab: Lab, run_id: str) -> Any:
    assert lab.services.jobs.wait(run_id, timeout_s=PATIENCE_S).is_ended
    return lab.get_run(run_id)


def has_begun(lab: Lab, run_id: str) -> Callable[[], bool]:
    return lambda: lab.get_run(run_id).progress > 0


def test_a_second_import_of_a_file_adds_nothing(lab: Lab, tmp_path: Path) -> None:
    path = write_messages(tmp_path / "messages.jsonl", 1_000)

    first = finish(lab, lab.start_import(str(path)).run_id)
    stores = dump_stores(lab)
    again = finish(lab, lab.start_import(str(path)).run_id)

    assert ("succeeded", "succeeded") == (first.state, again.state)
    assert (first.result["events"], first.result["events"], 0) == (
        first.result["new_events"],
        again.result["events"],
        again.result["new_events"],
    )
    assert expected(1_000) == read_all(lab)
    assert stores == dump_stores(lab)


def test_an_import_that_is_cancelled_keeps_what_is_in_and_can_be_completed(
    lab: Lab, tmp_path: Path
) -> None:
    path = write_messages(tmp_path / "messages.jsonl")
    run = lab.start_import(str(path))
    wait_until(has_begun(lab, run.run_id))

    lab.cancel_run(run.run_id)
    cancelled = finish(lab, run.run_id)
    again = finish(lab, lab.start_import(str(path)).run_id)

    assert ("cancelled", "succeeded") == (cancelled.state, again.state)
    assert expected() == read_all(lab)


def test_an_import_goes_on_when_the_lab_opens_again(tmp_path: Path) -> None:
    path = write_messages(tmp_path / "messages.jsonl")
    with open_at(tmp_path / "lab") as lab:
        run = lab.start_import(str(path))
        wait_until(has_begun(lab, run.run_id))
    with open_at(tmp_path / "lab") as lab:
        assert "succeeded" == finish(lab, run.run_id).state
        assert expected() == read_all(lab)


@pytest.mark.parametrize("end", ["succeeded", "cancelled", "failed"])
def test_an_uploaded_copy_is_deleted_however_the_import_ends(
    lab: Lab, tmp_path: Path, end: str
) -> None:
    path = tmp_path / "copy.jsonl"
    if end == "failed":
        path.write_bytes(b"\x00\x01 nothing that is known")
    else:
        write_messages(path, MESSAGES if end == "cancelled" else 100)

    run = lab.start_import(str(path), is_upload=True)
    if end == "cancelled":
        lab.cancel_run(run.run_id)

    assert end == finish(lab, run.run_id).state
    wait_until(lambda: not path.exists())


def test_an_uploaded_copy_is_kept_for_the_next_opening(tmp_path: Path) -> None:
    path = write_messages(tmp_path / "copy.jsonl")
    with open_at(tmp_path / "lab") as lab:
        run = lab.start_import(str(path), is_upload=True)
        wait_until(has_begun(lab, run.run_id))
    was_kept = path.exists()
    with open_at(tmp_path / "lab") as lab:
        assert "succeeded" == finish(lab, run.run_id).state
        assert expected() == read_all(lab)
        wait_until(lambda: not path.exists())

    assert was_kept


def test_an_import_that_deleted_its_upload_has_ended_even_if_the_process_dies(
    tmp_path: Path,
) -> None:
    path = write_messages(tmp_path / "copy.jsonl", 1_000)
    command = [sys.executable, "-m", "tests.flow.lab_trouble", "import-and-die", str(tmp_path)]
    done = subprocess.run(command, check=False, cwd=ROOT, timeout=2 * PATIENCE_S)
    was_deleted = not path.exists()

    with open_at(tmp_path / "lab") as lab:
        (run,) = lab.list_runs().runs
        assert "succeeded" == finish(lab, run.run_id).state
        assert expected(1_000) == read_all(lab)

    assert -signal.SIGKILL == done.returncode
    assert was_deleted


def test_lines_that_are_refused_are_listed_and_the_others_go_in(lab: Lab, tmp_path: Path) -> None:
    path = write_messages(tmp_path / "messages.jsonl", 50)
    with path.open("a", encoding="utf-8") as file:
        file.write('{"conversation_id": "c1", "role": "robot", "content": "x"}\n')
        file.write("this is no JSON\n")
        file.write(
            '{"conversation_id": "c1", "message_id": "m1", "role": "user", "content": "y"}\n'
        )

    run = finish(lab, lab.start_import(str(path)).run_id)

    assert "succeeded" == run.state
    assert 3 == run.result["refused_count"] == len(run.result["refused"])
    assert expected(50) == read_all(lab)
    report = lab.data_folder.path / "imports" / f"{run.run_id}.refused.jsonl"
    assert run.result["refused"] == [json.loads(line) for line in report.read_text().splitlines()]


@pytest.mark.parametrize("name", ["absent.jsonl", "", "."])
def test_a_file_that_is_not_there_is_refused_at_once(lab: Lab, tmp_path: Path, name: str) -> None:
    with pytest.raises(InvalidRequest, match="path"):
        lab.start_import(str(tmp_path / name) if name else "")

    assert [] == lab.list_runs().runs


def test_runs_are_listed_newest_first_by_kind_and_state(lab: Lab, tmp_path: Path) -> None:
    good = write_messages(tmp_path / "good.jsonl", 10)
    bad = tmp_path / "bad.jsonl"
    bad.write_bytes(b"\x00")
    for path in (good, bad, good):
        finish(lab, lab.start_import(str(path)).run_id)
    finish(lab, lab.rebuild_store("analytics").run_id)

    listed = lab.list_runs(limit=3)
    rest = lab.list_runs(limit=3, cursor=listed.next_cursor)

    kinds = [(run.kind, run.state) for run in [*listed.runs, *rest.runs]]
    assert [
        ("rebuild", "succeeded"),
        ("import", "succeeded"),
        ("import", "failed"),
        ("import", "succeeded"),
    ] == kinds
    assert rest.next_cursor is None
    assert ["failed"] == [run.state for run in lab.list_runs(kind="import", state="failed").runs]
    assert [] == lab.list_runs(kind="debate").runs
