"""Jobs of jupyter-scheduler that run as reports, on a real server with that extension."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.reports.making import write_report
from tests.server.live import LiveServer, serve, wait_for

pytestmark = pytest.mark.skipif(
    find_spec("jupyter_scheduler") is None,
    reason="jupyter-scheduler is not installed: pip install 'helix-lab[scheduler]'",
)

CLASS = "helix_lab.jobs.reports.executor.ReportExecutionManager"
RULES = {
    "word": {"type": "string"},
    "count": {"type": "integer"},
    "key": {"type": "string", "secret": True},
}
ENDED = {"COMPLETED", "FAILED"}  # before it begins, a job of jupyter-scheduler is STOPPED


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    home = tmp_path_factory.mktemp("scheduler")
    source = "print([word, count, hx.get_info().name])"
    write_report(home, "words", source, parameters="word = ''\ncount = 0\nkey = ''", schema=RULES)
    with serve(home, f"--Scheduler.execution_manager_class={CLASS}") as live:
        yield live


def run_job(live: LiveServer, parameters: dict[str, Any]) -> dict[str, Any]:
    """Have jupyter-scheduler run the report; its job, ended."""
    with live.client() as client:
        environment = client.get("scheduler/runtime_environments").json()[0]["name"]
        job = {
            "name": "words",
            "input_uri": "words.ipynb",
            "runtime_environment_name": environment,
            "output_formats": ["ipynb", "html"],
            "parameters": parameters,
        }
        made = client.post("scheduler/jobs", json=job)
        assert made.is_success, made.text
        return wait_for(lambda: find_ended(client, made.json()["job_id"]), "the end", limit_s=90)


def find_ended(client: httpx.Client, job_id: str) -> dict[str, Any]:
    """The job, or nothing while it goes on."""
    job: dict[str, Any] = client.get(f"scheduler/jobs/{job_id}").json()
    return job if job["status"] in ENDED else {}


def read_outputs(live: LiveServer, job: dict[str, Any], suffix: str) -> str:
    paths: list[Path] = list(live.folder.rglob(f"{job['job_id']}/words-*.{suffix}"))
    return "".join(path.read_text() for path in paths)


def test_parameters_are_values_of_their_types_and_never_code(live: LiveServer) -> None:
    job = run_job(live, {"word": '"; import os #', "count": "7"})

    assert "COMPLETED" == job["status"], live.read_log()
    said = """['"; import os #', 7, 'helix-lab']"""
    assert said in read_outputs(live, job, "html").replace("&#34;", '"').replace("&#39;", "'")
    assert "import os #" in read_outputs(live, job, "ipynb")


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ({"count": "many"}, "must be integer"),
        ({"key": "a secret of mine"}, "jupyter-scheduler would store it"),
    ],
)
def test_what_does_not_fit_fails_the_job_with_the_reason(
    live: LiveServer, parameters: dict[str, Any], said: str
) -> None:
    job = run_job(live, parameters)

    assert "FAILED" == job["status"]
    assert said in job["status_message"]
