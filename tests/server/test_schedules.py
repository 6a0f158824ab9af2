"""Schedules over HTTP, on a server that goes away and comes back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import sqlalchemy as sa

from helix_lab.records.database import Records
from helix_lab.records.tables import SCHEDULE
from tests.reports.making import write_report
from tests.server.live import serve, wait_for

pytestmark = pytest.mark.long

ROUTE = "v1/reports/provider-performance/schedules"
MONDAYS = {"cron": "0 7 * * 1", "timezone": "Europe/Berlin", "parameters": {"window": "30d"}}


def make_overdue(folder: Path, schedule_id: str) -> None:
    """Set a schedule back by three minutes, as if the server had been off so long."""
    records = Records.embedded(folder / "lab" / "records.sqlite")
    overdue = datetime.now(UTC) - timedelta(minutes=3)
    with records.write() as connection:
        this = sa.update(SCHEDULE).where(SCHEDULE.c.schedule_id == schedule_id)
        connection.execute(this.values(next_at=overdue))
    records.close()


def find_run(client: httpx.Client, schedule_id: str) -> dict[str, Any]:
    """The ended run of a schedule, or nothing while there is none."""
    for run in client.get("v1/runs", params={"kind": "report"}).json()["runs"]:
        if run["schedule_id"] == schedule_id and run["ended_at"] is not None:
            found: dict[str, Any] = run
            return found
    return {}


def test_a_schedule_that_came_due_while_the_server_was_off_runs_when_it_is_back(
    tmp_path: Path,
) -> None:
    write_report(tmp_path / "lab" / "reports", "ask", "print('it is', hx.get_info().name)")
    with serve(tmp_path) as live, live.client() as client:
        made = client.post("v1/reports/ask/schedules", json={"cron": "* * * * *"}).json()
    schedule_id = made["schedule_id"]
    make_overdue(tmp_path, schedule_id)

    with serve(tmp_path) as live, live.client() as client:
        run = wait_for(lambda: find_run(client, schedule_id), "the run", limit_s=60)
        found = client.get(f"v1/schedules/{schedule_id}").json()
        page = client.get(f"v1/runs/{run['run_id']}/artifacts/report.html")

    assert ("succeeded", None) == (run["state"], run["error"])
    assert "it is helix-lab" in page.text
    assert found["last_run_id"].startswith(f"{schedule_id}-")
    assert datetime.fromisoformat(found["next_at"]) > datetime.fromisoformat(made["created_at"])


def test_a_schedule_is_made_shown_paused_resumed_and_deleted(client: httpx.Client) -> None:
    answer = client.post(ROUTE, json=MONDAYS)
    made = answer.json()
    path = f"v1/schedules/{made['schedule_id']}"

    assert (201, f"/{path}") == (answer.status_code, answer.headers["Location"])
    assert "At 07:00 on Monday" == made["meaning"]
    assert MONDAYS == {name: made[name] for name in MONDAYS}
    assert made == client.get(path).json()
    listed = client.get("v1/schedules", params={"report": "provider-performance"}).json()
    assert made in listed["schedules"]
    paused = client.post(f"{path}/pause", json={}).json()
    assert (True, None) == (paused["is_paused"], paused["next_at"])
    assert made["next_at"] == client.post(f"{path}/resume", json={}).json()["next_at"]
    assert made["schedule_id"] == client.delete(path).json()["schedule_id"]
    gone = client.get(path)
    assert (404, "SCHEDULE_NOT_FOUND") == (gone.status_code, gone.json()["error"]["code"])


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"cron": "every monday"}, "cron"),
        ({"cron": ""}, "cron"),
        ({"cron": "0 7 * * 9"}, "cron"),
        ({"timezone": "Mars/Olympus"}, "timezone"),
        ({"parameters": {"window": 7}}, "parameters.window"),
        ({"parameters": {"widnow": "7d"}}, "parameters.widnow"),
        ({"secrets": {"window": "HOME"}}, "secrets.window"),
        ({"late_s": 1}, "late_s"),
    ],
)
def test_what_does_not_fit_is_refused_with_the_field(
    client: httpx.Client, change: dict[str, Any], field: str
) -> None:
    answer = client.post(ROUTE, json=MONDAYS | change)

    assert 400 == answer.status_code
    assert field == answer.json()["error"]["details"]["field"]


def test_a_report_that_there_is_not_is_not_found(client: httpx.Client) -> None:
    answer = client.post("v1/reports/nothing/schedules", json={"cron": "0 7 * * 1"})

    assert (404, "REPORT_NOT_FOUND") == (answer.status_code, answer.json()["error"]["code"])


def test_without_a_zone_the_clocks_are_those_of_utc(client: httpx.Client) -> None:
    made = client.post(ROUTE, json={"cron": "0 0 1 1 *"}).json()

    assert "UTC" == made["timezone"]
    assert made["next_at"].endswith("-01-01T00:00:00Z")
    client.delete(f"v1/schedules/{made['schedule_id']}").raise_for_status()
