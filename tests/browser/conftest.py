"""Fixtures of the browser tests: one lab with a slow provider, and a fresh page for each test."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Request, expect, sync_playwright

from helix_lab.testing.fake_llm import FakeLLM
from tests.chromium import ARGUMENTS, HOW, find_chromium
from tests.server.live import TOKEN, LiveServer, serve

LIMIT_MS = 60_000
SLOW_MS = 600_000
KEY = "HELIX_TEST_KEY"
OpenLab = Callable[..., Page]


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of a Chromium."""
    path = find_chromium()
    if path is None and os.environ.get("CI") == "true":
        pytest.fail(HOW)
    if path is None:
        pytest.skip(HOW)
    return path


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    """A browser for one file: Playwright allows one at a time in a process, and other files that
    the same worker of pytest-xdist is given have their own, or an event loop.
    """
    expect.set_options(timeout=LIMIT_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def server(
    chromium: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[LiveServer]:
    """A lab whose one provider answers after ten minutes; it starts only where a browser is."""
    with FakeLLM(delay_ms=SLOW_MS) as fake:
        slow = {"name": "slow", "base_url": fake.base_url, "model": "sage", "api_key_env": KEY}
        settings = {"HELIX_PROVIDERS": json.dumps([slow]), KEY: "secret"}
        with serve(tmp_path_factory.mktemp("lab"), **settings) as live:
            yield live


@pytest.fixture
def client(server: LiveServer) -> Iterator[httpx.Client]:
    with server.client() as client:
        yield client


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """A browser without a past; the test fails if a page of it asked any host but this machine."""
    context = browser.new_context(viewport={"width": 1300, "height": 1000})
    context.set_default_timeout(LIMIT_MS)
    asked: set[str] = set()

    def note(request: Request) -> None:
        parts = urlsplit(request.url)
        if parts.scheme not in {"data", "blob"}:
            asked.add(parts.hostname or request.url)

    context.on("request", note)
    yield context
    context.close()
    assert asked <= {"127.0.0.1"}


@pytest.fixture
def open_lab(context: BrowserContext) -> OpenLab:
    """Open JupyterLab with the panel in front."""

    def open_lab(live: LiveServer, path: str = "lab") -> Page:
        page = context.new_page()
        page.goto(f"{live.url}{path}?token={TOKEN}&reset")
        page.wait_for_selector("#jupyterlab-splash", state="detached")
        tab = page.locator('li.lm-TabBar-tab[data-id="helix-lab-panel"]')
        tab.click()
        expect(page.locator("#helix-lab-panel")).to_be_visible()
        return page

    return open_lab


@pytest.fixture
def page(server: LiveServer, open_lab: OpenLab) -> Page:
    return open_lab(server)


@pytest.fixture(scope="session")
def axe() -> str:
    """The source of axe-core, which judges how accessible a page is."""
    root = Path(__file__).parents[2]
    return (root / "extension/node_modules/axe-core/axe.min.js").read_text(encoding="utf-8")
