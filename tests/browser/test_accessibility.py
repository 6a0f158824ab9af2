"""The panel for everybody: axe finds no serious fault in any theme."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import OpenLab
from tests.browser.test_panel import start_debate
from tests.browser.test_run_results import debate, open_result
from tests.server.live import LiveServer

THEMES = ("JupyterLab Light", "JupyterLab Dark", "JupyterLab Dark High Contrast")
SETTING = "lab/api/settings/@jupyterlab/apputils-extension:themes"
TRIES = 5
SHORT_MS = 10_000
GRAVE = {"serious", "critical"}


@pytest.fixture(params=THEMES)
def theme(request: pytest.FixtureRequest, client: httpx.Client) -> Iterator[str]:
    """A theme that is chosen for one test."""
    name = str(request.param)
    client.put(SETTING, json={"raw": json.dumps({"theme": name})}).raise_for_status()
    yield name
    client.put(SETTING, json={"raw": "{}"}).raise_for_status()


def open_until_shown(page: Page, debate_id: str) -> None:
    """Open a result, again where the page took the focus away while it was being restored."""
    for _ in range(TRIES):
        open_result(page, "debate", debate_id)
        try:
            expect(page.locator(".hx-Result")).to_be_visible(timeout=SHORT_MS)
        except AssertionError:
            continue
        return
    expect(page.locator(".hx-Result")).to_be_visible()


def test_axe_finds_no_serious_fault(
    theme: str, server: LiveServer, client: httpx.Client, open_lab: OpenLab, axe: str
) -> None:
    run_id = start_debate(client, f"Is {theme} readable?")
    page = open_lab(server)
    expect(page.locator("body")).to_have_attribute("data-jp-theme-name", theme)
    expect(page.locator(f'[data-run="{run_id}"]')).to_contain_text("running")
    page.locator("#helix-lab-panel summary").first.click()
    open_until_shown(page, debate(client, f"Is its result, {theme}?")["debate_id"])

    page.evaluate(axe)
    found: dict[str, Any] = page.evaluate(
        "() => axe.run({include: ['#helix-lab-panel', '#helix-lab-status', '.hx-Result']})"
    )
    client.post(f"v1/runs/{run_id}/cancel", json={}).raise_for_status()

    faults = [
        (fault["id"], [node["html"] for node in fault["nodes"]])
        for fault in found["violations"]
        if fault["impact"] in GRAVE
    ]
    assert len(found["passes"]) > 5
    assert [] == faults
