"""An archive that is killed: opened again it goes on, and ends with the same bytes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from helix_lab.settings import LakeSettings
from tests.flow.labs import PATIENCE_S, open_at, say, wait_until
from tests.flow.test_crash import run_child

pytestmark = pytest.mark.long

CONVERSATIONS = 150
KILL_AT = (1, 60, 170)
"""So many files are there when the process is killed; there will be two a conversation."""


def archive_all(folder: Path, lake: Path) -> None:
    """Archive everything; what was begun before goes on first."""
    with open_at(folder, lake=LakeSettings(folder=lake)) as lab:
        job = lab.archive_conversations(all=True)
        lab.services.jobs.wait(job.job_id, timeout_s=PATIENCE_S)


def read_folder(lake: Path) -> dict[str, bytes]:
    return {
        path.relative_to(lake).as_posix(): path.read_bytes()
        for path in lake.rglob("*")
        if path.is_file()
    }


def test_a_killed_archive_goes_on_and_has_the_same_bytes(tmp_path: Path) -> None:
    folder, lake = tmp_path / "lab", tmp_path / "lake"
    with open_at(folder, lake=LakeSettings(folder=tmp_path / "whole")) as lab:
        told = [
            json.dumps({"conversation_id": f"c{number % CONVERSATIONS}", **say(f"{number}")})
            for number in range(3 * CONVERSATIONS)
        ]
        (tmp_path / "told.jsonl").write_text("\n".join(told))
        run = lab.start_import(str(tmp_path / "told.jsonl"), wait_s=PATIENCE_S)
        assert "succeeded" == run.state
        job = lab.archive_conversations(all=True)
        lab.services.jobs.wait(job.job_id, timeout_s=PATIENCE_S)
        assert 2 * CONVERSATIONS == lab.get_archive(job.job_id).files_created

    for least in KILL_AT:
        with run_child(archive_all, folder, lake) as child:
            wait_until(lambda least=least: len(list(lake.rglob("*.parquet"))) >= least)  # type: ignore[misc]
            child.kill()

    with open_at(folder, lake=LakeSettings(folder=lake)) as lab:
        unfinished = lab.list_runs(kind="archive").runs
        for run in unfinished:
            assert "succeeded" == lab.services.jobs.wait(run.run_id, timeout_s=PATIENCE_S).state
        found = lab.check_lake(thorough=True, repair=True)
        assert (True, []) == (found.is_sound, found.orphans)

    assert read_folder(tmp_path / "whole") == read_folder(lake)
