"""The dashboards as they are met: from the panel, in a tab of JupyterLab, by whoever looks."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from helix_lab import Client
from tests.chromium import ARGUMENTS, find_chromium
from tests.dashboards.conftest import take_samples
from tests.server.live import TOKEN, LiveServer

pytest.importorskip("panel", reason="needs the extra dashboards")
pytest.importorskip("jupyter_server_proxy", reason="needs the extra dashboards")
api = pytest.importorskip("playwright.sync_api", reason="needs playwright")

LIMIT_MS = 60_000
CHROMIUM = find_chromium()
ROOT = Path(__file__).parents[2]
GRAVE = {"serious", "critical"}

pytestmark = [
    pytest.mark.ui,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on the PATH"),
    # Playwright's own transport, closed by the garbage collector.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Any) -> Iterator[Any]:
    context = browser.new_context(viewport={"width": 1300, "height": 1000})
    context.set_default_timeout(LIMIT_MS)
    yield context.new_page()
    context.close()


@pytest.mark.parametrize("theme", ["default", "dark"])
@pytest.mark.parametrize("name", ["overview", "providers"])
def test_axe_finds_no_serious_fault(
    dashboards: LiveServer, remote: Client, page: Any, name: str, theme: str
) -> None:
    take_samples(remote)
    page.goto(f"{dashboards.url}helix-dash/{name}?token={TOKEN}&theme={theme}&window=all")
    heading = page.get_by_role("heading", level=1, name=name.title())
    api.expect(heading).to_be_visible(timeout=LIMIT_MS)
    api.expect(page.locator("table").first).to_be_visible(timeout=LIMIT_MS)

    page.evaluate((ROOT / "extension/node_modules/axe-core/axe.min.js").read_text())
    found = page.evaluate("() => axe.run()")

    faults = [
        (fault["id"], [node["html"] for node in fault["nodes"]])
        for fault in found["violations"]
        if fault["impact"] in GRAVE
    ]
    assert len(found["passes"]) > 5
    assert [] == faults


def test_a_dashboard_opens_in_a_tab_of_jupyterlab_and_follows_the_lab(
    dashboards: LiveServer, remote: Client, page: Any
) -> None:
    page.goto(f"{dashboards.url}lab?token={TOKEN}&reset")
    page.wait_for_selector("#jupyterlab-splash", state="detached")
    page.locator('li.lm-TabBar-tab[data-id="helix-lab-panel"]').click()
    panel = page.locator("#helix-lab-panel")
    panel.get_by_role("button", name="Overview", exact=True).click()
    inside = page.frame_locator("iframe")
    heading = inside.get_by_role("heading", level=1, name="Overview")
    api.expect(heading).to_be_visible(timeout=LIMIT_MS)
    title = "Said while the tab was open"
    assert 0 == inside.get_by_text(title).count()

    remote.start_conversation(conversation_id="in-the-tab", title=title)
    remote.append_messages("in-the-tab", [{"role": "user", "content": "Hello"}])

    api.expect(inside.get_by_text(title)).to_be_visible(timeout=LIMIT_MS)
    tab = page.get_by_role("tab", name="Overview")
    api.expect(tab).to_be_visible()
