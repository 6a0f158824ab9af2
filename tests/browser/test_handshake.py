"""A server that is not the one this front end was built for: one notice, and no exception."""

from __future__ import annotations

import re
from collections.abc import Callable

import httpx
import pytest
from playwright.sync_api import BrowserContext, Page, Route, expect

from tests.browser.conftest import OpenLab
from tests.browser.test_panel import STATUS, panel, row, start_debate
from tests.server.live import LiveServer

OURS = re.compile(r"/(health|v1/.*)(\?|$)")
INFO = re.compile(r"/v1/info(\?|$)")
Stub = Callable[[Route], None]


def not_found(route: Route) -> None:
    """Answer as a Jupyter server answers where nothing of ours is installed."""
    route.fulfill(status=404, content_type="text/html", body="<html>404 : Not Found</html>")


def other_version(route: Route) -> None:
    info = {"name": "helix-lab", "version": "99.0.0", "node_id": "n", "backends": {}}
    route.fulfill(json=info)


@pytest.fixture
def faults(context: BrowserContext) -> list[str]:
    """Exceptions of the page, as they come."""
    found: list[str] = []
    context.on("weberror", lambda fault: found.append(str(fault.error)))
    return found


def expect_disabled(page: Page) -> None:
    page.get_by_role("menuitem", name="Helix Lab", exact=True).click()
    item = page.locator(".lm-Menu-item", has_text="Helix Lab Dashboards")
    expect(item).to_have_class(re.compile("lm-mod-disabled"))
    kept = page.locator(".lm-Menu-item", has_text="New Helix Lab Notebook")
    expect(kept).not_to_have_class(re.compile("lm-mod-disabled"))
    page.keyboard.press("Escape")


def test_a_missing_server_extension_is_said_once(
    context: BrowserContext, server: LiveServer, open_lab: OpenLab, faults: list[str]
) -> None:
    context.route(OURS, not_found)

    page = open_lab(server)

    expect(page.locator(STATUS)).to_contain_text("not on this server")
    notice = page.get_by_role("alert").filter(has_text="server extension enable")
    expect(notice).to_be_visible()
    panel(page).get_by_role("button", name="Check Again").click()
    expect(panel(page)).to_contain_text("jupyter server extension enable helix_lab_server")
    expect_disabled(page)
    expect(page.get_by_role("alert")).to_have_count(1)

    context.unroute(OURS)
    panel(page).get_by_role("button", name="Check Again").click()

    expect(page.locator(STATUS)).to_contain_text("connected")
    expect(notice).to_have_count(0)
    assert [] == faults


def test_another_version_is_said_once_and_what_needs_the_server_is_disabled(
    context: BrowserContext,
    server: LiveServer,
    client: httpx.Client,
    open_lab: OpenLab,
    faults: list[str],
) -> None:
    run_id = start_debate(client, "Old or new?")
    context.route(INFO, other_version)

    page = open_lab(server)

    expect(page.get_by_role("alert").filter(has_text="Helix Lab 99.0.0")).to_be_visible()
    cancel = row(page, run_id).get_by_role("button", name=f"Cancel debate {run_id}")
    expect(cancel).to_be_disabled()
    expect_disabled(page)
    expect(page.get_by_role("alert")).to_have_count(1)
    client.post(f"v1/runs/{run_id}/cancel", json={}).raise_for_status()
    assert [] == faults
