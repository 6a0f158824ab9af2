"""A lab that is killed: nothing acknowledged is lost or doubled, and jobs go on."""

from __future__ import annotations

import json
import multiprocessing
import os
import random
import signal
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from helix_lab.settings import ProviderSettings
from helix_lab.testing.fake_llm import FakeLLM
from tests.effort import choose
from tests.flow import lab_child
from tests.flow.labs import PATIENCE_S, dump_stores, open_at, rebuild

pytestmark = pytest.mark.long

KILLS = choose(full=50, quick=10)
THREADS = 3


@dataclass
class Child:
    """A process of its own, and the lines that it tells."""

    process: multiprocessing.process.BaseProcess
    lines: Iterator[str]

    def kill(self) -> None:
        self.process.kill()


@contextmanager
def run_child(work: Callable[..., None], *arguments: object) -> Iterator[Child]:
    """Fork a process from one that has all modules loaded, for loading them takes a second."""
    processes = multiprocessing.get_context("forkserver")
    processes.set_forkserver_preload([lab_child.__name__])
    reading, writing = processes.Pipe(duplex=False)
    child = processes.Process(target=lab_child.run, args=(writing, work, *arguments))
    child.start()
    writing.close()
    with reading, os.fdopen(os.dup(reading.fileno()), encoding="utf-8") as lines:
        try:
            yield Child(child, lines)
        finally:
            child.kill()
            child.join()


def write_until_killed(folder: Path, seed: int) -> list[dict[str, Any]]:
    """Kill a writing child after a random number of answers; the answers, late ones too."""
    answers = random.Random(seed).randint(1, 60)
    told: list[dict[str, Any]] = []
    with run_child(lab_child.write, folder, f"{seed:03}", THREADS) as child:
        for line in child.lines:
            told.append(json.loads(line))
            if len(told) == answers:
                child.kill()
    assert -signal.SIGKILL == child.process.exitcode
    return told


@pytest.mark.timeout(300)
def test_kills_at_random_moments_lose_no_acknowledged_message_and_double_none(
    tmp_path: Path,
) -> None:
    acknowledged: dict[str, list[str]] = defaultdict(list)

    for seed in range(KILLS):
        for answer in write_until_killed(tmp_path, seed):
            acknowledged[answer["conversation"]] += answer["ids"]

    with open_at(tmp_path) as lab:
        for conversation_id, ids in acknowledged.items():
            replayed = [m.message_id for m in lab.replay(conversation_id).messages]
            assert [] == [name for name, number in Counter(replayed).items() if number > 1]
            assert set() == set(ids) - set(replayed)
            assert sorted(replayed) == replayed, "the order of the writer"
        for run in lab.list_runs(kind="debate", limit=1000).runs:
            ended = lab.services.jobs.wait(run.run_id, timeout_s=PATIENCE_S)
            assert "succeeded" == ended.state, ended.error
        # What is learned is recorded too: until there is no more to tell.
        while lab.services.learner.look():
            pass
        live = dump_stores(lab)
        rebuild(lab, "conversations")
        rebuild(lab, "analytics")
        assert live == dump_stores(lab)
        written = sum(c["message_count"] for c in live["conversation"] if c["source"] == "api")
        assert written >= sum(map(len, acknowledged.values())) > KILLS


@pytest.mark.parametrize("calls", [1, 2, 3, 4, 5, 6, 7, 8])
def test_a_debate_killed_in_the_middle_goes_on_and_asks_nobody_twice(
    tmp_path: Path, calls: int
) -> None:
    with FakeLLM(delay_ms=30) as fake:
        provider = ProviderSettings("fake", fake.base_url, "sage")
        with run_child(lab_child.debate, tmp_path, fake.base_url, calls) as child:
            debate_id = json.loads(next(child.lines))["debate_id"]
            fake.wait_for_calls(calls, timeout_s=PATIENCE_S)
            child.kill()
        fake.wait_until_idle(timeout_s=PATIENCE_S)

        with open_at(tmp_path, provider) as lab:
            run = lab.services.jobs.wait(debate_id, timeout_s=PATIENCE_S)
            debate = lab.get_debate(debate_id)

        assert "succeeded" == run.state, run.error
        assert 0 == fake.stats()["repeated_calls"]
        keys = [(turn.round, turn.role, turn.seat) for turn in debate.turns]
        assert len(keys) == len(set(keys))
        codes = {turn.error_code for turn in debate.turns if turn.error_code}
        assert codes <= {"INTERRUPTED"}
        answered = [turn for turn in debate.turns if turn.error_code is None]
        assert len(answered) <= fake.stats()["calls"] <= len(debate.turns)
