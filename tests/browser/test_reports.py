"""Reports in the panel: run by a form, scheduled by it, and read in a sandbox."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import OpenLab
from tests.browser.test_accessibility import GRAVE
from tests.reports.making import write_report
from tests.server.live import LiveServer

TRIES = 5
SHORT_MS = 10_000

RUN_LIMIT_MS = 90_000
SCHEMA = {
    "limit": {"type": "integer", "minimum": 1, "default": 3, "description": "how many"},
    "key": {"type": "string", "secret": True},
    "exact": {"type": "boolean"},
    "names": {"type": "array", "items": {"type": "string"}},
}


def report(page: Page, name: str) -> Locator:
    return page.locator(f'#helix-lab-panel [data-report="{name}"]')


@pytest.fixture
def typed(server: LiveServer) -> Iterator[str]:
    """A report with a parameter of each form; its name."""
    folder = server.folder / "lab" / "reports"
    text = "limit = 3\nkey = ''\nexact = False\nnames = []"
    path: Path = write_report(folder, "typed", parameters=text, schema=SCHEMA)
    yield "typed"
    path.unlink()


def test_provider_performance_runs_by_keyboard_and_its_page_opens_in_a_sandbox(page: Page) -> None:
    mine = report(page, "provider-performance")
    mine.get_by_role("button", name="Provider performance").focus()
    page.keyboard.press("Enter")
    form = mine.get_by_role("form", name="Parameters of Provider performance")
    form.get_by_label("window").select_option(label="30d")
    form.get_by_label("provider").focus()
    page.keyboard.press("Enter")

    result = mine.get_by_role("button", name="Open the result of Provider performance")
    expect(result).to_be_visible(timeout=RUN_LIMIT_MS)
    expect(mine.locator("[data-state=succeeded]")).to_be_visible()
    result.focus()
    page.keyboard.press("Enter")

    frame = page.locator("iframe[src*='/artifacts/report.html']")
    expect(frame).to_have_attribute("sandbox", "allow-scripts")
    body = frame.content_frame.locator("body")
    expect(body).to_contain_text("Which provider answers well")
    expect(body).to_contain_text("window 30d")
    assert "null" == body.evaluate("() => window.origin")


def run_until_focused(form: Locator, field: Locator) -> None:
    """Press Run, again where the page took the focus away while it was being restored."""
    for _ in range(TRIES):
        form.get_by_role("button", name="Run", exact=True).click()
        try:
            expect(field).to_be_focused(timeout=SHORT_MS)
        except AssertionError:
            continue
        return
    expect(field).to_be_focused()


def test_a_value_that_does_not_fit_is_told_at_its_field(typed: str, page: Page) -> None:
    mine = report(page, typed)
    mine.get_by_role("button", name="The report typed").click()
    limit, key = mine.get_by_label("limit"), mine.get_by_label("key")
    expect(limit).to_have_value("3")
    expect(key).to_have_attribute("type", "password")

    limit.fill("none")
    run_until_focused(mine, limit)
    expect(limit).to_have_attribute("aria-invalid", "true")
    expect(limit).to_have_accessible_description(re.compile("how many.*must be integer"))
    limit.fill("4")
    key.fill("short")
    run_until_focused(mine, key)

    expect(limit).to_have_attribute("aria-invalid", "false")
    expect(key).to_have_accessible_description(re.compile("has 8 characters or more"))


def test_a_schedule_is_made_paused_and_deleted(
    typed: str, page: Page, client: httpx.Client
) -> None:
    mine = report(page, typed)
    mine.get_by_role("button", name="The report typed").click()
    mine.get_by_text("Run it by itself").click()
    mine.get_by_label("Times").fill("whenever")
    mine.get_by_label("Time zone").fill("Europe/Berlin")
    mine.get_by_role("button", name="Schedule").click()
    expect(mine.get_by_label("Times")).to_have_attribute("aria-invalid", "true")

    mine.get_by_label("Times").fill("0 7 * * 1")
    mine.get_by_role("button", name="Schedule").click()

    expect(mine).to_contain_text("Scheduled: At 07:00 on Monday (Europe/Berlin).")
    [made] = client.get("v1/schedules", params={"report": typed}).json()["schedules"]
    assert {"limit": 3} == made["parameters"]
    row = page.locator(f'[data-schedule="{made["schedule_id"]}"]')
    expect(row).to_contain_text("next")
    row.get_by_role("button", name="Pause the schedule of typed").click()
    expect(row).to_contain_text("paused")
    row.get_by_role("button", name="Resume the schedule of typed").click()
    expect(row).to_contain_text("next")
    row.get_by_role("button", name="Delete the schedule of typed").click()
    expect(row).to_have_count(0)
    assert [] == client.get("v1/schedules", params={"report": typed}).json()["schedules"]


def test_axe_finds_no_serious_fault_in_the_form(typed: str, page: Page, axe: str) -> None:
    mine = report(page, typed)
    mine.get_by_role("button", name="The report typed").click()
    mine.get_by_text("Run it by itself").click()
    mine.get_by_label("limit").fill("none")
    mine.get_by_role("button", name="Run", exact=True).click()
    expect(mine.get_by_label("limit")).to_have_attribute("aria-invalid", "true")

    page.evaluate(axe)
    found = page.evaluate("() => axe.run({include: ['#helix-lab-panel .hx-Report']})")

    faults = [fault["id"] for fault in found["violations"] if fault["impact"] in GRAVE]
    assert len(found["passes"]) > 5
    assert [] == faults, json.dumps(found["violations"])[:4000]


def test_a_report_that_cannot_run_says_why(server: LiveServer, open_lab: OpenLab) -> None:
    path = write_report(server.folder / "lab" / "reports", "bare", parameters=None)
    page = open_lab(server)

    expect(report(page, "bare").get_by_role("button")).to_be_disabled()
    expect(report(page, "bare")).to_contain_text("tagged 'parameters'")
    path.unlink()
