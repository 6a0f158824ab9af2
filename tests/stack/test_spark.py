"""Spark computes on its workers, reaches S3, and leaves nothing when it goes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import psutil
import pytest

from helix_lab.stack.spark import WORKERS
from helix_lab.stack.stack import Stack
from tests.flow.labs import wait_until
from tests.stack.test_lifecycle import list_processes
from tests.tiers import Running

APPLICATION = Path(__file__).with_name("spark_application.py")
pytestmark = [pytest.mark.services("spark", "s3"), pytest.mark.timeout(400)]


@contextmanager
def applying(variables: dict[str, str], temporary: str) -> Iterator[IO[str]]:
    """An application, of which the output is given."""
    command = [sys.executable, str(APPLICATION), variables["HELIX_SPARK_URL"]]
    own = {"SPARK_LOCAL_DIRS": temporary, "SPARK_LOCAL_IP": "127.0.0.1", "TMPDIR": temporary}
    with subprocess.Popen(
        [*command, variables["SPARK_DIST_CLASSPATH"]],
        env={**os.environ, **variables, **own},
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            assert process.stdout is not None
            yield process.stdout
        finally:
            os.killpg(process.pid, 9)  # its JVM, too


def test_an_application_uses_both_workers_and_s3_and_none_of_it_is_left(
    stack: Stack, folder: Path, running_services: Running
) -> None:
    stack.up({"spark": 1})
    variables = {**running_services("s3"), **stack.read_variables()}

    with (
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as temporary,
        applying(variables, temporary) as output,
    ):
        told = json.loads(output.readline())
        executors = [
            process
            for process in list_processes(folder)
            if "CoarseGrainedExecutorBackend" in " ".join(process.cmdline())
        ]
        stack.down()
        wait_until(lambda: [] == list_processes(folder), timeout_s=60)

    assert told["application"].startswith("app-")  # else it ran in its own process alone
    assert sum(range(1000)) == told["total"]
    assert WORKERS == len(executors)
    assert WORKERS == len({Path(found).parents[1] for found in told["folders"]})


def test_spark_without_its_master_has_failed_and_without_a_worker_goes_on(stack: Stack) -> None:
    stack.up({"spark": 1})
    master, worker, _ = (pid for pid, _ in stack.read_state().services["spark"].processes)

    os.kill(worker, 9)
    wait_until(lambda: not psutil.pid_exists(worker))  # the supervisor took notice of its end
    state = stack.read_state().services["spark"].state
    os.kill(master, 9)
    wait_until(lambda: "failed" == stack.read_state().services["spark"].state, timeout_s=60)

    assert "ready" == state
    assert "spark-master ended" in str(stack.read_state().services["spark"].problem)
