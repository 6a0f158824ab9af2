"""Reports over HTTP: run by a kernel that asks the server, and read in a sandbox."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from tests.reports.making import write_report
from tests.server.live import LiveServer

FILES = {"table.csv": "a,b", "page.svg": "<svg/>", "note.txt": "words", "bad name?.txt": "x"}


@pytest.fixture(scope="module")
def run(server: LiveServer, client: httpx.Client) -> str:
    """A run of a report that asked the lab and wrote files; its id."""
    write_report(
        server.folder / "lab" / "reports",
        "ask",
        "print(hx.get_info().name, word)",
        f"for name, text in {FILES!r}.items():\n    open(name, 'w').write(text)",
        parameters="word = ''",
        schema={"word": {"type": "string"}},
    )
    answer = client.post("v1/reports/ask/runs", json={"parameters": {"word": "hi"}, "wait_s": 60})
    assert (200, "succeeded") == (answer.status_code, answer.json()["state"]), answer.text
    assert answer.headers["Location"].endswith(f"/v1/runs/{answer.json()['run_id']}")
    run_id: str = answer.json()["run_id"]
    return run_id


def test_the_kernel_of_a_report_asks_the_server_that_runs_it(
    client: httpx.Client, run: str
) -> None:
    notebook = client.get(f"v1/runs/{run}/artifacts/report.ipynb")

    assert "helix-lab hi" in notebook.text


@pytest.mark.parametrize(
    ("name", "content_type", "place"),
    [
        ("report.html", "text/html; charset=utf-8", "inline"),
        ("note.txt", "text/plain; charset=utf-8", "inline"),
        ("report.ipynb", "application/x-ipynb+json", "attachment"),
        ("table.csv", "text/csv; charset=utf-8", "attachment"),
        ("page.svg", "application/octet-stream", "attachment"),
    ],
)
def test_a_file_is_sent_in_a_sandbox(
    client: httpx.Client, run: str, name: str, content_type: str, place: str
) -> None:
    answer = client.get(f"v1/runs/{run}/artifacts/{name}")
    head = client.head(f"v1/runs/{run}/artifacts/{name}")

    assert 200 == answer.status_code
    assert content_type == answer.headers["Content-Type"]
    assert answer.headers["Content-Disposition"].startswith(f"{place}; ")
    assert "sandbox allow-scripts" == answer.headers["Content-Security-Policy"]
    assert "nosniff" == answer.headers["X-Content-Type-Options"]
    assert str(len(answer.content)) == head.headers["Content-Length"]
    assert content_type == head.headers["Content-Type"]


@pytest.mark.parametrize(
    "name", ["nothing.html", "bad%20name%3F.txt", "..%2F..%2Fowner.json", "%2E%2E", ".child.log"]
)
def test_a_file_that_the_run_did_not_make_is_not_found(
    client: httpx.Client, run: str, name: str
) -> None:
    answer = client.get(f"v1/runs/{run}/artifacts/{name}")

    assert (404, "ARTIFACT_NOT_FOUND") == (answer.status_code, answer.json()["error"]["code"])


def test_a_run_that_there_is_not_has_no_files(client: httpx.Client) -> None:
    answer = client.get("v1/runs/nothing/artifacts/report.html")

    assert (404, "RUN_NOT_FOUND") == (answer.status_code, answer.json()["error"]["code"])


def test_the_history_of_reports_is_that_of_runs(client: httpx.Client, run: str) -> None:
    listed = client.get("v1/runs", params={"kind": "report"}).json()["runs"]

    assert run in {item["run_id"] for item in listed}


@pytest.mark.parametrize(
    ("path", "body", "status", "code"),
    [
        ("v1/reports/nothing/runs", {}, 404, "REPORT_NOT_FOUND"),
        ("v1/reports/provider-performance/runs", {"parameters": {"x": 1}}, 400, "INVALID_REQUEST"),
        (
            "v1/reports/provider-performance/runs",
            {"parameters": {"window": 7}},
            400,
            "INVALID_REQUEST",
        ),
    ],
)
def test_what_does_not_fit_is_refused(
    client: httpx.Client, path: str, body: dict[str, object], status: int, code: str
) -> None:
    answer = client.post(path, json=body)

    assert (status, code) == (answer.status_code, answer.json()["error"]["code"])


def test_a_report_that_cannot_run_is_listed_with_its_problem(
    server: LiveServer, client: httpx.Client
) -> None:
    folder: Path = server.folder / "lab" / "reports"
    write_report(folder, "bare", parameters=None)

    found = {item["name"]: item for item in client.get("v1/reports").json()["reports"]}

    assert "tagged 'parameters'" in found["bare"]["problem"]
    assert found["provider-performance"]["problem"] is None
