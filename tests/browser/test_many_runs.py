"""A thousand runs in the panel."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from playwright.sync_api import expect

from helix_lab.lab import open_lab as open_lab_in_process
from helix_lab.records.tables import RUN
from tests.browser.conftest import OpenLab
from tests.server.live import serve

RUNS = 1_000
DRAWN_AT_MOST = 60

# Scrolls through the list, a screenful a frame, to its end, and gives the most rows it ever drew.
_SCROLL = """list => new Promise(done => {
  let most = 0, still = 0;
  const step = () => {
    most = Math.max(most, list.querySelectorAll('.hx-Runs-row').length);
    const top = list.scrollTop;
    list.scrollTop += list.clientHeight;
    still = list.scrollTop === top ? still + 1 : 0;
    still < 60 ? requestAnimationFrame(step) : done(most);
  };
  requestAnimationFrame(step);
})"""


def make_run(number: int) -> dict[str, Any]:
    moment = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=number)
    return {
        "run_id": f"run-{number:04}",
        "kind": "rebuild",
        "state": "cancelled",
        "progress": 0.5,
        "request": {"store": "analytics"},
        "artifacts": [],
        "cancel_requested": True,
        "created_at": moment,
        "started_at": moment,
        "ended_at": moment,
    }


def test_a_thousand_runs_scroll_to_the_last_and_only_those_in_sight_are_drawn(
    tmp_path: Path, open_lab: OpenLab
) -> None:
    with (
        open_lab_in_process(tmp_path / "lab") as lab,
        lab.services.jobs.store._records.write() as connection,
    ):
        connection.execute(sa.insert(RUN), [make_run(number) for number in range(RUNS)])
    with serve(tmp_path) as live:
        page = open_lab(live)
        expect(page.locator('[data-run="run-0999"]')).to_contain_text("cancelled")

        most_drawn = page.locator(".hx-Runs-list").evaluate(_SCROLL)

        expect(page.locator('[data-run="run-0000"]')).to_be_visible()
        assert 0 < most_drawn < DRAWN_AT_MOST
