"""The guide's section "Data Lake", line by line, on a real server with a folder as its lake."""

from __future__ import annotations

import time
from typing import Any

import httpx
import pytest

from tests.flow.labs import PATIENCE_S

CONVERSATION = "lake-123"


@pytest.fixture(scope="module", autouse=True)
def _told(client: httpx.Client) -> None:
    client.post("v1/conversations", json={"conversation_id": CONVERSATION}).raise_for_status()
    client.post(
        f"v1/conversations/{CONVERSATION}/messages", json={"role": "user", "content": "hi"}
    ).raise_for_status()


def post_as_curl(client: httpx.Client, path: str, body: str) -> httpx.Response:
    """As `curl -d` sends it, without a word on what it is."""
    return client.post(
        path, content=body, headers={"Content-Type": "application/x-www-form-urlencoded"}
    )


def await_archive(client: httpx.Client, job_id: str) -> dict[str, Any]:
    deadline = time.monotonic() + PATIENCE_S
    while True:
        status: dict[str, Any] = client.get(f"v1/datalake/archive/{job_id}/status").json()
        if status["completed_at"] is not None or time.monotonic() > deadline:
            return status
        time.sleep(0.02)


def test_a_conversation_is_archived_and_asked_for(client: httpx.Client) -> None:
    answer = post_as_curl(client, "v1/datalake/archive", f'{{"conversation_id": "{CONVERSATION}"}}')
    job = answer.json()
    status = await_archive(client, job["job_id"])
    asked = client.post(
        "v1/datalake/query",
        json={
            "query": "SELECT content FROM conversations WHERE conversation_id = $id",
            "parameters": {"id": CONVERSATION},
        },
    ).json()

    assert 202 == answer.status_code
    assert {"job_id", "status", "conversations_to_archive", "estimated_size_mb"} == set(job)
    assert ("succeeded", 1, 1.0) == (
        status["status"],
        status["conversations_archived"],
        status["progress"],
    )
    assert [["hi"]] == asked["rows"]


def test_a_day_is_archived(client: httpx.Client) -> None:
    job = post_as_curl(client, "v1/datalake/archive", '{"date": "2026-01-29"}').json()

    status = await_archive(client, job["job_id"])

    assert ("succeeded", None) == (status["status"], status["error"])
    # Other tests of the server may have imported what was said on that day.
    assert job["conversations_to_archive"] == status["conversations_archived"]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ('{"date": "2026-13-01"}', 400),
        ('{"date": "29.01.2026"}', 400),
        ('{"date": "2999-01-01"}', 400),
        ('{"conversation_id": "../x"}', 404),
        ("{}", 400),
    ],
)
def test_what_cannot_be_archived_is_refused(client: httpx.Client, body: str, code: int) -> None:
    assert code == post_as_curl(client, "v1/datalake/archive", body).status_code


def test_an_archive_that_there_is_not_is_unknown(client: httpx.Client) -> None:
    assert 404 == client.get("v1/datalake/archive/job-123/status").status_code


@pytest.mark.parametrize("path", ["archive", "restore", "query", "check"])
def test_the_lake_is_closed_without_a_token(client: httpx.Client, path: str) -> None:
    answer = httpx.post(f"{client.base_url}v1/datalake/{path}", json={})

    assert answer.status_code in {401, 403}
