"""Archives and jobs that are killed: opened again they go on, and end with the same bytes."""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Callable
from itertools import count
from pathlib import Path

import pytest

from helix_lab.settings import LakeSettings
from tests.effort import choose
from tests.flow.labs import PATIENCE_S, open_at, say, wait_until
from tests.flow.test_crash import run_child

pytestmark = pytest.mark.long

CONVERSATIONS = 150
KILLS = choose(full=25, quick=3)
"""Of archives, and as many of jobs."""

LONGEST_S = 1.2
"""A process is killed within it; an archive takes about half."""

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


def run_job(folder: Path, lake: Path) -> None:
    """Run a job over the lake; what was begun before goes on first."""
    with open_at(folder, lake=LakeSettings(folder=lake)) as lab:
        job = lab.submit_batch_job(job_type="EntityExtraction", engine="duckdb")
        lab.services.jobs.wait(job.job_id, timeout_s=PATIENCE_S)


def kill_at_random(
    rng: random.Random, at_most: int, work: Callable[..., None], *arguments: object
) -> int:
    """Run it again and again until it comes to its end, or was killed so often; how often."""
    for kills in range(at_most):
        with run_child(work, *arguments) as child:
            child.process.join(rng.uniform(0, LONGEST_S))
            is_running = child.process.is_alive()
        if not is_running:
            return kills
    return at_most


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A lab whose conversations are archived in `whole`, beside it."""
    folder = tmp_path / "lab"
    with open_at(folder, lake=LakeSettings(folder=tmp_path / "whole")) as lab:
        told = [
            json.dumps({"conversation_id": f"c{number % CONVERSATIONS}", **say(make_text(number))})
            for number in range(3 * CONVERSATIONS)
        ]
        (tmp_path / "told.jsonl").write_text("\n".join(told))
        run = lab.start_import(str(tmp_path / "told.jsonl"), wait_s=PATIENCE_S)
        assert "succeeded" == run.state
        job = lab.archive_conversations(all=True)
        lab.services.jobs.wait(job.job_id, timeout_s=PATIENCE_S)
        assert 2 * CONVERSATIONS == lab.get_archive(job.job_id).files_created
    return folder


def make_text(number: int) -> str:
    """Something that names things."""
    return f"{number}: Docker runs on Linux, and Redis {number % 7} keeps what Kafka told."


def come_to_an_end(folder: Path, lake: Path) -> None:
    """Open the lab, and wait for what was begun; the lake is sound then."""
    with open_at(folder, lake=LakeSettings(folder=lake)) as lab:
        for run in lab.list_runs(limit=1000).runs:
            assert "succeeded" == lab.services.jobs.wait(run.run_id, timeout_s=PATIENCE_S).state
        found = lab.check_lake(thorough=True, repair=True)
        assert (True, []) == (found.is_sound, found.orphans)


def test_an_archive_killed_when_so_much_is_written_has_the_same_bytes(
    tmp_path: Path, folder: Path
) -> None:
    lake = tmp_path / "lake"

    for least in KILL_AT:
        with run_child(archive_all, folder, lake) as child:
            wait_until(lambda least=least: len(list(lake.rglob("*.parquet"))) >= least)  # type: ignore[misc]
            child.kill()

    come_to_an_end(folder, lake)
    assert read_folder(tmp_path / "whole") == read_folder(lake)


@pytest.mark.timeout(300)
def test_archives_killed_at_random_moments_have_the_same_bytes(
    tmp_path: Path, folder: Path
) -> None:
    seed = random.randrange(10**6)
    rng, kills = random.Random(seed), 0
    for number in count():
        lake = tmp_path / f"lake-{number}"
        kills += kill_at_random(rng, KILLS - kills, archive_all, folder, lake)

        come_to_an_end(folder, lake)
        assert read_folder(tmp_path / "whole") == read_folder(lake), f"seed {seed}"
        shutil.rmtree(lake)
        if kills == KILLS:
            break


@pytest.mark.timeout(300)
def test_jobs_killed_at_random_moments_find_the_same(tmp_path: Path, folder: Path) -> None:
    lake, seed = tmp_path / "whole", random.randrange(10**6)
    before, rng, kills = read_folder(lake), random.Random(seed), 0
    while kills < KILLS:
        kills += kill_at_random(rng, KILLS - kills, run_job, folder, lake)
        shutil.rmtree(folder / "batch", ignore_errors=True)  # what was read is read again

    come_to_an_end(folder, lake)
    run_job(folder, lake)

    after = read_folder(lake)
    results = {content for path, content in after.items() if path.startswith("results/")}
    assert 1 == len(results), f"seed {seed}"
    assert before == {path: after[path] for path in before}
